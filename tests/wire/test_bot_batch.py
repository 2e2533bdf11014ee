"""Several clips of one message in one go: a job and a message for each, and a card that sums them up."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import imageio_ffmpeg
import pytest
import pytest_asyncio

from tests.wire.answers import CHINESE, answers, in_chinese, private, shows
from tests.wire.objects import Interaction, Message
from tests.wire.shapes import Json
from tests.wire.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

JOB_LIMIT = 420.0
DEFAULT_AT_ONCE = 3


@pytest.fixture(scope="module")
def clips(scene: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four short clips, each another stretch of the scene."""
    folder = tmp_path_factory.mktemp("batch")
    for index in range(4):
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-ss", str(3 * index), "-i", str(scene), "-t", "2"]
        subprocess.run(
            [*command, "-vn", "-c:a", "flac", str(folder / f"part_{index}.flac")],
            check=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )
    return sorted(folder.iterdir())


@pytest_asyncio.fixture(loop_scope="session")
async def many_at_once(stack: Stack) -> AsyncIterator[None]:
    """A server that lets a person have ten clips in progress."""
    await allow_at_once(stack, 10)
    yield
    await allow_at_once(stack, DEFAULT_AT_ONCE)


async def allow_at_once(stack: Stack, count: int) -> None:
    await private(stack, await stack.fake.slash("settings", at_once=count))


def card_of(interaction: Interaction) -> Message:
    assert interaction.original is not None
    return interaction.original


def messages_of(stack: Stack, interaction: Interaction) -> list[Message]:
    """The public messages of the clips, in the order in which they were posted."""
    found = [m for m in stack.fake.messages if m.interaction is interaction and not m.ephemeral and not m.deleted]
    return [message for message in found if message is not interaction.original]


def cancel_all(message: Message) -> list[str]:
    return [key for key in message.buttons if key.startswith("stemcord:cancelall:")]


async def batch_of(stack: Stack, files: list[Path], *, by: Json | None = None, locale: str = "en-US") -> Interaction:
    posted = await stack.fake.post("all of these", files=files, by=by)
    return await stack.fake.context_menu("Separate this", posted, by=by, locale=locale)


@pytest.mark.usefixtures("many_at_once")
async def test_five_clips_one_of_them_bad(stack: Stack, clips: list[Path], tmp_path: Path) -> None:
    bad = tmp_path / "broken.mp4"
    bad.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40)
    files = [*clips[:2], bad, *clips[2:]]
    interaction = await batch_of(stack, files)
    card = card_of(interaction)
    assert not card.ephemeral
    await shows(stack, card, lambda m: "4 of 5 done" in m.text and not cancel_all(m), JOB_LIMIT)
    assert "5 clips" in card.text
    assert "One could not be processed." in card.text
    for file in files:
        assert file.name.replace("_", "\\_") in card.text
    posted = messages_of(stack, interaction)
    assert len(posted) == 5
    for file, message in zip(files, posted, strict=True):
        await shows(stack, message, lambda m, file=file: file is bad or bool(m.files), 30)
    for file, message in zip(files, posted, strict=True):
        link = f"https://discord.com/channels/{stack.fake.world.guild_id}/{message.channel_id}/{message.id}"
        assert link in card.text
        if file is bad:
            assert "could not be processed" in message.text
            assert not message.files
        else:
            assert "vocals.flac" in message.files
            assert file.name.replace("_", "\\_") in message.text
    (told,) = answers(stack, interaction)
    assert told.text.startswith("**broken.mp4**: ")


@pytest.mark.usefixtures("many_at_once")
async def test_all_can_be_cancelled(stack: Stack, clips: list[Path]) -> None:
    worker = stack.workers["media"]
    stranger = await stack.fake.add_person("olga")
    worker.pause()
    try:
        interaction = await batch_of(stack, clips[:3], locale=CHINESE)
        card = card_of(interaction)
        await shows(stack, card, lambda m: len(cancel_all(m)) == 1 and "等待中" in m.text, 30)
        (button,) = cancel_all(card)
        refused = await private(stack, await stack.fake.click(button, card, by=stranger))
        assert "Only the person who asked" in refused.text
        pressed = await private(stack, await stack.fake.click(button, card, locale=CHINESE))
        assert pressed.text == in_chinese("cancelling-all", count=3)
    finally:
        worker.resume()
    await shows(stack, card, lambda m: in_chinese("batch-stopped", count=3) in m.text and not cancel_all(m), 30)
    for message in messages_of(stack, interaction):
        await shows(stack, message, lambda m: "已取消" in m.text, 10)


async def test_the_limit_of_a_person_holds_for_each(stack: Stack, clips: list[Path]) -> None:
    person = await stack.fake.add_person("pia")
    await allow_at_once(stack, 2)
    try:
        interaction = await batch_of(stack, clips[:3], by=person)
        card = card_of(interaction)
        await shows(stack, card, lambda m: "2 of 3 done" in m.text and not cancel_all(m), JOB_LIMIT)
    finally:
        await allow_at_once(stack, DEFAULT_AT_ONCE)
    assert "not taken" in card.text
    assert len(messages_of(stack, interaction)) == 2
    (told,) = answers(stack, interaction)
    assert told.text.startswith("**part\\_2.flac**: You already have 2 of 2 clips in progress.")


@pytest.mark.usefixtures("many_at_once")
async def test_a_card_goes_on_after_a_restart(stack: Stack, clips: list[Path]) -> None:
    worker = stack.workers["media"]
    worker.pause()
    try:
        interaction = await batch_of(stack, clips[:2])
        card = card_of(interaction)
        await shows(stack, card, lambda m: len(cancel_all(m)) == 1, 30)
        await stack.kill_bot()
    finally:
        worker.resume()
    await stack.start_bot()
    await shows(stack, card, lambda m: "2 of 2 done" in m.text and not cancel_all(m), JOB_LIMIT)
    for message in messages_of(stack, interaction):
        await shows(stack, message, lambda m: bool(m.files), 30)


@pytest.mark.usefixtures("many_at_once")
async def test_a_mention_takes_all_clips(stack: Stack, clips: list[Path]) -> None:
    before = len(stack.fake.messages)
    await stack.fake.post("separate", files=clips[:2], mention=True)

    def card() -> Message | None:
        return next((m for m in stack.fake.messages[before:] if "2 clips" in m.text), None)

    await stack.fake.wait(lambda: card() is not None, 10, "the card")
    await shows(stack, card(), lambda m: "2 of 2 done" in m.text and not cancel_all(m), JOB_LIMIT)
    with_files = lambda: [m for m in stack.fake.messages[before:] if "vocals.flac" in m.files]  # noqa: E731
    await stack.fake.wait(lambda: len(with_files()) == 2, 30, "both results")
