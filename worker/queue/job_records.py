"""The record of a job as Redis keeps it; another version may have written one that this version cannot read."""

from collections.abc import Mapping
from typing import Final, cast, get_args

from worker.protocol import Job, JobState, JobStatus, decode_stored_job

_STATUSES: Final = frozenset[str](get_args(JobStatus))


def is_readable(record: Mapping[str, str]) -> bool:
    """Tell whether a record has a job, a known status and a number of attempts."""
    return "job" in record and record.get("status") in _STATUSES and record.get("attempts", "").isdecimal()


def decode_record_job(job_id: str, record: Mapping[str, str]) -> Job:
    """Decode the job of a record, or what can be read of it."""
    return decode_stored_job(job_id, record.get("job", "").encode())


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
