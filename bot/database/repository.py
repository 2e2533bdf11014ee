"""Reads and writes settings, jobs, speaker names and usage. Every method raises `DatabaseError`."""

import time
from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Final

import msgspec
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.deletion import delete_rows
from bot.database.engine import Database, lock_writes
from bot.database.mapping import guild_from_row, job_from_row, pack_job
from bot.database.messages import jobs_of_message, newest_result, open_jobs, submitted_job
from bot.database.models import OPEN_STATUSES, DailyUsage, GuildSettings, InterruptedJobs, JobRecord, StoredStatus
from bot.database.speaker_names import SpeakerNames
from bot.database.tables import FILES, GUILDS, JOBS, USAGE
from bot.exceptions import RefusedError
from bot.jobs.quotas import CurrentUsage, ExceededQuota, Quotas, charged_seconds, check_quotas, utc_day
from bot.voices.consent import is_recording, is_withdrawn
from pipeline.types import Artefact, Result
from worker.protocol import Job, decode_job

RESERVE_TIMEOUT_S: Final = 2.0
"""Discord waits three seconds for the first answer."""
ABANDONED_AFTER_S: Final = 3600.0
"""Age at which a slot without a job belongs to a process that died."""
SETTLING_TIME_S: Final = 60.0
"""Time that a job may need to reach the queue."""


