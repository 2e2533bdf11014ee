"""What people call the speakers of a result, and who of the server they are. Every method raises `DatabaseError`.

Jobs that replace one another in a message have one set of names, so any of them may be given.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.engine import Database, lock_writes
from bot.database.messages import jobs_of_message, newest_job
from bot.database.tables import JOBS, NAMES
from bot.exceptions import RefusedError

MAX_STORED_NAME_CHARS: Final = 100
VOICE: Final = "voice"
"""Stands for the person who named a speaker that was found by voice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerName:
    """What a speaker was called by somebody."""

    name: str
    """Empty: as recognised, a name was taken back."""
    user_id: str = ""
    """Who the speaker is; empty: nobody of whom Discord knows."""
    by: str = field(default="", compare=False)
    """Who said so, or what did."""


class SpeakerNames:
    """Stores names of speakers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, job_id: str) -> dict[str, SpeakerName]:
        """Return what the speakers of a result were called, by id; those that nobody named are left out."""
        async with self._database.transaction() as connection:
            return await names_of(connection, job_id)

    async def give(self, job_id: str, names: Mapping[str, SpeakerName], by: str) -> None:
        """Name speakers by id, whoever had them. Raises `RefusedError` when the job is gone."""
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            await _put(connection, job_id, names, by)

    async def claim(self, job_id: str, speaker_id: str, name: SpeakerName) -> SpeakerName | None:
        """Let a person say which speaker they are; return what the speaker is called where that is somebody else."""
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            held = (await names_of(connection, job_id)).get(speaker_id)
            if held is not None and held.user_id not in ("", name.user_id):
                return held
            await _put(connection, job_id, {speaker_id: name}, name.user_id)
            return None

    async def release(self, job_id: str, speaker_id: str, user_id: str) -> bool:
        """Let a person say that a speaker is not them; False when the speaker was not."""
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            held = (await names_of(connection, job_id)).get(speaker_id)
            if held is None or held.user_id != user_id:
                return False
            await _put(connection, job_id, {speaker_id: SpeakerName(name="")}, user_id)
            return True

    async def copy(self, job_id: str, to_job_id: str) -> dict[str, SpeakerName]:
        """Give the speakers of a job of another message the names of this one, and return them.

        Those found by voice are empty: the other message is looked at for itself, while the voice is kept.
        """
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            await _jobs(connection, job_id)
            names = await names_of(connection, job_id)
            for speaker, name in names.items():
                if name.by != VOICE:
                    await _put(connection, to_job_id, {speaker: name}, name.by)
            return {key: SpeakerName(name="", by=VOICE) if each.by == VOICE else each for key, each in names.items()}

    async def of_person(self, user_id: str) -> list[str]:
        """Return jobs in which a speaker is the person."""
        async with self._database.transaction() as connection:
            found = await connection.execute(select(NAMES.c.job_id).where(NAMES.c.user_id == user_id).distinct())
            return [row.job_id for row in found]

    async def unwritten(self) -> list[str]:
        """Return jobs whose speakers are called otherwise in the newest job of their message."""
        late: list[str] = []
        async with self._database.transaction() as connection:
            named = select(NAMES.c.job_id).where(NAMES.c.changed > 0).distinct()
            for row in list(await connection.execute(named)):
                job = await newest_job(connection, row.job_id)
                names = await names_of(connection, row.job_id)
                if job is not None and any(job.request.names.get(key, "") != each.name for key, each in names.items()):
                    late.append(row.job_id)
        return late


def with_given(names: Mapping[str, str], given: Mapping[str, SpeakerName]) -> dict[str, str]:
    """Return the names of a request with those that people gave since; names that they took back are left out."""
    merged = {**names, **{speaker: each.name for speaker, each in given.items()}}
    return {speaker: name for speaker, name in merged.items() if name}


async def names_of(connection: AsyncConnection, job_id: str) -> dict[str, SpeakerName]:
    """Return what the speakers of a message were called, by id."""
    # Earlier versions kept each name with the job that had the other one, until its files were written again.
    kept = NAMES.c.job_id.in_(await jobs_of_message(connection, job_id)) & (
        (NAMES.c.changed > 0) | (NAMES.c.job_id == job_id)
    )
    rows = await connection.execute(select(NAMES).where(kept).order_by(NAMES.c.changed))
    return {row.speaker_id: SpeakerName(name=row.name, user_id=row.user_id, by=row.changed_by) for row in rows}


async def drop_names(connection: AsyncConnection, job_id: str, speakers: Sequence[str]) -> None:
    """Delete what speakers were called who are no longer there; a new one may have the same id."""
    jobs = await jobs_of_message(connection, job_id)
    await connection.execute(delete(NAMES).where(NAMES.c.job_id.in_(jobs), NAMES.c.speaker_id.in_(speakers)))


async def hand_over_names(connection: AsyncConnection, job_id: str, to_job_id: str) -> None:
    """Keep the names of a job by another one of its message."""
    taken = select(NAMES.c.speaker_id).where(NAMES.c.job_id == to_job_id, NAMES.c.changed > 0)
    await connection.execute(delete(NAMES).where(NAMES.c.job_id == job_id, NAMES.c.speaker_id.in_(taken)))
    moving = select(NAMES.c.speaker_id).where(NAMES.c.job_id == job_id, NAMES.c.changed > 0)
    await connection.execute(delete(NAMES).where(NAMES.c.job_id == to_job_id, NAMES.c.speaker_id.in_(moving)))
    moved = update(NAMES).where(NAMES.c.job_id == job_id, NAMES.c.changed > 0)
    await connection.execute(moved.values(job_id=to_job_id))


async def forget_named(connection: AsyncConnection, user_id: str) -> None:
    """Take a person's id and name off the speakers of all results; their files are to be written again."""
    mine = update(NAMES).where(NAMES.c.user_id == user_id)
    await connection.execute(mine.values(name="", user_id="", changed_by="", changed=time.time()))


async def _put(connection: AsyncConnection, job_id: str, names: Mapping[str, SpeakerName], by: str) -> None:
    jobs = await _jobs(connection, job_id)
    await drop_names(connection, job_id, list(names))
    for speaker, given in names.items():
        values = {"job_id": jobs[0], "speaker_id": speaker, "name": given.name[:MAX_STORED_NAME_CHARS]}
        who = {"user_id": given.user_id, "changed_by": by, "changed": time.time()}
        await connection.execute(insert(NAMES).values(values | who))


async def _jobs(connection: AsyncConnection, job_id: str) -> list[str]:
    """Return the jobs of a message, by the first of which names are kept; refuse a job that is gone."""
    if (await connection.execute(select(JOBS.c.id).where(JOBS.c.id == job_id))).one_or_none() is None:
        raise RefusedError("result-gone", "result-gone-hint")
    return await jobs_of_message(connection, job_id)
