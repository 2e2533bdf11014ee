"""Has the files of a result written again after its transcript was changed, or a speaker has another name."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from bot.database.models import JobRecord, StoredEdit, StoredStatus
from bot.database.repository import Repository
from bot.database.speaker_names import with_given
from bot.database.transcript_edits import TranscriptEdits, name_file, written_revision
from bot.exceptions import DatabaseError
from bot.retry import retry_until_done
from pipeline.edits.edit_file import encode_edits
from pipeline.edits.operations import AddLine, GiveWords, ReplaceLines
from pipeline.errors import StemcordError
from pipeline.types import Artefact, Request
from worker.protocol import Job
from worker.store import Store

DELAY_S: Final = 0.2
"""Time between an edit and the writing of the files, in which further ones may come."""
POLL_INTERVAL_S: Final = 0.2
"""Time between two looks at a job that writes files."""

Rewrite = Callable[[Job, Request], Awaitable[Job]]
"""Runs a job again with another request, in its message."""


class TranscriptRewriter:
    """Writes the files of results again with all edits and names so far, one job at a time for each result.

    Args:
        edits: What people changed.
        repository: Where the jobs are recorded.
        store: Where files of edits are put.
        rewrite: Runs a job again.

    """

    def __init__(self, edits: TranscriptEdits, repository: Repository, store: Store, rewrite: Rewrite) -> None:
        self._edits = edits
        self._repository = repository
        self._store = store
        self._rewrite = rewrite
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._mixes: set[str] = set()

    async def resume(self) -> None:
        """Write what an earlier process did not; retries until the database answers."""
        late = [*await retry_until_done(self._edits.unwritten)]
        late += await retry_until_done(self._repository.speaker_names.unwritten)
        for job_id in dict.fromkeys(late):
            record = await retry_until_done(partial(self._repository.newest_of_message, job_id))
            if record is not None:
                self.changed(record)

    def changed(self, record: JobRecord) -> None:
        """Write the files of a result again, soon and in the background."""
        message = record.message
        if message in self._tasks:
            self._again.add(message)
            return
        task = asyncio.create_task(self._write_all(record), name=f"rewrite-{record.id}")
        self._tasks[message] = task
        task.add_done_callback(lambda _: self._tasks.pop(message, None))

    def mix_again(self, record: JobRecord) -> None:
        """Mix a result again by its edited transcript, soon and in the background; it follows later edits too."""
        self._mixes.add(record.message)
        self.changed(record)

    async def settle(self, record: JobRecord, timeout_s: float) -> None:
        """Wait until the files of a result are written, at most so long."""
        task = self._tasks.get(record.message)
        if task is not None:
            await asyncio.wait({task}, timeout=timeout_s)

    async def close(self) -> None:
        """Stop; the next start writes what was not."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _write_all(self, record: JobRecord) -> None:
        while True:
            self._again.discard(record.message)
            await asyncio.sleep(DELAY_S)
            try:
                while await retry_until_done(partial(self._write, record.id)):
                    # What another process or a new name wrote meanwhile may lack these edits.
                    pass
            except StemcordError as error:
                log = structlog.get_logger(__name__)
                log.warning("edits_not_written", job=record.id, error=type(error).__name__, detail=error.detail)
            if record.message not in self._again:
                return

    async def _write(self, job_id: str) -> bool:
        """Write the files with all edits and names, and say whether that was needed and worked."""
        for other in await self._repository.open_of_message(job_id):
            await self._wait(other)
        record = await self._repository.newest_of_message(job_id)
        if record is None or record.result is None:
            return False
        history = await self._edits.history(job_id)
        request = record.job.request
        mixes = record.message in self._mixes and request.mix_edits is not True
        given = await self._repository.speaker_names.of(record.id)
        names = _names_left(with_given(request.names, given), history)
        if len(history) == written_revision(request) and not mixes and names == request.names:
            return False
        if history:
            request = replace(request, edits=await put_edits(self._store, history, record.result.media.duration))
        request = replace(request, names=names, mix_edits=True if mixes else request.mix_edits)
        job = await self._rewrite(record.job, request)
        if mixes:
            self._mixes.discard(record.message)
        return await self._wait(job.id)

    async def _wait(self, job_id: str) -> bool:
        """Wait until a job has ended and its end is recorded, and say whether it has a result."""
        while True:
            with suppress(DatabaseError):
                record = await self._repository.job(job_id)
                if record is None or record.ended is not None:
                    return record is not None and record.status is StoredStatus.FINISHED
            await asyncio.sleep(POLL_INTERVAL_S)


def _names_left(names: Mapping[str, str], history: Sequence[StoredEdit]) -> dict[str, str]:
    """Leave out names of speakers whom edits made and took out again; the next new one may have the same id."""
    gone: set[str] = set()
    for stored in history:
        match stored.edit:
            case GiveWords(speaker=speaker, name=str()) | AddLine(speaker=speaker, name=str()):
                gone.discard(speaker)
            case ReplaceLines(added=added, dropped=dropped):
                gone |= set(dropped)
                gone -= {speaker.id for speaker in added}
            case _:
                pass
    return {speaker: name for speaker, name in names.items() if speaker not in gone}


async def put_edits(store: Store, history: Sequence[StoredEdit], duration: float) -> Artefact:
    """Keep all edits of a clip of this length as a file for a job. Raises `StoreError`."""
    content = await asyncio.to_thread(encode_edits, duration, [stored.edit for stored in history])
    with tempfile.TemporaryDirectory(prefix="stemcord-") as folder:
        path = Path(folder) / name_file(len(history))
        await asyncio.to_thread(path.write_bytes, content)
        return await store.put(path, name=path.name)
