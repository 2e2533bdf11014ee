"""Folders for temporary files that never outlive the work, not even when its process is killed."""

import os
import shutil
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from worker.store.private_home import close_home

PREFIXES: Final = ("worker-", "bot-", "command-")
"""Starts of the names of scratch folders in a home."""
REMOVE_TRIES: Final = 20
"""How often a folder is removed in which a program that was just killed still writes."""
REMOVE_PAUSE_S: Final = 0.05

_LOCK: Final = ".lock"


class Scratch:
    """A process's own folder for temporary files.

    The folder is locked while its process lives, however that ends; the next process removes unlocked ones.

    Args:
        root: Where the folder is made.
        prefix: Start of its name; unlocked folders with the same start are removed.
    """

    def __init__(self, root: Path, prefix: str = "worker-") -> None:
        root.mkdir(parents=True, exist_ok=True)
        remove_abandoned(root, (prefix,))
        # Under its name it is locked from the first moment on.
        draft = Path(tempfile.mkdtemp(prefix=f".new-{prefix}", dir=root))
        # Not per thread: it is taken in one thread and released in another.
        self._lock = FileLock(draft / _LOCK, thread_local=False)
        try:
            self._lock.acquire(blocking=False)
        except OSError:
            draft.rmdir()
            raise
        self.root: Final = draft.rename(root / draft.name.removeprefix(".new-"))
        """The folder in which all others are made."""

    @contextmanager
    def folder(self) -> Generator[Path]:
        """Create an empty folder for the length of the block."""
        path = Path(tempfile.mkdtemp(dir=self.root))
        try:
            yield path
        finally:
            _remove(path)

    def close(self) -> None:
        """Remove the process's folder with everything in it."""
        _remove(self.root)
        self._lock.release()


@contextmanager
def temporary_files_in(folder: Path) -> Generator[None]:
    """Let temporary files of this process, and of programs it starts, lie in a folder for the length of the block."""
    known, variable = tempfile.tempdir, os.environ.get("TMPDIR")
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = known
        if variable is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = variable


@contextmanager
def scratch_for(home: Path, prefix: str) -> Generator[Path]:
    """Make a scratch folder of this process in a home for the length of the block.

    A process that cannot write to its home, since all that it keeps lies elsewhere, has it in the system's folder.
    """
    close_home(home)
    try:
        scratch = Scratch(scratch_root(home), prefix)
    except OSError:
        scratch = Scratch(Path(tempfile.gettempdir()) / f"stemcord-{os.getuid()}", prefix)
    try:
        yield scratch.root
    finally:
        scratch.close()


def scratch_root(home: Path) -> Path:
    """Return where the scratch folders of a home lie."""
    return home / "scratch"


def remove_abandoned(root: Path, prefixes: Sequence[str] = PREFIXES) -> None:
    """Remove the scratch folders of processes that are gone."""
    for folder in (path for prefix in prefixes for path in root.glob(f"{prefix}*")):
        # Not one of ours.
        if not (folder / _LOCK).exists():
            continue
        try:
            with FileLock(folder / _LOCK, blocking=False):
                _remove(folder)
        except (Timeout, OSError):
            # It is in use, or another process removes it at this moment.
            continue


def _remove(folder: Path) -> None:
    for _ in range(REMOVE_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(REMOVE_PAUSE_S)
