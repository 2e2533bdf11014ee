"""Jobs that share a message: each replaced the one before, such as with other names."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.mapping import job_from_row
from bot.database.models import JobRecord, StoredStatus
from bot.database.tables import JOBS
from worker.protocol import Job, decode_job


async def jobs_of_message(connection: AsyncConnection, job_id: str) -> list[str]:
    """Return the ids of a job and of those in the same message, oldest first."""
    found = await connection.execute(select(JOBS.c.channel_id, JOBS.c.message_id).where(JOBS.c.id == job_id))
    row = found.one_or_none()
    if row is None or row.message_id is None:
        return [job_id]
    same = (JOBS.c.channel_id == row.channel_id) & (JOBS.c.message_id == row.message_id)
    ordered = select(JOBS.c.id).where(same).order_by(JOBS.c.created, JOBS.c.id)
    return [other.id for other in await connection.execute(ordered)]


async def newest_job(connection: AsyncConnection, job_id: str) -> Job | None:
    """Return the newest job in the message of a job, however it ended or not; None when there is none."""
    jobs = JOBS.c.id.in_(await jobs_of_message(connection, job_id)) & JOBS.c.job.is_not(None)
    found = await connection.execute(select(JOBS.c.job).where(jobs).order_by(JOBS.c.created.desc()).limit(1))
    row = found.one_or_none()
    return None if row is None else decode_job(row.job)


async def open_jobs(connection: AsyncConnection, job_id: str) -> list[str]:
    """Return the ids of jobs in the message of a job that have not ended."""
    jobs = JOBS.c.id.in_(await jobs_of_message(connection, job_id)) & JOBS.c.job.is_not(None)
    return [row.id for row in await connection.execute(select(JOBS.c.id).where(jobs & JOBS.c.ended.is_(None)))]


async def newest_result(connection: AsyncConnection, job_id: str) -> JobRecord | None:
    """Return the newest finished job in the message of a job; None when there is none."""
    jobs = JOBS.c.id.in_(await jobs_of_message(connection, job_id))
    done = jobs & (JOBS.c.status == StoredStatus.FINISHED.value) & JOBS.c.result.is_not(None)
    found = await connection.execute(select(JOBS).where(done).order_by(JOBS.c.created.desc()).limit(1))
    row = found.one_or_none()
    return None if row is None else job_from_row(row)


async def submitted_job(connection: AsyncConnection, job_id: str) -> JobRecord | None:
    """Return a job; None when it is unknown or not submitted yet."""
    found = await connection.execute(select(JOBS).where(JOBS.c.id == job_id, JOBS.c.job.is_not(None)))
    row = found.one_or_none()
    return None if row is None else job_from_row(row)
