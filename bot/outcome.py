"""Which files of a result go into a message, and what is read from the store for it."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import msgspec
import structlog

from bot import cards, limits
from bot.language import speech_for
from bot.offers import offers_of
from bot.writing import megabytes
from pipeline.errors import StoreError
from pipeline.types import Artefact, Result, Task, Transcript
from worker.protocol import Job
from worker.store import Store

PICTURE = "report.png"
TRANSCRIPT = "transcript.json"
TRANSCRIPT_SIZE = 16 * 1024 * 1024
"""Bytes of a transcript that are read for the message; two hours of talk are about 2 MB."""
_STEMS = (
    "stems/vocals.flac",
    "stems/background.flac",
    "stems/music.flac",
    "stems/sfx.flac",
    "stems/ambient.flac",
    "audio.wav",
)
_REMIX = ("final.mp4", "final.m4a")
_TEXTS = ("transcript.txt", "transcript.srt", "transcript.vtt", TRANSCRIPT)
ORDER: Mapping[Task, tuple[str, ...]] = MappingProxyType(
    {
        Task.SEPARATE: (PICTURE, *_STEMS),
        Task.TRANSCRIBE: (PICTURE, *_TEXTS),
        Task.REMIX: (*_REMIX, PICTURE, *_STEMS),
        Task.ALL: (PICTURE, *_REMIX, *_TEXTS[:2], *_STEMS),
    }
)
"""What people want first; what is not named here stays in the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachable:
    """A file on this machine that may go with a message."""

    name: str
    path: Path
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A finished job, ready to be shown: its files in the order in which they are wanted."""

    job: Job
    user_id: str
    result: Result
    transcript: Transcript | None
    files: tuple[Attachable, ...]
    pages: bool = False
    """Whether there are pages for results."""

    def choose(self, size_limit: int) -> tuple[tuple[Attachable, ...], tuple[Attachable, ...]]:
        """Files that go with one message and files that are too large for it."""
        fitting = tuple(file for file in self.files if file.size <= size_limit)
        large = tuple(file for file in self.files if file.size > size_limit)
        return fitting[: limits.FILES_PER_MESSAGE], large

    def card(self, files: Sequence[Attachable], left_out: Sequence[Attachable]) -> cards.Card:
        """The result's card beside these files."""
        reply = self.job.reply_to
        return cards.result_card(
            speech_for("" if reply is None else reply.locale),
            self.job.source.name,
            self.user_id,
            self.result,
            dubbed=self.job.dub is not None,
            transcript=self.transcript,
            picture=PICTURE if any(file.name == PICTURE for file in files) else None,
            left_out=[f"{file.name} ({megabytes(file.size)})" for file in left_out],
            offers=offers_of(self.job.id, self.result, pages=self.pages),
        )


@asynccontextmanager
async def fetched(
    job: Job, user_id: str, result: Result, store: Store, size_limit: int, *, pages: bool = False
) -> AsyncGenerator[Outcome]:
    """The outcome of a job, its files on this machine until the block ends.

    A file above the limit is named but not fetched. Raises `StoreError`.
    """
    folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="stemcord-")
    try:
        files = [
            await _fetch(artefact, Path(folder.name), store, size_limit)
            for name in ORDER[result.request.task]
            if (artefact := result.artefact(name)) is not None
        ]
        transcript = await read_transcript(result, store) if result.request.task is Task.TRANSCRIBE else None
        yield Outcome(job=job, user_id=user_id, result=result, transcript=transcript, files=tuple(files), pages=pages)
    finally:
        await asyncio.to_thread(folder.cleanup)


async def _fetch(artefact: Artefact, folder: Path, store: Store, size_limit: int) -> Attachable:
    name = PurePosixPath(artefact.name).name
    path = folder / name
    if artefact.size <= size_limit:
        await store.fetch(artefact, path)
    return Attachable(name=name, path=path, size=artefact.size)


async def read_transcript(result: Result, store: Store) -> Transcript | None:
    """The transcript, None where there is none or it cannot be read."""
    artefact = result.artefact(TRANSCRIPT)
    if artefact is None:
        return None
    try:
        return msgspec.json.decode(await store.read(artefact, limit=TRANSCRIPT_SIZE), type=Transcript)
    except (StoreError, msgspec.DecodeError) as error:
        structlog.get_logger(__name__).warning("transcript_unread", error=type(error).__name__)
        return None
