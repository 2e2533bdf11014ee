"""Vocals shared out by who speaks: whether the tracks add up, whose sound they have, what they cost.

    .venv/bin/python -m tests.bench.speaker_tracks [--minutes 30] [--speakers 10]

The vocals are stereo noise at 48 kHz, turns of 1 to 6 s with pauses of 0.1 to 0.8 s. The stage is told of the turns
with borders that are off by 0.1 s (standard deviation), as those of a diarization are. The share of the sound that is
in its own speaker's track is compared with a cut in the middle between the borders that it was told.
"""

import argparse
import resource
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console

from pipeline.audio import io as audio_io
from pipeline.graph.stage import NoParams, StageContext
from pipeline.models.loader import Models
from pipeline.speaker_stems.contracts import SplitSpeakersInputs, SplitSpeakersOutput
from pipeline.speaker_stems.stage import split_speakers_stage
from pipeline.types import Diarization, SpeakerSegment

RATE = 48_000
BORDER_ERROR_SECONDS = 0.1
Turn = tuple[float, float, int]


def make_turns(seconds: float, speakers: int, rng: np.random.Generator) -> list[Turn]:
    """Turns one after the other, of another speaker each."""
    turns: list[Turn] = []
    at, last = 0.5, -1
    while at < seconds - 7:
        who = int(rng.choice([each for each in range(speakers) if each != last]))
        end = at + rng.uniform(1, 6)
        turns.append((at, end, who))
        at, last = end + rng.uniform(0.1, 0.8), who
    return turns


def write_vocals(path: Path, turns: list[Turn], seconds: float, rng: np.random.Generator) -> None:
    """Noise in the turns, and 60 dB less between them."""
    with audio_io.SoundWriter(path, sample_rate=RATE, channels=2) as writer:
        for start, end in pairwise(range(round(seconds) + 1)):
            times = start + np.arange(RATE) / RATE
            level = np.full(RATE, 1e-4)
            for first, last, _ in turns:
                if first < end and last > start:
                    level[(times >= first) & (times < last)] = 0.1
            writer.write((level[:, None] * rng.standard_normal((RATE, 2))).astype(np.float32))


def run_stage(folder: Path, turns: list[Turn], speakers: int) -> SplitSpeakersOutput[Path]:
    people = tuple(f"S{number + 1}" for number in range(speakers))
    segments = tuple(SpeakerSegment(start=start, end=end, speaker=people[who]) for start, end, who in turns)
    voices = folder / "voices.json"
    voices.write_bytes(msgspec.json.encode(Diarization(speakers=people, segments=segments, exclusive=())))
    context = StageContext(out=folder / "out", report=lambda fraction, message="": None, models=Models(folder))
    return split_speakers_stage(context, SplitSpeakersInputs(vocals=folder / "vocals.flac", voices=voices), NoParams())


def largest_difference(vocals: Path, tracks: tuple[Path, ...]) -> float:
    """The highest sample by which the tracks do not add up to the vocals."""
    largest = 0.0
    for whole, *parts in zip(*map(audio_io.read_blocks, (vocals, *tracks)), strict=True):
        largest = max(largest, float(np.abs(sum(part.astype(np.float64) for part in parts) - whole).max()))
    return largest


def share_at_home(turns: list[Turn], vocals: Path, tracks: dict[int, Path]) -> float:
    """The share of the power of all turns that is in the tracks of their own speakers."""

    def power(path: Path, start: float, end: float) -> float:
        samples = audio_io.read(path, start=round(start * RATE), frames=round((end - start) * RATE))
        return float(np.square(samples, dtype=np.float64).sum())

    own = sum(power(tracks[who], start, end) for start, end, who in turns)
    return own / sum(power(vocals, start, end) for start, end, _ in turns)


def share_cut_in_the_middle(turns: list[Turn], told: list[Turn]) -> float:
    """The same for a cut in the middle between the borders that were told."""
    lost = 0.0
    for (_, end, _), (start, _, _), (_, told_end, _), (told_start, _, _) in zip(
        turns, turns[1:], told, told[1:], strict=False
    ):
        border = (told_end + told_start) / 2
        lost += max(0.0, end - border) + max(0.0, border - start)
    return 1 - lost / sum(end - start for start, end, _ in turns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--speakers", type=int, default=10)
    asked = parser.parse_args()
    rng = np.random.default_rng(7)
    console = Console()
    with tempfile.TemporaryDirectory(prefix="stemcord-bench-") as name:
        folder, seconds = Path(name), asked.minutes * 60
        turns = make_turns(seconds, asked.speakers, rng)
        write_vocals(folder / "vocals.flac", turns, seconds, rng)
        error = rng.normal(0, BORDER_ERROR_SECONDS, (len(turns), 2)).tolist()
        told = [
            (start + first, max(start + first + 0.1, end + last), who)
            for (start, end, who), (first, last) in zip(turns, error, strict=True)
        ]
        before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
        made = run_stage(folder, told, asked.speakers)
        took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        tracks = {int(speaker[1:]) - 1: path for speaker, path in zip(made.speakers, made.stems, strict=True)}
        sizes = sum(path.stat().st_size for path in made.stems) / (folder / "vocals.flac").stat().st_size
        off = largest_difference(folder / "vocals.flac", made.stems)
        console.print(f"{len(turns)} turns of {asked.speakers} speakers in {asked.minutes:g} minutes")
        console.print(f"largest difference of the sum: {off:g} ({20 * np.log10(max(off, 1e-9)):.0f} dBFS)")
        console.print(f"time: {took:.1f} s, {took / asked.minutes:.2f} s for each minute")
        console.print(f"memory at its peak: {after / 1024:.0f} MB, {(after - before) / 1024:.0f} MB more than before")
        console.print(f"size of all tracks: {sizes:.2f} of the vocals")
        console.print(f"sound in its own speaker's track: {share_at_home(turns, folder / 'vocals.flac', tracks):.2%}")
        console.print(f"... with a cut in the middle: {share_cut_in_the_middle(turns, told):.2%}")


if __name__ == "__main__":
    main()
