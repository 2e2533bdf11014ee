"""What is found reaches behind a long recording and behind a channel that turns out to be hidden."""

from collections.abc import AsyncIterator, Iterable

import pytest

from bot.database.engine import Database
from bot.database.repository import Repository
from bot.search.finder import MAX_HITS_PER_TRANSCRIPT, TranscriptFinder
from bot.search.index import MAX_CANDIDATES, Filters, SearchIndex
from bot.search.visibility import ChannelVisibility
from tests.bot.database.test_repository import QUOTAS, number
from tests.bot.search.transcripts import document_of, finished_job, transcript_of

LONG = transcript_of(*(("Ann", f"The budget, part {part}.") for part in range(MAX_CANDIDATES + 50)))
SHORT = transcript_of(("Bo", "My budget is small."))


class AskedVisibility(ChannelVisibility):
    """Nothing is known of any channel, as of private threads; Discord says of some that they are hidden."""

    def __init__(self, hidden: Iterable[str] = ()) -> None:
        self._hidden = frozenset(hidden)
        self._known: dict[str, bool] = {}

    def _look_up(self, channel_id: str) -> bool | None:
        return None

    async def _ask(self, channel_id: str) -> bool:
        return channel_id not in self._hidden


class World:
    def __init__(self, database: Database) -> None:
        self.index = SearchIndex(database)
        self.repository = Repository(database, QUOTAS)
        self.guild, self.user = number(), number()

    async def add(self, *, long: bool, channel: str, guild: str | None = None) -> None:
        job = await finished_job(self.repository, self.user, self.guild if guild is None else guild)
        assert await self.index.save(document_of(job, LONG if long else SHORT, channel=channel))

    async def find(self, typed: str, visibility: ChannelVisibility, guild: str | None = None) -> list[str]:
        filters = Filters(guild_id=self.guild if guild is None else guild, user_id=self.user)
        found = await TranscriptFinder(self.index).find(typed, filters, visibility)
        return [hit.line.text for hit in found.hits]


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with Database.open(database_url) as database:
        yield World(database)


@pytest.mark.parametrize("private", [False, True])
async def test_a_long_recording_does_not_hide_the_others(private: bool, world: World) -> None:
    guild = "" if private else world.guild
    await world.add(long=False, channel="2", guild=guild)
    await world.add(long=True, channel="2", guild=guild)
    found = await world.find("budget", AskedVisibility(), guild)
    assert len(found) == MAX_HITS_PER_TRANSCRIPT + 1
    assert "My budget is small." in found


async def test_a_busy_hidden_thread_does_not_hide_the_others(world: World) -> None:
    await world.add(long=False, channel="2")
    for _ in range(3):
        await world.add(long=True, channel="1")
    assert await world.find("budget", AskedVisibility({"1"})) == ["My budget is small."]
    assert await world.find("budget zebra", AskedVisibility({"1"})) == ["My budget is small."]
    assert await world.find("budget", AskedVisibility({"1", "2"})) == []
