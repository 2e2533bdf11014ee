"""A part of a result is heard at once, as a voice message."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import soundfile

from pipeline.types import SpeakerStem
from tests.wire.answers import answers, id_for
from tests.wire.light import LightStack
from tests.wire.objects import Interaction, Message
from tests.wire.shapes import VOICE

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
RATE = 44_100
LOUD = (31, 55)
"""Seconds in which something is heard."""


def tone(form: str) -> bytes:
    """A minute of near silence with a tone in it, stereo."""
    time = np.arange(60 * RATE) / RATE
    loud = (time >= LOUD[0]) & (time < LOUD[1])
    sound = (np.where(loud, 0.5, 0.001) * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    file = io.BytesIO()
    soundfile.write(file, np.stack([sound, sound], axis=1), RATE, format=form)
    return file.getvalue()


@pytest_asyncio.fixture(loop_scope="session")
async def made(light: LightStack, tmp_path: Path) -> Message:
    clip = tmp_path / "talk.mp4"
    clip.write_bytes(b"a clip of some length")
    asked = await light.fake.slash("remix", clip=clip)
    job = await light.job(of=asked)
    empty = io.BytesIO()
    soundfile.write(empty, np.zeros((0, 2), dtype=np.float32), RATE, format="WAV")
    files = {
        "stems/vocals.flac": tone("FLAC"),
        "stems/background.flac": b"no sound",
        "stems/music.flac": empty.getvalue(),
        "final.wav": tone("WAV"),
        "stems/speaker-2.flac": tone("FLAC"),
    }
    stems = (SpeakerStem(speaker="B", file="stems/speaker-2.flac"),)
    await light.finish(await light.take(job), job, files, speaker_stems=stems)
    await light.fake.wait(lambda: bool(asked.original and asked.original.files), 10, "the result")
    assert asked.original is not None
    return asked.original


async def sample_of(light: LightStack, chosen: Interaction) -> Message:
    found = lambda: [m for m in answers(light, chosen) if m.files]  # noqa: E731
    await light.fake.wait(lambda: bool(found()), 20, "the sample")
    return found()[0]


@pytest.mark.parametrize("part", ["vocals", "final", "speaker-2"])
async def test_a_part_comes_as_a_voice_message(light: LightStack, made: Message, part: str) -> None:
    chosen = await light.fake.choose(id_for(made, "listen"), made, part)
    heard = await sample_of(light, chosen)
    assert heard.flags & VOICE
    assert heard.ephemeral
    assert (heard.content, heard.embeds, heard.components) == ("", [], [])
    (sound,) = heard.attachments
    samples, rate = soundfile.read(io.BytesIO(sound.data))
    assert rate == 48_000
    assert abs(len(samples) / rate - 20) < 0.1
    assert abs(sound.voice["duration_secs"] - 20) < 0.1
    assert float(np.sqrt(np.mean(samples**2))) > 0.3, "the loud part was not chosen"
    levels = base64.b64decode(sound.voice["waveform"])
    assert len(levels) == 200
    assert max(levels) == 255
    name = {"vocals": "Voice", "final": "New mix", "speaker-2": "Speaker 2"}[part]
    await light.fake.wait(lambda: f"{name}, 0:3" in answers(light, chosen)[0].text, 5, "where it is from")


async def test_where_voice_messages_are_not_allowed_it_comes_as_a_file(light: LightStack, made: Message) -> None:
    light.fake.faults.refuse(
        "POST", "/webhooks/", code=50173, message="Cannot send voice messages in this channel.", times=1
    )
    heard = await sample_of(light, await light.fake.choose(id_for(made, "listen"), made, "vocals"))
    assert not heard.flags & VOICE
    assert set(heard.files) == {"vocals.ogg"}


@pytest.mark.parametrize(
    ("part", "word"), [("background", "cannot reach its storage"), ("music", "there is nothing to hear")]
)
async def test_a_sound_that_cannot_be_heard_gets_a_word(light: LightStack, made: Message, part: str, word: str) -> None:
    chosen = await light.fake.choose(id_for(made, "listen"), made, part)
    await light.fake.wait(lambda: any(word in m.text for m in answers(light, chosen)), 10, "the word")
    assert [m.text for m in answers(light, chosen) if "is coming" in m.text] == []
