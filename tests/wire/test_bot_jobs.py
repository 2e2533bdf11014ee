"""The bot and its workers, as processes, answer people on a Discord of sockets."""

import io
import itertools
import json
import re
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.wire.conftest import SAMPLE, SCENE_SECONDS
from tests.wire.objects import Attachment, Interaction, Message
from tests.wire.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

JOB_LIMIT = 420.0
"""Seconds; two cores may be shared with others."""
"""dBFS of what voice and background together differ from the original by."""


async def finish(stack: Stack, interaction: Interaction, limit: float = JOB_LIMIT) -> Message:
    """The interaction's message once it shows a result; any other end fails at once."""
    message = interaction.original
    assert message is not None
    ends = ("Separated", "Transcribed", "Remixed", "could not be processed", "Cancelled.")
    try:
        await stack.fake.wait(lambda: any(end in message.text for end in ends), limit, "the end of a job")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{stack.report()}") from None
    assert "could not be processed" not in message.text, f"{stack.fake.summary()}\n{stack.report()}"
    return message


def sound_of(attachment: Attachment) -> tuple[np.ndarray, int]:
    """The samples, float, shape (frames, channels), and the rate."""
    return soundfile.read(io.BytesIO(attachment.data), always_2d=True)


def words_of(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))


async def test_separate_answers_with_the_parts(stack: Stack, scene: Path) -> None:
    began = time.monotonic()
    interaction = await stack.fake.slash("separate", clip=scene)
    assert interaction.delay < 3
    message = await finish(stack, interaction)
    assert not message.ephemeral
    assert message.channel_id == stack.fake.world.channel_id
    assert {"vocals.flac", "background.flac"} <= set(message.files)
    vocals, rate = sound_of(message.files["vocals.flac"])
    background, other_rate = sound_of(message.files["background.flac"])
    assert rate == other_rate
    assert abs(len(vocals) / rate - SCENE_SECONDS) < 0.2
    assert vocals.shape == background.shape
    assert float(np.sqrt(np.mean(vocals**2))) > 0.01
    assert float(np.sqrt(np.mean(background**2))) > 0.001
    assert not any("cancel" in button for button in message.buttons)
    _check_pace(stack, message, began)


def _check_pace(stack: Stack, message: Message, began: float) -> None:
    """Progress came by edits of one message, at a pace that Discord bears."""
    assert not [e for e in stack.fake.recorder.exchanges if e.started >= began and e.status == 429]
    shown = [edit.before for edit in message.edits]
    assert any("▰" in text or "Starting" in text or "Waiting" in text for text in shown), shown
    times = [edit.time for edit in message.edits]
    # The first edit follows the acknowledgement, the last one brings the result; those between are progress.
    progress = times[1:-1]
    assert all(later - earlier > 1.5 for earlier, later in itertools.pairwise(progress)), times
    assert len([m for m in stack.fake.messages if m.interaction is message.interaction]) == 1


async def test_transcribe_answers_with_who_said_what(stack: Stack, scene: Path) -> None:
    interaction = await stack.fake.slash("transcribe", clip=scene, language="en")
    assert interaction.delay < 3
    message = await finish(stack, interaction)
    assert {"transcript.txt", "transcript.srt", "transcript.json"} <= set(message.files), message.text + stack.report()
    text = message.files["transcript.txt"].data.decode()
    assert {"evening", "storm", "coast", "harbour", "forecast", "numbers"} - words_of(text) <= {"harbour"}
    transcript = json.loads(message.files["transcript.json"].data)
    assert transcript["language"] == "en"
    assert abs(transcript["duration"] - SCENE_SECONDS) < 0.2
    assert len(transcript["speakers"]) == 3
    assert "storm" in words_of(message.text)


async def test_a_message_menu_gives_the_same_at_once(stack: Stack, scene: Path) -> None:
    first = await finish(stack, await stack.fake.slash("separate", clip=scene))
    posted = await stack.fake.post("listen to this", files=[scene])
    interaction = await stack.fake.context_menu("Separate this", posted)
    message = await finish(stack, interaction)
    assert message is not first
    assert message.files["vocals.flac"].data == first.files["vocals.flac"].data
    assert time.monotonic() - interaction.created < 10


