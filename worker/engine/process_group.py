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
    count = 0
    for member in psutil.pids():
        with suppress(ProcessLookupError, PermissionError):
            count += os.getpgid(member) == pid
    return count
