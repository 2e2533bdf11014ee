"""Edits of transcripts, in the order in which they were made. Every method raises `DatabaseError`."""

import asyncio
import re
import time
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.engine import Database, lock_writes
from bot.database.messages import jobs_of_message, newest_job
from bot.database.models import StoredEdit
from bot.database.speaker_names import drop_names
from bot.database.tables import EDITS, JOBS
from bot.exceptions import EditConflictError, RefusedError
from pipeline.edits.edit_file import MAX_EDITS, MAX_EDITS_BYTES, decode_edit, encode_edit
from pipeline.edits.operations import Edit, ReplaceLines, touched
from pipeline.types import Request

MAX_EDIT_BYTES: Final = 8 * 1024 * 1024
"""Bytes; two hours of talk that are changed throughout have some 4 million."""
_FILE_NAME: Final = re.compile(r"edits-(\d+)\.json")


def name_file(revision: int) -> str:
    """Return the name of a file of so many edits."""
    return f"edits-{revision}.json"


def written_revision(request: Request) -> int:
    """Return how many edits are in the files of a job."""
    edits = request.transcript_edits
    found = None if edits is None else _FILE_NAME.fullmatch(edits.name)
    return 0 if found is None else int(found[1])


class TranscriptEdits:
    """Stores what people correct in a transcript.

    A revision is how many edits a transcript has had. Nothing is ever changed or taken out: to undo an edit is an edit.
    Jobs that replace one another in a message have one transcript, so any of them may be given.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def history(self, job_id: str, after: int = 0) -> list[StoredEdit]:
        """Return the edits of a transcript after a revision, the first one first."""
        async with self._database.transaction() as connection:
            rows = await _rows(connection, (await jobs_of_message(connection, job_id))[0], after)
        return await asyncio.to_thread(lambda: [_from_row(row) for row in rows])

    async def unwritten(self) -> list[str]:
        """Return jobs whose transcript has edits that the newest job of their message does not write."""
        newest = select(EDITS.c.job_id, func.max(EDITS.c.revision).label("revision")).group_by(EDITS.c.job_id)
        async with self._database.transaction() as connection:
            late: list[str] = []
            for row in list(await connection.execute(newest)):
                job = await newest_job(connection, row.job_id)
                if job is not None and written_revision(job.request) != row.revision:
                    late.append(row.job_id)
            return late

    async def save(self, job_id: str, edits: Sequence[Edit], *, by: str, base: int) -> int:
        """Append edits that a person made to the transcript as it was at a revision; all of them or none.

        Edits that others made since are no hindrance unless they changed the same line or speaker.

        Args:
            job_id: The job.
            edits: In the order in which they were made.
            by: Id of the person.
            base: The revision that the person saw.

        Returns:
            The new revision.

        Raises:
            EditConflictError: Somebody changed the same line or speaker since.
            RefusedError: The job is gone, or has too many edits.
            ValidationError: What an edit brings in cannot be used.

        """
        packed = await asyncio.to_thread(lambda: [encode_edit(edit) for edit in edits])
        if any(len(content) > MAX_EDIT_BYTES for content in packed):
            raise RefusedError("edit-too-large", "edit-too-large-hint")
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            job_id, current = await _revision(connection, job_id)
            if not 0 <= base <= current:
                raise RefusedError("edit-unknown", "edit-conflict-hint")
            if current + len(edits) > MAX_EDITS:
                raise RefusedError("edits-too-many", "edits-too-many-hint", count=MAX_EDITS)
            if await _size(connection, job_id) + sum(map(len, packed)) > MAX_EDITS_BYTES:
                raise RefusedError("edits-too-many", "edits-too-many-hint", count=current)
            check_conflicts(edits, [_from_row(row) for row in await _rows(connection, job_id, base)])
            rows = [
                {"job_id": job_id, "revision": number, "author": by, "created": time.time(), "edit": content}
                for number, content in enumerate(packed, current + 1)
            ]
            if rows:
                await connection.execute(insert(EDITS), rows)
            dropped = [speaker for edit in edits if isinstance(edit, ReplaceLines) for speaker in edit.dropped]
            await drop_names(connection, job_id, dropped)
            return current + len(rows)

    async def copy(self, job_id: str, to_job_id: str) -> int:
        """Give the transcript of a job of another message the edits of this one; return how many there are."""
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            job_id = (await jobs_of_message(connection, job_id))[0]
            to_job_id, _ = await _revision(connection, to_job_id)
            await connection.execute(delete(EDITS).where(EDITS.c.job_id == to_job_id))
            columns = (EDITS.c.revision, EDITS.c.author, EDITS.c.created, EDITS.c.edit)
            found = await connection.execute(select(*columns).where(EDITS.c.job_id == job_id))
            rows = [{**row, "job_id": to_job_id} for row in found.mappings()]
            if rows:
                await connection.execute(insert(EDITS), rows)
            return len(rows)


async def _revision(connection: AsyncConnection, job_id: str) -> tuple[str, int]:
    """Return the first job of a message, by which edits are kept, and how many they are; refuse a job that is gone."""
    if (await connection.execute(select(JOBS.c.id).where(JOBS.c.id == job_id))).one_or_none() is None:
        raise RefusedError("result-gone", "result-gone-hint")
    first = (await jobs_of_message(connection, job_id))[0]
    newest = select(func.coalesce(func.max(EDITS.c.revision), 0)).where(EDITS.c.job_id == first)
    return first, int((await connection.execute(newest)).scalar_one())


async def _size(connection: AsyncConnection, job_id: str) -> int:
    """Return how many bytes all edits have, which is no less than they have in a file."""
    total = select(func.coalesce(func.sum(func.length(EDITS.c.edit)), 0)).where(EDITS.c.job_id == job_id)
    return int((await connection.execute(total)).scalar_one())


async def _rows(connection: AsyncConnection, job_id: str, after: int) -> list[Row[Any]]:
    later = (EDITS.c.job_id == job_id) & (EDITS.c.revision > after)
    return list(await connection.execute(select(EDITS).where(later).order_by(EDITS.c.revision)))


def check_conflicts(edits: Sequence[Edit], later: Sequence[StoredEdit]) -> None:
    """Check that later edits changed no line or speaker that these change. Raises `EditConflictError`."""
    mine = frozenset[str]().union(*(touched(edit) for edit in edits))
    colliding = [stored for stored in later if touched(stored.edit) & mine]
    if colliding:
        theirs = frozenset[str]().union(*(touched(stored.edit) for stored in colliding))
        raise EditConflictError(sorted(mine & theirs), author=colliding[-1].author, at=colliding[-1].created)


def _from_row(row: Row[Any]) -> StoredEdit:
    return StoredEdit(revision=row.revision, author=row.author, created=row.created, edit=decode_edit(bytes(row.edit)))