async def test_remix_answers_with_a_video(stack: Stack, scene: Path) -> None:
    message = await finish(stack, await stack.fake.slash("remix", clip=scene, background=0.25))
    assert message.files["final.mp4"].data[4:8] == b"ftyp"
    assert message.files["final.mp4"].content_type == "video/mp4"


async def test_a_clip_that_is_none_is_refused_in_private(stack: Stack, tmp_path: Path) -> None:
    clip = tmp_path / "holiday.mp4"
    clip.write_text("Dear diary, this is no film. " * 40)
    interaction = await stack.fake.slash("separate", clip=clip)
    assert interaction.delay < 3
    private = await stack.fake.wait_for_message(lambda m: m.ephemeral and m.interaction is interaction, 60)
    assert private.text
    assert len(private.text) < 400
    assert "Traceback" not in private.text
    public = interaction.original
    assert public is not None
    await stack.fake.wait(lambda: "could not be processed" in public.text or public.deleted, 60, "the public message")
    assert private.text not in public.text
    assert not public.files
    assert not public.buttons


@pytest.mark.parametrize(("name", "data"), [("empty.mp4", b""), ("notes.txt", b"no clip at all")])
async def test_what_is_plainly_no_clip_is_refused_at_once(stack: Stack, tmp_path: Path, name: str, data: bytes) -> None:
    clip = tmp_path / name
    clip.write_bytes(data)
    downloads = len(stack.fake.recorder.downloads)
    interaction = await stack.fake.slash("transcribe", clip=clip)
    assert interaction.original is not None
    assert interaction.original.ephemeral
    assert name in interaction.original.text.replace("\\", "")
    assert len(stack.fake.recorder.downloads) == downloads


async def test_a_message_without_a_clip_is_refused_in_private(stack: Stack) -> None:
    posted = await stack.fake.post("only words")
    interaction = await stack.fake.context_menu("Transcribe this", posted)
    assert interaction.original is not None
    assert interaction.original.ephemeral
    assert "no video or sound" in interaction.original.text


async def test_languages_are_offered_while_typing(stack: Stack) -> None:
    choices = await stack.fake.autocomplete("transcribe", "language", "germ")
    assert [choice["value"] for choice in choices] == ["de"]
    common = await stack.fake.autocomplete("transcribe", "language", "")
    assert "en" in [choice["value"] for choice in common]


async def test_a_job_can_be_cancelled(stack: Stack, scene: Path) -> None:
    interaction = await stack.fake.slash("transcribe", clip=SAMPLE, language="en")
    message = interaction.original
    assert message is not None
    await stack.fake.wait(lambda: bool(message.buttons), 30, "the cancel button")
    (button,) = message.buttons
    pressed = await stack.fake.click(button, message)
    assert pressed.delay < 3
    await stack.fake.wait(lambda: "Cancelled." in message.text, 30, "the cancelled message")
    assert not message.files
    (offered,) = message.buttons
    assert offered == button.replace("cancel", "again")
    again = await finish(stack, await stack.fake.slash("separate", clip=scene))
    assert again.files


async def test_a_clip_whose_language_nobody_names_is_transcribed(stack: Stack, scene: Path) -> None:
    """Every word of the whole sample is counted by `tests/e2e/test_sample.py`."""
    interaction = await stack.fake.slash("transcribe", clip=scene)
    message = await finish(stack, interaction)
    transcript = json.loads(message.files["transcript.json"].data)
    assert transcript["language"] == "en"
    assert len(transcript["speakers"]) == 3
    said = words_of(" ".join(turn["text"] for turn in transcript["turns"]))
    assert {"evening", "storm", "coast", "forecast", "numbers"} <= said
    assert {"storm", "coast"} <= words_of(message.files["transcript.txt"].data.decode())
