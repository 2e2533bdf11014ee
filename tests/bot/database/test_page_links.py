"""Links to pages, on SQLite and on PostgreSQL; each test uses jobs of its own."""

import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from bot.database.engine import Database
from bot.database.models import JobEnd
from bot.database.page_links import Links
from bot.database.repository import Records
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
    records, links, alice = Records(database, store, Quotas()), Links(database), number()
    first = job_for(alice, number(), await put(store, tmp_path, alice))
    assert first.reply_to is not None
    first = msgspec.structs.replace(first, reply_to=msgspec.structs.replace(first.reply_to, message_id=number()))
    await records.add_job(first)
    link = await links.make(first.id, alice)
    before = await links.follow(link.id)
    assert before is not None
    assert (before.link, before.record) == (link, None)
    await records.end_job(first.id, JobEnd.FINISHED, result_of(seconds=1))
    await records.rename(first.id, "A", "Ann", alice)
    found = await links.follow(link.id)
    assert found is not None
    assert found.record is not None
    assert (found.record.id, found.names) == (first.id, {"A": "Ann"})

    newer = msgspec.structs.replace(first, id=uuid.uuid4().hex, submitted=time.time() + 1)
    await records.add_job(newer)
    assert (await links.follow(link.id)) == found
    await records.end_job(newer.id, JobEnd.FINISHED, result_of(seconds=2))
    later = await links.follow(link.id)
    assert later is not None
    assert later.record is not None
    assert (later.record.id, later.record.seconds, later.names) == (newer.id, 2, {})

    other = await links.make(newer.id, number())
    assert await links.revoke(first.id) == 2
    assert await links.revoke(newer.id) == 0
    for one in (link, other):
        gone = await links.follow(one.id)
        assert gone is not None
        assert gone.link.revoked


async def test_links_of_others_are_left_alone(database: Database) -> None:
    links = Links(database)
    mine, other = await links.make(number(), "1"), await links.make(number(), "2", lifetime=-1)
    assert await links.revoke(other.job_id) == 0, "it is over"
    assert await links.revoke(mine.job_id) == 1
    assert await links.follow(f"{mine.id}x") is None
    assert mine.expires == pytest.approx(time.time() + 86_400, abs=60)


async def test_links_go_with_their_results(database: Database, store: Store, tmp_path: Path) -> None:
    records, links, alice, bob = Records(database, store, Quotas()), Links(database), number(), number()
    job = job_for(alice, number(), await put(store, tmp_path, alice))
    await records.add_job(job)
    await records.end_job(job.id, JobEnd.FINISHED, result_of())
    of_alice, of_bob = await links.make(job.id, alice), await links.make(job.id, bob)
    assert await records.forget_user(alice) == [job.id]
    assert await links.follow(of_alice.id) is None
    assert await links.follow(of_bob.id) is None
