"""The index on both databases: what is found, and what is found no longer."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select, text

from bot.database.deletion import DataDeletion
from bot.database.engine import Database
from bot.database.repository import Repository
from bot.database.tables import SEARCH_DOCUMENTS, SEARCH_LINES
from bot.search.index import Filters, SearchIndex, speaker_key
from bot.search.query import read_query
from bot.search.ranking import rank
from pipeline.types import Transcript
from tests.bot.database.test_repository import QUOTAS, number
from tests.bot.search.transcripts import document_of, finished_job, texts, transcript_of
from worker.store import Store

TALK = transcript_of(
    ("Ann", "We organized the annual meeting of the budget committee."),
    ("Bo", "The next quarter looks better than the last one."),
    ("Ann", "Naïve café owners don't pay for next year's quarter rent."),
)
CHINESE = transcript_of(("李雷", "我们明天讨论机器学习的预算。"), ("韩梅梅", "用Python写一个模型吧"), language="zh")


class World:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.index = SearchIndex(database)
        self.repository = Repository(database, QUOTAS)
        self.guild, self.user = number(), number()

    async def add(self, transcript: Transcript = TALK, *, user: str = "", guild: str | None = None, **how: Any) -> str:
        job = await finished_job(self.repository, user or self.user, self.guild if guild is None else guild)
        assert await self.index.save(document_of(job, transcript, **how))
        return job.id

    async def find(self, typed: str, *, every: bool = True, **filters: Any) -> list[str]:
        asked = Filters(guild_id=self.guild, user_id=self.user)
        asked = replace(asked, **filters)
        query = read_query(typed, (await self.index.places(asked)).languages)
        return texts([hit.line for hit in rank(query, await self.index.find(query, asked, every=every))])


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with Database.open(database_url) as database:
        yield World(database)


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        ("organizing", [0]),
        ("ORGANIZATION meetings", [0]),
        ('"next quarter"', [1]),
        ("“next quarter”", [1]),
        ("quarter next", [1, 2]),
        ("organiz*", [0]),
        ("commit*", [0]),
        ("naive cafe", [2]),
        ("dont", [2]),
        ("don't pay", [2]),
        ("the budget", [0]),
        ("zebra", []),
        ("budget rent", []),
    ],
)
async def test_words_phrases_and_beginnings_are_found(typed: str, lines: list[int], world: World) -> None:
    await world.add()
    assert sorted(await world.find(typed)) == sorted(TALK.turns[index].text for index in lines)


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        ("机器学习", [0]),
        ("预算", [0]),
        ("预", [0]),
        ("吧", [1]),
        ("python 模型", [1]),
        ('"用Python写"', [1]),
        ('"讨论机器"', [0]),
        ('"机器讨论"', []),
        ("机器讨论学习", []),
        ("\uff30\uff59\uff54\uff48\uff4f\uff4e", [1]),
    ],
)
async def test_chinese_is_found_by_pairs(typed: str, lines: list[int], world: World) -> None:
    await world.add(CHINESE)
    assert await world.find(typed) == [CHINESE.turns[index].text for index in lines]


async def test_some_words_are_enough_where_no_line_has_all(world: World) -> None:
    await world.add()
    assert await world.find("budget rent", every=False) == [TALK.turns[0].text, TALK.turns[2].text]
    assert await world.find('"annual meeting" rent', every=False) == [TALK.turns[0].text]


async def test_what_is_said_elsewhere_is_not_found(world: World) -> None:
    await world.add(guild=number())
    await world.add(guild="")
    assert await world.find("budget") == []
    own = await world.find("budget", guild_id="")
    assert own == [TALK.turns[0].text]
    assert await world.find("budget", guild_id="", user_id=number()) == []


async def test_speaker_time_and_channel_narrow_it_down(world: World) -> None:
    now = time.time()
    await world.add(created=now - 100, channel="70")
    assert await world.find("quarter", speaker_part="an") == [TALK.turns[2].text]
    assert await world.find("quarter", speakers={speaker_key("BO")}) == [TALK.turns[1].text]
    assert await world.find("quarter", speaker_part="%") == []
    assert await world.find("budget", since=now - 50) == []
    assert len(await world.find("budget", since=now - 150)) == 1
    assert await world.find("budget", channels=["71"]) == []
    assert await world.find("budget", channels=[]) == []
    assert len(await world.find("budget", channels=["70"])) == 1


async def test_the_newest_transcript_of_a_message_replaces_the_others(world: World) -> None:
    job = await finished_job(world.repository, world.user, world.guild)
    await world.index.save(document_of(job, TALK))
    await world.index.save(document_of(job, transcript_of(("Ann", "We organized the annual picnic."))))
    assert await world.find("budget") == []
    assert await world.find("picnic") == ["We organized the annual picnic."]


async def test_a_deleted_job_is_not_found_and_leaves_nothing(world: World, store: Store) -> None:
    job_id = await world.add()
    assert len(await world.find("budget")) == 1
    await DataDeletion(world.database, store).delete_person_records(world.user)
    assert await world.find("budget") == []
    async with world.database.transaction() as connection:
        for table in (SEARCH_LINES, SEARCH_DOCUMENTS):
            rows = select(func.count()).select_from(table).where(table.c.job_id == job_id)
            assert (await connection.execute(rows)).scalar_one() == 0
        if connection.dialect.name == "sqlite":
            query = text("SELECT count(*) FROM search_terms WHERE search_terms MATCH 'budget'")
            assert (await connection.execute(query)).scalar_one() == 0


async def test_an_expired_job_is_not_found(world: World, store: Store) -> None:
    await world.add()
    await DataDeletion(world.database, store, retention_days=7).delete_expired(time.time() + 8 * 86400)
    assert await world.find("budget") == []


async def test_a_job_that_went_meanwhile_is_not_indexed(world: World) -> None:
    job = await finished_job(world.repository, world.user, world.guild)
    await world.repository.release(job.id)
    assert not await world.index.save(document_of(job, TALK))
    assert await world.find("budget") == []


async def test_what_is_not_indexed_as_it_is_is_known(world: World) -> None:
    job = await finished_job(world.repository, world.user, world.guild)
    assert job.id in await world.index.stale()
    await world.index.save(document_of(job, TALK))
    assert job.id not in await world.index.stale()
    await world.index.save(replace(document_of(job, TALK), revision=2))
    assert job.id in await world.index.stale()


async def test_the_index_survives_a_restart_and_can_be_emptied(database_url: str) -> None:
    async with Database.open(database_url) as database:
        before = World(database)
        await before.add()
    async with Database.open(database_url) as database:
        after = World(database)
        after.guild, after.user = before.guild, before.user
        assert len(await after.find("budget")) == 1
        await after.index.clear()
        assert await after.find("budget") == []


async def test_what_is_older_than_the_lines_that_are_looked_at_first_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.search.index.NEWEST_LINES", 2)
    await world.add(transcript_of(("Ann", "An albatross is seen."), ("Bo", "Where is it?")))
    await world.add(transcript_of(*(("Bo", f"No bird in picture {number}.") for number in range(5))))
    assert await world.find("albatross") == ["An albatross is seen."]
    assert len(await world.find("picture")) == 5
