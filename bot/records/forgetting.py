"""Deletes jobs with all that hangs on them, and says which files nobody refers to any more."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.tables import FILES, JOBS, LINKS, NAMES


async def remove(connection: AsyncConnection, job_ids: Sequence[str]) -> set[str]:
    """The digests that no job is left to refer to."""
    orphans: set[str] = set()
    for job_id in job_ids:
        found = await connection.execute(select(FILES.c.digest).where(FILES.c.job_id == job_id))
        digests = {row.digest for row in found}
        for table in (NAMES, LINKS, FILES):
            await connection.execute(delete(table).where(table.c.job_id == job_id))
        await connection.execute(delete(JOBS).where(JOBS.c.id == job_id))
        orphans |= digests
    kept: set[str] = set()
    for digest in orphans:
        found = await connection.execute(select(FILES.c.digest).where(FILES.c.digest == digest).limit(1))
        kept |= {row.digest for row in found}
    return orphans - kept
