"""What the bot takes in and from where, by the traffic it causes."""

import asyncio
import functools
import time
from pathlib import Path

import pytest

from tests.wire.answers import CHINESE, in_chinese, private
from tests.wire.conftest import SAMPLE
from tests.wire.objects import Interaction, Message
from tests.wire.stack import Stack
from tests.wire.test_bot_jobs import finish

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]


def private_answer(stack: Stack, interaction: Interaction) -> Message | None:
    """The message that only the person sees."""
    found = [m for m in stack.fake.messages if m.ephemeral and m.interaction is interaction]
    return found[0] if found else None


async def test_a_slow_download_does_not_delay_the_acknowledgement(stack: Stack, scene: Path) -> None:
    stack.fake.knobs.download_rate = scene.stat().st_size / 3
    try:
        interaction = await stack.fake.slash("separate", clip=scene)
        assert interaction.delay < 2
        message = interaction.original
        assert message is not None
        await stack.fake.wait(lambda: "Downloading" in message.text, 3, "the word that the clip is received")
        await finish(stack, interaction)
    finally:
        stack.fake.knobs.download_rate = None


async def test_a_link_that_leads_elsewhere_is_not_followed(stack: Stack, scene: Path) -> None:
    posted = await stack.fake.post("look", files=[scene])
    posted.attachments[0].url = f"{stack.fake.origin}/api/v10/users/@me/scene.mp4"
    interaction = await stack.fake.context_menu("Separate this", posted)
    answer = private_answer(stack, interaction)
    assert answer is not None
    assert "not stored on Discord" in answer.text
    assert not [e for e in stack.fake.recorder.exchanges if e.path.endswith("scene.mp4")]


async def test_a_link_that_expired_is_explained_in_private(stack: Stack, scene: Path) -> None:
    posted = await stack.fake.post("look", files=[scene])
    posted.attachments[0].url = stack.fake.cdn.sign(posted.attachments[0], time.time() - 60)
    interaction = await stack.fake.context_menu("Separate this", posted)
    await stack.fake.wait(lambda: private_answer(stack, interaction) is not None, 30, "the explanation")
    answer = private_answer(stack, interaction)
    assert answer is not None
    assert "no longer there" in answer.text
    original = interaction.original
    assert original is not None
    await stack.fake.wait(lambda: original.deleted, 10, "the public message to go")


SECRET = "wedding-of-my-sister"


def log_since(stack: Stack, start: int) -> str:
    """What the bot logged, which must hold nothing of a person."""
    assert stack.bot is not None
    log = stack.bot.output[start:]
    for personal in (SECRET, "alex", stack.fake.world.person["id"], "Traceback"):
        assert personal not in log
    return log


async def test_an_attachment_that_expired_is_explained_in_chinese(stack: Stack, scene: Path, tmp_path: Path) -> None:
    assert stack.bot is not None
    start = len(stack.bot.output)
    clip = tmp_path / f"{SECRET}.mp4"
    clip.write_bytes(scene.read_bytes())
    file = stack.fake.upload(clip)
    file.url = stack.fake.cdn.sign(file, time.time() - 60)
    interaction = await stack.fake.slash("separate", clip=file, locale=CHINESE)
    answer = await private(stack, interaction)
    assert answer.text == f"{in_chinese('clip-gone')} {in_chinese('clip-gone-hint')}"
    original = interaction.original
    assert original is not None
    await stack.fake.wait(lambda: original.deleted, 10, "the public message to go")
    assert '"event": "refused"' in log_since(stack, start)


async def test_a_file_that_only_looks_like_a_clip_is_explained_in_chinese(stack: Stack, tmp_path: Path) -> None:
    assert stack.bot is not None
    start = len(stack.bot.output)
    clip = tmp_path / f"{SECRET}.mp4"
    clip.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40)
    interaction = await stack.fake.slash("transcribe", clip=clip, locale=CHINESE)
    answer = await private(stack, interaction, 60)
    assert answer.text.startswith(in_chinese("error-MediaError").rstrip("。"))
    original = interaction.original
    assert original is not None
    await stack.fake.wait(lambda: "无法处理" in original.text, 30, "the public message to end")
    assert answer.text not in original.text
    await stack.fake.wait(lambda: '"end": "failed"' in log_since(stack, start), 10, "a line in the log")


