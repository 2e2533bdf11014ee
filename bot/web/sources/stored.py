"""Results of the bot: what the database knows, and the files of the store."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Final, Protocol

from cachetools import LRUCache

from bot.database.models import JobRecord, LinkedResult
from bot.database.page_links import PageLinks
from bot.database.repository import Repository
from bot.exceptions import PageError
from bot.jobs.result_files import TRANSCRIPT_FILE, read_transcript
from bot.web.sources.base import PageData
from pipeline.types import Artefact, Result, Transcript
from worker.protocol import Job
from worker.store import Store

MAX_CACHED_TRANSCRIPTS: Final = 4
"""A player requests a file in many ranges, each of which loads the page's data."""
MAX_RENAMINGS: Final = 12
"""Renamings by one link in `RENAMING_PERIOD_S`: each writes the files of the result again."""
RENAMING_PERIOD_S: Final = 600.0
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


Rename = Callable[[Job, Mapping[str, str]], Awaitable[None]]
"""Writes a result again, in its message, with names by the id of the speaker."""


class StoredSource:
    """The results of valid links; a link shows no more than its creator may see."""

    def __init__(
        self, links: PageLinks, repository: Repository, store: Store, access: ChannelAccess, rename: Rename
    ) -> None:
        self._links = links
        self._repository = repository
        self._store = store
        self._access = access
        self._rename = rename
        self._transcripts: LRUCache[str, Transcript] = LRUCache(MAX_CACHED_TRANSCRIPTS)
        self._renamed: LRUCache[str, list[float]] = LRUCache(MAX_TRACKED_LINKS)

    async def load(self, link_id: str, viewer: str | None = None) -> PageData:
        """Return the result of a link, as the person `viewer` may see it. Raises `PageError` and `StemcordError`."""
        linked, record, result, rights = await self._open(link_id, viewer)
        clip = PurePosixPath(record.job.source.name.replace("\\", "/")).name or "clip"
        return PageData(
            title=PurePosixPath(clip).stem,
            result=result,
            transcript=await self._transcript(result),
            clip=replace(record.job.source, name=clip),
            names=linked.names,
            edit=rights.edit,
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
        self._limit_renaming(link_id)
        for speaker, name in changed.items():
            await self._repository.rename(record.id, speaker, name, viewer or linked.link.created_by)
        await self._rename(record.job, {**linked.names, **changed})

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
        if record is None or record.result is None:
            raise PageError(HTTPStatus.GONE, "page-gone")
        rights = await self._access.rights(record, linked.link.created_by)
        if not rights.see:
            raise PageError(HTTPStatus.FORBIDDEN, "page-not-visible")
        if viewer is not None and viewer != linked.link.created_by:
            rights = await self._access.rights(record, viewer)
            if not rights.see:
                raise PageError(HTTPStatus.FORBIDDEN, "page-not-for-you")
        return linked, record, record.result, rights

    async def _transcript(self, result: Result) -> Transcript | None:
        artefact = result.artefact(TRANSCRIPT_FILE)
        if artefact is None:
            return None
        if artefact.digest in self._transcripts:
            return self._transcripts[artefact.digest]
        transcript = await read_transcript(result, self._store)
        if transcript is not None:
            self._transcripts[artefact.digest] = transcript
        return transcript

    def _limit_renaming(self, link_id: str) -> None:
        now = time.monotonic()
        times = [at for at in self._renamed.get(link_id, ()) if at > now - RENAMING_PERIOD_S]
        self._renamed[link_id] = times
        if len(times) >= MAX_RENAMINGS:
            raise PageError(HTTPStatus.TOO_MANY_REQUESTS, "page-too-often")
        times.append(now)
