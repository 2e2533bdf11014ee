"""Typed wrapper around audio-separator, which has the networks of Ultimate Vocal Remover.

Only its class for one architecture is used, with arrays: its main class needs files, an
`ffmpeg` on PATH and lists from the internet, and writes its own log.
"""

import logging
import pickle
import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
import yaml
from numpy.typing import NDArray

_torch = cast("Any", torch)
_LOG = logging.getLogger(__name__)
OutOfMemoryError = cast("type[RuntimeError]", torch.OutOfMemoryError)
ROFORMER_LAYERS = ("Attention", "LinearAttention", "FeedForward")
"""What audio-separator calls the layers of a RoFormer."""


class UVRNetwork(Protocol):
    """A loaded RoFormer or MDX23C network with its chunking."""

    is_roformer: bool
    overlap: int
    batch_size: int
    sample_rate: int


class UnsafeCheckpointError(Exception):
    """The checkpoint would run code, or holds no weights."""


class _Loader(yaml.SafeLoader):
    """Loads the one Python type that published settings hold, and no other."""


_Loader.add_constructor(
    "tag:yaml.org,2002:python/tuple", lambda loader, node: tuple(loader.construct_sequence(cast("Any", node)))
)


def read_settings(path: Path) -> dict[str, Any]:
    """Read a network's settings; empty for a file of another kind.

    Raises:
        yaml.YAMLError: The file is no YAML. `OSError` and `ValueError` come through too.
    """
    with path.open(encoding="utf-8") as stream:
        found: Any = yaml.load(stream, Loader=_Loader)  # noqa: S506 - derived from the safe one
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def check_weights(path: Path) -> None:
    """Check that a checkpoint, a pickle, holds nothing but numbers; no weights are read.

    Raises:
        UnsafeCheckpointError: It holds anything else.
    """
    try:
        _torch.load(path, map_location="meta", weights_only=True)
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, AttributeError, ValueError, RuntimeError) as error:
        raise UnsafeCheckpointError(f"{path.name}: {error}") from error


def load_network(path: Path, settings: Mapping[str, Any], *, overlap: int, device: str) -> UVRNetwork:
    """Load a network; call `check_weights` first. The library raises errors of any type, `SystemExit` too."""
    rates: list[Any] = [settings.get("audio", {}).get("sample_rate"), settings["model"].get("sample_rate")]
    common = {
        "logger": _LOG,
        "log_level": logging.WARNING,
        "torch_device": torch.device(device),
        "torch_device_cpu": torch.device("cpu"),
        "model_name": path.stem,
        "model_path": str(path),
        "model_data": dict(settings),
        "sample_rate": int(next((rate for rate in rates if rate), 44_100)),
    }
    with suppress_warnings():
        from audio_separator.separator.architectures import (  # pyright: ignore[reportMissingTypeStubs]
            mdxc_separator,
        )

        module: Any = mdxc_separator
        # Its progress bars would go to the log of the process.
        module.tqdm = iter
        return module.MDXCSeparator(common_config=common, arch_config={"overlap": overlap})


def count_steps(network: UVRNetwork, frames: int, chunk: int) -> int:
    """Count the calls of `done` in `separate` for so many frames, at least a chunk."""
    step = chunk // network.overlap
    if network.is_roformer:
        runs = len(cast("Any", network)._roformer_chunk_starts(frames, chunk, step))
    else:
        padded = frames + step - (frames - chunk) % step + 2 * (chunk - step)
        runs = -(-((padded - chunk) // step + 1) // network.batch_size)
    return runs * len(_hooked_modules(network))


def separate(
    network: UVRNetwork, mixture: NDArray[np.float32], *, done: Callable[[], None]
) -> Mapping[str, NDArray[np.float32]]:
    """Separate a mixture.

    Args:
        network: The loaded network.
        mixture: Shape (channels, frames).
        done: Called after each layer of each run, because one run may take a minute; what it raises ends the work.

    Returns:
        Each source by its name, the same shape.
    """

    def hook(_module: object, _inputs: object, _output: object) -> None:
        done()

    library = cast("Any", network)
    with ExitStack() as stack:
        stack.enter_context(suppress_warnings())
        for part in _hooked_modules(network):
            stack.callback(part.register_forward_hook(hook).remove)
        made: Any = library.demix(mix=np.ascontiguousarray(mixture))
    return cast("dict[str, Any]", made) if isinstance(made, dict) else {library.primary_stem_name: made}


def move(network: UVRNetwork, device: str) -> None:
    """Move a network to a torch device and return the cached memory of the graphics card."""
    library = cast("Any", network)
    if library.torch_device != torch.device(device):
        library.torch_device = torch.device(device)
        library.model_run.to(device)
        _torch.cuda.empty_cache()


def _hooked_modules(network: UVRNetwork) -> list[Any]:
    """List the modules that run once in each run: a RoFormer's layers, and the network as a whole."""
    whole = cast("Any", network).model_run
    return [*(part for part in whole.modules() if type(part).__name__ in ROFORMER_LAYERS), whole]


@contextmanager
def suppress_warnings() -> Generator[None]:
    """Suppress the library's warnings, of an ffmpeg that nothing here runs and of calls that torch has renamed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
