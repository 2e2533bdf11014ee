"""The process group of an engine: the engine and the programs that it started."""

import asyncio
import os
import signal
from contextlib import suppress
from typing import Final

import psutil

MAX_PROCESSES: Final = 64
"""Processes of an engine, itself and ffmpeg among them; stages start a few at most."""
CHECK_INTERVAL_S: Final = 0.5
"""Seconds between two counts."""

KILL_PASSES: Final = 3
"""How often a group is gone through, in case that its processes start others meanwhile."""


def kill_group(pid: int) -> None:
    """End all processes of a group at once, if there are any."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


async def kill_overgrown_group(pid: int) -> bool:
    """Watch a group and end it when it has too many processes, as of a fork bomb.

    Limits of the system on processes count those of the whole account, and root is exempt from them.

    Returns:
        True when it was ended, False when it has no process any more.
    """
    while True:
        await asyncio.sleep(CHECK_INTERVAL_S)
        # On a machine with thousands of processes this takes a while.
        count = await asyncio.to_thread(count_group, pid)
        if count > MAX_PROCESSES:
            kill_group(pid)
            return True
        if count == 0:
            return False


def count_group(pid: int) -> int:
    """Count the processes of a group."""
    return len(members_of(pid))


def kill_others() -> None:
    """End all other processes of this process's group, which it leads."""
    own = os.getpid()
    for _ in range(KILL_PASSES):
        others = [member for member in members_of(own) if member != own]
        if not others:
            return
        for member in others:
            with suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)


def members_of(group: int) -> list[int]:
    """List the processes of a group."""
    members: list[int] = []
    for member in psutil.pids():
        with suppress(ProcessLookupError, PermissionError):
            if os.getpgid(member) == group:
                members.append(member)
    return members
