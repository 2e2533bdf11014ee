"""Removal of lazily loaded modules that cannot be loaded; librosa leaves such a one for `samplerate`."""

import sys


def remove_unloadable_modules() -> None:
    """Remove modules that fail to load from `sys.modules`.

    `inspect` touches every module there while lightning looks for its callers. Code that imported such a
    module keeps it, and the error that comes with its use.
    """
    for name, module in list(sys.modules.items()):
        try:
            getattr(module, "__file__", None)
        except (ImportError, OSError):
            del sys.modules[name]
