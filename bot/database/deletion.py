"""Deletes jobs with all that hangs on them, in the store too, as far as no other job needs it."""

from collections.abc import Sequence

import structlog
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.engine import Database
from bot.database.tables import FILES, JOBS, LINKS, NAMES
from pipeline.errors import StoreError
from worker.store import Store


async def clear(database: Database, store: Store, job_ids: Sequence[str]) -> list[str]:
    """Delete what jobs left in the store; the jobs for which that could be done.

    It comes before the rows go: what is cut off is done again for jobs that are still there. Raises `DatabaseError`.
    """
    cleared: list[str] = []
    for job_id in job_ids:
        try:
            await _clear(database, store, job_id, job_ids)
        except StoreError as error:
            structlog.get_logger(__name__).warning("files_not_deleted", job=job_id, detail=error.detail)
        else:
            cleared.append(job_id)
    return cleared


async def _clear(database: Database, store: Store, job_id: str, going: Sequence[str]) -> None:
    async def needed(digest: str) -> bool:
        others = select(FILES.c.digest).where(FILES.c.digest == digest, FILES.c.job_id.not_in(going)).limit(1)
        async with database.transaction() as connection:
            return (await connection.execute(others)).first() is not None

    await store.release_job(job_id, needed)
    async with database.transaction() as connection:
        found = await connection.execute(select(FILES.c.digest).where(FILES.c.job_id == job_id))
        digests = [row.digest for row in found]
    for digest in digests:
        if not await store.references.owners(digest) and not await needed(digest):
            await store.delete(digest)


async def remove(connection: AsyncConnection, job_ids: Sequence[str]) -> None:
    """Delete the rows of jobs, with their names and links."""
    for job_id in job_ids:
        for table in (NAMES, LINKS, FILES):
            await connection.execute(delete(table).where(table.c.job_id == job_id))
        await connection.execute(delete(JOBS).where(JOBS.c.id == job_id))
