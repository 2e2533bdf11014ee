"""Locks that processes of one machine take from each other, and that end with their process."""

import fcntl
import os
from pathlib import Path
from typing import Final

PLACES: Final = 1 << 62
"""Bytes of a file that can be locked; none of them has to exist."""


class ProcessLocks:
    """Locks by number. Within one process they do nothing.

    Args:
        path: A file of its own, which all processes share.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self, number: int) -> bool:
        """Take a lock; return False when another process has it. Raises `OSError` where there are no locks."""
        if self._file is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Closing any descriptor of the file would give all locks back, so this one stays for good.
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number % PLACES)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def give(self, number: int) -> None:
        """Give a lock back that was taken."""
        if self._file is not None:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, number % PLACES)
