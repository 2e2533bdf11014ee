"""Names of speakers belong to a message: whichever of its jobs is asked, and whichever of them stays."""

import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import update

from bot.database.deletion import DataDeletion
from bot.database.engine import Database
from bot.database.models import StoredStatus
from bot.database.repository import Repository
from bot.database.speaker_names import SpeakerName
from bot.database.tables import JOBS
from bot.database.transcript_edits import TranscriptEdits
from bot.exceptions import RefusedError
from bot.jobs.history import JobHistory
from bot.jobs.quotas import Quotas
from pipeline.edits.operations import ReplaceLines
from tests.bot.database.test_repository import job_for, number, put, result_of
from worker.protocol import Job
from worker.queue import Queue
from worker.store import Store

ANN, BO = SpeakerName(name="Ann", user_id="1"), SpeakerName(name="Bo", user_id="2")
DAY_S = 86400


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database.open(database_url) as database:
        yield database


async def two_jobs(database: Database, store: Store, folder: Path) -> tuple[Job, Job]:
    """A finished job, and one that took its place in the message."""
    repository, user = Repository(database, Quotas()), number()
    first = job_for(user, number(), await put(store, folder, user))
    assert first.reply_to is not None
    first = msgspec.structs.replace(first, reply_to=msgspec.structs.replace(first.reply_to, message_id=number()))
    second = msgspec.structs.replace(first, id=uuid.uuid4().hex, submitted=time.time() + 1)
    for job in (first, second):
        await repository.add_job(job)
        await repository.end_job(job.id, StoredStatus.FINISHED, result_of(seconds=1))
    return first, second


async def test_the_jobs_of_a_message_share_names_and_the_last_one_keeps_them(
    database: Database, store: Store, tmp_path: Path
) -> None:
    names = Repository(database, Quotas()).speaker_names
    first, second = await two_jobs(database, store, tmp_path)
    await names.give(second.id, {"A": ANN}, "9")
    assert await names.claim(first.id, "A", BO) == ANN
    assert await names.claim(first.id, "B", BO) is None
    assert await names.of(first.id) == await names.of(second.id) == {"A": ANN, "B": BO}
    deletion = DataDeletion(database, store)
    async with database.transaction() as connection:
        old = update(JOBS).where(JOBS.c.id == first.id).values(ended=time.time() - 30 * DAY_S)
        await connection.execute(old)
    assert await deletion.delete_expired(time.time()) == [first.id]
    assert await names.of(second.id) == {"A": ANN, "B": BO}
    with pytest.raises(RefusedError):
        await names.give(first.id, {"A": BO}, "9")


async def test_an_older_job_of_a_message_is_given_out_as_the_newest(
    database: Database, store: Store, queue: Queue, tmp_path: Path
) -> None:
    first, second = await two_jobs(database, store, tmp_path)
    history = JobHistory(queue, Repository(database, Quotas()))
    for job in (first, second):
        found = await history.find(job.id)
        assert found is not None
        assert found.job.id == second.id


async def test_names_go_along_to_another_message_and_wait_until_they_are_written(
    database: Database, store: Store, tmp_path: Path
) -> None:
    eve = SpeakerName(name="Eve", user_id=number())
    names = Repository(database, Quotas()).speaker_names
    first, _ = await two_jobs(database, store, tmp_path)
    other, _ = await two_jobs(database, store, tmp_path)
    await names.give(first.id, {"A": eve}, "9")
    assert await names.copy(first.id, other.id) == {"A": eve}
    assert {first.id, other.id} <= set(await names.unwritten())
    assert await names.release(other.id, "A", "2") is False
    assert await names.release(other.id, "A", eve.user_id) is True
    assert (await names.of(other.id))["A"] == SpeakerName(name="")
    assert other.id not in await names.unwritten()
    assert await names.of_person(eve.user_id) == [first.id]


async def test_a_speaker_whom_an_edit_takes_out_leaves_no_name_to_the_next(
    database: Database, store: Store, tmp_path: Path
) -> None:
    names, edits = Repository(database, Quotas()).speaker_names, TranscriptEdits(database)
    first, second = await two_jobs(database, store, tmp_path)
    await names.give(first.id, {"A": ANN, "B": BO}, "9")
    await edits.save(second.id, [ReplaceLines(gone=(), put=(), added=(), dropped=("B",))], by="9", base=0)
    assert await names.of(first.id) == {"A": ANN}
