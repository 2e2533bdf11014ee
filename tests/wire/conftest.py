"""Fixtures for the wire tests: Discord's description, a fake that ends strictly, and the whole system around one."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import pytest_asyncio
import soundfile

from tests.wire.answers import result_of
from tests.wire.light import LightStack
from tests.wire.objects import Message
from tests.wire.observed import Observed, observe
from tests.wire.openapi import Description
from tests.wire.server import FakeDiscord
from tests.wire.stack import Stack

DATA = Path(__file__).parents[1] / "data"
SAMPLE = DATA / "sample.mp4"
SCENE_SECONDS = 21.0


@pytest.fixture(scope="session")
def description() -> Description:
    """Discord's own description of its API."""
    return Description.load()


@pytest.fixture
async def fake(description: Description) -> AsyncIterator[FakeDiscord]:
    """A fresh fake; the test fails when any traffic broke the description."""
    async with FakeDiscord.start() as server:
        yield server
        assert server.recorder.exchanges, "nothing was said on the wire"
        assert not (found := server.violations(description)), "\n".join(found)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The whole system, started once for all tests that use it."""
    async with Stack.start(tmp_path_factory.mktemp("system")) as stack:
        yield stack


@pytest_asyncio.fixture(loop_scope="session")
async def stack(system: Stack, description: Description) -> AsyncIterator[Stack]:
    """The whole system for one test: at its end everything lives and the traffic kept to the description."""
    first = len(system.fake.recorder.exchanges)
    yield system
    assert all(program.running for program in system.programs), system.report()
    found = description.check(system.fake.recorder.exchanges[first:])
    assert not found, "\n".join(found)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def light_system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LightStack]:
    """The bot alone with its queue, started once for all tests that use it; the test plays the worker."""
    async with LightStack.start(tmp_path_factory.mktemp("light")) as stack:
        yield stack


@pytest_asyncio.fixture(loop_scope="session")
async def light(light_system: LightStack, description: Description) -> AsyncIterator[LightStack]:
    """The bot for one test: at its end it lives and the traffic kept to the description."""
    first = len(light_system.fake.recorder.exchanges)
    yield light_system
    assert light_system.bot is not None
    assert light_system.bot.running, light_system.report()
    found = description.check(light_system.fake.recorder.exchanges[first:])
    assert not found, "\n".join(found)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def observed_system(tmp_path_factory: pytest.TempPathFactory, scene: Path) -> AsyncIterator[Observed]:
    """The whole system with pages, traces and metrics, which has made all that can be made of the scene."""
    async with observe(tmp_path_factory.mktemp("observed"), scene) as observed:
        yield observed


@pytest_asyncio.fixture(loop_scope="session")
async def observed(observed_system: Observed, description: Description) -> AsyncIterator[Observed]:
    """The same for one test: at its end everything lives and all traffic kept to the description."""
    yield observed_system
    stack = observed_system.stack
    assert all(program.running for program in stack.programs), stack.report()
    assert not (found := stack.fake.violations(description)), "\n".join(found)


@pytest.fixture(scope="session")
def shelf() -> dict[str, Message]:
    """Results that several tests look at."""
    return {}


@pytest_asyncio.fixture(loop_scope="session")
async def result(stack: Stack, scene: Path, shelf: dict[str, Message]) -> Message:
    """The message with everything that can be made of the scene, asked for by the owner of the guild."""
    if "scene" not in shelf:
        made = await result_of(stack, await stack.fake.slash("process", clip=scene, language="en"))
        assert "transcript.txt" in made.files, f"{made.text}\n{stack.report()}"
        shelf["scene"] = made
    return shelf["scene"]


@pytest.fixture(scope="session")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A voice track as long as the scene: a tone that comes and goes."""
    path = tmp_path_factory.mktemp("voice") / "voice.wav"
    time = np.arange(int(SCENE_SECONDS * 16_000)) / 16_000
    tone = 0.2 * np.sin(2 * np.pi * 220 * time) * (np.sin(2 * np.pi * 0.5 * time) > 0)
    soundfile.write(path, tone.astype("float32"), 16_000)
    return path


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first seconds of the sample, with its picture: three people speak, music lies under them."""
    path = tmp_path_factory.mktemp("scene") / "scene.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(SAMPLE), "-t", str(SCENE_SECONDS)]
    subprocess.run([*command, "-c", "copy", str(path)], check=True, timeout=60, stdin=subprocess.DEVNULL)
    return path
