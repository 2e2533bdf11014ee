"""One machine's whole system, as `stemcord up` starts it, for all tests of this folder."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.e2e.browser.visitor import Listened, listen
from tests.e2e.machine import COMMAND, Machine
from tests.e2e.served import served

DATA = Path(__file__).parents[1] / "data"
SAMPLE = DATA / "sample.mp4"
START_LIMIT = 90.0
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ROUNDS = 9
"""Times that the long result repeats the sample: more sound than the page decodes into memory."""
LISTEN_SECONDS = int(os.environ.get("STEMCORD_TEST_LISTEN_SECONDS", "16"))
"""How long both engines of the page are listened to; `make bench-page` takes a minute."""


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
def idle_machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A home where nothing runs."""
    home = tmp_path_factory.mktemp("idle")
    return Machine(home, clean_environment(home))


@pytest.fixture(scope="session")
def first(machine: Machine, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first run of the sample, with all its files."""
    out = tmp_path_factory.mktemp("first") / "out"
    done = machine.stemcord("run", SAMPLE, "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    if kept := request.config.getoption("--sample-result"):
        shutil.copytree(out, kept)
    return out


@pytest.fixture(scope="session")
def sample_result(request: pytest.FixtureRequest) -> Path:
    """The result of the sample, as `--sample-result` has it or as it is made now."""
    kept: Path | None = request.config.getoption("--sample-result")
    return kept if kept is not None and kept.is_dir() else request.getfixturevalue("first")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser of the distribution."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"no {' or '.join(PROGRAMS)} on this machine; Debian: apt install chromium")
    return program


@pytest.fixture(scope="session")
def folder(chromium: str, sample_result: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sample's result, whose speakers may be renamed."""
    return shutil.copytree(sample_result, tmp_path_factory.mktemp("page") / "talk")


@pytest.fixture(scope="session")
def long_folder(folder: Path) -> Path:
    """The same stems again and again, without a picture."""
    long = folder.with_name("long")
    (long / "stems").mkdir(parents=True)
    result = json.loads((folder / "result.json").read_text())
    names = [item["name"] for item in result["artefacts"] if item["name"].startswith("stems/")]
    for name in names:
        sound, rate = soundfile.read(folder / name, dtype="int16", always_2d=True)
        soundfile.write(long / name, np.tile(sound, (ROUNDS, 1)), rate, compression_level=0.1)
    result["artefacts"] = [item for item in result["artefacts"] if item["name"] in names]
    result["media"] |= {"duration": result["media"]["duration"] * ROUNDS, "video": None}
    (long / "result.json").write_text(json.dumps(result))
    return long


@pytest.fixture(scope="session")
def address(folder: Path, idle_machine: Machine) -> Iterator[str]:
    with served(idle_machine, folder.with_suffix(".log"), "page", folder) as address:
        yield address


@pytest.fixture(scope="session")
def long_address(long_folder: Path, idle_machine: Machine) -> Iterator[str]:
    with served(idle_machine, long_folder.with_suffix(".log"), "page", long_folder) as address:
        yield address


@pytest.fixture(scope="session")
def listened(chromium: str, address: str, long_address: str, folder: Path) -> Iterator[Future[dict[str, Listened]]]:
    """What was heard of both engines of the page; listening goes on while other tests run."""
    enough = threading.Event()
    addresses = {"BufferEngine": address, "ElementEngine": long_address}
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(listen, chromium, addresses, folder, LISTEN_SECONDS, enough)
        enough.set()
