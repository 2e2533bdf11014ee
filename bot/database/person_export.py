"""What the database holds about a person, for the person."""

from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import select

from bot.database.engine import Database
from bot.database.tables import EDITS, JOBS, LINKS, NAMES, USAGE
from bot.voices.book import voices_of
from pipeline.types import Artefact, Request, Result
from worker.protocol import Job, decode_job


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonExport:
    """Everything about a person."""

    data: dict[str, Any]
    """As it can be written as JSON."""
    files: tuple[tuple[str, Artefact], ...]
    """Clips and parts of results with their place in the archive."""


async def export_person(database: Database, user_id: str) -> PersonExport:
    """Collect what is stored about a person, but for the numbers that describe voices. Raises `DatabaseError`."""
    async with database.transaction() as connection:
        jobs = list(await connection.execute(select(JOBS).where(JOBS.c.user_id == user_id).order_by(JOBS.c.created)))
        names = list(await connection.execute(select(NAMES).where(NAMES.c.changed_by == user_id)))
        spoken = list(await connection.execute(select(NAMES).where(NAMES.c.user_id == user_id)))
        voices = await voices_of(connection, user_id)
        edits = list(await connection.execute(select(EDITS).where(EDITS.c.author == user_id)))
        links = list(await connection.execute(select(LINKS).where(LINKS.c.created_by == user_id)))
        usage = list(await connection.execute(select(USAGE).where(USAGE.c.user_id == user_id)))
    files: list[tuple[str, Artefact]] = []
    shown: list[dict[str, Any]] = []
    for number, row in enumerate(jobs, 1):
        folder = f"{number:03}-{row.id[:8]}"
        job = None if row.job is None else decode_job(row.job)
        result = None if row.result is None else msgspec.json.decode(row.result, type=Result)
        shown.append(_job(row, job, result) | {"folder": folder})
        files += [(f"{folder}/{name}", artefact) for name, artefact in _files(job, result)]
    data = {
        "user_id": user_id,
        "jobs": shown,
        "speaker_names": [
            {"job": row.job_id, "speaker": row.speaker_id, "name": row.name, "person": row.user_id} for row in names
        ],
        "named_as_speaker": [
            {"job": row.job_id, "speaker": row.speaker_id, "name": row.name, "changed": row.changed} for row in spoken
        ],
        "enrolled_voices": voices,
        "transcript_edits": [
            {"job": row.job_id, "revision": row.revision, "created": row.created, "edit": msgspec.json.decode(row.edit)}
            for row in edits
        ],
        "page_links": [{"job": row.job_id, "expires": row.expires, "revoked": bool(row.revoked)} for row in links],
        "usage": [
            {"day": row.day.isoformat(), "server": row.guild_id, "seconds": row.seconds, "jobs": row.jobs}
            for row in usage
        ],
    }
    return PersonExport(data=data, files=tuple(files))


def _job(row: Any, job: Job | None, result: Result | None) -> dict[str, Any]:  # noqa: ANN401 - a row of the library
    request = None if job is None else _own(job.request)
    outcome = None
    if result is not None:
        outcome = msgspec.to_builtins(replace(result, voices=None)) | {"request": _own(result.request)}
    return {
        "id": row.id,
        "server": row.guild_id,
        "channel": row.channel_id,
        "message": row.message_id,
        "status": row.status,
        "created": row.created,
        "ended": row.ended,
        "seconds": row.seconds,
        "clip": None if job is None else job.source.name,
        "request": request,
        "result": outcome,
    }


def _own(request: Request) -> dict[str, Any]:
    """Return a request without what the members of the server are called, who are others."""
    return msgspec.to_builtins(replace(request, people=msgspec.UNSET))


def _files(job: Job | None, result: Result | None) -> list[tuple[str, Artefact]]:
    sources = () if job is None else job.files
    artefacts = () if result is None else result.artefacts
    return [
        *((f"sent/{number}-{file.name}", file) for number, file in enumerate(sources, 1)),
        *((f"result/{file.name}", file) for file in artefacts),
    ]
