"""The name of a worker, which tells on the same machine whether its process still exists."""

import os
import re
import socket
import uuid
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"(?P<machine>.+)-(?P<pid>\d+)-[0-9a-f]{6}")


def new_worker_name() -> str:
    """Name a worker of this process after the machine, the process and a random part."""
    return f"{_machine()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


def process_has_ended(name: str) -> bool:
    """Tell whether a worker of this machine has lost its process; False for a worker of another machine."""
    parts = _NAME.fullmatch(name)
    if parts is None or parts["machine"] != _machine():
        return False
    try:
        os.kill(int(parts["pid"]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return _is_zombie(int(parts["pid"]))


def _machine() -> str:
    """Return the host's name with the number of the process namespace: containers may share the host's name."""
    try:
        namespace = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        namespace = 0
    return f"{socket.gethostname()}-{namespace}"


def _is_zombie(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[:1] == ["Z"]
