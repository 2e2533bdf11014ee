"""Deletes jobs and people's data: rows of the database, files of the store, entries of the queue."""

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.engine import Database, lock_writes
from bot.database.messages import jobs_of_message
from bot.database.models import OPEN_STATUSES, StoredStatus
from bot.database.person_export import PersonExport, export_person
from bot.database.speaker_names import forget_named, hand_over_names
from bot.database.tables import (
    EDITS,
    FILES,
    GUILDS,
    JOBS,
    LINKS,
    NAMES,
    SEARCH_DOCUMENTS,
    SEARCH_LINES,
    USAGE,
    VOICE_MATCHES,
)
from bot.jobs.quotas import utc_day
from bot.uploads.folder import UploadFolder
from bot.voices.book import delete_voices_of
from bot.voices.matches import hand_over_matches
from pipeline.errors import StoreError
from worker.protocol import owner_of
from worker.queue import Queue
from worker.store import Store, remove_abandoned

DAY_S: Final = 86400.0
SUBMISSION_TIMEOUT_S: Final = 7200.0
"""Age at which a slot without a job was left by a crash."""
STOP_TIMEOUT_S: Final = 8.0
"""Time for running jobs to stop before a person's data is deleted."""
STOP_POLL_S: Final = 0.2
_STOPPED: Final = StoredStatus.STOPPED.value


class DataDeletion:
    """Deletes jobs with everything that belongs to them and to no other job.

    Args:
        database: Where the jobs are recorded.
        store: Where their files are.
        retention_days: How long jobs are kept on servers that set nothing else.
        scratch: Where the temporary files of the processes of this home lie; None: not here.
        uploads: Clips that people are sending by the upload page; None: not here.

    """

    def __init__(
        self,
        database: Database,
        store: Store,
        *,
        retention_days: int = 7,
        scratch: Path | None = None,
        uploads: UploadFolder | None = None,
    ) -> None:
        self._uploads = uploads
        self._database = database
        self._store = store
        self._retention_days = retention_days
        self._scratch = scratch

    async def delete_person_records(self, user_id: str, running: Collection[str] = ()) -> list[str]:
        """Delete a person's jobs, files, links and past usage.

        Usage of today stays until the day ends, or a person could reset the limits by deleting.

        Args:
            user_id: Whose data to delete.
            running: Jobs that have not stopped yet; nothing personal of them stays, and their files go with the
                next expiry.

        Returns:
            Ids of all jobs of the person.

        Raises:
            DatabaseError: The database is unavailable.
            StoreError: Some files could not be deleted; their jobs stay.

        """
        async with self._database.transaction() as connection:
            found = await connection.execute(select(JOBS.c.id).where(JOBS.c.user_id == user_id))
            jobs = [row.id for row in found]
        ended = [job_id for job_id in jobs if job_id not in running]
        deleted = await self._delete_files(ended)
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            await delete_rows(connection, deleted)
            empty = {"user_id": "", "job": None, "receipt": None, "result": None, "message_id": None}
            # Those too that began meanwhile, such as to write a result again after an edit.
            await _delete_indexed_of(connection, user_id)
            unfinished = (JOBS.c.user_id == user_id) & JOBS.c.id.not_in(ended)
            await connection.execute(update(JOBS).where(unfinished).values(**empty, status=_STOPPED, ended=0.0))
            await connection.execute(delete(LINKS).where(LINKS.c.created_by == user_id))
            await connection.execute(update(NAMES).where(NAMES.c.changed_by == user_id).values(changed_by=""))
            await forget_named(connection, user_id)
            await delete_voices_of(connection, user_id)
            await connection.execute(update(EDITS).where(EDITS.c.author == user_id).values(author=""))
            past = (USAGE.c.user_id == user_id) & (USAGE.c.day < utc_day(time.time()))
            await connection.execute(delete(USAGE).where(past))
        if len(deleted) < len(ended):
            raise StoreError("Not all files could be deleted.", detail=f"{len(ended) - len(deleted)} jobs are left")
        return jobs

    async def export_person(self, user_id: str) -> PersonExport:
        """Return what `delete_person_data` would delete. Raises `DatabaseError`."""
        export = await export_person(self._database, user_id)
        uploads = [] if self._uploads is None else await self._uploads.export_person(user_id)
        return replace(export, data={**export.data, "uploads": uploads})

    async def delete_person_uploads(self, user_id: str) -> int:
        """Delete what a person sent by the upload page and no job has yet; return how many clips."""
        return 0 if self._uploads is None else await self._uploads.remove_person(user_id)

    async def delete_temporary_files(self) -> None:
        """Delete the temporary files of processes that were killed; others delete their own when a job ends."""
        if self._scratch is not None:
            await asyncio.to_thread(remove_abandoned, self._scratch)

    async def delete_expired(self, now: float) -> list[str]:
        """Delete jobs that ended longer ago than their server keeps them; return their ids. Raises `DatabaseError`."""
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            abandoned = JOBS.c.ended.is_(None) & JOBS.c.job.is_(None) & (JOBS.c.created < now - SUBMISSION_TIMEOUT_S)
            await connection.execute(update(JOBS).where(abandoned).values(status=_STOPPED, ended=now))
            with_settings = JOBS.outerjoin(GUILDS, JOBS.c.guild_id == GUILDS.c.guild_id)
            lifetime_s = func.coalesce(GUILDS.c.retention_days, self._retention_days) * DAY_S
            expired = select(JOBS.c.id).select_from(with_settings).where(JOBS.c.ended + lifetime_s < now)
            jobs = [row.id for row in await connection.execute(expired)]
            await connection.execute(delete(USAGE).where(USAGE.c.day < utc_day(now)))
        return await self.delete_jobs(jobs)

    async def delete_jobs(self, job_ids: Sequence[str]) -> list[str]:
        """Delete jobs that have ended; return those of which nothing is left. Raises `DatabaseError`.

        The others go with the next expiry.
        """
        deleted = await self._delete_files(job_ids)
        late = JOBS.c.id.in_([job_id for job_id in job_ids if job_id not in deleted])
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            await delete_rows(connection, deleted)
            await connection.execute(update(JOBS).where(late).values(ended=0.0))
        return deleted

    async def _delete_files(self, job_ids: Sequence[str]) -> list[str]:
        """Delete the files of jobs; return the jobs for which that worked.

        This comes before their rows are deleted: what is interrupted is repeated for jobs that are still recorded.
        """
        deleted: list[str] = []
        for job_id in job_ids:
            try:
                await self._delete_files_of(job_id, job_ids)
            except StoreError as error:
                structlog.get_logger(__name__).warning("files_not_deleted", job=job_id, detail=error.detail)
            else:
                deleted.append(job_id)
        return deleted

    async def _delete_files_of(self, job_id: str, deleting: Sequence[str]) -> None:
        async def is_needed(digest: str) -> bool:
            others = select(FILES.c.digest).where(FILES.c.digest == digest, FILES.c.job_id.not_in(deleting)).limit(1)
            async with self._database.transaction() as connection:
                return (await connection.execute(others)).first() is not None

        await self._store.release_job(job_id, is_needed)
        async with self._database.transaction() as connection:
            found = await connection.execute(select(FILES.c.digest).where(FILES.c.job_id == job_id))
            digests = [row.digest for row in found]
        for digest in digests:
            if not await self._store.references.owners(digest) and not await is_needed(digest):
                await self._store.delete(digest)


