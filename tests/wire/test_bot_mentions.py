"""Clips without a command: in a mention of the bot, in a reply to it, in direct messages; and forwarded ones."""

from pathlib import Path

import pytest

from tests.wire import rights
from tests.wire.answers import CHINESE, shows
from tests.wire.light import LightStack
from tests.wire.objects import Message

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
MESSAGE_CONTENT, MEMBERS, PRESENCES = 1 << 15, 1 << 1, 1 << 8


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "talk.mp4"
    path.write_bytes(b"a clip of some length")
    return path


async def answer_to(light: LightStack, posted: Message) -> Message:
    """The bot's reply to a message."""

    def replies(message: Message) -> bool:
        return message.reference is not None and message.reference["message_id"] == posted.id

    return await light.fake.wait_for_message(replies, 10)


async def test_no_privileged_intent_is_asked_for(light: LightStack) -> None:
    session = light.fake.gateway.session
    assert session is not None
    assert not session.intents & (MESSAGE_CONTENT | MEMBERS | PRESENCES)


@pytest.mark.parametrize(
    ("words", "task"),
    [("", "all"), ("please transcribe this", "transcribe"), ("分离", "separate"), ("remix!", "remix")],
)
async def test_a_mention_with_a_clip_starts_the_work(light: LightStack, clip: Path, words: str, task: str) -> None:
    person = light.fake.world.add_person(f"mia-{task}")
    posted = await light.fake.post(words, files=[clip], mention=True, by=person)
    answer = await answer_to(light, posted)
    job = await light.job(of=person["id"])
    assert job.request.task == task
    lease = await light.take(job)
    await light.report_progress(lease, "separate", 0.5)
    await shows(light, answer, lambda m: "50 %" in m.text, 10)
    await light.finish(lease, job)
    await shows(light, answer, lambda m: bool(m.files), 10)
    await light.confirmed()
    assert len([m for m in light.fake.messages if m.reference and m.reference["message_id"] == posted.id]) == 1


async def test_a_reply_to_the_bot_with_a_clip_starts_the_work(light: LightStack, clip: Path) -> None:
    person = light.fake.world.add_person("rita")
    first = await answer_to(light, await light.fake.post("separate", files=[clip], mention=True, by=person))
    job = await light.job(of=person["id"])
    await light.finish(await light.take(job), job)
    await shows(light, first, lambda m: bool(m.files), 10)
    second = await answer_to(light, await light.fake.post("transcribe", files=[clip], reply_to=first, by=person))
    again = await light.job(of=person["id"])
    assert again.request.task == "transcribe"
    await light.finish(await light.take(again), again)
    await shows(light, second, lambda m: bool(m.files), 10)


async def test_direct_messages_with_a_clip_and_without(light: LightStack, clip: Path) -> None:
    person = light.fake.world.add_person("dana")
    place = light.fake.world.private_channel(person["id"])["id"]
    await light.fake.post("hello?", private=True, by=person)
    told = await light.fake.wait_for_message(lambda m: m.channel_id == place, 10)
    assert told.text.startswith("Send a video or a sound file")
    answer = await answer_to(light, await light.fake.post(files=[clip], private=True, by=person))
    job = await light.job(of=person["id"])
    await light.finish(await light.take(job), job)
    await shows(light, answer, lambda m: bool(m.files), 10)


async def test_what_is_not_for_the_bot_is_left_alone(light: LightStack, clip: Path) -> None:
    before = len([m for m in light.fake.messages if m.author is light.fake.world.bot])
    await light.fake.post("look at this", files=[clip])
    await light.fake.post("hello", mention=True)
    answer = await answer_to(light, await light.fake.post("and this", files=[clip], mention=True))
    assert len([m for m in light.fake.messages if m.author is light.fake.world.bot]) == before + 1
    job = await light.job(of=light.fake.world.person["id"])
    await light.finish(await light.take(job), job)
    await shows(light, answer, lambda m: bool(m.files), 10)


async def test_bad_input_gets_a_word_in_the_persons_language(light: LightStack, clip: Path, tmp_path: Path) -> None:
    person = light.fake.world.add_person("lin")
    asked = await light.fake.slash("separate", clip=clip, by=person, locale=CHINESE)
    job = await light.job(of=asked)
    await light.finish(await light.take(job), job)
    await light.confirmed()
    picture = tmp_path / "cat.png"
    picture.write_bytes(b"png")
    answer = await answer_to(light, await light.fake.post(files=[picture], mention=True, by=person))
    assert answer.text.startswith("这条消息里没有视频或音频文件")
    gone = await light.fake.post("", by=person)
    assert not [m for m in light.fake.messages if m.reference and m.reference["message_id"] == gone.id]


async def test_where_the_bot_may_not_post_the_person_is_told_directly(light: LightStack, clip: Path) -> None:
    world = light.fake.world
    person = world.add_person("nora")
    denied = rights.overwrite(world.application_id, member=True, deny=rights.SEND)
    channel = await light.fake.make_channel("read-only", overwrites=[denied])
    await light.fake.post(files=[clip], mention=True, by=person, at=channel["id"])
    place = world.private_channel(person["id"])["id"]
    told = await light.fake.wait_for_message(lambda m: m.channel_id == place, 20)
    assert "may not post" in told.text


async def test_a_forwarded_clip_is_taken_by_a_menu_and_by_a_direct_message(light: LightStack, clip: Path) -> None:
    person = light.fake.world.add_person("fay")
    original = await light.fake.post("my film", files=[clip])
    forwarded = await light.fake.post(forward=original, by=person)
    asked = await light.fake.context_menu("Separate this", forwarded, by=person)
    job = await light.job(of=asked)
    assert job.source.name == "talk.mp4"
    await light.finish(await light.take(job), job)
    await shows(light, asked.original, lambda m: bool(m.files), 10)
    sent = await light.fake.post(forward=original, by=person, private=True)
    answer = await answer_to(light, sent)
    again = await light.job(of=person["id"])
    await light.finish(await light.take(again), again)
    await shows(light, answer, lambda m: bool(m.files), 10)
