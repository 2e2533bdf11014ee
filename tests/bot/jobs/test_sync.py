"""The bot with its records: limits are told, missed ends are made up for, what fails on its way does not count."""

import asyncio
import time
from collections.abc import Callable

import pytest
import simcord

from bot.client import StemcordClient
from bot.database.deletion import DataDeletion
from bot.database.models import GuildSettings, StoredStatus
from bot.database.repository import ABANDONED_AFTER_S, SETTLING_TIME_S, Repository
from bot.exceptions import QuotaError
from bot.jobs.quotas import Quotas
from bot.jobs.sync import JobSync
from tests.bot.components.test_result_actions import answer_of
from tests.bot.world import Host, PlayedWorker, card_text, until
from worker.queue import Queue

CLIP = ("talk.mp4", b"a clip of some length")


@pytest.fixture
def quotas() -> Quotas:
    return Quotas(jobs_at_once=1, minutes_person=1, minutes_guild=0)


def ids(env: simcord.Env, alice: simcord.MemberActor) -> tuple[str, str]:
    return str(alice.id), str(env.guild.id)


async def test_a_limit_is_told_in_private_and_ends(
    env: simcord.Env,
    channel: simcord.ChannelHandle,
    alice: simcord.MemberActor,
    played: PlayedWorker,
    repository: Repository,
) -> None:
    await repository.save_guild(GuildSettings(guild_id=str(env.guild.id), max_duration=90.0))
    await alice.slash(channel, "separate", clip=CLIP)
    assert (await played.job()).max_duration == 90.0

    refused = await alice.slash(channel, "separate", clip=CLIP)
    assert refused.ephemeral
    assert card_text(answer_of(refused)).startswith("You already have 1 of 1 clips in progress.")
    assert len(await played.queue.jobs()) == 1

    await played.finish(await played.take(), {"stems/vocals.flac": b"v"})
    await until(env, lambda: any(message.attachments for message in channel.history()))
    await played.wait_for_confirmation()
    user, guild = ids(env, alice)
    assert (await repository.usage(user, guild, time.time())).seconds == pytest.approx(61.4)
    refused = await alice.slash(channel, "separate", clip=CLIP)
    assert refused.ephemeral
    text = card_text(answer_of(refused))
    assert text.startswith("You have used 1 of your 1 minutes today; 0 are left.")
    assert "<t:" in text
    assert len(env.errors) == 2


async def test_a_clip_that_is_cancelled_late_costs_what_was_used(
    env: simcord.Env,
    channel: simcord.ChannelHandle,
    alice: simcord.MemberActor,
    played: PlayedWorker,
    repository: Repository,
) -> None:
    await alice.slash(channel, "separate", clip=CLIP)
    lease = await played.take()
    await played.report(lease, "probe", 1.0)
    for stage, fraction in (("separate", 0.5), ("separate", 1.0), ("diarize", 0.2), ("mix", 0.3)):
        await played.report(lease, stage, fraction, cost=fraction * 61.4 if stage != "mix" else 0.0)
    await played.stop(lease)
    await played.wait_for_confirmation()
    user, guild = ids(env, alice)
    assert (await repository.usage(user, guild, time.time())).seconds == pytest.approx(61.4)
    refused = await alice.slash(channel, "separate", clip=CLIP)
    assert card_text(answer_of(refused)).startswith("You have used 1 of your 1 minutes today; 0 are left.")
    assert len(env.errors) == 1


async def test_a_clip_that_cannot_be_fetched_takes_no_place(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, host: Host, repository: Repository
) -> None:
    assert host.cdn is not None
    host.cdn.lie = 404
    await alice.slash(channel, "separate", clip=CLIP)
    assert not env.errors
    assert await repository.open_jobs(time.time() + ABANDONED_AFTER_S) == []
    user, guild = ids(env, alice)
    assert await repository.reserve("x", user_id=user, guild_id=guild, channel_id="1", now=time.time()) is None


async def test_places_of_a_process_that_died_are_given_back(
    queue: Queue, repository: Repository, deletion: DataDeletion
) -> None:
    sync = JobSync(repository, queue, deletion)
    assert await repository.reserve("left", user_id="1", guild_id=None, channel_id="1", now=time.time()) is None
    with pytest.raises(QuotaError):
        async with sync.reserve("1", None, "1"):
            pass
    await sync.reconcile(time.time() + ABANDONED_AFTER_S + 1)
    async with sync.reserve("1", None, "1") as job_id:
        assert job_id


async def test_ends_that_were_missed_are_made_up_for(
    channel: simcord.ChannelHandle,
    alice: simcord.MemberActor,
    played: PlayedWorker,
    repository: Repository,
    deletion: DataDeletion,
) -> None:
    await alice.slash(channel, "separate", clip=CLIP)
    job = await played.job()
    sync = JobSync(repository, played.queue, deletion)
    await sync.reconcile(time.time() + SETTLING_TIME_S + 1)
    kept = await repository.job(job.id)
    assert kept is not None
    assert kept.ended is None
    await played.queue.cancel(job.id)
    await sync.reconcile(time.time() + SETTLING_TIME_S + 1)
    kept = await repository.job(job.id)
    assert kept is not None
    assert kept.status is StoredStatus.STOPPED
    await sync.reconcile(time.time() + 8 * 86_400)
    assert await repository.job(job.id) is None
    assert await played.queue.state(job.id) is None


async def test_a_job_that_never_reached_the_queue_is_handed_in_at_the_next_start(
    env: simcord.Env,
    channel: simcord.ChannelHandle,
    alice: simcord.MemberActor,
    played: PlayedWorker,
    repository: Repository,
    make_client: Callable[[], StemcordClient],
) -> None:
    await alice.slash(channel, "separate", clip=CLIP)
    job = await played.job()
    assert isinstance(env.bot, StemcordClient)
    await env.bot.services.tracker.close()
    await played.queue.cancel(job.id)
    assert await played.queue.discard(job.id)
    assert await played.queue.jobs() == []
    await env.restart_bot(make_client())
    async with asyncio.timeout(8):
        while not await played.queue.jobs():
            await asyncio.sleep(0.02)
    await played.finish(await played.take(), {"stems/vocals.flac": b"v"})
    await until(env, lambda: any(message.attachments for message in channel.history()))
    await played.wait_for_confirmation()
    kept = await repository.job(job.id)
    assert kept is not None
    assert kept.status is StoredStatus.FINISHED
