"""A few seconds of each speaker, so that a person can tell who is who."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.types import Transcript, Turn

MAX_PREVIEW_S = 7.0
"""Seconds."""
MAX_QUOTE_CHARS = 90
"""Characters of what a speaker says."""


def longest_turns(transcript: Transcript) -> dict[str, Turn]:
    """For each speaker, the longest turn in which nobody else speaks, or else the longest."""
    longest = dict[str, Turn]()
    for turn in sorted(transcript.turns, key=lambda turn: (not turn.overlap, turn.end - turn.start)):
        longest[turn.speaker] = turn
    return longest


def cut_previews(sound: Path, turns: Mapping[str, Turn], speakers: Iterable[str], folder: Path) -> dict[str, Path]:
    """An Ogg file for each speaker who says something; only what is cut out is read.

    Raises `soundfile.SoundFileError`, a `RuntimeError`, for a sound that cannot be read.
    """
    import soundfile  # pyright: ignore[reportMissingTypeStubs] - it has types, but no stubs; 20 MB that few need

    excerpts = dict[str, Path]()
    with soundfile.SoundFile(sound) as file:
        for index, speaker in enumerate(speakers):
            turn = turns.get(speaker)
            if turn is None:
                continue
            start = min(int(max(turn.start, 0.0) * file.samplerate), file.frames)
            file.seek(start)
            samples = file.read(int(min(turn.end - turn.start, MAX_PREVIEW_S) * file.samplerate), dtype="float32")
            path = folder / f"speaker-{index + 1}.ogg"
            soundfile.write(path, samples, file.samplerate, format="OGG", subtype="VORBIS")
            excerpts[speaker] = path
    return excerpts