async def delete_rows(connection: AsyncConnection, job_ids: Sequence[str]) -> None:
    """Delete the rows of jobs, with their links, and names and edits that no job of the same message needs."""
    for job_id in job_ids:
        await _hand_over(connection, job_id, job_ids)
        for table in (NAMES, EDITS, LINKS, FILES, SEARCH_LINES, SEARCH_DOCUMENTS, VOICE_MATCHES):
            await connection.execute(delete(table).where(table.c.job_id == job_id))
        await connection.execute(delete(JOBS).where(JOBS.c.id == job_id))


async def _delete_indexed_of(connection: AsyncConnection, user_id: str) -> None:
    """Delete what is indexed of a person's transcripts, also of jobs whose files could not be deleted.

    In those of others, who the speaker is.
    """
    await connection.execute(update(SEARCH_LINES).where(SEARCH_LINES.c.user_id == user_id).values(user_id=""))
    documents = select(SEARCH_DOCUMENTS.c.job_id).where(SEARCH_DOCUMENTS.c.user_id == user_id)
    await connection.execute(delete(SEARCH_LINES).where(SEARCH_LINES.c.job_id.in_(documents)))
    await connection.execute(delete(SEARCH_DOCUMENTS).where(SEARCH_DOCUMENTS.c.user_id == user_id))


async def _hand_over(connection: AsyncConnection, job_id: str, deleted: Sequence[str]) -> None:
    """Keep edits and names by the oldest job of their message that stays."""
    staying = [other for other in await jobs_of_message(connection, job_id) if other not in deleted]
    if staying:
        await connection.execute(update(EDITS).where(EDITS.c.job_id == job_id).values(job_id=staying[0]))
        await hand_over_names(connection, job_id, staying[0])
        await hand_over_matches(connection, job_id, staying[0])


async def delete_person_data(deletion: DataDeletion, queue: Queue, user_id: str) -> int:
    """Stop a person's jobs and delete everything about the person.

    Returns:
        How many clips were deleted: those of jobs, and unfinished uploads.

    Raises:
        DatabaseError: The database is unavailable.
        StoreError: Some files could not be deleted.
        QueueError: The queue is unavailable.

    """
    # First, so that none of them becomes a job meanwhile.
    uploads = await deletion.delete_person_uploads(user_id)
    states = await queue.jobs()
    own = {s.job.id for s in states if s.job.reply_to is not None and s.job.reply_to.user_id == user_id}
    # A prefetch job names no person, but works on a person's clip.
    job_ids = [state.job.id for state in states if owner_of(state.job.id) in own]
    open_ids = {state.job.id for state in states if state.job.id in job_ids and state.status in OPEN_STATUSES}
    for job_id in open_ids:
        await queue.cancel(job_id)
    running = {owner_of(job_id) for job_id in await _wait_until_stopped(queue, open_ids)}
    deleted = await deletion.delete_person_records(user_id, running)
    await deletion.delete_temporary_files()
    for job_id in job_ids:
        await queue.discard(job_id)
    if job_ids:
        await queue.purge_discarded()
    return uploads + len(own | set(deleted))


async def _wait_until_stopped(queue: Queue, job_ids: Collection[str]) -> set[str]:
    """Wait for jobs to stop, since a running job still writes files; return those that did not stop in time."""
    waiting = set(job_ids)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while waiting and time.monotonic() < deadline:
        for job_id in list(waiting):
            state = await queue.state(job_id)
            if state is None or state.status not in OPEN_STATUSES:
                waiting.discard(job_id)
        if waiting:
            await asyncio.sleep(STOP_POLL_S)
    return waiting
