"""What goes on right now: workers, jobs, their stages in flight, and how long stages took lately."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

import msgspec

from worker.protocol import Finished, JobState, Progressed, Started, WorkerState, decode_event
from worker.queue.job_queue import Queue
from worker.queue.keys import MEDIA
from worker.queue.scripts import worker_scripts

MAX_EVENTS_READ: Final = 300
"""Events of a running job that are looked at; far more than its stages have begun."""
MAX_ENDED_JOBS: Final = 40
"""Ended jobs whose times are taken for usual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageInFlight:
    """A stage of a job that has begun and not ended."""

    name: str
    fraction: float
    remaining_s: float | None
    """None: not known yet."""
    seconds: float
    """Since its first sign of progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobInFlight:
    """A job that waits or runs."""

    state: JobState
    age_s: float
    """Since it came into the queue."""
    worker: str
    """The worker that has it, empty while it waits."""
    stages: tuple[StageInFlight, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StageUsage:
    """How long a stage took in the jobs that ended last."""

    name: str
    runs: int
    seconds: float
    """Median inside the engine."""
    seconds_per_minute: float
    """Median for each minute of the clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything that goes on."""

    workers: tuple[WorkerState, ...]
    jobs: tuple[JobInFlight, ...]
    dead: int
    """Jobs that were put aside."""
    usage: Mapping[str, StageUsage]
    """By stage, the one that takes most first."""


async def read_overview(queue: Queue) -> Overview:
    """Read what goes on.

    Raises:
        QueueError: The broker is away.
    """
    now = float(await queue.connection.run(worker_scripts.CLOCK, [], []))
    states = await queue.jobs()
    live = [state for state in states if state.status in ("queued", "running")]
    ended = [state for state in states if state.status == "finished"][-MAX_ENDED_JOBS:]
    records = await queue.connection.fields(*(MEDIA.record(state.job.id) for state in live)) if live else []
    jobs = [
        JobInFlight(
            state=state,
            age_s=max(now - state.job.submitted, 0.0),
            worker=record.get("worker", "") if state.status == "running" else "",
            stages=await _stages_of(queue, state, now),
        )
        for state, record in zip(live, records, strict=True)
    ]
    return Overview(
        workers=tuple(sorted(await queue.workers(), key=lambda worker: (worker.kind, worker.name), reverse=True)),
        jobs=tuple(sorted(jobs, key=lambda job: job.state.status == "queued")),
        dead=sum(state.status == "dead" for state in states),
        usage=await _read_usage(queue, ended),
    )


async def _stages_of(queue: Queue, state: JobState, now: float) -> tuple[StageInFlight, ...]:
    """Return the stages of a job's present attempt that have begun and not ended, oldest first."""
    if state.status != "running":
        return ()
    begun: dict[str, float] = {}
    latest: dict[str, Progressed] = {}
    for entry, data in await queue.connection.last_entries(MEDIA.events(state.job.id), MAX_EVENTS_READ):
        match _decode(data):
            case Started():
                begun, latest = {}, {}
            case Progressed(progress=progress) as event:
                begun.setdefault(progress.stage, int(entry.partition("-")[0]) / 1000)
                latest[progress.stage] = event
            case _:
                continue
    return tuple(
        StageInFlight(
            name=name,
            fraction=event.progress.fraction,
            remaining_s=event.progress.remaining,
            seconds=max(now - begun[name], 0.0),
        )
        for name, event in latest.items()
        if event.progress.fraction < 1.0
    )


async def _read_usage(queue: Queue, ended: Sequence[JobState]) -> dict[str, StageUsage]:
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    rates: defaultdict[str, list[float]] = defaultdict(list)
    for state in ended:
        last = await queue.connection.last_entries(MEDIA.events(state.job.id), 1)
        event = _decode(last[0][1]) if last else None
        if not isinstance(event, Finished):
            continue
        for timing in event.result.timings:
            if not timing.reused:
                seconds[timing.stage].append(timing.engine_seconds)
                rates[timing.stage].append(60 * timing.engine_seconds / max(event.result.media.duration, 1.0))
    usage = [
        StageUsage(name=name, runs=len(taken), seconds=median(taken), seconds_per_minute=median(rates[name]))
        for name, taken in seconds.items()
    ]
    return {stage.name: stage for stage in sorted(usage, key=lambda stage: stage.seconds, reverse=True)}


def _decode(data: bytes) -> object:
    try:
        return decode_event(data)
    except msgspec.DecodeError:
        return None
