"""The record of a job as Redis keeps it; another version may have written one that this version cannot read."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final, cast, get_args

from worker.protocol import PREFETCH_PREFIX, Job, JobState, JobStatus, decode_stored_job

_STATUSES: Final = frozenset[str](get_args(JobStatus))


def is_readable(record: Mapping[str, str]) -> bool:
    """Tell whether a record has a job, a known status and a number of attempts."""
    return "job" in record and record.get("status") in _STATUSES and record.get("attempts", "").isdecimal()


def decode_record_job(job_id: str, record: Mapping[str, str]) -> Job:
    """Decode the job of a record, or what can be read of it."""
    return decode_stored_job(job_id, record.get("job", "").encode())


def waiting_places(records: Iterable[tuple[str, Mapping[str, str]]]) -> list[float]:
    """Return the places of the jobs that wait, prefetch jobs aside, in the order in which they are taken."""
    return sorted(place_of(record) for job_id, record in records if is_waiting(job_id, record))


def is_waiting(job_id: str, record: Mapping[str, str]) -> bool:
    """Tell whether a job waits that somebody asked for."""
    return is_readable(record) and record["status"] == "queued" and not job_id.startswith(PREFETCH_PREFIX)


def waiting_before(places: Sequence[float], record: Mapping[str, str]) -> int:
    """Count the jobs that are taken before the one of a record."""
    return bisect_left(places, place_of(record))


def place_of(record: Mapping[str, str]) -> float:
    """Return a job's place; one that another version enqueued has none, and its time comes near it."""
    for name, scale in (("place", 1.0), ("submitted", 1000.0)):
        with suppress(ValueError):
            return float(record.get(name, "")) * scale
    return 0.0


def job_state(job_id: str, record: Mapping[str, str], waiting: int) -> JobState:
    """Return how a job stands.

    Args:
        job_id: The job.
        record: The fields of its record.
        waiting: Number of jobs that wait before it.
    """
    job = decode_record_job(job_id, record)
    if not is_readable(record):
        return JobState(job=job, status="unreadable", attempts=0, error="It was written by another version.")
    status = cast("JobStatus", record["status"])
    position = {"queued": waiting, "running": 0}.get(status)
    return JobState(
        job=job, status=status, attempts=int(record["attempts"]), position=position, error=record.get("error", "")
    )
