"""The home holds what strangers said and the keys of this machine: it is for this account alone."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

PRIVATE_UMASK: Final = 0o077
PRIVATE_MODE: Final = 0o700


def keep_files_private(home: Path) -> None:
    """Close the home to other accounts, and all files that this process and its children make from now on."""
    os.umask(PRIVATE_UMASK)
    close_home(home)


def close_home(home: Path) -> None:
    """Make the home, and close it to other accounts; a folder that is meant for all, such as /tmp, stays as it is.

    Who needs the home tells when it cannot be used.
    """
    with suppress(OSError):
        home.mkdir(mode=PRIVATE_MODE, parents=True, exist_ok=True)
        found = home.stat()
        is_shared = bool(found.st_mode & stat.S_ISVTX) or home.resolve() == Path(home.anchor)
        if found.st_mode & PRIVATE_UMASK and found.st_uid == os.geteuid() and not is_shared:
            home.chmod(PRIVATE_MODE)
