"""Chromium from the distribution, and the page of a real result as `stemcord page` serves it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.conftest import Machine
from tests.e2e.served import served

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ROUNDS = 9
"""Times that the long result repeats the sample: more sound than the page decodes into memory."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"no {' or '.join(PROGRAMS)} on this machine; Debian: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def folder(browser: Browser, first: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sample's result, whose speakers may be renamed."""
    assert browser.is_connected()
    return shutil.copytree(first, tmp_path_factory.mktemp("page") / "talk")


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def address(folder: Path, machine: Machine) -> Iterator[str]:
    with served(machine, folder.with_suffix(".log"), "page", folder) as address:
        yield address


@pytest.fixture(scope="module")
def long_address(long_folder: Path, machine: Machine) -> Iterator[str]:
    with served(machine, long_folder.with_suffix(".log"), "page", long_folder) as address:
        yield address
