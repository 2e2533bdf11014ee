"""Jobs that replace one another in a message: the latest is what it shows, however long each upload takes."""

import asyncio
import time
import uuid

import pytest
from msgspec import structs

from bot.database.deletion import DataDeletion
from bot.database.repository import Repository
from bot.jobs.sync import JobSync
from bot.jobs.tracker import JobTracker
from pipeline.types import Artefact, Request
from tests.bot.world import make_result
from worker.protocol import Event, Finished, Job, ReplyTo, Stopped
from worker.queue import Queue

CLIP = Artefact(name="talk.mp4", digest="0" * 64, size=1, media_type="video/mp4")
REPLY = ReplyTo(application_id="1", channel_id="7", user_id="2", message_id="8")


class SlowTracker(JobTracker):
    """Shows each job as slowly as it is told to."""

    def __init__(self, sync: JobSync, seconds: dict[str, float]) -> None:
        self._sync = sync
        self._turns = {}  # pyright: ignore[reportAttributeAccessIssue, reportIncompatibleVariableOverride]
        self._latest = {}  # pyright: ignore[reportAttributeAccessIssue, reportIncompatibleVariableOverride]
        self.seconds = seconds
        self.shown: list[str] = []

    async def _show_end(self, job: Job, reply: ReplyTo, event: Event | None) -> bool:
        await asyncio.sleep(self.seconds[job.id])
        self.shown.append(job.id)
        return True


@pytest.fixture
def sync(repository: Repository, queue: Queue, deletion: DataDeletion) -> JobSync:
    return JobSync(repository, queue, deletion)


def job_at(submitted: float) -> Job:
    return Job(id=uuid.uuid4().hex, request=Request(), source=CLIP, submitted=submitted, reply_to=REPLY)


@pytest.mark.parametrize("other_message", [False, True])
async def test_an_earlier_job_never_covers_a_later_one(sync: JobSync, *, other_message: bool) -> None:
    now = time.time()
    earlier, later = job_at(now), job_at(now + 1)
    tracker = SlowTracker(sync, {earlier.id: 0.0, later.id: 0.1})
    replies = (REPLY, structs.replace(REPLY, message_id="9") if other_message else REPLY)
    done = Finished(result=make_result())
    # The later one comes first, as after a slow upload of the other's files.
    first = asyncio.create_task(tracker._show_in_order(later, replies[1], done))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(tracker._show_in_order(earlier, replies[0], done))
    assert await asyncio.gather(first, second) == [True, True]
    assert tracker.shown == ([earlier.id, later.id] if other_message else [later.id])


async def test_a_later_job_waits_for_the_earlier_one(sync: JobSync) -> None:
    now = time.time()
    earlier, later = job_at(now), job_at(now + 1)
    tracker = SlowTracker(sync, {earlier.id: 0.1, later.id: 0.0})
    done = Finished(result=make_result())
    await asyncio.gather(*(tracker._show_in_order(job, REPLY, done) for job in (earlier, later)))
    assert tracker.shown == [earlier.id, later.id]


@pytest.mark.parametrize("later_end", [Finished(result=make_result()), Stopped(), None])
async def test_an_earlier_job_does_not_cover_what_a_bot_showed_before_it_restarted(
    sync: JobSync, later_end: Event | None
) -> None:
    now = time.time()
    earlier, later = job_at(now), job_at(now + 1)
    await sync.record(earlier)
    await sync.record(later)
    await sync.record_end(later.id, later_end)
    restarted = SlowTracker(sync, {earlier.id: 0.0})
    assert await restarted._show_in_order(earlier, REPLY, Finished(result=make_result()))
    assert restarted.shown == ([] if isinstance(later_end, Finished) else [earlier.id])
