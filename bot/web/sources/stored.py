"""Results of the bot: what the database knows, and the files of the store."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Final, Protocol

import structlog
from cachetools import LRUCache

from bot.database.models import OPEN_STATUSES, JobRecord, LinkedResult
from bot.database.page_links import PageLinks
from bot.database.repository import Repository
from bot.database.speaker_names import SpeakerName
from bot.database.transcript_edits import written_revision
from bot.exceptions import PageError, RefusedError, ResultPendingError
from bot.messages.job_progress import JobProgress, RunningJobs
from bot.transcripts.editor import Change, TranscriptState
from bot.transcripts.json_forms import PastEditForm, history_forms
from bot.transcripts.transcripts import Transcripts
from bot.web.sources.base import PageData
from pipeline.edits.operations import Edit
from pipeline.errors import StoreError
from pipeline.types import Artefact, Result
from worker.protocol import Job
from worker.store import Store

MAX_RENAMINGS: Final = 12
"""Renamings by one link in `RENAMING_PERIOD_S`: each writes the files of the result again."""
RENAMING_PERIOD_S: Final = 600.0
MAX_EDITINGS: Final = 240
"""Requests to change a transcript by one link in `EDITING_PERIOD_S`."""
EDITING_PERIOD_S: Final = 60.0
SETTLE_TIMEOUT_S: Final = 10.0
MAX_TRACKED_LINKS: Final = 1000


@dataclass(frozen=True, slots=True)
class PageRights:
    """What a person may do with a result at this moment."""

    see: bool
    edit: bool


class ChannelAccess(Protocol):
    """Knows who may see a channel."""

    async def rights(self, record: JobRecord, user_id: str) -> PageRights:
        """Return the rights of a person. Raises `DiscordUnavailableError`."""
        ...

    async def name(self, record: JobRecord, user_id: str) -> str:
        """Return what a person is called where the result was posted; empty when that is not known."""
        ...


Rename = Callable[[Job, Mapping[str, str]], Awaitable[None]]
"""Writes a result again, in its message, with names by the id of the speaker."""


class StoredSource:
    """The results of valid links; a link shows no more than its creator may see."""

    def __init__(
        self,
        links: PageLinks,
        repository: Repository,
        store: Store,
        access: ChannelAccess,
        rename: Rename,
        transcripts: Transcripts,
        running: RunningJobs,
    ) -> None:
        self._running = running
        self._links = links
        self._repository = repository
        self._store = store
        self._access = access
        self._rename = rename
        self._editor = transcripts.editor
        self._rewriter = transcripts.rewriter
        self._renamed = _RateLimit(MAX_RENAMINGS, RENAMING_PERIOD_S)
        self._edited = _RateLimit(MAX_EDITINGS, EDITING_PERIOD_S)

    async def load(self, link_id: str, viewer: str | None = None) -> PageData:
        """Return the result of a link, as the person `viewer` may see it. Raises `PageError` and `StemcordError`."""
        linked, record, result, rights = await self._open(link_id, viewer)
        clip = PurePosixPath(record.job.source.name.replace("\\", "/")).name or "clip"
        state = await self._state(record)
        written = written_revision(record.job.request)
        files = await self._names_in_files(record, result, state, written)
        return PageData(
            title=PurePosixPath(clip).stem,
            result=result,
            transcript=None if state is None else state.transcript.transcript(),
            clip=replace(record.job.source, name=clip),
            names=files | dict(linked.names),
            edit=rights.edit,
            edit_words=rights.edit,
            state=state,
            written=written,
        )

    async def rename(self, link_id: str, names: Mapping[str, str], viewer: str | None = None) -> None:
        """Record names of speakers, and have the files of the result written again with them."""
        linked, record, result, rights = await self._open(link_id, viewer)
        if not rights.edit:
            raise PageError(HTTPStatus.FORBIDDEN, "page-not-yours")
        said = {speaker.id: linked.names.get(speaker.id) or speaker.name for speaker in result.speakers}
        changed = {speaker: name for speaker, name in names.items() if name and name != said.get(speaker)}
        if not changed:
            return
        self._renamed.check(link_id)
        given = {speaker: SpeakerName(name=name) for speaker, name in changed.items()}
        await self._repository.speaker_names.give(record.id, given, viewer or linked.link.created_by)
        await self._rename(record.job, {**linked.names, **changed})

    async def change(self, link_id: str, edits: Sequence[Edit], base: int, viewer: str | None = None) -> Change:
        """Make edits, and have the files of the result written again with them."""
        record, person = await self._open_to_edit(link_id, viewer)
        return await self._editor.change(record, edits, by=person, base=base)

    async def go_back(self, link_id: str, revision: int, base: int, viewer: str | None = None) -> Change:
        """Bring the transcript back to a revision, likewise."""
        record, person = await self._open_to_edit(link_id, viewer)
        return await self._editor.go_back(record, revision, by=person, base=base)

    async def history(self, link_id: str, viewer: str | None = None) -> list[PastEditForm]:
        """Describe all edits of the transcript."""
        _, record, _, _ = await self._open(link_id, viewer)
        recognised, edits = await self._editor.history(record)
        people = {stored.author for stored in edits if stored.author}
        names = {person: await self._access.name(record, person) for person in people}
        return await asyncio.to_thread(history_forms, recognised, edits, names)

    async def settle(self, link_id: str) -> None:
        """Wait some seconds for the files to follow the edits."""
        linked = await self._links.resolve(link_id)
        if linked is not None and linked.record is not None:
            await self._rewriter.settle(linked.record, SETTLE_TIMEOUT_S)

    async def author(self, link_id: str, person: str) -> str:
        """Return what somebody is called who changed a transcript."""
        linked = await self._links.resolve(link_id)
        if not person or linked is None or linked.record is None:
            return ""
        return await self._access.name(linked.record, person)

    def stream(self, artefact: Artefact, start: int, end: int) -> AsyncGenerator[bytes]:
        """Stream bytes of a file of the store."""
        return self._store.stream(artefact, start, end)

    async def _open(self, link_id: str, viewer: str | None) -> tuple[LinkedResult, JobRecord, Result, PageRights]:
        linked = await self._links.resolve(link_id)
        if linked is None:
            raise PageError(HTTPStatus.GONE, "page-gone")
        if linked.link.revoked:
            raise PageError(HTTPStatus.GONE, "page-revoked")
        if linked.link.expires <= time.time():
            raise PageError(HTTPStatus.GONE, "page-expired")
        record = linked.record
        if record is None:
            raise PageError(HTTPStatus.GONE, "page-gone")
        rights = await self._access.rights(record, linked.link.created_by)
        if not rights.see:
            raise PageError(HTTPStatus.FORBIDDEN, "page-not-visible")
        if viewer is not None and viewer != linked.link.created_by:
            rights = await self._access.rights(record, viewer)
            if not rights.see:
                raise PageError(HTTPStatus.FORBIDDEN, "page-not-for-you")
        if record.status in OPEN_STATUSES:
            # Another process may follow it, or this one has not begun to after a start.
            progress = self._running.get(record.id) or JobProgress()
            raise ResultPendingError(PurePosixPath(record.job.source.name).stem, progress)
        if record.result is None:
            raise PageError(HTTPStatus.GONE, "page-ended")
        return linked, record, record.result, rights

    async def _open_to_edit(self, link_id: str, viewer: str | None) -> tuple[JobRecord, str]:
        """Return a job whose transcript a person may change, and who that is."""
        linked, record, _, rights = await self._open(link_id, viewer)
        if not rights.edit:
            raise PageError(HTTPStatus.FORBIDDEN, "page-not-yours")
        self._edited.check(link_id)
        return record, viewer or linked.link.created_by

    async def _state(self, record: JobRecord) -> TranscriptState | None:
        """Return the transcript; None when there is none or it cannot be read."""
        try:
            return await self._editor.state(record)
        except (RefusedError, StoreError) as error:
            if isinstance(error, StoreError):
                structlog.get_logger(__name__).warning("transcript_unreadable", error=type(error).__name__)
            return None

    async def _names_in_files(
        self, record: JobRecord, result: Result, state: TranscriptState | None, written: int
    ) -> dict[str, str]:
        """Return the names that the files have, but for speakers whom later edits call otherwise."""
        names = {speaker.id: speaker.name for speaker in result.speakers}
        if state is None or state.revision <= written:
            return names
        before = (await self._editor.state(record, written)).transcript.speakers
        said = {speaker.id: speaker.name for speaker in before}
        given = record.job.request.names
        later = {each.id for each in state.transcript.speakers if said.get(each.id) != each.name} - given.keys()
        return {speaker: name for speaker, name in names.items() if speaker not in later}


class _RateLimit:
    """Lets each link do something so many times in a period."""

    def __init__(self, times: int, period_s: float) -> None:
        self._times = times
        self._period_s = period_s
        self._done: LRUCache[str, list[float]] = LRUCache(MAX_TRACKED_LINKS)

    def check(self, link_id: str) -> None:
        """Note that it is done once more. Raises `PageError`."""
        now = time.monotonic()
        done = [at for at in self._done.get(link_id, ()) if at > now - self._period_s]
        self._done[link_id] = done
        if len(done) >= self._times:
            raise PageError(HTTPStatus.TOO_MANY_REQUESTS, "page-too-often")
        done.append(now)
