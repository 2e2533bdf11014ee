"""Runs programs for the pages in processes of their own, so that the bot loads no sound library and never waits."""

import asyncio
import os
import sys
from typing import Final

from pipeline.errors import StoreError

PASSED_VARIABLES: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR")
"""What the environment of a child has; not the bot's token and keys."""


async def run_module(module: str, *arguments: str, given: bytes = b"", timeout_s: float) -> bytes:
    """Run a Python module as a program and return what it writes to its standard output.

    Args:
        module: Its full name.
        arguments: On its command line.
        given: What it reads from its standard input.
        timeout_s: After which it is killed.

    Raises:
        StoreError: It failed or took too long.

    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ},
    )
    try:
        async with asyncio.timeout(timeout_s):
            written, _ = await process.communicate(given)
    except TimeoutError as error:
        raise StoreError("A file of this result could not be made in time.", detail=module) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise StoreError("A file of this result could not be made.", detail=f"{module}: exit {process.returncode}")
    return written
