"""Reads and writes the records. Every method raises `DatabaseError`."""

import time
from collections.abc import Collection
from dataclasses import asdict
from typing import Final

import msgspec
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.deletion import clear, remove
from bot.database.engine import Database
from bot.database.mapping import guild_from_row, job_from_row, pack_job
from bot.database.models import OPEN_STATUSES, DailyUsage, GuildSettings, InterruptedJobs, JobRecord, StoredStatus
from bot.database.tables import FILES, GUILDS, JOBS, LINKS, NAMES, USAGE
from bot.jobs.quotas import CurrentUsage, ExceededQuota, Quotas, charged_seconds, check_quotas, utc_day
from pipeline.errors import StoreError
from pipeline.types import Artefact, Result
from worker.protocol import Job, decode_job
from worker.store import Store

DAY_S: Final = 86400.0
RESERVE_TIMEOUT_S: Final = 2.0
"""Seconds to reserve a place in: Discord waits three for an answer."""
SUBMISSION_TIMEOUT_S: Final = 7200.0
"""Seconds after which a place without a job is taken for one that a crash left."""
ABANDONED_AFTER_S: Final = 3600.0
"""Seconds after which a place without a job is one of a process that died."""
SETTLING_TIME_S: Final = 60.0
"""Seconds in which a job may be on its way to the queue."""
STOPPED: Final = StoredStatus.STOPPED.value
RESERVATION_LOCK_ID: Final = 0x57454E
"""Of PostgreSQL, held while a place is reserved; SQLite has one writer anyway."""


