"""What a person agrees to before their voice is kept, and whose yes is still awaiting its voice."""

from typing import Final

from msgspec import UNSET
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.models import StoredStatus
from bot.database.tables import JOBS
from worker.protocol import Job, decode_job

CONSENT_VERSION: Final = 2
"""Of the text `voice-consent` in all languages; raised with each change of its meaning, then people are asked anew."""
ENROLMENT_DAYS: Final = 365
"""After which a voice is deleted unless its person agrees again."""


def is_recording(job: Job) -> bool:
    """Tell whether a job hears a recording by which its person has their own voice kept; nobody else sees it."""
    return job.consent is not UNSET


async def withdraw_recordings(connection: AsyncConnection, guild_id: str, user_id: str) -> list[str]:
    """Take the yes to recordings back whose voice is not kept yet; return their jobs.

    Args:
        connection: The database.
        guild_id: The server; empty: all of them.
        user_id: The person; empty: everybody.

    """
    query = select(JOBS.c.id, JOBS.c.job, JOBS.c.receipt)
    query = query.where(JOBS.c.user_id == user_id) if user_id else query
    query = query.where(JOBS.c.guild_id == guild_id) if guild_id else query
    rows = await connection.execute(query)
    given = {row.id: row.job or row.receipt for row in rows}
    found = [job_id for job_id, data in given.items() if data is not None and is_recording(decode_job(data))]
    stopped = {"status": StoredStatus.STOPPED.value, "ended": 0.0}
    await connection.execute(update(JOBS).where(JOBS.c.id.in_(found)).values(stopped))
    return found


async def is_withdrawn(connection: AsyncConnection, job_id: str) -> bool:
    """Tell whether the yes to a recording was taken back, or its person's data deleted."""
    row = (await connection.execute(select(JOBS.c.status).where(JOBS.c.id == job_id))).one_or_none()
    return row is None or row.status == StoredStatus.STOPPED.value
