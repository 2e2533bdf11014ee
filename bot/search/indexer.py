"""Lets the index follow the transcripts: jobs that end, edits, and what an earlier process missed."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Final

import structlog

from bot.database.models import JobRecord
from bot.database.repository import Repository
from bot.database.speaker_names import SpeakerName, with_given
from bot.exceptions import DatabaseError, RefusedError
from bot.search.index import Document, SearchIndex
from bot.search.lines import lines_of
from bot.transcripts.editor import TranscriptEditor
from bot.voices.consent import is_recording
from pipeline.errors import StemcordError
from pipeline.types import Transcript

CATCH_UP_INTERVAL_S: Final = 600.0
"""Time between two searches for transcripts that are not indexed as they are."""


class SearchIndexer:
    """Indexes transcripts in the background, one at a time.

    Args:
        index: The index.
        repository: Where the jobs are recorded.
        editor: Knows the transcripts with their edits.

    """

    def __init__(self, index: SearchIndex, repository: Repository, editor: TranscriptEditor) -> None:
        self._index = index
        self._repository = repository
        self._editor = editor
        self._waiting: dict[str, None] = {}
        self._working: asyncio.Task[None] | None = None
        self._catching_up: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Index what an earlier process did not, and look again and again for what was missed."""
        self._catching_up = asyncio.create_task(self._catch_up(), name="search-catch-up")

    async def close(self) -> None:
        """Stop; the next start goes on."""
        tasks = [task for task in (self._working, self._catching_up) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def changed(self, job_id: str) -> None:
        """Index a job's transcript anew, soon and in the background."""
        self._waiting[job_id] = None
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work(), name="search-index")

    async def catch_up(self) -> AsyncGenerator[str]:
        """Index every transcript that is not indexed as it is; yield the id of each job. Raises `DatabaseError`."""
        for job_id in await self._index.stale():
            await self._follow(job_id)
            yield job_id

    async def _work(self) -> None:
        while self._waiting:
            job_id = next(iter(self._waiting))
            del self._waiting[job_id]
            await self._follow(job_id)

    async def _catch_up(self) -> None:
        while True:
            with suppress(DatabaseError):
                async for _ in self.catch_up():
                    pass
            await asyncio.sleep(CATCH_UP_INTERVAL_S)

    async def _follow(self, job_id: str) -> None:
        """Index the newest transcript of a job's message; what fails is tried again later."""
        try:
            record = await self._repository.newest_of_message(job_id)
            if record is not None and record.user_id and not is_recording(record.job):
                await self._index.save(await self._read(record))
        except StemcordError as error:
            log = structlog.get_logger(__name__)
            log.warning("not_indexed", job=job_id, error=type(error).__name__, detail=error.detail)
        except Exception as error:  # noqa: BLE001 - a transcript that cannot be read must not stop the others
            structlog.get_logger(__name__).warning("not_indexed", job=job_id, error=type(error).__name__)

    async def _read(self, record: JobRecord) -> Document:
        try:
            state = await self._editor.state(record)
        except RefusedError:
            # It has no transcript, which is remembered too.
            return _document(record, Transcript(language="", duration=0.0, speakers=(), turns=()), 0, {})
        transcript = state.transcript.transcript()
        # A name that was given later is in the files as soon as they are written again, and then comes here.
        names = await self._repository.speaker_names.of(record.id)
        return await asyncio.to_thread(_document, record, transcript, state.revision, names)


def _document(record: JobRecord, transcript: Transcript, revision: int, names: dict[str, SpeakerName]) -> Document:
    heard = {} if record.result is None else {speaker.id: speaker.name for speaker in record.result.speakers}
    called = heard | with_given(record.job.request.names, names)
    people = {speaker: each.user_id for speaker, each in names.items()}
    return Document(
        job_id=record.id,
        guild_id=record.guild_id,
        channel_id=record.channel_id,
        user_id=record.user_id,
        language=transcript.language[:20],
        revision=revision,
        created=record.created,
        lines=tuple(lines_of(transcript, called, people)),
    )
