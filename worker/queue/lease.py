"""The lease under which a worker runs one attempt at a job.

A worker renews the lease while it runs the job. When it stops doing so, `worker.queue.reaper` gives the job to
another worker. A worker that lost its lease can write nothing more, since every script checks the token.
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
from worker.queue.job_queue import MAX_EVENTS, Queue
from worker.queue.keys import RECORD_TTL_S, Keys
from worker.queue.scripts import job_scripts as scripts

LEASE_TTL_S: Final = 8.0
"""Time after the last heartbeat at which a job counts as abandoned."""
HEARTBEAT_INTERVAL_S: Final = 0.5
"""Time between heartbeats, and so the delay of a cancellation."""
HEARTBEAT_TIMEOUT_S: Final = 3.0
"""For one heartbeat; a call that hangs must not use up the lease."""
CANCEL_TIMEOUT_S: Final = 15.0
"""How long cancelled work may take to stop by itself."""
MAX_ATTEMPTS: Final = 3
OUTAGE_TIMEOUT_S: Final = 60.0
"""How long a change of a job is tried again while the broker is away."""

AcquireOutcome = Literal["acquired", "exhausted", "held", "ended", "missing"]
"""Exhausted: all attempts were used up. Held: another worker has the job."""


class LeaseLostError(Exception):
    """Raised when another worker has the job; this one must stop and write nothing more."""


@dataclass(slots=True, kw_only=True)
class Lease:
    """The right to run a job and to write its events."""

    queue: Queue
    keys: Keys
    job_id: str
    worker: str
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    outcome: AcquireOutcome = "acquired"
    attempt: int = 0
    last_error: str = ""
    """Message of the previous attempt's error, empty when it is not known."""
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when somebody cancelled the job."""

    @classmethod
    async def acquire(cls, queue: Queue, keys: Keys, job_id: str, worker: str) -> Self:
        """Count an attempt and take the job, both in one step.

        Returns:
            A lease that gives the right to work only when its `outcome` is "acquired".

        Raises:
            QueueError: The broker stayed away.
        """
        lease = cls(queue=queue, keys=keys, job_id=job_id, worker=worker)
        arguments = (lease.token, int(LEASE_TTL_S * 1000), MAX_ATTEMPTS, worker)
        answer = cast("list[Any]", await lease._run_with_retries(scripts.ACQUIRE, lease._names(), arguments))
        lease.outcome, lease.attempt, lease.last_error = answer[0], int(answer[1]), str(answer[2])
        return lease

    async def renew(self) -> Literal["lost", "overdue"]:
        """Send heartbeats until the lease is lost, or until cancelled work has not stopped in time.

        Sets `cancelled` when somebody cancels the job.
        """
        cancelled_since: float | None = None
        while cancelled_since is None or time.monotonic() - cancelled_since < CANCEL_TIMEOUT_S:
            try:
                arguments = (self.token, int(LEASE_TTL_S * 1000))
                async with asyncio.timeout(HEARTBEAT_TIMEOUT_S):
                    answer = str(await self.queue.connection.run(scripts.HEARTBEAT, self._names(), arguments))
            except (QueueError, TimeoutError) as error:
                # Nobody can take the job while the broker is away, so the work may go on.
                structlog.get_logger().warning("heartbeat missed", job=self.job_id, error=repr(error))
                answer = "renewed"
            if answer == "lost":
                return "lost"
            if answer == "cancelled":
                self.cancelled.set()
                cancelled_since = cancelled_since or time.monotonic()
            await asyncio.sleep(HEARTBEAT_INTERVAL_S)
        return "overdue"

    async def emit(self, message: Message) -> None:
        """Write an event of the job.

        Raises:
            LeaseLostError: Another worker has the job.
            QueueError: The broker is away.
        """
        names = [self.keys.record(self.job_id), self.keys.events(self.job_id)]
        arguments = (self.token, encode(message), MAX_EVENTS, RECORD_TTL_S)
        if not await self.queue.connection.run(scripts.EMIT, names, arguments):
            raise LeaseLostError(self.job_id)

    async def end(self, status: JobStatus, message: Message, error: str = "") -> None:
        """Write the last event and the final status of the job in one step.

        Args:
            status: The final status.
            message: The last event.
            error: Message of the error that ended the job, if any.

        Raises:
            LeaseLostError: Another worker has the job.
            QueueError: The broker stayed away.
        """
        names = [
            *self._names(),
            self.keys.active,
            self.keys.events(self.job_id),
            self.keys.followers(self.job_id),
            self.keys.pace,
        ]
        kept = 0 if status == "dead" and self.keys.keeps_dead else self.keys.ended_ttl_s
        arguments = (self.token, encode(message), status, time.time(), error, MAX_EVENTS, kept, self.job_id)
        if not await self._run_with_retries(scripts.END, names, arguments):
            raise LeaseLostError(self.job_id)

    async def release(self, *, counted: bool, error: str = "", delay_s: float = 0.0) -> None:
        """Return the job to the queue.

        Args:
            counted: False gives the attempt back, for one that was not the fault of the job.
            error: Message of the error that ended the attempt, if any.
            delay_s: Seconds before the next attempt.
        """
        arguments = (self.token, int(counted), error, int(delay_s * 1000))
        await self._run_with_retries(scripts.RELEASE, self._names(), arguments)

    def _names(self) -> list[str]:
        return [self.keys.record(self.job_id), self.keys.lease(self.job_id)]

    @stamina.retry(on=QueueError, attempts=None, timeout=OUTAGE_TIMEOUT_S, wait_max=2.0)
    async def _run_with_retries(
        self, script: str, names: list[str], arguments: tuple[str | bytes | int | float, ...]
    ) -> Any:  # noqa: ANN401 - each script has its own answer
        return await self.queue.connection.run(script, names, arguments)
