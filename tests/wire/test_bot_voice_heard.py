"""Workers hear a recording for its person alone: the voice is known again, and nothing else is left anywhere."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import redis.asyncio
import soundfile

from bot.jobs.recording_submission import MAX_RECORDING_S
from tests.folders import files_below
from tests.wire.answers import private, shows
from tests.wire.conftest import DATA
from tests.wire.objects import Message
from tests.wire.openapi import Description
from tests.wire.shapes import Json
from tests.wire.stack import Stack
from tests.wire.voices import KEYS

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]
ALICE = ((0.4, 7.0), (21.2, 23.2))
ALICE_LATER = ((35.8, 37.9), (38.4, 40.4), (55.9, 60.8))
"""Seconds of the sample in which she speaks alone."""
ALL = ((0.4, 20.5),)
HEARD_LIMIT = 120.0
RATE = 16_000
SYSTEM = (b"stemcord:workers", b"stemcord:media:share:", b"stemcord:media:pace")
"""What the broker has of workers, and for a time of how much people ask for."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def keyed(tmp_path_factory: pytest.TempPathFactory, description: Description) -> AsyncIterator[Stack]:
    """The whole system with a key, and a server with a voice-book."""
    settings = {"STEMCORD_ENCRYPTION_KEYS": KEYS}
    async with Stack.start(tmp_path_factory.mktemp("heard"), settings=settings) as stack:
        await private(stack, await stack.fake.slash("voice enable", by=stack.fake.world.person))
        yield stack
        assert all(program.running for program in stack.programs), stack.report()
        assert not (found := stack.fake.violations(description)), "\n".join(found)


def recording(folder: Path, *parts: tuple[float, float]) -> Path:
    samples, rate = soundfile.read(DATA / "sample.speech.flac", dtype="float32")
    path = folder / f"me-{time.monotonic_ns()}.flac"
    soundfile.write(path, np.concatenate([samples[int(start * rate) : int(end * rate)] for start, end in parts]), rate)
    return path


async def left(stack: Stack) -> tuple[set[str], set[bytes]]:
    """Every file of the store and of the temporary ones, and what the broker has of jobs."""
    home = stack.folder / "home"
    files = {path for root in ("store", "scratch") for path in files_below(home / root)}
    async with redis.asyncio.Redis.from_url(stack.broker_url) as broker:
        keys = {key async for key in broker.scan_iter("*") if not key.startswith(SYSTEM)}
    return {str(path.relative_to(home)) for path in files if path.name != ".lock"}, keys


async def heard(stack: Stack, person: Json, path: Path) -> Message:
    """What a person is told who sends a recording and says yes."""
    asked = await private(stack, await stack.fake.slash("voice enrol", by=person, recording=path))
    (agree,) = asked.buttons
    await stack.fake.click(agree, asked, by=person)
    return await shows(stack, asked, lambda m: "recording is deleted" in m.text, HEARD_LIMIT)


async def test_a_recording_is_heard_and_leaves_the_voice_alone(keyed: Stack, tmp_path: Path) -> None:
    stack = keyed
    before, public = await left(stack), [m for m in stack.fake.messages if not m.ephemeral]
    ann = await stack.fake.add_person(f"ann{time.monotonic_ns()}")
    ben = await stack.fake.add_person(f"ben{time.monotonic_ns()}")
    for person, parts, said in (
        (ann, ALICE, "Your voice is kept."),
        (ben, ALICE_LATER, "like that of somebody else"),
        (ben, ALL, "Several voices are heard"),
        (ben, ((0.4, 1.6),), "Too little of this voice"),
    ):
        told = await heard(stack, person, recording(tmp_path, *parts))
        assert told.text.startswith(said) or said in told.text
    await is_as_before(stack, before)
    assert [m for m in stack.fake.messages if not m.ephemeral] == public
    status = await private(stack, await stack.fake.slash("voice status", by=ann))
    assert "Your voice is kept here since" in status.text


async def is_as_before(stack: Stack, before: tuple[set[str], set[bytes]]) -> None:
    end = time.monotonic() + 20
    while (now := await left(stack)) != before:
        assert time.monotonic() < end, [sorted(map(str, one ^ other)) for one, other in zip(now, before, strict=True)]
        await asyncio.sleep(0.1)


async def test_what_is_no_recording_of_a_voice_is_told_and_deleted(keyed: Stack, tmp_path: Path) -> None:
    stack = keyed
    before, cal = await left(stack), await stack.fake.add_person(f"cal{time.monotonic_ns()}")
    silent, long, text = tmp_path / "silent.flac", tmp_path / "long.flac", tmp_path / "text.mp3"
    soundfile.write(silent, np.zeros(8 * RATE, np.float32), RATE)
    soundfile.write(long, np.zeros(int(MAX_RECORDING_S + 60) * RATE, np.float32), RATE)
    text.write_text("This is no sound at all.\n" * 100)
    for path, said in (
        (silent, "Too little of this voice"),
        (long, "10 min"),
        (text, "no video or sound file"),
        (DATA / "sample.mp4", "Several voices are heard"),
    ):
        told = await heard(stack, cal, path)
        assert said in told.text
    await is_as_before(stack, before)