class Repository:
    """Stores settings, jobs, speaker names and usage."""

    def __init__(self, database: Database, quotas: Quotas) -> None:
        self._database = database
        self._quotas = quotas
        self.speaker_names = SpeakerNames(database)

    @property
    def database(self) -> Database:
        """Return where everything is stored."""
        return self._database

    async def guild(self, guild_id: str) -> GuildSettings:
        """Return the settings of a server; the defaults for an unknown one."""
        async with self._database.transaction() as connection:
            return await _guild(connection, guild_id)

    async def save_guild(self, settings: GuildSettings) -> None:
        """Write the settings of a server."""
        values = asdict(settings) | {"roles": list(settings.roles), "changed": time.time()}
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            await connection.execute(delete(GUILDS).where(GUILDS.c.guild_id == settings.guild_id))
            await connection.execute(insert(GUILDS).values(values))

    async def reserve(
        self, job_id: str, *, user_id: str, guild_id: str | None, channel_id: str, now: float
    ) -> ExceededQuota | None:
        """Reserve a slot for a job, or return the limit that is reached; one decision at a time."""
        guild_id = guild_id or ""
        async with self._database.transaction(limit_s=RESERVE_TIMEOUT_S) as connection:
            await lock_writes(connection)
            quotas = self._quotas.within(await _guild(connection, guild_id))
            refused = check_quotas(quotas, await _load(connection, user_id, guild_id, now), now)
            if refused is None:
                slot = {"id": job_id, "guild_id": guild_id, "channel_id": channel_id, "user_id": user_id}
                await connection.execute(insert(JOBS).values(**slot, status=StoredStatus.QUEUED.value, created=now))
            return refused

    async def release(self, job_id: str) -> None:
        """Delete the slot of a job that was not submitted."""
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            await delete_rows(connection, [job_id])

    async def acknowledge(self, job: Job) -> None:
        """Record the message of a job whose clip is still downloaded, so that the next start can answer its person."""
        message_id = None if job.reply_to is None else job.reply_to.message_id
        async with self._database.transaction() as connection:
            values = {"receipt": pack_job(job), "message_id": message_id}
            await connection.execute(update(JOBS).where(JOBS.c.id == job.id).values(values))

    async def interrupted_jobs(self, before: float, but_not: Collection[str] = ()) -> InterruptedJobs:
        """Return jobs of earlier processes, from before a Unix time: acknowledged ones, and ones that had not ended.

        Slots with neither are deleted; jobs in `but_not` are those of this process.
        """
        older = JOBS.c.ended.is_(None) & (JOBS.c.created < before) & JOBS.c.id.not_in(list(but_not))
        async with self._database.transaction() as connection:
            empty = older & JOBS.c.job.is_(None) & JOBS.c.receipt.is_(None)
            await connection.execute(delete(JOBS).where(empty))
            found = list(await connection.execute(select(JOBS).where(older)))
        return InterruptedJobs(
            acknowledged=[decode_job(row.receipt) for row in found if row.job is None],
            submitted=[decode_job(row.job) for row in found if row.job is not None],
        )

    async def open_jobs(self, now: float) -> list[str]:
        """Return the ids of jobs that have not ended; delete abandoned slots."""
        left = JOBS.c.job.is_(None) & (JOBS.c.created < now - ABANDONED_AFTER_S)
        opened = JOBS.c.job.is_not(None) & JOBS.c.ended.is_(None) & (JOBS.c.created < now - SETTLING_TIME_S)
        async with self._database.transaction() as connection:
            await connection.execute(delete(JOBS).where(left))
            return [row.id for row in await connection.execute(select(JOBS.c.id).where(opened))]

    async def add_job(self, job: Job) -> None:
        """Record a job as it is submitted, in its reserved slot or a new one; a job without a reply is not recorded.

        Raises:
            RefusedError: The job writes a result again of which nothing is left.

        """
        reply = job.reply_to
        if reply is None:
            return
        values = {"job": pack_job(job), "receipt": None, "message_id": reply.message_id}
        slot = {"guild_id": reply.guild_id or "", "channel_id": reply.channel_id, "user_id": reply.user_id}
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            changed = await connection.execute(update(JOBS).where(JOBS.c.id == job.id).values(values))
            if changed.rowcount == 0:
                new = {"id": job.id, "status": StoredStatus.QUEUED.value, "created": job.submitted}
                if is_recording(job):
                    # While it was fetched, all data of its person was deleted, and so was the yes to it.
                    new |= {"status": StoredStatus.STOPPED.value, "ended": 0.0}
                await connection.execute(insert(JOBS).values(values | slot | new))
                if job.replaces is True and reply.message_id and await jobs_of_message(connection, job.id) == [job.id]:
                    raise RefusedError("result-gone", "result-gone-hint")
            await _add_files(connection, job.id, job.files)

    async def is_withdrawn(self, job_id: str) -> bool:
        """Tell whether the yes to a recording was taken back, or its person's data deleted."""
        async with self._database.transaction() as connection:
            return await is_withdrawn(connection, job_id)

    async def start_job(self, job_id: str) -> None:
        """Record that a worker has taken the job."""
        async with self._database.transaction() as connection:
            waiting = (JOBS.c.id == job_id) & (JOBS.c.status == StoredStatus.QUEUED.value)
            await connection.execute(update(JOBS).where(waiting).values(status=StoredStatus.RUNNING.value))

    async def end_job(
        self, job_id: str, status: StoredStatus, result: Result | None = None, *, used_s: float = 0.0
    ) -> None:
        """Record how a job ended; its minutes are charged once, to the day on which it was submitted.

        Args:
            job_id: The job.
            status: How it ended.
            result: Its result, which tells what it costs.
            used_s: What a job without a result costs, in seconds of its clip.

        """
        seconds = None if result is None else result.media.duration
        packed_result = None if result is None else msgspec.json.encode(result)
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            ended = (JOBS.c.id == job_id) & JOBS.c.ended.is_(None)
            values = {"status": status.value, "ended": time.time(), "seconds": seconds, "result": packed_result}
            changed = await connection.execute(update(JOBS).where(ended).values(values))
            if changed.rowcount == 0 or (result is None and not used_s):
                return
            cost = used_s if result is None else charged_seconds(result)
            if result is not None:
                voices = () if result.voices is None else (result.voices,)
                await _add_files(connection, job_id, (*result.artefacts, *voices))
            row = (await connection.execute(select(JOBS).where(JOBS.c.id == job_id))).one()
            await _charge(connection, row.user_id, row.guild_id, row.created, cost)

    async def job(self, job_id: str) -> JobRecord | None:
        """Return a job; None when it is unknown or not submitted yet."""
        async with self._database.transaction() as connection:
            return await submitted_job(connection, job_id)

    async def finished_since(self, since: float) -> list[str]:
        """Return jobs that ended with a result after a Unix time, the first one first."""
        done = (JOBS.c.status == StoredStatus.FINISHED.value) & JOBS.c.result.is_not(None) & (JOBS.c.ended >= since)
        async with self._database.transaction() as connection:
            return [row.id for row in await connection.execute(select(JOBS.c.id).where(done).order_by(JOBS.c.ended))]

    async def jobs_by_id(self, job_ids: Sequence[str]) -> dict[str, JobRecord | None]:
        """Return jobs by id, None for one whose clip is still downloaded; those that nobody knows are left out."""
        async with self._database.transaction() as connection:
            found = await connection.execute(select(JOBS).where(JOBS.c.id.in_(job_ids)))
            return {row.id: None if row.job is None else job_from_row(row) for row in found}

    async def newest_of_message(self, job_id: str) -> JobRecord | None:
        """Return the newest finished job in the message of a job; None when there is none."""
        async with self._database.transaction() as connection:
            return await newest_result(connection, job_id)

    async def open_of_message(self, job_id: str) -> list[str]:
        """Return the ids of jobs in the message of a job that have not ended."""
        async with self._database.transaction() as connection:
            return await open_jobs(connection, job_id)

    async def jobs_of(self, user_id: str, guild_id: str | None, limit: int) -> list[JobRecord]:
        """Return a person's jobs, newest first, in a server; empty `guild_id`: in private chats, None: everywhere."""
        query = select(JOBS).where(JOBS.c.user_id == user_id, JOBS.c.job.is_not(None))
        if guild_id is not None:
            query = query.where(JOBS.c.guild_id == guild_id)
        async with self._database.transaction() as connection:
            found = await connection.execute(query.order_by(JOBS.c.created.desc()).limit(limit))
            return [job_from_row(row) for row in found]

    async def usage(self, user_id: str, guild_id: str, now: float) -> DailyUsage:
        """Return what a person used in a server on the UTC day of `now`."""
        day = utc_day(now)
        mine = (USAGE.c.day == day) & (USAGE.c.guild_id == guild_id) & (USAGE.c.user_id == user_id)
        async with self._database.transaction() as connection:
            row = (await connection.execute(select(USAGE).where(mine))).one_or_none()
            return DailyUsage(day=day) if row is None else DailyUsage(day=day, seconds=row.seconds, jobs=row.jobs)


