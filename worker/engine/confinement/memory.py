"""How much memory this process can have: of the machine, and of the control groups that it is in."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

CGROUP_ROOT: Final = Path("/sys/fs/cgroup")
OWN_CGROUPS: Final = Path("/proc/self/cgroup")
READER_BYTES: Final = 2 * 2**30
"""What a process may have that reads the file of a stranger: several times what the longest clip needs, ..."""
READER_BYTES_PER_PROCESSOR: Final = 64 * 2**20
"""... and this for each processor, since libraries start threads by their number."""


def reader_memory_bytes() -> int:
    """Return the memory that a process may have that reads the file of a stranger, in bytes.

    A file of some kilobytes can claim so many samples that libav would fill gigabytes with what it notes of each.
    """
    return min(memory_bytes(), READER_BYTES + READER_BYTES_PER_PROCESSOR * (os.cpu_count() or 1))


def memory_bytes() -> int:
    """Return the memory and swap that this process can have, in bytes."""
    total = psutil.virtual_memory().total + psutil.swap_memory().total
    return min([total, *cgroup_limits()])


def cgroup_limits(root: Path = CGROUP_ROOT, listed: Path = OWN_CGROUPS) -> Iterator[int]:
    """Yield the memory limits of the control groups that this process is in and of those around them, in bytes.

    Args:
        root: Where control groups are mounted.
        listed: The groups of the process, as in cgroups(7).
    """
    try:
        lines = listed.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        # The second version has no names of controllers.
        top = root / "memory" if controllers else root
        name = "memory.limit_in_bytes" if controllers else "memory.max"
        group = top / path.lstrip("/")
        for folder in (group, *group.parents):
            if not folder.is_relative_to(top):
                break
            try:
                yield int((folder / name).read_text(encoding="ascii"))
            except (OSError, ValueError):
                # Not seen from inside a container, or "max" without a limit.
                continue
