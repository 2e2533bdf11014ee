"""Voices in the database: by consent, encrypted, for a time, on SQLite and PostgreSQL."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import UNSET
from sqlalchemy import insert, select, update

from bot.database.engine import Database
from bot.database.tables import ENROLLED_VOICES, JOBS
from bot.exceptions import RefusedError
from bot.voices.book import DAY_S, EnrolledVoice, VoiceBooks
from bot.voices.consent import CONSENT_VERSION, ENROLMENT_DAYS
from pipeline.types import Artefact, Request
from tests.bot.database.test_repository import number
from worker.protocol import Job, encode
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


async def test_a_yes_to_a_recording_holds_until_it_is_taken_back(database: Database) -> None:
    books, guild, person = VoiceBooks(database, OLD), number(), number()
    await books.enable(guild)
    source = Artefact(name="me.ogg", digest="", size=1, media_type="audio/ogg")
    for job_id, consent in (("kept", CONSENT_VERSION), ("clip", UNSET), ("late", CONSENT_VERSION)):
        job = Job(id=f"{job_id}{person}", request=Request(), source=source, submitted=1.0, consent=consent)
        row = {"id": job.id, "guild_id": guild, "channel_id": "1", "user_id": person, "status": "finished"}
        async with database.transaction() as connection:
            await connection.execute(insert(JOBS).values(**row, job=encode(job), created=1.0, ended=2.0))
    agreed = replace(voice(person), consented=123.5)
    terms = {**KIND, "text_version": CONSENT_VERSION}
    await books.enrol(guild, agreed, **terms, recording=f"kept{person}")
    (enrolment,) = await books.enrolments(guild, person)
    assert (enrolment.consented, enrolment.text_version) == (123.5, CONSENT_VERSION)
    assert sorted(await books.withdraw(guild, person)) == [f"kept{person}", f"late{person}"]
    await books.forget(guild, person)
    for job_id in (f"late{person}", "gone"):
        with pytest.raises(RefusedError, match="taken back"):
            await books.enrol(guild, agreed, **terms, recording=job_id)
    assert await books.enrolments(guild, person) == []
    assert await books.withdraw(guild, number()) == []


async def test_a_deleted_vector_is_gone_from_the_disk(tmp_path: Path) -> None:
    async with Database.open(f"sqlite:///{tmp_path / 'voices.sqlite3'}") as database:
        books, guild, person = await enrolled(database)
        (kept,) = await sealed(database, guild)
        await books.forget(guild, person)
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    assert files
    assert not any(kept in data for data in files)


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
