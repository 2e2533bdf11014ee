"""However a job ends and whatever has changed meanwhile, its end comes once, and to the right people."""

from collections.abc import Callable
from dataclasses import replace

import discord
import simcord
from msgspec import structs

from bot.client import StemcordClient
from pipeline.errors import DemucsError, ModelMissingError
from pipeline.types import Failure
from tests.bot.conftest import Broker
from tests.bot.world import (
    PatientQueue,
    PlayedWorker,
    card_text,
    discord_message,
    edits,
    let_token_end,
    pass_time_until,
    until,
)

CLIP = ("talk.mp4", b"a clip of some length")
FILES = {"report.png": b"p", "stems/vocals.flac": b"v" * 900, "stems/background.flac": b"b" * 500}


def names(message: discord.Message) -> list[str]:
    return [attachment.filename for attachment in message.attachments]


async def test_result_after_the_token_ended(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    result = await alice.slash(channel, "separate", clip=CLIP)
    lease = await played.take()
    await let_token_end(env)
    before = len(edits(env, "/webhooks/"))
    await played.finish(lease, FILES)
    await until(env, lambda: len(discord_message(result).attachments) == 3)
    assert len(edits(env, "/webhooks/")) == before
    assert edits(env, "/channels/")
    assert len(channel.history()) == 1
    await played.wait_for_confirmation()


async def test_result_when_discord_refuses_the_token_early(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    result = await alice.slash(channel, "separate", clip=CLIP)
    env.inject_error("PATCH", "/webhooks/*", status=401, code=50027, times=None)
    await played.finish(await played.take(), FILES)
    await until(env, lambda: len(discord_message(result).attachments) == 3)
    assert len(channel.history()) == 1


async def test_result_when_the_message_was_deleted(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    result = await alice.slash(channel, "separate", clip=CLIP)
    moderator = env.guild.add_member(
        env.create_user("mod"),
        roles=[env.guild.create_role("mods", permissions=discord.Permissions(manage_messages=True))],
    )
    await moderator.delete(discord_message(result))
    await played.finish(await played.take(), FILES)
    await until(env, lambda: len(channel.history()) == 1)
    (message,) = channel.history()
    assert card_text(message).startswith(f"Here is the result for {alice.mention}.")
    assert len(message.attachments) == 3
    post = next(entry for entry in env.http_requests if (entry.method, entry.path[:9]) == ("POST", "/channels"))
    assert isinstance(post.json, dict)
    assert post.json["nonce"] == (await played.job()).id[:25]
    assert post.json["enforce_nonce"] is True
    assert post.json["allowed_mentions"] == {"parse": []}
    await played.wait_for_confirmation()


async def test_corrections_bring_no_message_back_that_was_deleted(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    result = await alice.slash(channel, "separate", clip=CLIP)
    await played.finish(await played.take(), FILES)
    await until(env, lambda: len(discord_message(result).attachments) == 3)
    moderator = env.guild.add_member(
        env.create_user("mod"),
        roles=[env.guild.create_role("mods", permissions=discord.Permissions(manage_messages=True))],
    )
    await moderator.delete(discord_message(result))
    job = await played.job()
    file = await played.keep("edits-1.json", b"{}")
    assert job.reply_to is not None
    reply = structs.replace(job.reply_to, interaction_token="")
    again = structs.replace(job, id="again", request=replace(job.request, edits=file), reply_to=reply, replaces=True)
    # As another process of the bot submits it.
    await played.queue.submit(again)
    await played.finish(await played.take(), FILES)
    await pass_time_until(env, lambda: bool(edits(env, "/channels/")))
    await played.wait_for_confirmation()
    assert channel.history() == []
    assert alice.user.dm_channel.history() == []


async def test_result_when_the_bot_lost_the_channel(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    await alice.slash(channel, "separate", clip=CLIP)
    env.inject_error("*", "/webhooks/*", status=401, code=50027, times=None)
    env.inject_error("*", f"/channels/{channel.id}/*", status=403, code=50001, times=None)
    await played.finish(await played.take(), FILES)
    await until(env, lambda: bool(alice.user.dm_channel.history()))
    (message,) = alice.user.dm_channel.history()
    assert len(message.attachments) == 3
    await played.wait_for_confirmation()


async def test_files_that_are_too_large_are_named(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    result = await alice.slash(channel, "separate", clip=CLIP)
    env.inject_error("PATCH", "/webhooks/*/messages/[0-9]*", status=413, code=40005, times=1)
    await played.finish(await played.take(), FILES)
    await until(env, lambda: len(discord_message(result).attachments) == 2)
    assert names(discord_message(result)) == ["report.png", "background.flac"]
    assert "Too large to post here: vocals.flac (1 kB)" in card_text(result.response).replace("\\", "")


async def test_trouble_of_discord_is_waited_out(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    result = await alice.slash(channel, "separate", clip=CLIP)
    lease = await played.take()
    env.inject_error("PATCH", "/webhooks/*", status=500, times=2)
    await played.finish(lease, FILES)
    await pass_time_until(env, lambda: len(discord_message(result).attachments) == 3)
    assert len(channel.history()) == 1
    await played.wait_for_confirmation()


async def test_result_while_the_bot_was_away_comes_once(
    env: simcord.Env,
    channel: simcord.ChannelHandle,
    alice: simcord.MemberActor,
    played: PlayedWorker,
    make_client: Callable[[], StemcordClient],
) -> None:
    result = await alice.slash(channel, "separate", clip=CLIP)
    lease = await played.take()
    assert isinstance(env.bot, StemcordClient)
    await env.bot.services.tracker.close()
    await played.finish(lease, FILES)
    await env.restart_bot(make_client())
    await until(env, lambda: len(discord_message(result).attachments) == 3)
    await played.wait_for_confirmation()
    before = len(env.http_requests)
    await env.restart_bot(make_client())
    assert not [entry for entry in env.http_requests[before:] if entry.method in ("PATCH", "POST")]
    assert len(channel.history()) == 1


async def test_many_events_make_few_edits(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    result = await alice.slash(channel, "separate", clip=CLIP)
    lease = await played.take()
    before = len(edits(env, "/webhooks/"))
    for count in range(100):
        await played.report(lease, "separate", count / 100)
    await pass_time_until(env, lambda: "99 % Taking" in card_text(result.response), ticks=3)
    assert len(edits(env, "/webhooks/")) - before <= 3


async def test_failure_is_told_in_private(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    result = await alice.slash(channel, "separate", clip=CLIP)
    await played.fail(await played.take(), DemucsError("The voice could not be taken out.", detail="/secret/path"))
    await until(env, lambda: bool(result.followups))
    (answer,) = result.followups
    assert answer.ephemeral
    assert answer.content.startswith("The voice could not be taken out. Try again")
    assert "secret" not in answer.content
    await until(env, lambda: "was told why" in card_text(result.response))
    assert "taken out" not in card_text(result.response)
    await played.wait_for_confirmation()


async def test_failure_after_the_token_ended_comes_as_a_direct_message(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    await alice.slash(channel, "separate", clip=CLIP)
    lease = await played.take()
    await let_token_end(env)
    await played.fail(lease, ModelMissingError("Weights of demucs are not there."))
    await until(env, lambda: bool(alice.user.dm_channel.history()))
    (message,) = alice.user.dm_channel.history()
    assert message.content.startswith("The models for this are not ready on this bot. Try again later")
    await played.wait_for_confirmation()


async def test_part_that_failed_is_named_in_the_result(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    result = await alice.slash(channel, "remix", clip=CLIP)
    failure = Failure(type="MixError", message="The dub was empty.", hint="", stage="mix")
    await played.finish(await played.take(), FILES, failures=(failure,), notes=("The clip was short.",))
    await until(env, lambda: len(discord_message(result).attachments) == 3)
    assert "Failed: Mixing: The dub was empty." in card_text(result.response)


async def test_job_that_is_gone_is_not_waited_for(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, bot_queue: PatientQueue
) -> None:
    bot_queue.loses_all = True
    result = await alice.slash(channel, "separate", clip=CLIP)
    await pass_time_until(env, lambda: "was told why" in card_text(result.response))
    (answer,) = result.followups
    assert answer.ephemeral
    assert answer.content.startswith("The job was removed before it ended.")


async def test_broker_that_comes_back(
    env: simcord.Env,
    channel: simcord.ChannelHandle,
    alice: simcord.MemberActor,
    played: PlayedWorker,
    broker: Broker,
) -> None:
    result = await alice.slash(channel, "separate", clip=CLIP)
    lease = await played.take()
    broker.stop()
    await env.advance_time(30)
    broker.start()
    await played.finish(lease, FILES)
    await until(env, lambda: len(discord_message(result).attachments) == 3)
