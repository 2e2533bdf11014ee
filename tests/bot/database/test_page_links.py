"""Links to pages, on SQLite and on PostgreSQL; each test uses jobs of its own."""

import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from bot.database.deletion import DataDeletion
from bot.database.engine import Database
from bot.database.models import StoredStatus
from bot.database.page_links import PageLinks
from bot.database.repository import Repository
from bot.database.speaker_names import SpeakerName
from bot.jobs.quotas import Quotas
from tests.bot.database.test_repository import job_for, number, put, result_of
from worker.store import Store


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database.open(database_url) as database:
        yield database


async def test_a_link_leads_to_the_newest_result_of_its_message(
    database: Database, store: Store, tmp_path: Path
) -> None:
    repository, links, alice = Repository(database, Quotas()), PageLinks(database), number()
    first = job_for(alice, number(), await put(store, tmp_path, alice))
    assert first.reply_to is not None
    first = msgspec.structs.replace(first, reply_to=msgspec.structs.replace(first.reply_to, message_id=number()))
    await repository.add_job(first)
    link = await links.create(first.id, alice)
    before = await links.resolve(link.id)
    assert before is not None
    assert before.link == link
    assert before.record is not None
    assert (before.record.id, before.record.result) == (first.id, None)
    await repository.end_job(first.id, StoredStatus.FINISHED, result_of(seconds=1))
    await repository.speaker_names.give(first.id, {"A": SpeakerName(name="Ann")}, alice)
    found = await links.resolve(link.id)
    assert found is not None
    assert found.record is not None
    assert (found.record.id, found.names) == (first.id, {"A": "Ann"})

    newer = msgspec.structs.replace(first, id=uuid.uuid4().hex, submitted=time.time() + 1)
    await repository.add_job(newer)
    assert (await links.resolve(link.id)) == found
    await repository.end_job(newer.id, StoredStatus.FINISHED, result_of(seconds=2))
    later = await links.resolve(link.id)
    assert later is not None
    assert later.record is not None
    assert (later.record.id, later.record.seconds, later.names) == (newer.id, 2, {"A": "Ann"})

    other = await links.create(newer.id, number())
    assert await links.revoke(first.id) == 2
    assert await links.revoke(newer.id) == 0
    for one in (link, other):
        gone = await links.resolve(one.id)
        assert gone is not None
        assert gone.link.revoked


async def test_links_of_others_are_left_alone(database: Database) -> None:
    links = PageLinks(database)
    mine, other = await links.create(number(), "1"), await links.create(number(), "2", lifetime_s=-1)
    assert await links.revoke(other.job_id) == 0, "it is over"
    assert await links.revoke(mine.job_id) == 1
    assert await links.resolve(f"{mine.id}x") is None
    assert mine.expires == pytest.approx(time.time() + 86_400, abs=60)


async def test_links_go_with_their_results(database: Database, store: Store, tmp_path: Path) -> None:
    repository, links, alice, bob = Repository(database, Quotas()), PageLinks(database), number(), number()
    job = job_for(alice, number(), await put(store, tmp_path, alice))
    await repository.add_job(job)
    await repository.end_job(job.id, StoredStatus.FINISHED, result_of())
    of_alice, of_bob = await links.create(job.id, alice), await links.create(job.id, bob)
    assert await DataDeletion(database, store).delete_person_records(alice) == [job.id]
    assert await links.resolve(of_alice.id) is None
    assert await links.resolve(of_bob.id) is None
