"""The name of a worker, which tells on the same machine whether its process still exists."""

import functools
import os
import re
import socket
import uuid
from pathlib import Path
from typing import Final

BOOT_ID_FILE: Final = Path("/proc/sys/kernel/random/boot_id")
_NAME: Final = re.compile(r"(?P<machine>.+)-(?P<pid>\d+)-[0-9a-f]{6}")


def new_worker_name() -> str:
    """Name a worker of this process after the machine, the process and a random part."""
    return f"{machine()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


def process_has_ended(name: str) -> bool:
    """Tell whether a worker of this machine has lost its process; False for a worker of another machine."""
    parts = _NAME.fullmatch(name)
    if parts is None or parts["machine"] != machine():
        return False
    try:
        os.kill(int(parts["pid"]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return _is_zombie(int(parts["pid"]))


@functools.cache
def machine() -> str:
    """Name this machine: the host's name, the start of its boot id and the number of the process namespace.

    Machines and containers may share a name, and after a reboot a process id belongs to somebody else: what another
    boot wrote is judged like what another machine wrote, by its signs of life.
    """
    try:
        boot = BOOT_ID_FILE.read_text()[:8]
        namespace = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        boot, namespace = "0", 0
    return f"{socket.gethostname()}-{boot}-{namespace}"


def _is_zombie(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[:1] == ["Z"]
