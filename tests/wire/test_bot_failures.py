"""Places that are gone, answers that are lost, starts in the middle: everything ends, once, and is told."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.wire.answers import CHINESE, FAILED, in_chinese, private, result_of, shows
from tests.wire.losses import confirmed, delete_channel, job_of, logged, said_directly
from tests.wire.objects import Message
from tests.wire.shapes import Json
from tests.wire.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

WAIT = 60.0


@pytest_asyncio.fixture(loop_scope="session")
async def person(stack: Stack) -> Json:
    """Somebody to whom nothing was said yet."""
    return await stack.fake.add_person(f"guest{time.monotonic_ns()}")


@pytest_asyncio.fixture(loop_scope="session")
async def place(stack: Stack) -> Json:
    """A channel that may be lost."""
    return await stack.fake.make_channel("for a while")


@pytest_asyncio.fixture(loop_scope="session")
async def slow(stack: Stack, scene: Path) -> AsyncIterator[None]:
    """Clips come in by and by, for half a minute."""
    stack.fake.knobs.download_rate = scene.stat().st_size / 30
    yield
    stack.fake.knobs.download_rate = None


async def test_a_result_goes_to_its_person_when_the_channel_is_deleted(
    stack: Stack, scene: Path, person: Json, place: Json
) -> None:
    await stack.fake.slash("separate", clip=scene, by=person, at=place["id"])
    await delete_channel(stack, place["id"])
    await stack.fake.wait(lambda: bool(said_directly(stack, person)), WAIT, "a direct message")
    await confirmed(stack)
    (message,) = said_directly(stack, person)
    assert "vocals.flac" in message.files


async def test_what_can_be_told_nowhere_is_logged_and_ends(
    stack: Stack, scene: Path, person: Json, place: Json
) -> None:
    closed = stack.fake.world.private_channel(person["id"])["id"]
    fault = stack.fake.faults.refuse(
        "POST", f"/channels/{closed}/messages", code=50007, message="Cannot send messages to this user"
    )
    interaction = await stack.fake.slash("separate", clip=scene, by=person, at=place["id"])
    await delete_channel(stack, place["id"])
    job = await job_of(stack, interaction)
    await stack.fake.wait(lambda: bool(logged(stack, "job_delivered", job=job.id)), WAIT, "the end of the job")
    await confirmed(stack)
    (served,) = logged(stack, "job_delivered", job=job.id)
    assert (served["end"], served["shown"]) == ("finished", False)
    assert [line["route"] for line in logged(stack, "route_closed", job=job.id)][-2:] == ["channel", "direct"]
    tried = fault.times
    await asyncio.sleep(1.5)
    assert fault.times == tried, "it is tried again and again"
    fault.times = 0


async def test_a_message_whose_answer_was_lost_comes_once(stack: Stack, scene: Path, place: Json) -> None:
    fault = stack.fake.faults.lose_answer("POST", f"/channels/{place['id']}/messages")
    interaction = await stack.fake.slash("separate", clip=scene, at=place["id"])
    assert interaction.original is not None
    interaction.original.deleted = True
    job = await job_of(stack, interaction)
    await stack.fake.wait(lambda: bool(logged(stack, "job_delivered", job=job.id)), WAIT, "the end of the job")
    assert fault.times == 0
    (posted,) = [m for m in stack.fake.messages if m.channel_id == place["id"]]
    assert "vocals.flac" in posted.files
    sent = stack.fake.recorder.requests("POST", f"/channels/{place['id']}/messages")
    assert len(sent) == 2
    assert {(e.payload["nonce"], e.payload["enforce_nonce"]) for e in sent} == {(job.id[:25], True)}


async def test_a_bot_that_dies_between_posting_and_noting_it_posts_once(stack: Stack, scene: Path, place: Json) -> None:
    fault = stack.fake.faults.lose_answer("POST", f"/channels/{place['id']}/messages", delay=5.0)
    interaction = await stack.fake.slash("separate", clip=scene, at=place["id"])
    assert interaction.original is not None
    interaction.original.deleted = True
    await stack.fake.wait(lambda: fault.times == 0, WAIT, "the message to be posted")
    await stack.kill_bot()
    await stack.start_bot()
    await confirmed(stack)
    (posted,) = [m for m in stack.fake.messages if m.channel_id == place["id"]]
    assert "vocals.flac" in posted.files
    assert len(stack.fake.recorder.requests("POST", f"/channels/{place['id']}/messages")) == 2


def is_told(message: Message) -> bool:
    return any(word in message.text for word in FAILED)


@pytest.mark.usefixtures("slow")
async def test_a_bot_that_crashed_while_a_clip_came_in_says_so(stack: Stack, scene: Path, person: Json) -> None:
    interaction = await stack.fake.slash("separate", clip=scene, by=person, locale=CHINESE)
    message = await shows(stack, interaction.original, lambda m: in_chinese("receiving") in m.text, 10)
    await stack.kill_bot()
    stack.fake.knobs.download_rate = None
    await stack.start_bot()
    await stack.fake.wait(lambda: is_told(message), WAIT, "the message to end")
    (told,) = said_directly(stack, person)
    assert told.text == f"{in_chinese('clip-interrupted')} {in_chinese('clip-gone-hint')}"
    assert not message.buttons
    await stack.fake.wait(lambda: bool(logged(stack, "interruption_reported", shown=True)), 10, "a line in the log")
    # Its place is free again, for as many clips as a person may have at once.
    later = await asyncio.gather(*(stack.fake.slash("separate", clip=scene, by=person) for _ in range(3)))
    for again in later:
        assert "vocals.flac" in (await result_of(stack, again)).files
    await stack.kill_bot()
    await stack.start_bot()
    assert len(said_directly(stack, person)) == 1


async def test_a_bot_that_is_killed_right_after_its_first_answer_says_so(
    stack: Stack, scene: Path, person: Json
) -> None:
    stack.fake.faults.lose_answer("POST", "/callback", delay=5.0)
    await stack.fake.slash("separate", clip=scene, by=person)
    await stack.kill_bot()
    await stack.start_bot()
    await stack.fake.wait(lambda: bool(said_directly(stack, person)), WAIT, "a direct message")
    (told,) = said_directly(stack, person)
    assert told.text.startswith("The bot restarted before it had the whole clip")


async def test_a_bot_that_is_killed_while_it_says_why_there_is_no_result_says_so_later(
    stack: Stack, scene: Path, person: Json
) -> None:
    file = stack.fake.upload(scene)
    file.url = stack.fake.cdn.sign(file, time.time() - 60)
    fault = stack.fake.faults.unavailable("PATCH", "/messages/@original", times=20)
    await stack.fake.slash("separate", clip=file, by=person)
    # The first is the word that the clip is being received, which is said once; discord.py repeats each five times.
    await stack.fake.wait(lambda: fault.times < 14, WAIT, "an answer that Discord does not take")
    await stack.kill_bot()
    fault.times = 0
    await stack.start_bot()
    await stack.fake.wait(lambda: bool(said_directly(stack, person)), WAIT, "a direct message")
    (told,) = said_directly(stack, person)
    assert told.text.startswith("The bot restarted before it had the whole clip")


async def test_a_bot_that_is_told_to_end_leaves_nothing_open(stack: Stack, scene: Path, person: Json) -> None:
    running = await stack.fake.slash("remix", clip=scene, voice=0.8, by=person)
    await job_of(stack, running)
    stack.fake.knobs.download_rate = scene.stat().st_size / 30
    coming = await stack.fake.slash("separate", clip=scene, by=person)
    message = await shows(stack, coming.original, lambda m: "Downloading" in m.text, 10)
    began = time.monotonic()
    assert await stack.stop_bot() == 0, stack.report()
    assert time.monotonic() - began < 15
    stack.fake.knobs.download_rate = None
    await stack.start_bot()
    await stack.fake.wait(lambda: is_told(message), WAIT, "the message to end")
    assert [told.text.partition(".")[0] for told in said_directly(stack, person)] == [
        "The bot restarted before it had the whole clip"
    ]
    assert "final.mp4" in (await result_of(stack, running)).files
    assert "vocals.flac" in (await result_of(stack, await stack.fake.slash("separate", clip=scene, by=person))).files


async def test_a_session_that_the_gateway_forgot_is_begun_anew(stack: Stack, scene: Path) -> None:
    identified = stack.fake.gateway.identified
    interaction = await stack.fake.slash("separate", clip=scene)
    assert stack.fake.gateway.session is not None
    stack.fake.gateway.session.id = "forgotten"
    await stack.fake.gateway.drop()
    assert "vocals.flac" in (await result_of(stack, interaction)).files
    await stack.fake.wait(lambda: stack.fake.gateway.identified == identified + 1, WAIT, "a new session")
    await stack.fake.wait(lambda: stack.fake.gateway.connected, 10, "the gateway")
    assert "vocals.flac" in (await result_of(stack, await stack.fake.slash("separate", clip=scene))).files


async def test_a_refusal_is_told_though_discord_is_down_for_a_moment(stack: Stack, scene: Path, person: Json) -> None:
    file = stack.fake.upload(scene)
    file.url = stack.fake.cdn.sign(file, time.time() - 60)
    # The first of them is the word that the clip is being received.
    fault = stack.fake.faults.unavailable("PATCH", "/messages/@original", times=2)
    interaction = await stack.fake.slash("separate", clip=file, by=person, locale=CHINESE)
    answer = await private(stack, interaction, 20)
    assert answer.text.startswith(in_chinese("clip-gone"))
    assert fault.times == 0
    original = interaction.original
    assert original is not None
    await stack.fake.wait(lambda: original.deleted, 10, "the public message to go")
