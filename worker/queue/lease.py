"""One attempt at a job: taken, kept alive, ended or given back.

While a worker runs a job it renews a lease; when it stops doing so, `worker.queue.reaper` gives the
job to another. Whoever lost the lease can write nothing more: every script checks the token.
"""

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self, cast

import stamina
import structlog

from pipeline.errors import QueueError
from worker.protocol import JobStatus, Message, encode
from worker.queue import lua_scripts as scripts
from worker.queue.job_queue import KEEP, MOST_EVENTS, Queue
from worker.queue.keys import Keys

LEASE_TTL: Final = 8.0
"""Seconds after the last heartbeat that a job counts as abandoned."""
BEAT: Final = 0.5
"""Seconds between heartbeats, so also the delay of a cancel."""
STOP_LIMIT: Final = 15.0
"""Seconds that cancelled work may take to stop by itself."""
MAX_ATTEMPTS: Final = 3
PATIENCE: Final = 60.0
"""Seconds for which the end of a job is held on to while the broker is away."""

Verdict = Literal["go", "spent", "held", "ended", "gone"]


class LeaseLostError(Exception):
    """Another worker has the job now; this one must stop and say nothing."""


@dataclass(slots=True, kw_only=True)
class Lease:
    """The right to run a job and to write about it."""

    queue: Queue
    keys: Keys
    job_id: str
    worker: str
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    verdict: Verdict = "go"
    attempt: int = 0
    last_error: str = ""
    """Why the attempt before this one failed, when that is known."""
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when somebody asked the job to stop."""

    @classmethod
    async def acquire(cls, queue: Queue, keys: Keys, job_id: str, worker: str) -> Self:
        """Count an attempt and take the job, both in one step; look at `verdict` before working."""
        lease = cls(queue=queue, keys=keys, job_id=job_id, worker=worker)
        arguments = (lease.token, int(LEASE_TTL * 1000), MAX_ATTEMPTS, worker)
        answer = cast("list[Any]", await lease._patiently(scripts.ACQUIRE, lease._names(), arguments))
        lease.verdict, lease.attempt, lease.last_error = answer[0], int(answer[1]), str(answer[2])
        return lease

    async def keep(self) -> Literal["lost", "overdue"]:
        """Renew the lease until it is lost or cancelled work does not stop; sets `cancelled`."""
        stop_since: float | None = None
        while stop_since is None or time.monotonic() - stop_since < STOP_LIMIT:
            try:
                arguments = (self.token, int(LEASE_TTL * 1000))
                answer = str(await self.queue.connection.run(scripts.BEAT, self._names(), arguments))
            except QueueError as error:
                # Nobody can take the job while the broker is away; going on costs nothing.
                structlog.get_logger().warning("heartbeat missed", job=self.job_id, error=error.message)
                answer = "on"
            if answer == "lost":
                return "lost"
            if answer == "stop":
                self.cancelled.set()
                stop_since = stop_since or time.monotonic()
            await asyncio.sleep(BEAT)
        return "overdue"

    async def emit(self, message: Message) -> None:
        """Write an event; raises `LeaseLostError` when the job is another worker's, `QueueError` when away."""
        names = [self.keys.record(self.job_id), self.keys.events(self.job_id)]
        arguments = (self.token, encode(message), MOST_EVENTS, KEEP)
        if not await self.queue.connection.run(scripts.EMIT, names, arguments):
            raise LeaseLostError(self.job_id)

    async def end(self, status: JobStatus, message: Message, error: str = "") -> None:
        """Write the last event and give the job's final status, both or neither."""
        names = [
            *self._names(),
            self.keys.active,
            self.keys.events(self.job_id),
            self.keys.followers(self.job_id),
        ]
        arguments = (self.token, encode(message), status, time.time(), error, MOST_EVENTS, KEEP, self.job_id)
        if not await self._patiently(scripts.END, names, arguments):
            raise LeaseLostError(self.job_id)

    async def release(self, *, counted: bool, error: str = "") -> None:
        """Give the job back to the queue; an attempt that was not the job's fault does not count."""
        await self._patiently(scripts.RELEASE, self._names(), (self.token, int(counted), error))

    def _names(self) -> list[str]:
        return [self.keys.record(self.job_id), self.keys.lease(self.job_id)]

    async def _patiently(self, script: str, names: list[str], arguments: tuple[str | bytes | int | float, ...]) -> Any:  # noqa: ANN401 - scripts answer what they like
        async for trying in stamina.retry_context(on=QueueError, attempts=None, timeout=PATIENCE, wait_max=2.0):
            with trying:
                return await self.queue.connection.run(script, names, arguments)
        raise AssertionError("retry_context ends by returning or raising")
