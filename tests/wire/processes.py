"""Programs under test: started in their own process group, their output kept, always ended."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.wire.server import FakeDiscord

ROOT = Path(__file__).parents[2]
PASSED_ON = (
    *("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "XDG_DATA_HOME", "XDG_CACHE_HOME"),
    "OMP_NUM_THREADS",  # one where tests run side by side: threads that wait for each other take all there is
)
GRACE = 10.0
"""Seconds between asking a process to end and ending it."""


class Program:
    """A running process and what it wrote."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.process = process
        self._log = log

    @property
    def output(self) -> str:
        """Everything it wrote so far."""
        return self._log.read_text(errors="replace")

    @property
    def running(self) -> bool:
        """True until it has ended."""
        return self.process.returncode is None

    def signal_group(self, number: int) -> None:
        """Signals the process and all it started."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return

    def pause(self) -> None:
        """Nothing of it runs until `resume`."""
        self.signal_group(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on where it was."""
        self.signal_group(signal.SIGCONT)

    async def wait(self, limit: float) -> int:
        """Its exit code once it has ended by itself; raises `TimeoutError` when it does not."""
        return await asyncio.wait_for(self.process.wait(), limit)

    async def end(self) -> int:
        """Asks it to end, then makes it; its children never outlive it. Returns its exit code."""
        try:
            if self.running:
                self.process.send_signal(signal.SIGTERM)
                await asyncio.wait_for(self.process.wait(), GRACE)
        except TimeoutError:
            self.signal_group(signal.SIGKILL)
        finally:
            self.signal_group(signal.SIGKILL)
        return await asyncio.wait_for(self.process.wait(), GRACE)


@asynccontextmanager
async def run_program(
    name: str, command: Sequence[str | Path], environment: Mapping[str, str], folder: Path
) -> AsyncIterator[Program]:
    """Runs a command from the root of the checkout, with only the named environment."""
    log = folder / f"{name}.log"
    passed = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            *(str(part) for part in command),
            cwd=ROOT,
            env={**passed, "PYTHONUNBUFFERED": "1", **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sink,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    program = Program(name, process, log)
    try:
        yield program
    finally:
        await program.end()


async def ready_or_dead(
    fake: FakeDiscord, program: Program, *, commands: Sequence[str] = (), timeout: float = 60.0
) -> None:
    """Waits until the bot listens; fails at once with its output when it ended instead."""

    def listening() -> bool:
        if not program.running:
            raise AssertionError(f"{program.name} ended with {program.process.returncode}:\n{program.output[-4000:]}")
        return fake.gateway.connected and set(commands) <= {c["name"] for c in fake.world.all_commands()}

    await fake.wait(listening, timeout, f"{program.name} to listen:\n{program.output[-4000:]}")
