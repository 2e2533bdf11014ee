"""Folders for work in progress that never outlive the work, not even after a kill."""

import fcntl
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

_LOCK: Final = ".lock"


class Scratch:
    """A worker's own folder for temporary files; the next worker clears away what a killed one left."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        _clear_abandoned(root)
        self._folder = Path(tempfile.mkdtemp(prefix="worker-", dir=root))
        self._lock = _hold(self._folder / _LOCK)

    @contextmanager
    def folder(self) -> Generator[Path]:
        """An empty folder that is gone afterwards."""
        with tempfile.TemporaryDirectory(dir=self._folder, ignore_cleanup_errors=True) as path:
            yield Path(path)

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()


def _hold(path: Path) -> IO[bytes] | None:
    """The locked file, None when somebody alive holds it; the lock ends with the process, however it ends."""
    stream = path.open("ab")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        stream.close()
        return None
    return stream


def _clear_abandoned(root: Path) -> None:
    for folder in root.glob("worker-*"):
        # One without a lock file is just being made.
        if not (folder / _LOCK).exists():
            continue
        lock = _hold(folder / _LOCK)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            lock.close()
