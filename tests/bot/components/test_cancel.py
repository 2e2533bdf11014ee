"""The cancel button: who may press it, and what happens then."""

from collections.abc import Callable

import discord
import simcord

from bot.client import StemcordClient
from tests.bot.world import PlayedWorker, card_text, discord_message, has_cancel_button, until

CLIP = ("talk.mp4", b"a clip of some length")


async def test_asker_cancels(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    result = await alice.slash(channel, "separate", clip=CLIP)
    pressed = await alice.click(discord_message(result), label="Cancel")
    assert pressed.acknowledged
    assert pressed.followups == []
    await until(env, lambda: "Cancelled." in card_text(result.response))
    assert not has_cancel_button(result.response)
    (state,) = await played.queue.jobs()
    assert state.status == "stopped"
    await played.wait_for_confirmation()


async def test_stranger_may_not_cancel(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    result = await alice.slash(channel, "separate", clip=CLIP)
    bob = env.guild.add_member(env.create_user("bob"))
    pressed = await bob.click(discord_message(result), label="Cancel")
    (answer,) = pressed.followups
    assert answer.ephemeral
    assert answer.content.startswith("Only the person who asked")
    (state,) = await played.queue.jobs()
    assert state.status == "queued"


async def test_moderator_cancels_after_a_restart(
    env: simcord.Env,
    channel: simcord.ChannelHandle,
    alice: simcord.MemberActor,
    played: PlayedWorker,
    make_client: Callable[[], StemcordClient],
) -> None:
    result = await alice.slash(channel, "separate", clip=CLIP)
    role = env.guild.create_role("mods", permissions=discord.Permissions(manage_messages=True))
    moderator = env.guild.add_member(env.create_user("mod"), roles=[role])
    await env.restart_bot(make_client())
    await moderator.click(discord_message(result), label="Cancel")
    await until(env, lambda: "Cancelled." in card_text(result.response))
    (state,) = await played.queue.jobs()
    assert state.status == "stopped"


async def test_running_job_is_asked_to_stop(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    result = await alice.slash(channel, "separate", clip=CLIP)
    lease = await played.take()
    pressed = await alice.click(discord_message(result), label="Cancel")
    (answer,) = pressed.followups
    assert answer.ephemeral
    assert answer.content == "Stopping. Finished work is kept."
    assert "Cancelled." not in card_text(result.response)
    await played.stop(lease)
    await until(env, lambda: "Cancelled. Finished work is kept" in card_text(result.response))


async def test_button_of_an_ended_job(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    result = await alice.slash(channel, "separate", clip=CLIP)
    assert isinstance(env.bot, StemcordClient)
    await env.bot.services.tracker.close()
    await played.queue.cancel((await played.job()).id)
    pressed = await alice.click(discord_message(result), label="Cancel")
    (answer,) = pressed.followups
    assert answer.ephemeral
    assert answer.content == "This job has already ended."
