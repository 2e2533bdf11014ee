"""A page of a result that a command of `stemcord` serves."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.machine import COMMAND, Machine

START_LIMIT = 120.0


@contextmanager
def served(machine: Machine, log: Path, *arguments: str | Path) -> Iterator[str]:
    """The address that the command prints; Ctrl-C ends it, with exit code 0."""
    with log.open("w") as sink:
        command = [*COMMAND, *map(str, arguments)]
        process = subprocess.Popen(command, env=machine.environment, stdout=sink, stderr=sink)
    try:
        end = time.monotonic() + START_LIMIT
        while (found := re.search(r"http://\S+(?=\s)", log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)
        yield found[0]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()