class Repository:
    """Stores settings, jobs, speaker names and usage."""

    def __init__(self, database: Database, store: Store, quotas: Quotas, *, retention_days: int = 7) -> None:
        self._database = database
        self._store = store
        self._quotas = quotas
        self._retention = retention_days

    async def guild(self, guild_id: str) -> GuildSettings:
        """The settings of a server; those without any change for one that is not known."""
        async with self._database.transaction() as connection:
            return await _guild(connection, guild_id)

    async def save_guild(self, settings: GuildSettings) -> None:
        """Keep them."""
        values = asdict(settings) | {"roles": list(settings.roles), "changed": time.time()}
        async with self._database.transaction() as connection:
            await _lock(connection)
            await connection.execute(delete(GUILDS).where(GUILDS.c.guild_id == settings.guild_id))
            await connection.execute(insert(GUILDS).values(values))

    async def reserve(
        self, job_id: str, *, user_id: str, guild_id: str | None, channel_id: str, now: float
    ) -> ExceededQuota | None:
        """Take a place for a job, or say which limit is reached; one decision at a time."""
        guild_id = guild_id or ""
        async with self._database.transaction(limit_s=RESERVE_TIMEOUT_S) as connection:
            await _lock(connection)
            quotas = self._quotas.within(await _guild(connection, guild_id))
            refused = check_quotas(quotas, await _load(connection, user_id, guild_id, now), now)
            if refused is None:
                place = {"id": job_id, "guild_id": guild_id, "channel_id": channel_id, "user_id": user_id}
                await connection.execute(insert(JOBS).values(**place, status=StoredStatus.QUEUED.value, created=now))
            return refused

    async def release(self, job_id: str) -> None:
        """Give a place back; nothing is kept of a job that was not handed in."""
        async with self._database.transaction() as connection:
            await _lock(connection)
            await remove(connection, [job_id])

    async def acknowledge(self, job: Job) -> None:
        """Note where a job is shown whose clip is still to come, so that a later start can tell its person."""
        message_id = None if job.reply_to is None else job.reply_to.message_id
        async with self._database.transaction() as connection:
            values = {"receipt": pack_job(job), "message_id": message_id}
            await connection.execute(update(JOBS).where(JOBS.c.id == job.id).values(values))

    async def interrupted_jobs(self, before: float) -> InterruptedJobs:
        """What processes until then left: jobs that were only acknowledged, and jobs that had not ended.

        Places with neither are given back.
        """
        older = JOBS.c.ended.is_(None) & (JOBS.c.created < before)
        async with self._database.transaction() as connection:
            empty = older & JOBS.c.job.is_(None) & JOBS.c.receipt.is_(None)
            await connection.execute(delete(JOBS).where(empty))
            found = list(await connection.execute(select(JOBS).where(older)))
        return InterruptedJobs(
            acknowledged=[decode_job(row.receipt) for row in found if row.job is None],
            submitted=[decode_job(row.job) for row in found if row.job is not None],
        )

    async def open_jobs(self, now: float) -> list[str]:
        """Jobs that have not ended; places that were taken and then left are given back."""
        left = JOBS.c.job.is_(None) & (JOBS.c.created < now - ABANDONED_AFTER_S)
        opened = JOBS.c.job.is_not(None) & JOBS.c.ended.is_(None) & (JOBS.c.created < now - SETTLING_TIME_S)
        async with self._database.transaction() as connection:
            await connection.execute(delete(JOBS).where(left))
            return [row.id for row in await connection.execute(select(JOBS.c.id).where(opened))]

    async def add_job(self, job: Job) -> None:
        """Keep a job as it is handed in, in its reserved place or in a new one; nothing for one without an asker."""
        reply = job.reply_to
        if reply is None:
            return
        values = {"job": pack_job(job), "receipt": None, "message_id": reply.message_id}
        place = {"guild_id": reply.guild_id or "", "channel_id": reply.channel_id, "user_id": reply.user_id}
        async with self._database.transaction() as connection:
            changed = await connection.execute(update(JOBS).where(JOBS.c.id == job.id).values(values))
            if changed.rowcount == 0:
                new = {"id": job.id, "status": StoredStatus.QUEUED.value, "created": job.submitted}
                await connection.execute(insert(JOBS).values(values | place | new))
            await _refer(connection, job.id, (job.source,) if job.dub is None else (job.source, job.dub))

    async def start_job(self, job_id: str) -> None:
        """A worker has taken it."""
        async with self._database.transaction() as connection:
            waiting = (JOBS.c.id == job_id) & (JOBS.c.status == StoredStatus.QUEUED.value)
            await connection.execute(update(JOBS).where(waiting).values(status=StoredStatus.RUNNING.value))

    async def end_job(self, job_id: str, status: StoredStatus, result: Result | None = None) -> None:
        """How it ended; its minutes are charged once, however often this is said, to the day it was asked on."""
        seconds = None if result is None else result.media.duration
        packed_result = None if result is None else msgspec.json.encode(result)
        async with self._database.transaction() as connection:
            await _lock(connection)
            ended = (JOBS.c.id == job_id) & JOBS.c.ended.is_(None)
            values = {"status": status.value, "ended": time.time(), "seconds": seconds, "result": packed_result}
            changed = await connection.execute(update(JOBS).where(ended).values(values))
            if changed.rowcount == 0 or result is None:
                return
            voices = () if result.voices is None else (result.voices,)
            await _refer(connection, job_id, (*result.artefacts, *voices))
            row = (await connection.execute(select(JOBS).where(JOBS.c.id == job_id))).one()
            await _charge(connection, row.user_id, row.guild_id, row.created, charged_seconds(result))

    async def job(self, job_id: str) -> JobRecord | None:
        """The job; None when it is not kept, or not handed in yet."""
        async with self._database.transaction() as connection:
            found = await connection.execute(select(JOBS).where(JOBS.c.id == job_id, JOBS.c.job.is_not(None)))
            row = found.one_or_none()
            return None if row is None else job_from_row(row)

    async def jobs_of(self, user_id: str, guild_id: str | None, limit: int) -> list[JobRecord]:
        """A person's jobs in a server, the newest first; empty: in private chats, None: everywhere."""
        query = select(JOBS).where(JOBS.c.user_id == user_id, JOBS.c.job.is_not(None))
        if guild_id is not None:
            query = query.where(JOBS.c.guild_id == guild_id)
        async with self._database.transaction() as connection:
            found = await connection.execute(query.order_by(JOBS.c.created.desc()).limit(limit))
            return [job_from_row(row) for row in found]

    async def usage(self, user_id: str, guild_id: str, now: float) -> DailyUsage:
        """What a person used in a server on the day of `now`."""
        day = utc_day(now)
        mine = (USAGE.c.day == day) & (USAGE.c.guild_id == guild_id) & (USAGE.c.user_id == user_id)
        async with self._database.transaction() as connection:
            row = (await connection.execute(select(USAGE).where(mine))).one_or_none()
            return DailyUsage(day=day) if row is None else DailyUsage(day=day, seconds=row.seconds, jobs=row.jobs)

    async def names(self, job_id: str) -> dict[str, str]:
        """What speakers are called, by id."""
        async with self._database.transaction() as connection:
            found = await connection.execute(select(NAMES).where(NAMES.c.job_id == job_id))
            return {row.speaker_id: row.name for row in found}

    async def rename(self, job_id: str, speaker_id: str, name: str, by: str) -> None:
        """Call a speaker so."""
        one = (NAMES.c.job_id == job_id) & (NAMES.c.speaker_id == speaker_id)
        async with self._database.transaction() as connection:
            await _lock(connection)
            await connection.execute(delete(NAMES).where(one))
            values = {"job_id": job_id, "speaker_id": speaker_id, "name": name[:100], "changed_by": by}
            await connection.execute(insert(NAMES).values(values))

    async def forget_user(self, user_id: str, late: Collection[str] = ()) -> list[str]:
        """Delete a person's jobs with all that they left in the store and no other job needs; the ids of the jobs.

        Of `late` ones, which have not stopped yet, nothing personal stays; what they leave goes with the next sweep.
        What was used today stays until the day is over, or forgetting would lift every limit. Raises `StoreError`.
        """
        async with self._database.transaction() as connection:
            found = await connection.execute(select(JOBS.c.id).where(JOBS.c.user_id == user_id))
            gone = [row.id for row in found]
        ended = [job_id for job_id in gone if job_id not in late]
        cleared = await clear(self._database, self._store, ended)
        async with self._database.transaction() as connection:
            await _lock(connection)
            await remove(connection, cleared)
            nothing = {"user_id": "", "job": None, "receipt": None, "result": None, "message_id": None}
            waiting = JOBS.c.id.in_([job_id for job_id in gone if job_id in late])
            await connection.execute(update(JOBS).where(waiting).values(**nothing, status=STOPPED, ended=0.0))
            await connection.execute(delete(LINKS).where(LINKS.c.created_by == user_id))
            await connection.execute(update(NAMES).where(NAMES.c.changed_by == user_id).values(changed_by=""))
            past = (USAGE.c.user_id == user_id) & (USAGE.c.day < utc_day(time.time()))
            await connection.execute(delete(USAGE).where(past))
        if len(cleared) < len(ended):
            raise StoreError("Not all files could be deleted.", detail=f"{len(ended) - len(cleared)} jobs are left")
        return gone

    async def forget_expired(self, now: float) -> list[str]:
        """Delete jobs that ended longer ago than their server keeps them; their ids."""
        async with self._database.transaction() as connection:
            await _lock(connection)
            left = JOBS.c.ended.is_(None) & JOBS.c.job.is_(None) & (JOBS.c.created < now - SUBMISSION_TIMEOUT_S)
            await connection.execute(update(JOBS).where(left).values(status=STOPPED, ended=now))
            days = JOBS.outerjoin(GUILDS, JOBS.c.guild_id == GUILDS.c.guild_id)
            kept = func.coalesce(GUILDS.c.retention_days, self._retention) * DAY_S
            found = await connection.execute(select(JOBS.c.id).select_from(days).where(JOBS.c.ended + kept < now))
            gone = [row.id for row in found]
            await connection.execute(delete(USAGE).where(USAGE.c.day < utc_day(now)))
        cleared = await clear(self._database, self._store, gone)
        async with self._database.transaction() as connection:
            await remove(connection, cleared)
        return cleared


async def _lock(connection: AsyncConnection) -> None:
    if connection.dialect.name == "postgresql":
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({RESERVATION_LOCK_ID})"))


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


async def _refer(connection: AsyncConnection, job_id: str, artefacts: tuple[Artefact, ...]) -> None:
    digests = {artefact.digest for artefact in artefacts}
    found = await connection.execute(select(FILES.c.digest).where(FILES.c.job_id == job_id))
    new = digests - {row.digest for row in found}
    if new:
        await connection.execute(insert(FILES), [{"job_id": job_id, "digest": digest} for digest in new])
