"""Results as the bot keeps them: what is known in its records, the files in the store."""

import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Final, Protocol

from bot.database.models import JobRecord, LinkedResult
from bot.database.page_links import PageLinks
from bot.database.repository import Repository
from bot.jobs.result_files import TRANSCRIPT_FILE, read_transcript
from bot.web.sources.base import PageData, PageError
from pipeline.types import Artefact, Result, Transcript
from worker.protocol import Job
from worker.store import Store

MAX_CACHED_TRANSCRIPTS: Final = 4
"""Transcripts in memory: a player asks for a file piece by piece."""
MAX_RENAMINGS: Final = 12
"""Times that a link may rename speakers in `RENAMING_SPAN` seconds: each makes the result's files anew."""
RENAMING_PERIOD_S: Final = 600.0
MAX_TRACKED_LINKS: Final = 1000
"""Links whose times are remembered."""


@dataclass(frozen=True, slots=True)
class PageRights:
    """What a person may do with a result at this moment."""

    see: bool
    edit: bool


class ChannelAccess(Protocol):
    """Knows who may see what."""

    async def rights(self, record: JobRecord, user_id: str) -> PageRights:
        """The rights of a person; raises `AudioProcessingError` when they cannot be told now."""
        ...


Rename = Callable[[Job, Mapping[str, str]], Awaitable[None]]
"""Makes a result anew, in its message, with these names by the id of the speaker."""


class StoredSource:
    """The results behind links that hold; a link shows no more than who made it may see."""

    def __init__(
        self, links: PageLinks, repository: Repository, store: Store, viewers: ChannelAccess, rename: Rename
    ) -> None:
        self._links = links
        self._repository = repository
        self._store = store
        self._access = viewers
        self._rename = rename
        self._transcripts: OrderedDict[str, Transcript] = OrderedDict()
        self._renamed: OrderedDict[str, list[float]] = OrderedDict()

    async def load(self, link_id: str) -> PageData:
        """The result as it is now. Raises `PageError` and `AudioProcessingError`."""
        linked, record, result, rights = await self._open(link_id)
        clip = PurePosixPath(record.job.source.name.replace("\\", "/")).name or "clip"
        return PageData(
            title=PurePosixPath(clip).stem,
            result=result,
            transcript=await self._transcript(result),
            clip=replace(record.job.source, name=clip),
            names=linked.names,
            edit=rights.edit,
        )

    async def rename(self, link_id: str, names: Mapping[str, str]) -> None:
        """Keep what speakers are called, and have the files of the result written anew with it."""
        linked, record, result, rights = await self._open(link_id)
        if not rights.edit:
            raise PageError(HTTPStatus.FORBIDDEN, "page-not-yours")
        said = {speaker.id: linked.names.get(speaker.id) or speaker.name for speaker in result.speakers}
        changed = {speaker: name for speaker, name in names.items() if name and name != said.get(speaker)}
        if not changed:
            return
        self._pace(link_id)
        for speaker, name in changed.items():
            await self._repository.rename(record.id, speaker, name, linked.link.created_by)
        await self._rename(record.job, {**linked.names, **changed})

    def stream(self, artefact: Artefact, start: int, end: int) -> AsyncGenerator[bytes]:
        """Bytes of one of the store's files."""
        return self._store.stream(artefact, start, end)

    async def _open(self, link_id: str) -> tuple[LinkedResult, JobRecord, Result, PageRights]:
        linked = await self._links.resolve(link_id)
        if linked is None:
            raise PageError(HTTPStatus.GONE, "page-gone")
        if linked.link.revoked:
            raise PageError(HTTPStatus.GONE, "page-revoked")
        if linked.link.expires <= time.time():
            raise PageError(HTTPStatus.GONE, "page-expired")
        record = linked.record
        if record is None or record.result is None:
            raise PageError(HTTPStatus.GONE, "page-gone")
        rights = await self._access.rights(record, linked.link.created_by)
        if not rights.see:
            raise PageError(HTTPStatus.FORBIDDEN, "page-not-visible")
        return linked, record, record.result, rights

    async def _transcript(self, result: Result) -> Transcript | None:
        artefact = result.artefact(TRANSCRIPT_FILE)
        if artefact is None:
            return None
        known = self._transcripts.pop(artefact.digest, None) or await read_transcript(result, self._store)
        if known is not None:
            self._transcripts[artefact.digest] = known
            while len(self._transcripts) > MAX_CACHED_TRANSCRIPTS:
                self._transcripts.popitem(last=False)
        return known

    def _pace(self, link_id: str) -> None:
        now = time.monotonic()
        times = [at for at in self._renamed.pop(link_id, []) if at > now - RENAMING_PERIOD_S]
        self._renamed[link_id] = times
        if len(times) >= MAX_RENAMINGS:
            raise PageError(HTTPStatus.TOO_MANY_REQUESTS, "page-too-often")
        times.append(now)
        while len(self._renamed) > MAX_TRACKED_LINKS:
            self._renamed.popitem(last=False)
