"""Folders for temporary files that never outlive the work, not even when the worker is killed."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

_LOCK: Final = ".lock"


class Scratch:
    """A worker's own folder for temporary files.

    The folder is locked while its worker lives, however the worker ends; the next worker removes unlocked ones.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(root)
        self.root: Final = Path(tempfile.mkdtemp(prefix="worker-", dir=root))
        """The folder in which all others are made."""
        # Not per thread: it is taken in one thread and released in another.
        self._lock = FileLock(self.root / _LOCK, thread_local=False)
        self._lock.acquire(blocking=False)

    @contextmanager
    def folder(self) -> Generator[Path]:
        """Create an empty folder for the length of the block."""
        with tempfile.TemporaryDirectory(dir=self.root, ignore_cleanup_errors=True) as path:
            yield Path(path)

    def close(self) -> None:
        """Remove the worker's folder with everything in it."""
        shutil.rmtree(self.root, ignore_errors=True)
        self._lock.release()


def _remove_abandoned(root: Path) -> None:
    for folder in root.glob("worker-*"):
        # A folder without a lock file is just being made.
        if not (folder / _LOCK).exists():
            continue
        try:
            with FileLock(folder / _LOCK, blocking=False):
                shutil.rmtree(folder, ignore_errors=True)
        except Timeout:
            continue