async def _guild(connection: AsyncConnection, guild_id: str) -> GuildSettings:
    row = (await connection.execute(select(GUILDS).where(GUILDS.c.guild_id == guild_id))).one_or_none()
    return GuildSettings(guild_id=guild_id) if row is None else guild_from_row(row)


async def _load(connection: AsyncConnection, user_id: str, guild_id: str, now: float) -> CurrentUsage:
    opened = [status.value for status in OPEN_STATUSES]
    jobs = select(func.count()).select_from(JOBS).where(JOBS.c.user_id == user_id, JOBS.c.status.in_(opened))
    spent = select(func.coalesce(func.sum(USAGE.c.seconds), 0.0)).where(
        USAGE.c.day == utc_day(now), USAGE.c.guild_id == guild_id
    )
    person = float((await connection.execute(spent.where(USAGE.c.user_id == user_id))).scalar_one())
    # Private chats share no minutes: each is one person's.
    guild = float((await connection.execute(spent)).scalar_one()) if guild_id else 0.0
    count = int((await connection.execute(jobs)).scalar_one())
    return CurrentUsage(open_jobs=count, seconds_person=person, seconds_guild=guild)


async def _charge(connection: AsyncConnection, user_id: str, guild_id: str, created: float, seconds: float) -> None:
    key = {"day": utc_day(created), "guild_id": guild_id, "user_id": user_id}
    mine = (USAGE.c.day == key["day"]) & (USAGE.c.guild_id == guild_id) & (USAGE.c.user_id == user_id)
    more = {"seconds": USAGE.c.seconds + seconds, "jobs": USAGE.c.jobs + 1}
    if (await connection.execute(update(USAGE).where(mine).values(more))).rowcount == 0:
        await connection.execute(insert(USAGE).values(**key, seconds=seconds, jobs=1))


async def _add_files(connection: AsyncConnection, job_id: str, artefacts: tuple[Artefact, ...]) -> None:
    digests = {artefact.digest for artefact in artefacts}
    found = await connection.execute(select(FILES.c.digest).where(FILES.c.job_id == job_id))
    new = digests - {row.digest for row in found}
    if new:
        await connection.execute(insert(FILES), [{"job_id": job_id, "digest": digest} for digest in new])
