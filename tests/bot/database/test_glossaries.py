"""Glossaries of servers, on SQLite and on PostgreSQL; each test uses servers of its own."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.database.engine import Database
from bot.database.glossaries import AddedTerms, Glossaries
from bot.exceptions import RefusedError
from pipeline.speech.glossary.terms import MAX_TERMS
from tests.bot.database.test_repository import number


@pytest.fixture
async def glossaries(database_url: str) -> AsyncIterator[Glossaries]:
    async with Database.open(database_url) as database:
        yield Glossaries(database)


@pytest.fixture
def guild() -> str:
    return number()


async def test_terms_are_kept_by_the_alphabet_for_one_server(
    glossaries: Glossaries, guild: str, database_url: str
) -> None:
    assert await glossaries.terms(guild) == ()
    assert await glossaries.add(guild, ["zeppelin", "Siobhan  =  Shivawn", "Álfheimr"]) == AddedTerms(new=3, total=3)
    assert await glossaries.add(guild, ["Kubernetes", "zeppelin"]) == AddedTerms(new=1, total=4)
    kept = ("Kubernetes", "Siobhan = Shivawn", "zeppelin", "Álfheimr")
    async with Database.open(database_url) as again:
        assert await Glossaries(again).terms(guild) == kept
    assert await glossaries.terms(number()) == ()


async def test_order_of_adding_makes_no_difference(glossaries: Glossaries, guild: str) -> None:
    other = number()
    await glossaries.add(guild, ["one two", "One two", "three"])
    await glossaries.add(other, ["three"])
    await glossaries.add(other, ["One two", "one two"])
    assert await glossaries.terms(guild) == await glossaries.terms(other) == ("One two", "one two", "three")


@pytest.mark.parametrize(
    ("wanted", "removed"),
    [
        ("siobhan", ("Siobhan = Shivawn", "Siobhan = Shuvon")),
        ("Siobhan =  Shuvon", ("Siobhan = Shuvon",)),
        (" KUBERNETES ", ("Kubernetes",)),
        ("Shuvon", ()),
        ("", ()),
    ],
)
async def test_a_term_is_removed_with_all_its_sounds_or_one_line(
    wanted: str, removed: tuple[str, ...], glossaries: Glossaries, guild: str
) -> None:
    lines = ("Kubernetes", "Siobhan = Shivawn", "Siobhan = Shuvon")
    await glossaries.add(guild, lines)
    assert await glossaries.remove(guild, wanted) == removed
    assert await glossaries.terms(guild) == tuple(line for line in lines if line not in removed)


async def test_the_last_term_leaves_nothing(glossaries: Glossaries, guild: str) -> None:
    await glossaries.add(guild, ["Kubernetes"])
    await glossaries.remove(guild, "Kubernetes")
    assert await glossaries.terms(guild) == ()
    assert await glossaries.remove(guild, "Kubernetes") == ()


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([f"term {index}" for index in range(10_000)], "would have 10,001 terms; the limit is 1,000"),
        (["Borealis", "five words are too many"], "“five words are too many” is too long"),
        (["Borealis", "ab"], "“ab” is too short"),
        (["Borealis", "Siobhan = x"], "“x” is too short"),
        (["Borealis", "= Shivawn"], "“” is too short"),
        (["Borealis", "zero\0byte"], "cannot be seen"),
    ],
    ids=["many", "long", "short", "short-sound", "only-sound", "control"],
)
async def test_what_is_refused_changes_nothing(
    lines: list[str], words: str, glossaries: Glossaries, guild: str
) -> None:
    await glossaries.add(guild, ["Kubernetes"])
    with pytest.raises(RefusedError, match=words):
        await glossaries.add(guild, lines)
    assert await glossaries.terms(guild) == ("Kubernetes",)


async def test_a_full_glossary_takes_what_it_has(glossaries: Glossaries, guild: str) -> None:
    full = [f"term {index}" for index in range(MAX_TERMS)]
    assert await glossaries.add(guild, full) == AddedTerms(new=MAX_TERMS, total=MAX_TERMS)
    assert await glossaries.add(guild, full[:3]) == AddedTerms(new=0, total=MAX_TERMS)
    with pytest.raises(RefusedError, match="1,001"):
        await glossaries.add(guild, ["one more"])


async def test_people_who_add_at_once_lose_nothing(glossaries: Glossaries, guild: str) -> None:
    await asyncio.gather(*(glossaries.add(guild, [f"term {index}"]) for index in range(10)))
    assert len(await glossaries.terms(guild)) == 10
