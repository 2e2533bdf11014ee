import time
from dataclasses import replace

from bot.database.models import JobRecord, StoredStatus
from bot.database.repository import Repository
from bot.jobs.history import JobHistory
from pipeline.types import Artefact, Request
from tests.bot.world import make_result
from worker.protocol import Job, ReplyTo
from worker.queue import Queue

SOURCE = Artefact(name="talk.mp4", digest="0" * 64, size=4, media_type="video/mp4")
REPLY = ReplyTo(application_id="1", channel_id="2", user_id="3", guild_id="4")


def make_job(number: int) -> Job:
    return Job(id=f"{number:032x}", request=Request(), source=SOURCE, submitted=time.time() + number, reply_to=REPLY)


def make_record(number: int, status: StoredStatus = StoredStatus.FINISHED) -> JobRecord:
    return JobRecord(
        id=f"{number:032x}",
        guild_id="4",
        channel_id="2",
        message_id=None,
        user_id="3",
        job=make_job(number),
        status=status,
        created=0.0,
        result=make_result(),
    )


class FixedRepository(Repository):
    """Jobs that the test names."""

    def __init__(self, *jobs: JobRecord) -> None:
        self.jobs = {record.id: record for record in jobs}

    async def job(self, job_id: str) -> JobRecord | None:
        return self.jobs.get(job_id)

    async def newest_of_message(self, job_id: str) -> JobRecord | None:
        return self.jobs.get(job_id)

    async def jobs_of(self, user_id: str, guild_id: str | None, limit: int) -> list[JobRecord]:
        mine = [record for record in self.jobs.values() if record.user_id == user_id]
        return [record for record in mine if guild_id in (None, record.guild_id)][:limit]


async def test_job_that_the_queue_forgot_is_found_in_the_records(queue: Queue) -> None:
    record = make_record(1)
    kept = await JobHistory(queue, FixedRepository(record)).find(record.id)
    assert kept is not None
    assert (kept.job, kept.status, kept.result) == (record.job, "finished", record.result)
    assert await JobHistory(queue, FixedRepository()).find(record.id) is None


async def test_job_under_way_stands_as_the_queue_says(queue: Queue) -> None:
    job = make_job(1)
    await queue.submit(job)
    kept = await JobHistory(queue, FixedRepository(replace(make_record(1), status=StoredStatus.RUNNING))).find(job.id)
    assert kept is not None
    assert (kept.status, kept.position) == ("queued", 0)


async def test_newest_first_each_once(queue: Queue) -> None:
    await queue.submit(make_job(2))
    await queue.submit(make_job(3))
    book = FixedRepository(make_record(1), make_record(2), make_record(9, StoredStatus.QUEUED))
    mine = await JobHistory(queue, book).list_for_person("3", "4", limit=10)
    assert [int(kept.job.id, 16) for kept in mine] == [3, 2, 1]
    assert len(await JobHistory(queue, book).list_for_person("3", "4", limit=2)) == 2
    assert await JobHistory(queue, FixedRepository()).list_for_person("5", "4", limit=2) == []


async def test_private_chat_lists_only_its_own(queue: Queue) -> None:
    book = FixedRepository(make_record(1), replace(make_record(2), guild_id=""))
    assert [int(kept.job.id, 16) for kept in await JobHistory(queue, book).list_for_person("3", None, limit=9)] == [2]
