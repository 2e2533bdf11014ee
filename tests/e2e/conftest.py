"""One machine's whole system, as `stemcord up` starts it, for all tests of this folder."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "data"
SAMPLE = DATA / "sample.mp4"
COMMAND = (sys.executable, "-c", "from deploy.command import main; main()")
START_LIMIT = 90.0


@dataclass(frozen=True, slots=True)
class Machine:
    """A home folder and the environment that points at it."""

    home: Path
    environment: dict[str, str]

    def stemcord(self, *arguments: str | Path, limit: float = 280) -> subprocess.CompletedProcess[str]:
        """Run a `stemcord` command to its end."""
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )


def clean_environment(home: Path) -> dict[str, str]:
    """The environment without any setting of Stemcord's but the home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STEMCORD_", "DISCORD_"))}
    return kept | {"STEMCORD_HOME": str(home), "STEMCORD_LOOK_AHEAD": "false", "PYTHONPATH": str(DATA.parents[1])}


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A running `stemcord up` without a bot."""
    home = tmp_path_factory.mktemp("home")
    machine = Machine(home, clean_environment(home))
    log = (home / "up.log").open("w+")
    up = subprocess.Popen([*COMMAND, "up"], env=machine.environment, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + START_LIMIT
        while "workers" not in (home / "up.log").read_text():
            assert up.poll() is None, (home / "up.log").read_text()
            assert time.monotonic() < deadline, (home / "up.log").read_text()
            time.sleep(0.1)
        yield machine
    finally:
        up.send_signal(signal.SIGTERM)
        try:
            up.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(up.pid, signal.SIGKILL)
            up.wait()
        log.close()


@pytest.fixture(scope="session")
def first(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first run of the sample, with all its files."""
    out = tmp_path_factory.mktemp("first") / "out"
    done = machine.stemcord("run", SAMPLE, "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out
