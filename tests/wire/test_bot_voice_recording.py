"""A voice is kept by a recording of its own person, after their yes alone, and nothing is left of the recording."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.database.models import StoredStatus
from bot.voices.consent import CONSENT_VERSION
from pipeline.errors import LimitError
from pipeline.types import Task
from tests.wire.answers import CHINESE, in_chinese, is_chinese, private
from tests.wire.light import LightStack
from tests.wire.openapi import Description
from tests.wire.recordings import (
    GONE,
    KEPT,
    agreed,
    hear,
    is_gone,
    left,
    public,
    recorded_jobs,
    recording,
    somebody,
    statuses,
)
from tests.wire.talks import talk, told
from tests.wire.voices import SURE, command, described, enrolled, like, new_voice, rows, stored, voiced_bot
from worker.protocol import Failed

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def voiced(tmp_path_factory: pytest.TempPathFactory, description: Description) -> AsyncIterator[LightStack]:
    """The bot with a voice-book."""
    async with voiced_bot(tmp_path_factory.mktemp("recorded"), description) as stack:
        yield stack


async def test_a_recording_is_fetched_after_the_yes_and_only_the_voice_is_kept(
    voiced: LightStack, tmp_path: Path
) -> None:
    light, voice = voiced, new_voice()
    ann = await somebody(light, "ann")
    before, fetched, told_to_all = await left(light), len(light.fake.recorder.downloads), len(public(light))
    asked = await command(light, "enrol", ann, recording=recording(tmp_path))
    for part in ("your recording", "only after your yes", "biometric", "365 days", f"text {CONSENT_VERSION}"):
        assert part in asked.text
    (agree,) = asked.buttons
    await light.kill_bot()
    await light.start_bot()
    assert len(light.fake.recorder.downloads) == fetched
    assert await left(light) == before
    now = time.time()
    await light.fake.click(agree, asked, by=ann)
    job = await light.job(of=ann["id"])
    assert (job.request.task, job.source.name) == (Task.VOICES, "it_is_me.ogg")
    agreed_at = time.time()
    listed = await private(light, await light.fake.slash("jobs", by=ann))
    assert "me.ogg" not in listed.text
    lease = await light.take(job)
    await light.report_progress(lease, "diarize", 0.5)
    await light.kill_bot()
    await light.start_bot()
    await hear(light, job, described(voice, seconds=9.0), lease=lease)
    await told(light, asked, KEPT)
    assert GONE in asked.text
    ((_, sealed, seconds, version, consented, _, _),) = rows(light, ann)
    assert (seconds, version) == (9.0, CONSENT_VERSION)
    assert now <= consented <= agreed_at
    assert voice.astype("float32").tobytes() not in sealed
    await is_gone(light, before)
    assert len(public(light)) == told_to_all
    assert light.bot is not None
    for secret in (f"{voice[0]:.4f}", "it_is_me"):
        assert secret not in light.bot.output
    # New clips have the name, and `/voice forget` leaves nothing.
    of = await talk(light, tmp_path, "It is me.", voices=described(like(voice, SURE)))
    await of.rewritten(ann["global_name"])
    assert (await command(light, "forget", ann)).text.startswith("Your voice is deleted.")
    assert not rows(light, ann)


async def test_without_the_own_persons_yes_nothing_is_fetched(voiced: LightStack, tmp_path: Path) -> None:
    light = voiced
    bea, eve = await somebody(light, "bea"), await somebody(light, "eve")
    other = await talk(light, tmp_path, "A result of somebody.", by=eve)
    before, fetched = await left(light), len(light.fake.recorder.downloads)
    asked = await command(light, "enrol", bea, recording=recording(tmp_path))
    (agree,) = asked.buttons
    pressed = {"custom_id": agree, "component_type": 2, "id": 1}
    refused = await private(light, await light.fake.use(pressed, asked, by=eve, locale=CHINESE))
    assert refused.text.startswith(in_chinese("voice-other-recording"))
    assert is_chinese(refused.text)
    # A button of another text, and one below another message, where there is no recording of hers.
    old = pressed | {"custom_id": agree.rpartition("/")[0] + "/1"}
    assert "text has changed" in (await private(light, await light.fake.use(old, asked, by=bea))).text
    odd = pressed | {"custom_id": agree.partition("/")[0]}
    assert "text has changed" in (await private(light, await light.fake.use(odd, asked, by=bea))).text
    assert "button" in (await private(light, await light.fake.use(pressed, other.message, by=bea))).text
    assert len(light.fake.recorder.downloads) == fetched
    assert await left(light) == before
    assert not rows(light, bea)
    assert asked.buttons, "the question still stands"
    await command(light, "disable", light.fake.world.person)
    assert "no voice-book" in (await private(light, await light.fake.click(agree, asked, by=bea))).text
    await command(light, "enable", light.fake.world.person)
    assert len(light.fake.recorder.downloads) == fetched


async def test_what_is_no_clip_is_refused_before_the_question(voiced: LightStack, tmp_path: Path) -> None:
    light, cal = voiced, await somebody(voiced, "cal")
    empty = tmp_path / "empty.ogg"
    empty.write_bytes(b"")
    for path in (recording(tmp_path, "me.png"), recording(tmp_path, "me.txt"), empty):
        answer = await command(light, "enrol", cal, recording=path)
        assert not answer.buttons
        assert path.name in answer.text


async def test_short_mixed_and_known_voices_are_refused_and_deleted(voiced: LightStack, tmp_path: Path) -> None:
    light = voiced
    dan, known = await enrolled(light, tmp_path, "dan")
    mine = new_voice()
    for heard, said in (
        (described(), "Too little of this voice"),
        (described(mine, seconds=3.0), "Too little of this voice"),
        (described(mine, new_voice()), "Several voices are heard"),
        (described(like(known, SURE)), "like that of somebody else"),
        (b"no voices", "cannot reach its storage"),
    ):
        person = await somebody(light, "fay")
        before = await left(light)
        asked, job = await agreed(light, tmp_path, person)
        await hear(light, job, heard)
        await told(light, asked, said)
        assert GONE in asked.text
        assert not rows(light, person)
        await is_gone(light, before)
    assert rows(light, dan)


async def test_a_recording_that_cannot_be_heard_is_deleted(voiced: LightStack, tmp_path: Path) -> None:
    light, gus = voiced, await somebody(voiced, "gus")
    before, told_to_all = await left(light), len(public(light))
    asked, job = await agreed(light, tmp_path, gus)
    lease = await light.take(job)
    await lease.end("failed", Failed(failure=LimitError("The clip is too long.").to_failure()))
    await told(light, asked, "The clip is too long.")
    assert GONE in asked.text
    await is_gone(light, before)
    # The address of the recording has ended.
    asked = await command(light, "enrol", gus, recording=recording(tmp_path))
    light.fake.world.attachments.clear()
    (agree,) = asked.buttons
    await light.fake.click(agree, asked, by=gus)
    await told(light, asked, "clip")
    await is_gone(light, before)
    assert len(public(light)) == told_to_all
    assert not rows(light, gus)


@pytest.mark.parametrize("running", [False, True])
async def test_forgetting_stops_a_recording_that_is_heard(voiced: LightStack, tmp_path: Path, running: bool) -> None:
    light, ida = voiced, await somebody(voiced, "ida")
    before = await left(light)
    asked, job = await agreed(light, tmp_path, ida)
    lease = await light.take(job) if running else None
    assert (await command(light, "forget", ida)).text.startswith("Your voice is deleted.")
    if lease is not None:
        # Its worker was done at the same moment.
        await hear(light, job, described(new_voice()), lease=lease)
    await told(light, asked, "the yes was taken back")
    assert not rows(light, ida)
    await is_gone(light, before)


async def test_without_a_token_the_answer_is_a_direct_message(voiced: LightStack, tmp_path: Path) -> None:
    light, jan = voiced, await somebody(voiced, "jan")
    before, life = await left(light), light.fake.knobs.token_life
    asked, job = await agreed(light, tmp_path, jan)
    light.fake.knobs.token_life = 0.0
    try:
        await hear(light, job, described(new_voice()))
        place = light.fake.world.private_channel(jan["id"])["id"]
        await light.fake.wait_for_message(lambda m: m.channel_id == place and KEPT in m.text, 20)
    finally:
        light.fake.knobs.token_life = life
    assert KEPT not in asked.text
    assert rows(light, jan)
    await is_gone(light, before)


async def test_a_bot_that_is_killed_while_it_fetches_says_so_in_private(voiced: LightStack, tmp_path: Path) -> None:
    light, kim = voiced, await somebody(voiced, "kim")
    before, told_to_all, rate = await left(light), len(public(light)), light.fake.knobs.download_rate
    path = recording(tmp_path)
    path.write_bytes(path.read_bytes() * 10_000)
    asked = await command(light, "enrol", kim, recording=path)
    (agree,) = asked.buttons
    fetched = len(light.fake.recorder.downloads)
    light.fake.knobs.download_rate = 64 * 1024
    try:
        await light.fake.click(agree, asked, by=kim)
        await light.fake.wait(lambda: len(light.fake.recorder.downloads) > fetched, 10, "the download to begin")
        await light.kill_bot()
    finally:
        light.fake.knobs.download_rate = rate
    await light.start_bot()
    place = light.fake.world.private_channel(kim["id"])["id"]
    said = await light.fake.wait_for_message(lambda m: m.channel_id == place, 20)
    assert "restarted before it had the whole clip" in said.text
    await is_gone(light, before)
    assert len([m for m in public(light) if m.channel_id != place]) == told_to_all
    assert not rows(light, kim)


async def test_while_it_is_heard_only_deleting_all_data_reaches_it(voiced: LightStack, tmp_path: Path) -> None:
    light, lou = voiced, await somebody(voiced, "lou")
    other = await talk(light, tmp_path, "A result of hers.", by=lou)
    asked, job = await agreed(light, tmp_path, lou)
    for action in ("again", "rename", "page", "more", "perhaps"):
        forged = {"custom_id": f"stemcord:{action}:{job.id}", "component_type": 2, "id": 1}
        answer = await private(light, await light.fake.use(forged, other.message, by=lou))
        assert "no longer kept" in answer.text, answer.text
    lease = await light.take(job)
    shown = await private(light, await light.fake.slash("privacy", by=lou))
    for _ in range(2):
        await light.fake.click(next(key for key in shown.buttons if "forget" in key), shown, by=lou)
    await light.fake.wait(lambda: StoredStatus.STOPPED.value in statuses(light, job.id), 10, "the yes to be taken back")
    await hear(light, job, described(new_voice()), lease=lease)
    await told(light, asked, "the yes was taken back")
    assert not rows(light, lou)
    await told(light, shown, "Deleted:")
    assert job.id not in recorded_jobs(light)
    assert not [path for path in stored(light) if job.source.digest in path or job.id in path]
    assert not [key for key in (await left(light))[1] if job.id.encode() in key]
