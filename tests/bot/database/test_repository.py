"""The records; each test uses people and servers of its own, for the PostgreSQL serves them all."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.database.deletion import DataDeletion
from bot.database.engine import Database
from bot.database.models import GuildSettings, StoredStatus
from bot.database.repository import Repository
from bot.database.speaker_names import SpeakerName
from bot.exceptions import DatabaseError
from bot.jobs.quotas import Quotas
from pipeline.errors import StoreError
from pipeline.types import Artefact, AudioStream, MediaInfo, Preset, Request, Result, Route, RouteName
from worker.protocol import Job, ReplyTo
from worker.store import Store

NOW = time.time()
QUOTAS = Quotas(jobs_at_once=3, minutes_person=2, minutes_guild=3)


def number() -> str:
    return str(uuid.uuid4().int)[:18]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Repository]:
    async with Database.open(url) as database:
        yield Repository(database, QUOTAS)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database.open(database_url) as database:
        yield database


@pytest.fixture
def quotas() -> Quotas:
    return QUOTAS


def job_for(user: str, guild: str, source: Artefact) -> Job:
    reply = ReplyTo(
        application_id="1", channel_id="7", user_id=user, guild_id=guild, message_id="8", interaction_token="secret"
    )
    return Job(id=uuid.uuid4().hex, request=Request(), source=source, submitted=time.time(), reply_to=reply)


def result_of(*artefacts: Artefact, seconds: float = 60.0) -> Result:
    audio = AudioStream(codec="aac", sample_rate=48000, channels=2, layout="stereo", start=0.0)
    route = Route(name=RouteName.BASIC, engine="ffmpeg", model=None, reason="asked", asked=True)
    media = MediaInfo(container="mp4", duration=seconds, audio=audio)
    return Result(request=Request(), media=media, route=route, artefacts=artefacts)


async def put(store: Store, folder: Path, content: str) -> Artefact:
    path = folder / uuid.uuid4().hex
    path.write_text(content)
    return await store.put(path, name="talk.mp4")


async def reserve(repository: Repository, user: str, guild: str) -> object:
    return await repository.reserve(uuid.uuid4().hex, user_id=user, guild_id=guild, channel_id="7", now=NOW)


async def test_settings_and_usage_survive_a_restart(database_url: str, store: Store, tmp_path: Path) -> None:
    guild, user = number(), number()
    settings = GuildSettings(
        guild_id=guild, preset=Preset.STUDIO, roles=(5, 2**60), retention_days=2, member_names=True
    )
    job = job_for(user, guild, await put(store, tmp_path, user))
    async with opened(database_url) as repository:
        assert await repository.guild(guild) == GuildSettings(guild_id=guild)
        await repository.save_guild(settings)
        await repository.add_job(job)
        for _ in range(2):
            await repository.end_job(job.id, StoredStatus.FINISHED, result_of(seconds=120))
    async with opened(database_url) as repository:
        assert await repository.guild(guild) == settings
        usage = await repository.usage(user, guild, NOW)
        assert (usage.seconds, usage.jobs) == (120, 1)
        refused = await repository.reserve("x", user_id=user, guild_id=guild, channel_id="7", now=NOW)
        assert refused is not None
        assert (refused.kind, refused.used, refused.left) == ("person", 2, 0)


async def test_twenty_commands_at_once_get_three_places(repository: Repository) -> None:
    user, guild = number(), number()
    answers = await asyncio.gather(*(reserve(repository, user, guild) for _ in range(20)))
    assert answers.count(None) == 3


async def test_a_job_is_kept_with_all_but_the_token(repository: Repository, store: Store, tmp_path: Path) -> None:
    user, guild = number(), number()
    job = job_for(user, guild, await put(store, tmp_path, user))
    await repository.reserve(job.id, user_id=user, guild_id=guild, channel_id="7", now=NOW)
    assert await repository.jobs_of(user, None, 5) == []
    await repository.add_job(job)
    await repository.start_job(job.id)
    kept = await repository.job(job.id)
    assert kept is not None
    assert (kept.status, kept.message_id, kept.job.source) == (StoredStatus.RUNNING, "8", job.source)
    assert kept.job.reply_to is not None
    assert kept.job.reply_to.interaction_token == ""
    await repository.end_job(job.id, StoredStatus.STOPPED)
    assert [one.status for one in await repository.jobs_of(user, guild, 5)] == [StoredStatus.STOPPED]


async def test_a_job_that_was_cancelled_late_costs_what_it_used(
    repository: Repository, store: Store, tmp_path: Path
) -> None:
    user, guild = number(), number()
    for used in (0.0, 45.0):
        job = job_for(user, guild, await put(store, tmp_path, user))
        await repository.add_job(job)
        await repository.end_job(job.id, StoredStatus.STOPPED, used_s=used)
        await repository.end_job(job.id, StoredStatus.STOPPED, used_s=used)
        assert (await repository.usage(user, guild, time.time())).seconds == used


async def test_forgetting_deletes_what_nobody_else_needs(
    repository: Repository, deletion: DataDeletion, store: Store, tmp_path: Path
) -> None:
    alice, bob, guild = number(), number(), number()
    shared, own = await put(store, tmp_path, guild), await put(store, tmp_path, alice)
    mine, other = job_for(alice, guild, shared), job_for(bob, guild, shared)
    for job in (mine, other):
        await repository.add_job(job)
    await repository.end_job(mine.id, StoredStatus.FINISHED, result_of(own))
    await repository.speaker_names.give(mine.id, {"SPEAKER_00": SpeakerName(name="Ann")}, alice)
    assert await repository.speaker_names.of(mine.id) == {"SPEAKER_00": SpeakerName(name="Ann")}
    assert await deletion.delete_person_records(alice) == [mine.id]
    assert await repository.job(mine.id) is None
    assert await repository.speaker_names.of(mine.id) == {}
    assert await store.has_digest(shared.digest)
    assert not await store.has_digest(own.digest)
    assert (await repository.usage(alice, guild, time.time())).jobs == 1


async def test_a_job_goes_after_the_days_of_its_server(
    repository: Repository, deletion: DataDeletion, store: Store, tmp_path: Path
) -> None:
    user, guild = number(), number()
    await repository.save_guild(GuildSettings(guild_id=guild, retention_days=2))
    job = job_for(user, guild, await put(store, tmp_path, user))
    await repository.add_job(job)
    await repository.end_job(job.id, StoredStatus.FAILED)
    assert job.id not in await deletion.delete_expired(NOW + 1.9 * 86_400)
    assert job.id in await deletion.delete_expired(NOW + 2.1 * 86_400)
    assert not await store.has_digest(job.source.digest)


async def test_starts_at_once_migrate_once(tmp_path: Path, store: Store) -> None:
    async def start() -> GuildSettings:
        async with opened(f"sqlite:///{tmp_path / 'new.sqlite3'}") as repository:
            return await repository.guild("1")

    assert await asyncio.gather(*(start() for _ in range(4))) == [GuildSettings(guild_id="1")] * 4


async def test_an_unknown_database_is_refused() -> None:
    with pytest.raises(DatabaseError, match="mysql"):
        async with Database.open("mysql://host/name"):
            pass


async def test_what_a_process_left_behind_is_found_once(repository: Repository, store: Store, tmp_path: Path) -> None:
    user, guild = number(), number()
    coming = job_for(user, guild, Artefact(name="talk.mp4", digest="", size=5, media_type="video/mp4"))
    sent = job_for(user, guild, await put(store, tmp_path, user))
    ended = job_for(user, guild, sent.source)
    for job in (coming, sent, ended):
        await repository.reserve(job.id, user_id=user, guild_id=guild, channel_id="7", now=NOW)
    await repository.acknowledge(coming)
    await repository.acknowledge(sent)
    await repository.add_job(sent)
    await repository.add_job(ended)
    await repository.end_job(ended.id, StoredStatus.FAILED)
    early = await repository.interrupted_jobs(NOW)
    assert sent.id not in [job.id for job in early.submitted]
    left = await repository.interrupted_jobs(NOW + 1)
    (found,) = [job for job in left.acknowledged if job.id == coming.id]
    assert found.reply_to is not None
    assert (found.reply_to.message_id, found.reply_to.interaction_token) == ("8", "")
    assert [job.id for job in left.submitted if job.id in (coming.id, sent.id, ended.id)] == [sent.id]
    await repository.release(coming.id)
    assert coming.id not in [job.id for job in (await repository.interrupted_jobs(NOW + 1)).acknowledged]


async def test_places_that_were_never_acknowledged_are_given_back(repository: Repository) -> None:
    user, guild = number(), number()
    for _ in range(3):
        assert await reserve(repository, user, guild) is None
    assert await reserve(repository, user, guild) is not None
    await repository.interrupted_jobs(NOW + 1)
    assert await reserve(repository, user, guild) is None


async def test_a_job_that_has_not_stopped_goes_with_the_next_sweep(
    repository: Repository, deletion: DataDeletion, store: Store, tmp_path: Path
) -> None:
    user, guild = number(), number()
    job = job_for(user, guild, await put(store, tmp_path, user))
    await repository.add_job(job)
    assert await deletion.delete_person_records(user, running=[job.id]) == [job.id]
    assert await repository.jobs_of(user, None, 5) == []
    assert await store.has_digest(job.source.digest)
    made = await put(store, tmp_path, guild)
    await store.references.add_for_job(job.id, [made.digest])
    assert job.id in await deletion.delete_expired(NOW)
    assert not await store.has_digest(job.source.digest)
    assert not await store.has_digest(made.digest)


async def test_what_cannot_be_deleted_is_told_and_tried_again(
    repository: Repository, deletion: DataDeletion, store: Store, tmp_path: Path
) -> None:
    user, guild = number(), number()
    job = job_for(user, guild, await put(store, tmp_path, user))
    await repository.add_job(job)
    folder = tmp_path / "store" / "blobs" / job.source.digest[:2]
    hidden = folder.rename(folder.with_name("hidden"))
    folder.write_bytes(b"in the way")
    with pytest.raises(StoreError):
        await deletion.delete_person_records(user)
    assert await repository.job(job.id) is not None
    folder.unlink()
    hidden.rename(folder)
    assert await deletion.delete_person_records(user) == [job.id]
    assert not await store.has_digest(job.source.digest)
