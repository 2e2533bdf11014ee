"""A person who wants to be forgotten while their clips are worked on."""

import asyncio
import time
import uuid
from pathlib import Path

import pytest
from msgspec import structs

from bot.database import deletion as database_deletion
from bot.database.deletion import DataDeletion, delete_person_data
from bot.database.engine import Database
from bot.database.models import StoredStatus
from bot.database.repository import Repository
from bot.jobs.sync import JobSync
from pipeline.types import Request
from tests.bot.conftest import Broker
from tests.bot.world import PlayedWorker
from worker.protocol import PREFETCH_PREFIX, Job, ReplyTo
from worker.queue import Queue
from worker.queue.lease import Lease
from worker.store import Store
from worker.store.garbage_collection import IsReferenced

PERSON = "42"


@pytest.fixture
async def lease(played: PlayedWorker, queue: Queue, repository: Repository) -> Lease:
    """Of a job of the person that runs."""
    source = await played.keep("talk.mp4", b"clip")
    reply = ReplyTo(application_id="1", channel_id="2", user_id=PERSON, guild_id="3", message_id="4")
    job = Job(id=uuid.uuid4().hex, request=Request(), source=source, submitted=time.time(), reply_to=reply)
    await repository.add_job(job)
    await queue.submit(job)
    lease = await played.take()
    ahead = Job(id=f"{PREFETCH_PREFIX}{job.id}", request=Request(), source=source, submitted=time.time(), prefetch=True)
    await queue.submit(ahead)
    return lease


async def until_cancelled(queue: Queue, job_id: str) -> None:
    async with asyncio.timeout(5):
        while (state := await queue.state(job_id)) is not None and state.status != "stopped":
            await asyncio.sleep(0.02)


async def test_what_runs_is_stopped_first(
    played: PlayedWorker, queue: Queue, repository: Repository, deletion: DataDeletion, lease: Lease, store: Store
) -> None:
    made = await played.keep("vocals.flac", b"voice")
    forgets = asyncio.create_task(delete_person_data(deletion, queue, PERSON))
    # The work that is done ahead has no worker, so it stops at once; the other is still at work.
    await until_cancelled(queue, f"{PREFETCH_PREFIX}{lease.job_id}")
    await store.references.add_for_job(lease.job_id, [made.digest])
    assert not forgets.done()
    await played.stop(lease)
    assert await forgets == 1
    assert not await store.has_digest(made.digest)
    assert await queue.jobs() == []
    assert await repository.jobs_of(PERSON, None, 5) == []


async def test_what_does_not_stop_in_time_goes_with_the_next_sweep(
    played: PlayedWorker,
    queue: Queue,
    repository: Repository,
    deletion: DataDeletion,
    lease: Lease,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database_deletion, "STOP_TIMEOUT_S", 0.1)
    assert await delete_person_data(deletion, queue, PERSON) == 1
    assert await repository.jobs_of(PERSON, None, 5) == []
    made = await played.keep("vocals.flac", b"voice")
    await store.references.add_for_job(lease.job_id, [made.digest])
    await played.stop(lease)
    await JobSync(repository, queue, deletion).reconcile(time.time())
    assert not await store.has_digest(made.digest)
    assert await queue.jobs() == []


async def test_nothing_stays_in_the_log_of_the_broker_and_in_temporary_files(
    broker: Broker,
    played: PlayedWorker,
    queue: Queue,
    database: Database,
    store: Store,
    lease: Lease,
    tmp_path: Path,
) -> None:
    left = tmp_path / "scratch" / "worker-killed"
    left.mkdir(parents=True)
    (left / ".lock").touch()
    (left / "speech.f32").write_bytes(b"voice")
    await played.stop(lease)
    assert b"talk.mp4" in bytes_in(broker.folder)
    await delete_person_data(DataDeletion(database, store, scratch=tmp_path / "scratch"), queue, PERSON)
    async with asyncio.timeout(10):
        while b"talk.mp4" in bytes_in(broker.folder):
            await asyncio.sleep(0.05)
    assert b"voice" not in bytes_in(tmp_path / "scratch")


def bytes_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


async def test_somebody_of_whom_nothing_is_known(queue: Queue, deletion: DataDeletion, lease: Lease) -> None:
    assert await delete_person_data(deletion, queue, "7") == 0
    assert len(await queue.jobs()) == 2
    assert lease.outcome == "acquired"


async def test_a_job_that_begins_meanwhile_keeps_nothing_personal(
    played: PlayedWorker, repository: Repository, deletion: DataDeletion, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = await played.keep("talk.mp4", b"clip")
    reply = ReplyTo(application_id="1", channel_id="2", user_id=PERSON, guild_id="3", message_id="4")
    first = Job(id=uuid.uuid4().hex, request=Request(), source=source, submitted=time.time(), reply_to=reply)
    await repository.add_job(first)
    await repository.end_job(first.id, StoredStatus.FAILED)
    release = Store.release_job

    async def release_late(store: Store, job_id: str, is_needed: IsReferenced) -> None:
        await repository.add_job(structs.replace(first, id=uuid.uuid4().hex, replaces=True))
        await release(store, job_id, is_needed)

    monkeypatch.setattr(Store, "release_job", release_late)
    assert await deletion.delete_person_records(PERSON) == [first.id]
    assert await repository.jobs_of(PERSON, None, 5) == []
