"""Import of torchaudio where its native library does not load.

torchaudio's published wheels are built against a CUDA torch; beside a CPU torch their
native library is rejected and `import torchaudio` ends. The parts used here (Kaldi
filter banks, and what pyannote.audio imports) are plain Python over torch tensors, so
only the module that loads the library has to be replaced. Nothing changes on a machine
where it loads.
"""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import NoReturn


class _NoExtension(ModuleType):
    """Stand-in for `torchaudio._extension` that reports nothing native."""

    _IS_TORCHAUDIO_EXT_AVAILABLE = False
    _IS_ALIGN_AVAILABLE = False

    @staticmethod
    def _load_lib(_: str) -> bool:
        return False

    @staticmethod
    def fail_if_no_align(function: Callable[..., object]) -> Callable[..., NoReturn]:
        """Replace a function that needs the native aligner by one that raises."""

        def fail(*_: object, **__: object) -> NoReturn:
            raise RuntimeError(f"{function.__name__} needs the native library of torchaudio, which did not load")

        return fail


def install() -> bool:
    """Import torchaudio, without its native library if that does not load.

    Returns:
        Whether the native library loaded.

    Raises:
        ImportError: torchaudio is not installed.
    """
    if "torchaudio" in sys.modules:
        return not isinstance(sys.modules.get("torchaudio._extension"), _NoExtension)
    try:
        _import()
    except OSError:
        # The failed import leaves submodules behind that would shadow the next one.
        for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
            del sys.modules[name]
        sys.modules["torchaudio._extension"] = _NoExtension("torchaudio._extension")
        _import()
        return False
    return True


def _import() -> None:
    import torchaudio  # noqa: F401 # pyright: ignore[reportUnusedImport, reportMissingTypeStubs]
