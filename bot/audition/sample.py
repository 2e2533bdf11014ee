"""What there is to hear of a result, and a sample of it."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from bot.exceptions import RefusedError
from bot.web.child_process import run_module
from pipeline.errors import StoreError
from pipeline.types import Artefact, Result, SoundFormat
from worker.store import Store

MAX_SAMPLE_S: Final = 20.0
FETCH_TIMEOUT_S: Final = 120.0
CUT_TIMEOUT_S: Final = 60.0
MAX_AT_ONCE: Final = 2
"""Samples that are made at the same time; the others wait."""
STEMS: Final = ("vocals", "background", "music", "sfx", "ambient")
VOCALS_FILE: Final = "stems/vocals.flac"
MIX: Final = "final"
_READABLE_MIXES: Final = tuple(f"final.{form}" for form in SoundFormat if form is not SoundFormat.M4A)


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A sample that was cut."""

    start: float
    """Seconds in the sound."""
    duration: float
    waveform: str
    """Loudness of equal sections, a byte each, in base64."""


def sounds_of(result: Result) -> tuple[str, ...]:
    """Return the names of the parts of a result that can be heard: `vocals` and such, `final`, tracks of speakers."""
    names = (*STEMS, MIX, *names_of_tracks(result))
    return tuple(name for name in names if sound_of(result, name) is not None)


def sound_of(result: Result, name: str) -> Artefact | None:
    """Return the file of a part; None when there is none."""
    if name == MIX:
        return _mix_of(result)
    return result.artefact(f"stems/{name}.flac") if name in (*STEMS, *names_of_tracks(result)) else None


def names_of_tracks(result: Result) -> dict[str, str]:
    """Return who speaks in each track of a speaker; who left the transcript since is called as the track."""
    names = {speaker.id: speaker.name for speaker in result.speakers}
    tracks = {PurePosixPath(stem.file).stem: stem.speaker for stem in result.speaker_stems}
    return {track: names.get(speaker, track) for track, speaker in tracks.items()}


def whole_sound_of(result: Result, clip: Artefact) -> tuple[Artefact, float]:
    """Return a sound in which all that is said in a clip can be heard, and when it begins on the clip's clock."""
    voices = result.artefact(VOCALS_FILE)
    return (clip, 0.0) if voices is None else (voices, result.media.audio.start)


def _mix_of(result: Result) -> Artefact | None:
    # AAC is read with a library that only workers need.
    names = (*_READABLE_MIXES, "final.m4a") if find_spec("av") is not None else _READABLE_MIXES
    return next((sound for name in names if (sound := result.artefact(name)) is not None), None)


class Sampler:
    """Cuts samples, a few at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turns = asyncio.Semaphore(MAX_AT_ONCE)

    @asynccontextmanager
    async def cut(
        self, sound: Artefact, stretch: tuple[float, float] | None = None
    ) -> AsyncGenerator[tuple[Sample, Path]]:
        """Cut a sample into an Ogg file that exists until the block ends.

        Args:
            sound: What to cut it from.
            stretch: Begin and length in seconds; None: the loudest part.

        Raises:
            RefusedError: The sound is empty.
            StoreError: It cannot be fetched or read.

        """
        folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="stemcord-")
        try:
            async with self._turns:
                source = Path(folder.name) / f"sound{PurePosixPath(sound.name).suffix}"
                try:
                    async with asyncio.timeout(FETCH_TIMEOUT_S):
                        await self._store.fetch(sound, source)
                except TimeoutError as error:
                    raise StoreError("The sound could not be fetched in time.", detail=sound.name) from error
                target = Path(folder.name) / "sample.ogg"
                times = () if stretch is None else tuple(f"{max(each, 0.0):.3f}" for each in stretch)
                said = await run_module("bot.audition.child", str(source), str(target), *times, timeout_s=CUT_TIMEOUT_S)
                await asyncio.to_thread(source.unlink)
            try:
                sample = msgspec.json.decode(said, type=Sample)
            except msgspec.MsgspecError as error:
                raise StoreError("The sound cannot be read.", detail=sound.name) from error
            if sample.duration == 0:
                raise RefusedError("sample-empty")
            yield sample, target
        finally:
            await asyncio.to_thread(folder.cleanup)
