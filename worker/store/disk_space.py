"""Tells whether something failed because a disk is full."""

import errno
import shutil
from pathlib import Path
from typing import Final

from pipeline.errors import DiskFullError

FULL_ERRNOS: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
MIN_FREE_BYTES: Final = 1 << 20
"""Bytes below which a disk is taken for full: libraries for sound do not tell why they cannot write."""


def is_disk_full(error: BaseException | None, folder: Path) -> bool:
    """Tell whether an error, or one that it comes from, says that a disk is full, or that of the folder is."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL_ERRNOS:
            return True
        error = error.__cause__ or error.__context__
    try:
        return shutil.disk_usage(folder).free < MIN_FREE_BYTES
    except OSError:
        return False


def disk_full_error(detail: str, stage: str = "") -> DiskFullError:
    """Return the error for a worker whose disk is full."""
    error = DiskFullError("The disk of the worker is full.", detail=detail)
    error.stage = stage
    return error
