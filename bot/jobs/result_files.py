"""Fetches the files of a result and chooses those that go into a message."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import msgspec
import structlog

from bot import discord_limits
from bot.exceptions import DatabaseError
from bot.i18n.translator import translator_for
from bot.jobs.result_buttons import TRANSCRIPT_FILE, buttons_for
from bot.messages import embeds
from bot.messages.cards import CardMessage, result_card
from bot.messages.features import NO_FEATURES, Features
from bot.messages.formatting import format_size
from pipeline.errors import StoreError
from pipeline.types import Artefact, LoopFormat, PictureFormat, Result, SoundFormat, Task, Transcript
from worker.protocol import Job
from worker.store import Store

REPORT_FILE = "report.png"
MAX_TRANSCRIPT_BYTES = 16 * 1024 * 1024
"""Two hours of talk are about 2 MB."""
_STEMS = (
    "stems/vocals.flac",
    "stems/background.flac",
    "stems/music.flac",
    "stems/sfx.flac",
    "stems/ambient.flac",
    "audio.wav",
)
_REMIX = ("final.mp4", "final.mkv", "final.m4a", *(f"final.{form}" for form in SoundFormat if form != SoundFormat.M4A))
_TEXTS = ("transcript.txt", "transcript.srt", "transcript.vtt", TRANSCRIPT_FILE)
_TOOL_FILES = (
    *("cut.mp4", "cut.m4a", "resized.mp4", "fps.mp4", "turned.mp4", "captions.mp4"),
    *(f"sound.{form}" for form in SoundFormat),
    *(f"{name}.{form}" for name in ("frame", "sheet") for form in PictureFormat),
    *(f"loop.{form}" for form in LoopFormat),
)
"""What the tools for clips make; each makes one."""
FILE_ORDER: Mapping[Task, tuple[str, ...]] = MappingProxyType(
    {
        Task.SEPARATE: (REPORT_FILE, *_STEMS),
        Task.TRANSCRIBE: (REPORT_FILE, *_TEXTS),
        Task.REMIX: (*_REMIX, REPORT_FILE, *_STEMS),
        Task.ALL: (REPORT_FILE, *_REMIX, *_TEXTS[:2], *_STEMS),
        Task.CLIP: _TOOL_FILES,
    }
)
"""Files of a message by task, in the order in which people want them; other files stay in the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A local file that can go with a message."""

    name: str
    path: Path
    size: int
    smaller: "Attachment | None" = None
    """A copy that is sent where this file is too large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSelection:
    """The files of one message."""

    files: tuple[Attachment, ...] = ()
    replaced: tuple[Attachment, ...] = ()
    """Files whose smaller copy is sent."""
    left_out: tuple[Attachment, ...] = ()
    """Files that are too large."""
    no_room: tuple[Attachment, ...] = ()
    """Files that are one too many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultMessage:
    """A finished job with its local files, in the order in which people want them."""

    job: Job
    user_id: str
    result: Result
    transcript: Transcript | None
    files: tuple[Attachment, ...]
    features: Features = NO_FEATURES
    doubts: tuple[str, ...] = ()
    """Names of people whom speakers perhaps are."""

    def select_files(self, size_limit: int) -> FileSelection:
        """Choose files for one message: each as it is, or else its smaller copy, as many as a message takes."""
        files: list[Attachment] = []
        replaced: list[Attachment] = []
        left_out: list[Attachment] = []
        no_room: list[Attachment] = []
        for file in self.files:
            fits = next((one for one in (file, file.smaller) if one is not None and one.size <= size_limit), None)
            if fits is None or len(files) == discord_limits.MAX_FILES_PER_MESSAGE:
                (left_out if fits is None else no_room).append(file)
                continue
            files.append(fits)
            if fits is not file:
                replaced.append(file)
        return FileSelection(
            files=tuple(files), replaced=tuple(replaced), left_out=tuple(left_out), no_room=tuple(no_room)
        )

    def content(self, choice: FileSelection) -> embeds.EmbedMessage | CardMessage:
        """Build the card or the embed for a choice of files."""
        reply = self.job.reply_to
        translator = translator_for("" if reply is None else reply.locale)
        outside = reply is not None and reply.outside is True
        pages, doubts = self.features.pages, self.doubts
        buttons = buttons_for(self.job.id, self.result, pages=pages, outside=outside, doubts=doubts)
        replaced = [
            f"{file.name} ({format_size(file.size)}) → {file.smaller.name}"
            for file in choice.replaced
            if file.smaller is not None
        ]
        left_out = [f"{file.name} ({format_size(file.size)})" for file in choice.left_out]
        no_room = [file.name for file in choice.no_room]
        names = [file.name for file in choice.files]
        if self.job.card is True:
            return result_card(
                translator,
                self.job.source.name,
                self.user_id,
                self.result,
                buttons=buttons,
                dubbed=self.job.dub is not None,
                transcript=self.transcript,
                files=names,
                replaced=replaced,
                left_out=left_out,
                no_room=no_room,
                features=self.features,
            )
        return embeds.result_embed(
            translator,
            self.job.source.name,
            self.user_id,
            self.result,
            dubbed=self.job.dub is not None,
            transcript=self.transcript,
            picture=REPORT_FILE if REPORT_FILE in names else None,
            replaced=replaced,
            left_out=left_out,
            no_room=no_room,
            pages=self.features.pages,
            buttons=buttons,
        )


@asynccontextmanager
async def fetch_result(
    job: Job, user_id: str, result: Result, store: Store, size_limit: int, *, features: Features = NO_FEATURES
) -> AsyncGenerator[ResultMessage]:
    """Fetch the files of a result into a folder that exists until the block ends.

    Args:
        job: The job.
        user_id: Who asked for it.
        result: The result.
        store: Where the files are.
        size_limit: Bytes; larger files are named but not fetched.
        features: What this bot has beside its commands.

    Raises:
        StoreError: A file could not be fetched.

    """
    folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="stemcord-")
    try:
        files = [
            await _fetch(artefact, result.artefact(compact_name(name)), Path(folder.name), store, size_limit)
            for name in (*FILE_ORDER[result.request.task], *(stem.file for stem in result.speaker_stems))
            if (artefact := result.artefact(name)) is not None
        ]
        shown = job.card is True or result.request.task is Task.TRANSCRIBE
        transcript = await read_transcript(result, store) if shown else None
        yield ResultMessage(
            job=job,
            user_id=user_id,
            result=result,
            transcript=transcript,
            files=tuple(files),
            features=features,
            doubts=await _read_doubts(job, features),
        )
    finally:
        await asyncio.to_thread(folder.cleanup)


async def _read_doubts(job: Job, features: Features) -> tuple[str, ...]:
    """Return who the speakers of a result perhaps are; nobody where that cannot be read, which is no reason to wait."""
    if features.doubts is None:
        return ()
    try:
        return tuple(await features.doubts(job.id))
    except DatabaseError as error:
        structlog.get_logger(__name__).warning("doubts_unreadable", error=type(error).__name__)
        return ()


def compact_name(name: str) -> str:
    """Return the name that `pipeline.graph.compact` gives the smaller copy of a sound."""
    return f"compact/{PurePosixPath(name).stem}.opus"


async def _fetch(artefact: Artefact, copy: Artefact | None, folder: Path, store: Store, size_limit: int) -> Attachment:
    smaller = None if copy is None else await _fetch(copy, None, folder, store, size_limit)
    name = PurePosixPath(artefact.name).name
    path = folder / name
    if artefact.size <= size_limit:
        await store.fetch(artefact, path)
    return Attachment(name=name, path=path, size=artefact.size, smaller=smaller)


async def read_transcript(result: Result, store: Store) -> Transcript | None:
    """Read the transcript; None when there is none or it cannot be read."""
    artefact = result.artefact(TRANSCRIPT_FILE)
    if artefact is None:
        return None
    try:
        return msgspec.json.decode(await store.read(artefact, max_bytes=MAX_TRANSCRIPT_BYTES), type=Transcript)
    except (StoreError, msgspec.DecodeError) as error:
        structlog.get_logger(__name__).warning("transcript_unreadable", error=type(error).__name__)
        return None
