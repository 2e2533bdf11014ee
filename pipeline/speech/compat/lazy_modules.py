"""Modules that load only when they are touched, and cannot: librosa leaves such a one for `samplerate`."""

import sys


def remove_unloadable_modules() -> None:
    """Take them out of `sys.modules`, where `inspect` touches every module while lightning looks for its callers.

    Whoever imported one keeps it, and the error that comes with its use.
    """
    for name, module in list(sys.modules.items()):
        try:
            getattr(module, "__file__", None)
        except (ImportError, OSError):
            del sys.modules[name]
