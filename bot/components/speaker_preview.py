"""Short samples of each speaker, so that a person can tell who is who."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import discord
import structlog

from bot.audition.sample import VOCALS_FILE
from pipeline.errors import StoreError
from pipeline.types import Result, Speaker, Transcript, Turn
from worker.store import Store

FETCH_TIMEOUT_S: Final = 120.0
"""For fetching the voices; the form is of use without samples too."""
MAX_PREVIEW_S: Final = 7.0
MAX_QUOTE_CHARS: Final = 90


@asynccontextmanager
async def fetch_previews(
    result: Result, transcript: Transcript, store: Store, speakers: Sequence[Speaker], *, first: int = 0
) -> AsyncGenerator[list[discord.File]]:
    """Make an Ogg file for each speaker; none when the voices are not stored or cannot be read.

    Args:
        result: The result.
        transcript: What is said.
        store: Where the voices are.
        speakers: Of whom a sample is made.
        first: Place of the first of them among all; the names of the files count from it.

    """
    folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="stemcord-")
    try:
        yield await _cut(result, transcript, store, Path(folder.name), [speaker.id for speaker in speakers], first)
    finally:
        await asyncio.to_thread(folder.cleanup)


async def _cut(
    result: Result, transcript: Transcript, store: Store, folder: Path, speakers: Sequence[str], first: int
) -> list[discord.File]:
    voices = result.artefact(VOCALS_FILE)
    if voices is None:
        return []
    turns = {
        speaker: replace(turn, start=turn.start - result.media.audio.start, end=turn.end - result.media.audio.start)
        for speaker, turn in longest_turns(transcript).items()
    }
    try:
        async with asyncio.timeout(FETCH_TIMEOUT_S):
            sound = await store.fetch(voices, folder / "vocals.flac")
        # What soundfile raises is a RuntimeError.
        paths = await asyncio.to_thread(cut_previews, sound, turns, speakers, folder, first)
    except (StoreError, TimeoutError, RuntimeError) as error:
        structlog.get_logger(__name__).warning("previews_missing", error=type(error).__name__)
        return []
    return [discord.File(path, filename=path.name) for path in paths.values()]


def longest_turns(transcript: Transcript) -> dict[str, Turn]:
    """Return the longest turn of each speaker, if possible one in which nobody else speaks."""
    longest = dict[str, Turn]()
    for turn in sorted(transcript.turns, key=lambda turn: (not turn.overlap, turn.end - turn.start)):
        longest[turn.speaker] = turn
    return longest


def cut_previews(
    sound: Path, turns: Mapping[str, Turn], speakers: Iterable[str], folder: Path, first: int = 0
) -> dict[str, Path]:
    """Cut an Ogg file for each speaker; only the needed samples are read.

    Args:
        sound: File with the voices.
        turns: What to cut, by speaker.
        speakers: Ids of the speakers, in their order.
        folder: Where the files go.
        first: Place of the first of the speakers among all, in the names of the files.

    Raises:
        RuntimeError: `soundfile.SoundFileError`, for a file that is not sound.

    """
    import soundfile  # pyright: ignore[reportMissingTypeStubs] - it has types, but no stubs; 20 MB that few need

    previews = dict[str, Path]()
    with soundfile.SoundFile(sound) as file:
        for index, speaker in enumerate(speakers, first + 1):
            turn = turns.get(speaker)
            if turn is None:
                continue
            start = min(int(max(turn.start, 0.0) * file.samplerate), file.frames)
            file.seek(start)
            samples = file.read(int(min(turn.end - turn.start, MAX_PREVIEW_S) * file.samplerate), dtype="float32")
            path = folder / f"speaker-{index}.ogg"
            soundfile.write(path, samples, file.samplerate, format="OGG", subtype="VORBIS")
            previews[speaker] = path
    return previews