async def test_a_clip_over_the_limit_of_the_server_is_explained_in_chinese(stack: Stack, tmp_path: Path) -> None:
    assert stack.bot is not None
    clip = tmp_path / f"{SECRET}.mp4"
    clip.write_bytes(SAMPLE.read_bytes())
    await private(stack, await stack.fake.slash("settings", longest_clip=1))
    try:
        start = len(stack.bot.output)
        interaction = await stack.fake.slash("separate", clip=clip, locale=CHINESE)
        answer = await private(stack, interaction, 60)
        assert answer.text.startswith(in_chinese("error-LimitError").rstrip("。"))
        assert "60 s" in answer.text
        await stack.fake.wait(lambda: '"end": "failed"' in log_since(stack, start), 10, "a line in the log")
    finally:
        await private(stack, await stack.fake.slash("settings", longest_clip=60))


async def test_a_clip_with_an_unpleasant_name_comes_back_under_it(stack: Stack, scene: Path) -> None:
    name = "..@everyone `rm -rf` ; $(x) 日本.mp4"
    posted = await stack.fake.post("", files=[scene], name=name)
    message = await finish(stack, await stack.fake.context_menu("Separate this", posted))
    title = message.text.partition("\n")[0].replace("\\", "")
    assert "日本.mp4" in title
    assert "@everyone" not in title
    assert "vocals.flac" in message.files
    sent = [e.payload for e in stack.fake.recorder.requests("PATCH", containing=message.id)]
    assert all(payload["allowed_mentions"] == {"parse": []} for payload in sent if "allowed_mentions" in payload)


async def test_many_at_a_time_are_all_acknowledged_and_served(stack: Stack, scene: Path) -> None:
    interactions = await asyncio.gather(*(stack.fake.slash("separate", clip=scene) for _ in range(3)))
    assert max(interaction.delay for interaction in interactions) < 3
    messages = [await finish(stack, interaction) for interaction in interactions]
    assert len({message.id for message in messages}) == 3
    assert all("vocals.flac" in message.files for message in messages)


async def test_more_clips_at_once_than_allowed_are_refused_in_private(stack: Stack, scene: Path) -> None:
    interactions = await asyncio.gather(*(stack.fake.slash("separate", clip=scene) for _ in range(4)))
    answers = [functools.partial(private_answer, stack, interaction) for interaction in interactions]
    await stack.fake.wait(lambda: any(answer() is not None for answer in answers), 30, "the refusal")
    served = [interaction for interaction, answer in zip(interactions, answers, strict=True) if answer() is None]
    assert len(served) == 3
    for interaction in served:
        assert "vocals.flac" in (await finish(stack, interaction)).files
    refusals = [found for answer in answers if (found := answer()) is not None]
    assert [("3" in refusal.text) for refusal in refusals] == [True]


async def test_a_direct_message_is_a_place_like_any_other(stack: Stack, scene: Path) -> None:
    interaction = await stack.fake.slash("separate", clip=scene, private=True)
    message = await finish(stack, interaction)
    assert stack.fake.world.channels[message.channel_id]["type"] == 1
    assert "vocals.flac" in message.files


async def test_the_bot_holds_no_engine(stack: Stack, scene: Path) -> None:
    await finish(stack, await stack.fake.slash("separate", clip=scene))
    assert stack.bot is not None
    mapped = Path(f"/proc/{stack.bot.process.pid}/maps")
    if not mapped.exists():
        pytest.skip("the system does not tell what a process has mapped")
    libraries = mapped.read_text()
    assert "libpython" in libraries or "python" in libraries
    assert not [word for word in ("torch", "paddle", "onnxruntime") if word in libraries]
