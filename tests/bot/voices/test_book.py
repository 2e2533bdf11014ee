"""Voices in the database: by consent, encrypted, for a time, on SQLite and PostgreSQL."""

import time
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select, update

from bot.database.engine import Database
from bot.database.tables import ENROLLED_VOICES
from bot.exceptions import RefusedError
from bot.voices.book import DAY_S, EnrolledVoice, VoiceBooks
from bot.voices.consent import CONSENT_VERSION, ENROLMENT_DAYS
from tests.bot.database.test_repository import number
from worker.store import Keyring

OLD = Keyring(keys={"old": bytes(32)}, current="old")
NEW = Keyring(keys={"new": bytes(range(32)), **OLD.keys}, current="new")
VECTOR = (0.6, 0.8)
KIND = {"model": "m", "digest": "d"}


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database.open(database_url) as database:
        yield database


def voice(user_id: str) -> EnrolledVoice:
    return EnrolledVoice(user_id=user_id, vector=VECTOR, seconds=9.0)


async def enrolled(database: Database, keys: Keyring = OLD) -> tuple[VoiceBooks, str, str]:
    """A server with one voice."""
    books, guild, person = VoiceBooks(database, keys), number(), number()
    await books.enable(guild)
    await books.enrol(guild, voice(person), **KIND, text_version=CONSENT_VERSION)
    return books, guild, person


async def sealed(database: Database, guild: str) -> list[bytes]:
    async with database.transaction() as connection:
        found = await connection.execute(select(ENROLLED_VOICES.c.vector).where(ENROLLED_VOICES.c.guild_id == guild))
        return [bytes(row.vector) for row in found]


async def test_without_key_or_consent_nothing_is_kept(database: Database) -> None:
    keyless, books, guild, person = VoiceBooks(database, None), VoiceBooks(database, OLD), number(), number()
    with pytest.raises(RefusedError, match="needs a key"):
        await keyless.enable(guild)
    with pytest.raises(RefusedError, match="no voice-book"):
        await books.enrol(guild, voice(person), **KIND, text_version=CONSENT_VERSION)
    await books.enable(guild)
    with pytest.raises(RefusedError, match="no consent"):
        await books.enrol(guild, voice(person), **KIND, text_version=None)
    with pytest.raises(RefusedError, match="has changed"):
        await books.enrol(guild, voice(person), **KIND, text_version=CONSENT_VERSION - 1)
    assert await sealed(database, guild) == []
    assert not await keyless.is_enabled(guild)


async def test_a_voice_is_known_on_its_server_with_its_model_alone(database: Database) -> None:
    books, guild, person = await enrolled(database)
    found = await books.known(guild, "m", "d")
    assert found[person].vector == pytest.approx(VECTOR)
    assert await books.known(guild, "m", "other") == {}
    other = number()
    await books.enable(other)
    assert await books.known(other, "m", "d") == {}
    assert await books.disable(guild) == 1
    assert await sealed(database, guild) == []


async def test_a_vector_cannot_be_given_to_another_person(database: Database) -> None:
    books, guild, person = await enrolled(database)
    async with database.transaction() as connection:
        one = update(ENROLLED_VOICES).where(ENROLLED_VOICES.c.user_id == person)
        await connection.execute(one.values(user_id=number()))
    assert await books.known(guild, "m", "d") == {}


async def test_a_new_key_takes_over_so_that_the_old_one_can_go(database: Database) -> None:
    _, guild, person = await enrolled(database)
    books = VoiceBooks(database, NEW)
    (before,) = await sealed(database, guild)
    await books.seal_anew()
    (after,) = await sealed(database, guild)
    assert (NEW.is_current(before), NEW.is_current(after)) == (False, True)
    await books.seal_anew()
    assert await sealed(database, guild) == [after]
    alone = VoiceBooks(database, Keyring(keys={"new": NEW.keys["new"]}, current="new"))
    assert person in await alone.known(guild, "m", "d")
    assert await VoiceBooks(database, OLD).known(guild, "m", "d") == {}


async def test_whoever_left_is_not_looked_for_and_then_forgotten(database: Database) -> None:
    books, guild, person = await enrolled(database)
    await books.note_presence(guild, person, here=False)
    assert await books.known(guild, "m", "d") == {}
    await books.note_presence(guild, person, here=True)
    assert person in await books.known(guild, "m", "d")
    await books.note_presence(guild, person, here=False)
    await books.delete_expired(time.time() + 6 * DAY_S, 7)
    assert len(await sealed(database, guild)) == 1
    await books.delete_expired(time.time() + 8 * DAY_S, 7)
    assert await sealed(database, guild) == []


async def test_a_yes_holds_for_a_year(database: Database) -> None:
    books, guild, person = await enrolled(database)
    long_ago = time.time() - ENROLMENT_DAYS * DAY_S - 1
    async with database.transaction() as connection:
        one = update(ENROLLED_VOICES).where(ENROLLED_VOICES.c.user_id == person)
        await connection.execute(one.values(consented=long_ago))
    assert await books.known(guild, "m", "d") == {}
    await books.delete_expired(time.time(), 7)
    assert await sealed(database, guild) == []
