"""Clips in which a phrase is said several times, and clips of noise; half for tuning, half to report.

Kokoro's voices (`tests.bench.voice_bank`) say them. In half of the clips the whole line is read at once, so that
no two repeats sound the same; in the others one reading is repeated with pauses between, some of them under noise.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples
from tests.bench import voice_bank
from tests.bench.voice_bank import LINES, RATE

VOICES: Final = {"tune": voice_bank.TUNE, "test": voice_bank.TEST, "held": voice_bank.HELD}
SPEAKERS: Final = VOICES | {"plain": voice_bank.TEST}
PHRASES: Final = {
    "tune": (
        *("Thank you both.", "Come on!", "I don't know.", "Stop it!", "Look at me."),
        *("All work and no play makes Jack a dull boy.", "Help!", "We are not leaving.", "I love you."),
        *("Left, right.", "That is not what I said.", "Not now."),
    ),
    "test": (
        *("No.", "Go, go, go!", "Wait a minute.", "Yes.", "Never again.", "Hello?"),
        *("Right, right.", "Please.", "Where is he?", "Run!", "Very good.", "Hey!"),
    ),
    "held": (
        *("Good morning.", "Who is there?", "You are fired.", "Keep going.", "It was not me.", "Open the door."),
        *("Faster!", "We will win.", "One more time.", "Get out of here!", "I can do this.", "Nobody knows."),
    ),
}
COUNTS: Final = (5, 3, 8, 4, 6, 3, 7, 5, 4, 10, 3, 6)
"""Times that a phrase is said, by the clip's place in its part."""
GAPS_SECONDS: Final = (0.12, 0.3, 0.6, 1.0)
BEFORE: Final = "Let me tell you how the evening went."
AFTER: Final = "And that was all they ever said about it."
NOISES: Final = ("white", "brown", "hum", "beeps", "rain", "chords")
NOISE_SECONDS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RepetitionClip:
    """A clip and what is said in it; nothing where `count` is 0."""

    name: str
    part: str
    place: int
    phrase: str = ""
    count: int = 0

    @property
    def framed(self) -> bool:
        """Tell whether a sentence stands before the repeats and another after them."""
        return self.count > 1 and self.place % 3 == 1


def clips(part: str) -> Iterator[RepetitionClip]:
    """List the clips of a part: `tune`, `test`, `held`, `noise`, or `plain`, which is speech without repeats."""
    if part == "plain":
        lines = LINES.read_text(encoding="utf-8").splitlines()[-len(voice_bank.TEST) :]
        for place, line in enumerate(lines):
            yield RepetitionClip(name=f"plain-{place:02}", part=part, place=place, phrase=line, count=1)
        return
    if part == "noise":
        for place, kind in enumerate(NOISES):
            yield RepetitionClip(name=f"noise-{kind}", part=part, place=place)
        return
    for place, (phrase, count) in enumerate(zip(PHRASES[part], COUNTS, strict=True)):
        yield RepetitionClip(name=f"{part}-{place:02}", part=part, place=place, phrase=phrase, count=count)


def build(folder: Path, voices: Path, part: str) -> None:
    """Write the clips that are not there yet, 16 kHz and one channel."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [clip for clip in clips(part) if not (folder / f"{clip.name}.wav").exists()]
    reader: voice_bank.Reader | None = None
    for clip in wanted:
        chance = np.random.default_rng([*clip.name.encode()])
        if clip.count:
            voice_bank.fetch(voices)
            reader = reader or voice_bank.Reader(voices)
            sound = _speech(reader, clip, chance)
        else:
            sound = noise(NOISES[clip.place], chance)
        audio_io.write(folder / f"{clip.name}.wav", audio_io.resample(sound, RATE, 16_000), 16_000, subtype="PCM_16")


def _speech(reader: voice_bank.Reader, clip: RepetitionClip, chance: np.random.Generator) -> Samples:
    voice = SPEAKERS[clip.part][clip.place]
    if clip.place % 2 == 0:
        parts = [reader.say(" ".join([clip.phrase] * clip.count), voice)]
    else:
        once = reader.say(clip.phrase, voice)
        parts = [once * np.float32(chance.uniform(0.6, 1.0)) for _ in range(clip.count)]
    if clip.framed:
        parts = [reader.say(BEFORE, voice), *parts, reader.say(AFTER, voice)]
    quiet = np.zeros((round(chance.choice(GAPS_SECONDS) * RATE), 1), np.float32)
    sound = np.concatenate([piece for part in parts for piece in (quiet, part)] + [quiet])
    level = 0.1 if clip.place % 4 == 3 else 0.003
    loudness = float(np.sqrt(np.mean(sound**2)))
    return (sound + level * loudness * chance.standard_normal(sound.shape)).astype(np.float32)


def noise(kind: str, chance: np.random.Generator) -> Samples:
    """Make one of `NOISES`, `NOISE_SECONDS` long, shape (frames, 1)."""
    count = NOISE_SECONDS * RATE
    time = np.arange(count) / RATE
    white = chance.standard_normal(count)
    if kind == "white":
        sound = white
    elif kind == "brown":
        sound = np.cumsum(white)
        sound -= np.convolve(sound, np.ones(2400) / 2400, "same")
    elif kind == "hum":
        sound = np.sin(2 * np.pi * 50 * np.outer(time, np.arange(1, 9))).sum(axis=1) + 0.1 * white
    elif kind == "beeps":
        sound = np.sin(2 * np.pi * 900 * time) * (time % 0.7 < 0.25) + 0.02 * white
    elif kind == "rain":
        sound = 0.2 * white + 4.0 * white * (chance.random(count) < 0.002)
    else:
        roots = np.repeat(chance.choice([220.0, 262.0, 330.0, 392.0], 16), count // 16)
        phase = 2 * np.pi * np.cumsum(roots) / RATE
        sound = np.sin(np.outer(phase, (1, 1.25, 1.5, 2))).sum(axis=1) * (1.2 - time % 0.75)
    return (0.2 * sound / np.abs(sound).max())[:, None].astype(np.float32)
