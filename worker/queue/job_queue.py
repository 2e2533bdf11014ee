"""Submit, follow, cancel, list.

A job lives in a record of ours; arq only carries its id. So arq's own results, aborts and
attempts are not used: a record survives a broker restart, a lost worker and a replay.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, Self, cast

from pipeline.errors import QueueError
from worker.protocol import (
    TERMINAL_EVENTS,
    TERMINAL_STAGE_EVENTS,
    Event,
    Job,
    JobState,
    JobStatus,
    StageEvent,
    StageJob,
    Stopped,
    WorkerState,
    decode_event,
    decode_job,
    decode_stage_event,
    encode,
)
from worker.queue import lua_scripts as scripts
from worker.queue.keys import ASR, MEDIA, UNDELIVERED, WORKERS, Keys
from worker.queue.redis_client import Connection

KEEP: Final = 7 * 24 * 3600
"""Seconds that an ended job can be asked about."""
MOST_EVENTS: Final = 2000
"""Events kept per job; the oldest are dropped first."""
WORKER_TTL: Final = 8.0
"""Seconds after its last heartbeat that a worker counts as gone."""
OUTAGE_LIMIT: Final = 60.0
"""Seconds for which following a job outlasts a broker that is away."""
LIVE_STATUS: Final = (b"queued", b"running")


class Queue:
    """The queue as clients and workers see it. Raises `QueueError` when the broker is away."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str) -> AsyncGenerator[Self]:
        """A queue at `redis://…` or `unix://…`; raises `QueueError` when nothing answers there."""
        async with Connection.open(url, MEDIA.queue) as connection:
            yield cls(connection)

    async def submit(self, job: Job) -> None:
        """Hand in a job; the second time with the same id does nothing. Ahead jobs of other clips give way."""
        keys = [MEDIA.record(job.id), MEDIA.index, MEDIA.active, UNDELIVERED]
        answered = "0" if job.reply_to is None else "1"
        arguments = (job.id, encode(job), job.submitted, answered)
        new = await self.connection.run(scripts.SUBMIT, keys, arguments)
        if new and not job.prefetch:
            await self._stop_ahead(job)
        if new:
            await self._enqueue(MEDIA, job.id)

    async def cancel(self, job_id: str) -> bool:
        """Ask a job to stop; False when it is unknown or has ended."""
        return await self._cancel(MEDIA, job_id)

    async def events(self, job_id: str, *, after: str = "0") -> AsyncIterator[Event]:
        """All events of a job from the first on, then new ones as they come, up to the one that ends it."""
        async for data in self._follow(MEDIA, job_id, after):
            event = decode_event(data)
            yield event
            if isinstance(event, TERMINAL_EVENTS):
                return

    async def position(self, job_id: str) -> int | None:
        """How many jobs are before it: 0 for running or next, None when it is unknown or has ended."""
        state = await self.state(job_id)
        return None if state is None else state.position

    async def jobs(self) -> list[JobState]:
        """All known jobs, oldest first."""
        ids = await self.connection.members(MEDIA.index)
        if not ids:
            return []
        records = await self.connection.fields(*(MEDIA.record(job_id) for job_id in ids))
        gone = [job_id for job_id, record in zip(ids, records, strict=True) if not record]
        await self.connection.remove_members(MEDIA.index, gone)
        states: list[JobState] = []
        waiting = 0
        for record in filter(None, records):
            job = decode_job(record["job"].encode())
            states.append(_state(job, record, waiting))
            waiting += record["status"] == "queued" and not job.prefetch
        return states

    async def state(self, job_id: str) -> JobState | None:
        """One job, None when it is unknown."""
        ids = await self.connection.members(MEDIA.active)
        record, *active = await self.connection.fields(*(MEDIA.record(known) for known in (job_id, *ids)))
        if not record:
            return None
        before = active[: ids.index(job_id)] if job_id in ids else []
        return _state(decode_job(record["job"].encode()), record, _count_waiting(before))

    async def replay(self, job_id: str) -> bool:
        """Run a failed, stopped or dead job again from its kept inputs; False for any other."""
        again = await self._restart(MEDIA, job_id)
        if again:
            await self._expect_delivery(job_id)
            await self._enqueue(MEDIA, job_id)
        return again

    async def discard(self, job_id: str) -> bool:
        """Forget an ended job; False when it is unknown or not over."""
        keys = [MEDIA.record(job_id), MEDIA.index, MEDIA.events(job_id), UNDELIVERED]
        return bool(await self.connection.run(scripts.DISCARD, keys, [job_id]))

    async def undelivered(self) -> list[Job]:
        """Jobs somebody waits for whose answer was not confirmed, oldest first; running ones too."""
        ids = await self.connection.members(UNDELIVERED)
        records = await self.connection.fields(*(MEDIA.record(job_id) for job_id in ids)) if ids else []
        gone = [job_id for job_id, record in zip(ids, records, strict=True) if not record]
        await self.connection.remove_members(UNDELIVERED, gone)
        return [decode_job(record["job"].encode()) for record in records if record]

    async def confirm_delivery(self, job_id: str) -> None:
        """The person has the answer."""
        await self.connection.remove_members(UNDELIVERED, [job_id])

    async def workers(self) -> list[WorkerState]:
        """Live workers."""
        found = cast("list[str]", await self.connection.run(scripts.ROLL_CALL, [WORKERS], [WORKER_TTL]))
        live = [(member.partition("/"), float(seen)) for member, seen in zip(found[::2], found[1::2], strict=True)]
        return [
            WorkerState(name=name, kind=kind, seen=seen) for (kind, _, name), seen in live if kind in ("media", "asr")
        ]

    async def is_idle(self, *, besides: str) -> bool:
        """True when no other job of a person waits or runs."""
        ids = [job_id for job_id in await self.connection.members(MEDIA.active) if job_id != besides]
        records = await self.connection.fields(*(MEDIA.record(job_id) for job_id in ids)) if ids else []
        return not any(record and not decode_job(record["job"].encode()).prefetch for record in records)

    async def submit_stage(self, job: StageJob, *, parent: str) -> None:
        """Hand in a stage for a job; one with the same id that is under way is joined."""
        if await self._restart(ASR, job.id, encode(job), parent):
            await self._enqueue(ASR, job.id)

    async def stage_events(self, stage_id: str) -> AsyncIterator[StageEvent]:
        """The events of a stage's present run."""
        async for data in self._follow(ASR, stage_id, "0"):
            event = decode_stage_event(data)
            yield event
            if isinstance(event, TERMINAL_STAGE_EVENTS):
                return

    async def leave_stage(self, stage_id: str, *, parent: str) -> None:
        """A job no longer waits for a stage; when nobody does, the stage is stopped."""
        if not await self.connection.run(scripts.LEAVE, [ASR.followers(stage_id)], [parent]):
            await self._cancel(ASR, stage_id)

    async def read_job(self, keys: Keys, job_id: str) -> bytes | None:
        """The JSON that the job was submitted as; None when it is unknown."""
        return await self.connection.field(keys.record(job_id), "job")

    async def ensure_enqueued(self, keys: Keys, job_id: str) -> None:
        """Give arq a job that it lost or that its own marks hold back."""
        await self._enqueue(keys, job_id)

    async def _enqueue(self, keys: Keys, job_id: str) -> None:
        await self.connection.enqueue(keys.queue, keys.function, job_id)

    async def _restart(self, keys: Keys, job_id: str, job: bytes = b"", parent: str = "") -> bool:
        names = [keys.record(job_id), keys.index, keys.active, keys.events(job_id), keys.followers(job_id)]
        again = bool(await self.connection.run(scripts.RESTART, names, [job_id, time.time(), job, parent, KEEP]))
        if again:
            await self.connection.run(scripts.FORGET, keys.arq(job_id), [job_id])
        return again

    async def _expect_delivery(self, job_id: str) -> None:
        data = await self.read_job(MEDIA, job_id)
        if data is not None and decode_job(data).reply_to is not None:
            await self.connection.add_member(UNDELIVERED, job_id, time.time())

    async def _cancel(self, keys: Keys, job_id: str) -> bool:
        names = [keys.record(job_id), keys.lease(job_id), keys.active, keys.events(job_id)]
        arguments = (job_id, encode(Stopped()), time.time(), MOST_EVENTS, KEEP)
        return bool(await self.connection.run(scripts.CANCEL, names, arguments))

    async def _stop_ahead(self, job: Job) -> None:
        ids = [job_id for job_id in await self.connection.members(MEDIA.active) if job_id != job.id]
        records = await self.connection.fields(*(MEDIA.record(job_id) for job_id in ids)) if ids else []
        for other in (decode_job(record["job"].encode()) for record in records if record):
            if other.prefetch and other.source.digest != job.source.digest:
                await self.cancel(other.id)

    async def _follow(self, keys: Keys, job_id: str, after: str) -> AsyncIterator[bytes]:
        away_since: float | None = None
        at = after
        if after == "0":
            first = await self.connection.field(keys.record(job_id), "first")
            if first is None:
                raise QueueError(f"There is no job {job_id}.", hint="Look at `stemcord jobs list`.")
            at = first.decode()
        while True:
            try:
                entries = await self.connection.read_stream(keys.events(job_id), at, 2.0)
                status = b"running" if entries else await self.connection.field(keys.record(job_id), "status")
                if status not in LIVE_STATUS:
                    # It may have ended between the two looks.
                    entries = await self.connection.read_stream(keys.events(job_id), at, 0.01)
                away_since = None
            except QueueError:
                away_since = away_since or time.monotonic()
                if time.monotonic() - away_since > OUTAGE_LIMIT:
                    raise
                await asyncio.sleep(0.5)
                continue
            if status is None:
                raise QueueError(f"The job {job_id} was discarded.", hint="Send the clip again.")
            if status not in LIVE_STATUS and not entries:
                return
            for entry, data in entries:
                at = entry
                yield data


def _count_waiting(records: Sequence[dict[str, str]]) -> int:
    """How many of the jobs wait for a worker and are a person's."""
    waiting = (record for record in records if record and record["status"] == "queued")
    return sum(not decode_job(record["job"].encode()).prefetch for record in waiting)


def _state(job: Job, record: dict[str, str], waiting: int) -> JobState:
    status = cast("JobStatus", record["status"])
    position = {"queued": waiting, "running": 0}.get(status)
    return JobState(
        job=job, status=status, attempts=int(record["attempts"]), position=position, error=record.get("error", "")
    )
