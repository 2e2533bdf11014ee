"""Clips in which something is said again and again, and clips in which only the recogniser repeats itself.

    .venv/bin/python -m tests.bench.speech_repeats FOLDER

Kokoro's voices (`voice_bank`) say a phrase three to eight times: at one go, as the same reading again, in turns,
with short and long pauses, as a refrain over music, as a row of numbers, as "no, no, no". In the last clips of a half
somebody speaks and then only noise or music goes on, and the recogniser is told that somebody speaks all the time.
The halves share no voice and no phrase. For each clip FOLDER gets a .flac, an .rttm and a .turns.json; the seed of clip
N is (14, place of the half, N).
"""

import argparse
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples
from tests.bench import voice_bank
from tests.bench.read_clips import build_missing
from tests.bench.repetition_set import noise
from tests.bench.speech_exchanges import lay
from tests.bench.speech_set import RATE, VOICE_RMS, Said, cache, write_clip
from tests.bench.voice_bank import Utterance

HALVES: Final = ("tune", "held")
VOICES: Final = {"tune": voice_bank.TUNE, "held": voice_bank.TEST}
SENTENCE_PAUSE_SECONDS: Final = 0.45
"""Around what is said again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatClip:
    """A clip of the set: lines, each with the number of times that it is said in a row."""

    name: str = ""
    lines: tuple[tuple[str, int], ...] = ()
    voices: int = 1
    """That take turns."""
    pause: float = 0.3
    """Seconds between two times."""
    at_once: bool = False
    """Read in one go, so that no two times sound the same."""
    bed: str = ""
    """A sound of `repetition_set` that goes on behind the voices."""
    bed_db: float = -20.0
    """Of the bed, over the voices."""
    bed_seconds: float = 0.0
    """For which the bed goes on alone, at the voices' own loudness."""

    @property
    def is_control(self) -> bool:
        """Tell whether the recogniser is told that somebody speaks all the time."""
        return self.bed_seconds > 0.0


def clips(half: str) -> list[RepeatClip]:
    """The clips of a half."""
    made = _TUNE if half == "tune" else _HELD
    return [
        replace(layout, name=f"repeats-{half}-{number:02d}", lines=lines)
        for number, (layout, lines) in enumerate(zip(_LAYOUTS, made, strict=True))
    ]


_LAYOUTS: Final = (
    RepeatClip(at_once=True),
    RepeatClip(pause=0.12),
    RepeatClip(voices=2, pause=0.25),
    RepeatClip(voices=3, pause=1.2),
    RepeatClip(at_once=True),
    RepeatClip(pause=0.4, bed="chords"),
    RepeatClip(pause=0.25),
    RepeatClip(pause=0.6, bed="white", bed_db=-14.0),
    RepeatClip(bed="chords", bed_seconds=22.0),
    RepeatClip(bed="beeps", bed_seconds=22.0),
)
_TUNE: Final = (
    (("The door was locked from inside.", 1), ("Come on!", 5), ("Nobody wanted to listen.", 1)),
    (("I do not believe you.", 3),),
    (("Are we there yet?", 8),),
    (("What did they all say?", 1), ("Happy birthday.", 4), ("And then they cut the cake.", 1)),
    (("He wanted the last piece.", 1), ("No,", 6), ("It belongs to your sister.", 1)),
    (
        ("The night is cold, the road is long.", 1),
        ("Take me home tonight.", 3),
        ("The moon is up, the stars are gone.", 1),
        ("Take me home tonight.", 3),
    ),
    ((("One, two, three, four, five, six, seven, eight."), 3), ("And now we rest.", 1)),
    (("Please hold the line.", 7),),
    (("We will be back after the music.", 1),),
    (("Leave a message after the tone.", 2),),
)
_HELD: Final = (
    (("They stood behind the fence.", 1), ("Go away!", 4), ("The dog did not move.", 1)),
    (("That was a very long day.", 3),),
    (("Can you hear me?", 6),),
    (("They raised their glasses.", 1), ("Good luck to you.", 3), ("Then everybody sat down.", 1)),
    (("She asked him to come along.", 1), ("Never,", 4), ("He stayed where he was.", 1)),
    (
        ("My heart is blue, my coat is red.", 1),
        ("Dance with me again.", 2),
        ("I never heard the words you said.", 1),
        ("Dance with me again.", 4),
    ),
    ((("Ten, nine, eight, seven, six, five, four, three, two, one."), 2), ("We have a lift off.", 1)),
    (("Mind the gap, please.", 8),),
    (("Stay with us, the news is next.", 1),),
    (("You have no new messages.", 2),),
)


def build(folder: Path, halves: Sequence[str] = HALVES, names: Collection[str] = ()) -> list[RepeatClip]:
    """Write what is missing of the halves, or of the clips of these names, into the folder."""
    return build_missing(folder, clips, lambda clip, half, reader: _write(folder, clip, half, reader), halves, names)


def _write(folder: Path, clip: RepeatClip, half: str, reader: voice_bank.Reader) -> None:
    number = int(clip.name[-2:])
    chance = np.random.default_rng([14, HALVES.index(half), number])
    cast = [VOICES[half][(number + place * 5) % len(VOICES[half])] for place in range(clip.voices)]
    write_clip(folder, clip.name, *_make(clip, cast, reader, chance))


def _make(
    clip: RepeatClip, cast: Sequence[str], reader: voice_bank.Reader, chance: np.random.Generator
) -> tuple[list[Said], Samples]:
    placed: list[tuple[float, Utterance]] = []
    time = 0.5
    for text, times in clip.lines:
        texts = [" ".join([text] * times)] if clip.at_once else [text] * times
        for place, each in enumerate(texts):
            voice = cast[place % len(cast)] if times > 1 else cast[0]
            line = voice_bank.read_kept(cache() / "bench-voices/repeats", reader, each, voice)
            placed.append((time, line))
            time += line.duration + (clip.pause * chance.uniform(0.9, 1.1) if place + 1 < len(texts) else 0.0)
        time += SENTENCE_PAUSE_SECONDS
    said, speech = lay(placed, dict.fromkeys(cast, VOICE_RMS))
    if not clip.bed:
        return said, speech
    speech = np.concatenate([speech, np.zeros((round(clip.bed_seconds * RATE), 1), np.float32)])
    bed = audio_io.resample(noise(clip.bed, chance), voice_bank.RATE, RATE)
    bed = np.resize(bed, speech.shape) * np.float32(VOICE_RMS / np.sqrt(np.mean(bed**2)))
    quiet = np.float32(10 ** (clip.bed_db / 20))
    alone = clip.is_control & (np.arange(len(speech)) > (said[-1].end + 0.3) * RATE)
    gains = np.where(alone, np.float32(1.0), quiet)
    return said, (speech + bed * gains[:, None]).astype(np.float32)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    print(f"{len(build(parser.parse_args().folder))} clips")


if __name__ == "__main__":
    main()
