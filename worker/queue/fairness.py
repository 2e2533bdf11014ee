"""How much of the queue a job takes, whose share that is, and how long who comes next waits."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from worker.protocol import Job, StageJob
from worker.queue.job_records import is_waiting, place_of
from worker.queue.keys import MEDIA, WORKERS
from worker.queue.redis_client import Connection
from worker.queue.scripts.worker_scripts import WORKER_TTL_S

VIDEO_BYTES_PER_SECOND: Final = 250_000
AUDIO_BYTES_PER_SECOND: Final = 16_000
"""Usual rates of what people send: how long a clip is, is known only once it was read."""
MIN_WEIGHT_S: Final = 5.0
MAX_WEIGHT_S: Final = 1200.0
"""So much later jobs may overtake a large one, and no more."""
SMALL_WEIGHT_S: Final = 300.0
"""Jobs up to this weight have a slot of each worker for themselves."""
SMALL_SLOTS: Final = 1
DEFAULT_WEIGHT_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a job takes from whom."""

    owner: str = ""
    """The server that it comes from, or the person, or nobody."""
    weight_s: float = DEFAULT_WEIGHT_S
    """About as many seconds as its clip lasts."""


def share_of(job: Job) -> Share:
    """Return the share of a job, by the size of its clip."""
    owner = "" if job.reply_to is None else job.reply_to.guild_id or f"user-{job.reply_to.user_id}"
    if job.prefetch:
        return Share(owner="ahead", weight_s=MAX_WEIGHT_S)
    if job.replaces is True:
        # Only what an edit changed is done again.
        return Share(owner=owner, weight_s=MIN_WEIGHT_S)
    return Share(owner=owner, weight_s=estimate_weight(job.source.size, job.source.media_type))


def share_of_stage(job: StageJob) -> Share:
    """Return the share of a stage, by the length of its clip; small ones come first, whoever sent them."""
    known = job.clip_seconds if isinstance(job.clip_seconds, float) else DEFAULT_WEIGHT_S
    return Share(owner=job.id, weight_s=_within(known))


def estimate_weight(size_bytes: int, media_type: str) -> float:
    """Estimate how many seconds a clip lasts."""
    rate = AUDIO_BYTES_PER_SECOND if media_type.startswith("audio/") else VIDEO_BYTES_PER_SECOND
    return _within(size_bytes / rate)


def _within(seconds: float) -> float:
    return round(min(max(seconds, MIN_WEIGHT_S), MAX_WEIGHT_S), 1)


_READ: Final = """
-- KEYS pace share workers; ARGV worker_ttl. {now in ms, pace or '', place up to which the share reaches, live workers}
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local live = redis.call('ZRANGEBYSCORE', KEYS[3], tonumber(time[1]) - tonumber(ARGV[1]), '+inf')
return {string.format('%d', now), redis.call('GET', KEYS[1]) or '', redis.call('GET', KEYS[2]) or '0', live}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What somebody who waits can expect."""

    position: int
    """Jobs that are taken before."""
    wait_s: float | None
    """Seconds until the job is begun; None when nobody knows, as before the first job has ended."""


async def read_outlook(connection: Connection, share: Share, job_id: str | None) -> Outlook:
    """Estimate how long a job waits: all that is before it, at the pace of the last jobs, over what runs side by side.

    Args:
        connection: The broker.
        share: Of a job that is not submitted yet.
        job_id: A job that waits already, None for one that is not submitted yet.

    Raises:
        QueueError: The broker is away.
    """
    names = [MEDIA.pace, MEDIA.share(share.owner), WORKERS]
    now, pace, reaches, live = await connection.run(_READ, names, [WORKER_TTL_S])
    ids = await connection.members(MEDIA.active)
    records = dict(zip(ids, await connection.fields(*map(MEDIA.record, ids)) if ids else [], strict=True))
    place = max(float(now), float(reaches)) + 1000 * share.weight_s
    if job_id is not None and job_id in records:
        place = place_of(records[job_id])
    before = [r for i, r in records.items() if is_waiting(i, r) and place_of(r) < place]
    running = [record for record in records.values() if record.get("status") == "running"]
    workers = sum(member.startswith(f"{MEDIA.kind}/") for member in live)
    if not pace or not workers:
        return Outlook(position=len(before), wait_s=None)
    rate = float(pace)
    left = sum(rate * _number(record, "weight", DEFAULT_WEIGHT_S) for record in before)
    for record in running:
        ran = float(now) / 1000 - _number(record, "began", float(now) / 1000)
        left += max(rate * _number(record, "weight", DEFAULT_WEIGHT_S) - ran, 0.0)
    side_by_side = max(len(running), workers)
    wait = left / side_by_side if before or len(running) >= side_by_side else 0.0
    return Outlook(position=len(before), wait_s=wait)


def _number(record: Mapping[str, str], name: str, default: float) -> float:
    with suppress(ValueError):
        return float(record.get(name, ""))
    return default
