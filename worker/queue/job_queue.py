"""The queue of jobs: submit, follow, cancel and list them.

Stemcord keeps a record of each job, and arq only carries its id. The results, aborts and attempts of arq are not
used: a record survives a restart of the broker, a lost worker and a replay.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Self, cast

import msgspec
import stamina
import structlog

from pipeline.errors import QueueError
from worker.protocol import (
    TERMINAL_EVENTS,
    TERMINAL_STAGE_EVENTS,
    Event,
    Failed,
    Job,
    JobState,
    StageEvent,
    StageJob,
    Stopped,
    WorkerState,
    decode_event,
    decode_stage_event,
    decode_stored_job,
    encode,
    other_version_error,
)
from worker.queue.fairness import Outlook, Share, read_outlook, share_of, share_of_stage
from worker.queue.follower import note_follower
from worker.queue.job_records import decode_record_job, is_readable, job_state, waiting_before, waiting_places
from worker.queue.keys import MEDIA, RECORD_TTL_S, UNDELIVERED, WORKERS, Keys
from worker.queue.redis_client import Connection
from worker.queue.scripts import job_scripts as scripts
from worker.queue.scripts import order_scripts, worker_scripts
from worker.queue.scripts.worker_scripts import WORKER_TTL_S
from worker.queue.worker_name import process_has_ended

MAX_EVENTS: Final = 2000
"""Events kept per job; the oldest are dropped first."""
OUTAGE_TIMEOUT_S: Final = 60.0
"""How long following a job goes on while the broker is away."""
LIVE_STATUSES: Final = (b"queued", b"running")


class Queue:
    """The queue for clients and workers. Every method raises `QueueError` when the broker is away."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str) -> AsyncGenerator[Self]:
        """Connect to the queue at a `redis://…` or `unix://…` address for the length of the block."""
        async with Connection.open(url, MEDIA.queue) as connection:
            yield cls(connection)

    async def submit(self, job: Job) -> None:
        """Submit a job, unless one with its id is known; cancels prefetch jobs of other clips."""
        keys = [MEDIA.record(job.id), MEDIA.index, MEDIA.active, UNDELIVERED]
        awaited = "0" if job.reply_to is None else "1"
        arguments = (job.id, encode(job), job.submitted, awaited)
        if not await self.connection.run_replicated(scripts.SUBMIT, keys, arguments):
            return
        if not job.prefetch:
            await self._cancel_prefetches(job)
        await self.ensure_enqueued(MEDIA, job.id, share_of(job))

    async def cancel(self, job_id: str) -> bool:
        """Ask a job to stop; returns False when it is unknown or has ended."""
        return await self._cancel(MEDIA, job_id)

    async def events(self, job_id: str, *, after: str = "0") -> AsyncIterator[Event]:
        """Yield all events of a job, past and future, up to the one that ends it.

        An event of another version that cannot be decoded is skipped, or becomes `Failed` when it ended the job.

        Args:
            job_id: The job.
            after: Id of the stream entry after which to begin; "0" for the start of the job's present run.
        """
        async for data in self._follow(MEDIA, job_id, after):
            event = _decode_stored_event(data)
            if event is not None:
                yield event
            if isinstance(event, TERMINAL_EVENTS):
                return

    async def position(self, job_id: str) -> int | None:
        """Return the number of jobs before this one; None when it is unknown or has ended."""
        state = await self.state(job_id)
        return None if state is None else state.position

    async def outlook(self, job_id: str) -> Outlook | None:
        """Tell what a job that waits can expect; None when it does not wait."""
        state = await self.state(job_id)
        if state is None or state.status != "queued":
            return None
        return await read_outlook(self.connection, share_of(state.job), job_id)

    async def outlook_of_new(self, job: Job) -> Outlook:
        """Tell what a job could expect that would be submitted now."""
        return await read_outlook(self.connection, share_of(job), None)

    async def jobs(self) -> list[JobState]:
        """List all known jobs, oldest first."""
        records = await self._records_in(MEDIA.index)
        places = waiting_places(records)
        return [job_state(job_id, record, waiting_before(places, record)) for job_id, record in records]

    async def state(self, job_id: str) -> JobState | None:
        """Return one job and how it stands; None when it is unknown."""
        ids = await self.connection.members(MEDIA.active)
        record, *active = await self.connection.fields(*(MEDIA.record(known) for known in (job_id, *ids)))
        if not record:
            return None
        places = waiting_places(zip(ids, active, strict=True))
        return job_state(job_id, record, waiting_before(places, record))

    async def replay(self, job_id: str) -> bool:
        """Run a failed, stopped or dead job again; returns False for any other."""
        again = await self._restart(MEDIA, job_id)
        if again:
            data = await self.read_job(MEDIA, job_id)
            job = None if data is None else decode_stored_job(job_id, data)
            if job is not None and job.reply_to is not None:
                await self.connection.add_member(UNDELIVERED, job_id, time.time())
            await self.ensure_enqueued(MEDIA, job_id, None if job is None else share_of(job))
        return again

    async def discard(self, job_id: str) -> bool:
        """Delete the record of an ended or unreadable job; False when it is unknown or has not ended."""
        keys = [MEDIA.record(job_id), MEDIA.index, MEDIA.events(job_id), UNDELIVERED, MEDIA.active]
        return bool(await self.connection.run(scripts.DISCARD, keys, [job_id]))

    async def purge_discarded(self) -> None:
        """Have the broker remove from its disk what was discarded; one that does not let itself be told is logged."""
        try:
            await self.connection.rewrite_append_only_file()
        except QueueError as error:
            structlog.get_logger().warning("the broker's log is not rewritten", error=error.detail)

    async def undelivered(self) -> list[Job]:
        """List the jobs, running ones too, whose answer a person still waits for, oldest first."""
        return await self._jobs_in(UNDELIVERED)

    async def confirm_delivery(self, job_id: str) -> None:
        """Note that the person has the answer."""
        await self.connection.remove_members(UNDELIVERED, [job_id])

    async def workers(self) -> list[WorkerState]:
        """List all live workers; one of this machine is alive only while its process is."""
        found = cast("list[str]", await self.connection.run(worker_scripts.LIST_WORKERS, [WORKERS], [WORKER_TTL_S]))
        live = [(member.partition("/"), float(seen)) for member, seen in zip(found[::2], found[1::2], strict=True)]
        return [
            WorkerState(name=name, kind=kind, seen=seen)
            for (kind, _, name), seen in live
            if kind in ("media", "asr") and not process_has_ended(name)
        ]

    async def clock_skew(self, clock: Callable[[], float] = time.time) -> float:
        """Measure by how many seconds the clock of this machine is ahead of the broker's, half a round trip apart.

        Args:
            clock: Gives the Unix time of this machine.
        """
        asked = clock()
        seconds = float(await self.connection.run(worker_scripts.CLOCK, [], []))
        return (asked + clock()) / 2 - seconds

    async def note_follower(self, job_id: str, name: str) -> None:
        """Give a sign of life of the process that follows a job; without them the job is cancelled."""
        await note_follower(self.connection, MEDIA, job_id, name)

    async def is_idle(self, *, besides: str) -> bool:
        """Tell whether no job but `besides`, prefetch jobs aside, waits or runs."""
        return all(job.prefetch or job.id == besides for job in await self._jobs_in(MEDIA.active))

    async def submit_stage(self, keys: Keys, job: StageJob, *, parent: str) -> None:
        """Submit a stage for the job `parent`, or join the same stage when it is under way."""
        if await self._restart(keys, job.id, encode(job), parent):
            await self.ensure_enqueued(keys, job.id, share_of_stage(job))

    async def stage_events(self, keys: Keys, stage_id: str) -> AsyncIterator[StageEvent]:
        """Yield the events of the present run of a stage, up to the one that ends it.

        Raises:
            ValidationError: An event was written by another version.
        """
        async for data in self._follow(keys, stage_id, "0"):
            try:
                event = decode_stage_event(data)
            except msgspec.DecodeError as error:
                raise other_version_error(str(error)) from error
            yield event
            if isinstance(event, TERMINAL_STAGE_EVENTS):
                return

    async def unfollow_stage(self, keys: Keys, stage_id: str, *, parent: str) -> None:
        """Note that the job `parent` no longer waits for a stage; cancel the stage when no job does."""
        if not await self.connection.run(scripts.UNFOLLOW_STAGE, [keys.followers(stage_id)], [parent]):
            await self._cancel(keys, stage_id)

    async def read_job(self, keys: Keys, job_id: str) -> bytes | None:
        """Return the JSON that a job was submitted as; None when it is unknown."""
        return await self.connection.field(keys.record(job_id), "job")

    async def ensure_enqueued(self, keys: Keys, job_id: str, share: Share | None = None) -> None:
        """Give a job to arq, in its place, unless arq has it already; one that has had a place keeps it."""
        share = share or Share()
        if await self.connection.enqueue(keys.queue, keys.function, job_id):
            names = [keys.queue, keys.record(job_id), keys.share(share.owner)]
            await self.connection.run(order_scripts.PLACE, names, [job_id, share.weight_s])

    async def _restart(self, keys: Keys, job_id: str, job: bytes = b"", parent: str = "") -> bool:
        names = [keys.record(job_id), keys.index, keys.active, keys.events(job_id), keys.followers(job_id)]
        again = bool(
            await self.connection.run(scripts.RESTART, names, [job_id, time.time(), job, parent, RECORD_TTL_S])
        )
        if again:
            await self.connection.run(scripts.REMOVE_FROM_ARQ, keys.arq_keys(job_id), [job_id])
        return again

    async def _cancel(self, keys: Keys, job_id: str) -> bool:
        names = [keys.record(job_id), keys.lease(job_id), keys.active, keys.events(job_id)]
        arguments = (job_id, encode(Stopped()), time.time(), MAX_EVENTS, keys.ended_ttl_s)
        return bool(await self.connection.run(scripts.CANCEL, names, arguments))

    async def _cancel_prefetches(self, job: Job) -> None:
        for other in await self._jobs_in(MEDIA.active):
            if other.prefetch and other.source.digest != job.source.digest:
                await self.cancel(other.id)

    async def _jobs_in(self, key: str) -> list[Job]:
        """Read the jobs in a sorted set whose records can be read."""
        records = await self._records_in(key)
        return [decode_record_job(job_id, record) for job_id, record in records if is_readable(record)]

    async def _records_in(self, key: str) -> list[tuple[str, dict[str, str]]]:
        """Read the ids and records in a sorted set; ids without a record are removed from the set."""
        ids = await self.connection.members(key)
        records = await self.connection.fields(*(MEDIA.record(job_id) for job_id in ids)) if ids else []
        gone = [job_id for job_id, record in zip(ids, records, strict=True) if not record]
        await self.connection.remove_members(key, gone)
        return [(job_id, record) for job_id, record in zip(ids, records, strict=True) if record]

    async def _follow(self, keys: Keys, job_id: str, after: str) -> AsyncIterator[bytes]:
        at = after
        if after == "0":
            first = await self._read_first(keys, job_id)
            if first is None:
                raise QueueError(f"There is no job {job_id}.", hint="Look at `stemcord jobs list`.")
            at = first.decode()
        while True:
            status, entries = await self._read_events(keys, job_id, at)
            if status is None:
                raise QueueError(f"The job {job_id} was discarded.", hint="Send the clip again.")
            if status not in LIVE_STATUSES and not entries:
                return
            for entry, data in entries:
                at = entry
                yield data

    @stamina.retry(on=QueueError, attempts=None, timeout=OUTAGE_TIMEOUT_S, wait_initial=0.5, wait_max=0.5)
    async def _read_first(self, keys: Keys, job_id: str) -> bytes | None:
        return await self.connection.field(keys.record(job_id), "first")

    @stamina.retry(on=QueueError, attempts=None, timeout=OUTAGE_TIMEOUT_S, wait_initial=0.5, wait_max=0.5)
    async def _read_events(self, keys: Keys, job_id: str, after: str) -> tuple[bytes | None, list[tuple[str, bytes]]]:
        """Wait a moment for events; the status is None when the record is gone."""
        entries = await self.connection.read_stream(keys.events(job_id), after, 2.0)
        if entries:
            return b"running", entries
        status = await self.connection.field(keys.record(job_id), "status")
        if status not in LIVE_STATUSES:
            # It may have ended between the two reads.
            entries = await self.connection.read_stream(keys.events(job_id), after, 0.01)
        return status, entries


def _decode_stored_event(data: bytes) -> Event | None:
    try:
        return decode_event(data)
    except msgspec.DecodeError as error:
        if data.startswith((b'{"kind":"started"', b'{"kind":"progressed"')):
            return None
        return Failed(failure=other_version_error(str(error)).to_failure())
