"""What people do twice or meanwhile: no recording and no voice is left that nobody wants kept any more."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.wire.answers import private
from tests.wire.light import LightStack
from tests.wire.objects import Message
from tests.wire.openapi import Description
from tests.wire.recordings import GONE, KEPT, agreed, hear, is_gone, left, recording, somebody
from tests.wire.shapes import Json
from tests.wire.talks import told
from tests.wire.voices import command, described, new_voice, rows, voiced_bot
from worker.protocol import Job

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def voiced(tmp_path_factory: pytest.TempPathFactory, description: Description) -> AsyncIterator[LightStack]:
    """The bot with a voice-book."""
    async with voiced_bot(tmp_path_factory.mktemp("races"), description) as stack:
        yield stack


async def jobs_of(light: LightStack, person: Json, count: int) -> list[Job]:
    """The jobs of a person, once there are so many, the first one first."""
    end = time.monotonic() + 10
    while True:
        jobs = [state.job for state in await light.queue.jobs()]
        own = [job for job in jobs if job.reply_to is not None and job.reply_to.user_id == person["id"]]
        if len(own) == count:
            return sorted(own, key=lambda job: job.submitted)
        assert time.monotonic() < end, light.report()
        await asyncio.sleep(0.05)


async def test_a_yes_pressed_twice_leaves_nothing_of_either(voiced: LightStack, tmp_path: Path) -> None:
    light, ann, voice = voiced, await somebody(voiced, "ann"), new_voice()
    before = await left(light)
    asked = await command(light, "enrol", ann, recording=recording(tmp_path))
    (agree,) = asked.buttons
    pressed = {"custom_id": agree, "component_type": 2, "id": 1}
    await asyncio.gather(*(light.fake.use(pressed, asked, by=ann) for _ in range(2)))
    # The later one ends first.
    for job in reversed(await jobs_of(light, ann, 2)):
        await hear(light, job, described(voice))
        await told(light, asked, KEPT)
    await is_gone(light, before)
    assert len(rows(light, ann)) == 1


@pytest.mark.parametrize("everything", [False, True])
async def test_forgetting_stops_a_recording_that_is_fetched(
    voiced: LightStack, tmp_path: Path, everything: bool
) -> None:
    light, bea = voiced, await somebody(voiced, "bea")
    before, rate, path = await left(light), light.fake.knobs.download_rate, recording(tmp_path)
    path.write_bytes(path.read_bytes() * 10_000)
    asked = await command(light, "enrol", bea, recording=path)
    (agree,) = asked.buttons
    fetched = len(light.fake.recorder.downloads)
    light.fake.knobs.download_rate = 128 * 1024
    try:
        await light.fake.click(agree, asked, by=bea)
        await light.fake.wait(lambda: len(light.fake.recorder.downloads) > fetched, 10, "the download to begin")
        if everything:
            await all_deleted(light, bea)
        else:
            assert (await command(light, "forget", bea)).text.startswith("Your voice is deleted.")
        # Nobody plays the worker: it is not heard at all.
        await told(light, asked, "the yes was taken back")
    finally:
        light.fake.knobs.download_rate = rate
    assert GONE in asked.text
    assert not rows(light, bea)
    await is_gone(light, before)


async def all_deleted(light: LightStack, person: Json) -> Message:
    shown = await private(light, await light.fake.slash("privacy", by=person))
    for _ in range(2):
        await light.fake.click(next(key for key in shown.buttons if "forget" in key), shown, by=person)
    return await told(light, shown, "Deleted:")


async def test_turning_the_book_off_takes_back_each_yes(voiced: LightStack, tmp_path: Path) -> None:
    light, cal = voiced, await somebody(voiced, "cal")
    before = await left(light)
    asked, job = await agreed(light, tmp_path, cal)
    lease = await light.take(job)
    await command(light, "disable", light.fake.world.person)
    await command(light, "enable", light.fake.world.person)
    # Its worker was done at the same moment.
    await hear(light, job, described(new_voice()), lease=lease)
    await told(light, asked, "the yes was taken back")
    assert not rows(light, cal)
    await is_gone(light, before)


async def test_two_recordings_of_one_person_leave_one_voice(voiced: LightStack, tmp_path: Path) -> None:
    light, dan, voice = voiced, await somebody(voiced, "dan"), new_voice()
    before = await left(light)
    first, job = await agreed(light, tmp_path, dan)
    second = await command(light, "enrol", dan, recording=recording(tmp_path, "once more.ogg"))
    (agree,) = second.buttons
    await light.fake.click(agree, second, by=dan)
    (other,) = [each for each in await jobs_of(light, dan, 2) if each.id != job.id]
    for asked, each in ((second, other), (first, job)):
        await hear(light, each, described(voice))
        await told(light, asked, KEPT)
        assert GONE in asked.text
    assert len(rows(light, dan)) == 1
    await is_gone(light, before)
