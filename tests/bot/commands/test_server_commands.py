"""`/settings` and `/privacy`."""

import discord
import pytest
import simcord

from bot.database.models import GuildSettings
from bot.database.repository import Repository
from bot.exceptions import QuotaError
from bot.jobs.quotas import ExceededQuota
from pipeline.types import Preset
from tests.bot.components.test_result_actions import answer_of, labels
from tests.bot.world import PlayedWorker, card_text

CLIP = ("talk.mp4", b"a clip of some length")


@pytest.fixture
def manager(env: simcord.Env, channel: simcord.ChannelHandle) -> simcord.MemberActor:
    role = env.guild.create_role("managers", permissions=discord.Permissions(manage_guild=True))
    return env.guild.add_member(env.create_user("manager"), roles=[role])


async def test_settings_are_shown_and_changed(
    env: simcord.Env, channel: simcord.ChannelHandle, manager: simcord.MemberActor, repository: Repository
) -> None:
    shown = answer_of(await manager.slash(channel, "settings"))
    assert "May use the bot: everybody" in card_text(shown)
    assert "Preset: default" in card_text(shown)
    assert await repository.guild(str(env.guild.id)) == GuildSettings(guild_id=str(env.guild.id))

    team = env.guild.create_role("team")
    changed = answer_of(
        await manager.slash(
            channel,
            "settings",
            preset="studio",
            language="zh",
            longest_clip=20,
            at_once=1,
            minutes_a_person=90,
            minutes_the_server=600,
            allow_role=team,
            keep_days=30,
        )
    )
    assert changed.content == "Saved."
    assert await repository.guild(str(env.guild.id)) == GuildSettings(
        guild_id=str(env.guild.id),
        preset=Preset.STUDIO,
        language="zh",
        max_duration=1200.0,
        jobs_at_once=1,
        minutes_per_day_person=90,
        minutes_per_day_guild=600,
        roles=(team.id,),
        retention_days=30,
    )
    text = card_text(changed)
    assert "At once, per person: one clip" in text
    assert f"May use the bot: <@&{team.id}>" in text

    await manager.slash(channel, "settings", remove_role=team, language="auto")
    settings = await repository.guild(str(env.guild.id))
    assert (settings.roles, settings.language, settings.preset) == ((), None, Preset.STUDIO)


async def test_server_that_speaks_two_languages_or_one_of_a_later_version(
    env: simcord.Env, channel: simcord.ChannelHandle, manager: simcord.MemberActor, repository: Repository
) -> None:
    shown = answer_of(await manager.slash(channel, "settings", language="zh-en"))
    assert "Spoken language: Chinese and English, mixed" in card_text(shown)
    guild_id = str(env.guild.id)
    assert (await repository.guild(guild_id)).language == "zh-en"
    await repository.save_guild(GuildSettings(guild_id=guild_id, language="tlh"))
    assert "Spoken language: tlh" in card_text(answer_of(await manager.slash(channel, "settings")))


async def test_language_that_is_none_is_refused(
    env: simcord.Env, channel: simcord.ChannelHandle, manager: simcord.MemberActor, repository: Repository
) -> None:
    done = await manager.slash(channel, "settings", language="klingon")
    assert answer_of(done).content.startswith("klingon cannot be used for that option.")
    assert await repository.guild(str(env.guild.id)) == GuildSettings(guild_id=str(env.guild.id))
    assert len(env.errors) == 1


async def test_settings_are_for_managers(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor
) -> None:
    assert "settings" not in alice.available_commands(channel)


async def test_privacy_deletes_only_what_is_mine_and_asks_first(
    env: simcord.Env,
    channel: simcord.ChannelHandle,
    alice: simcord.MemberActor,
    played: PlayedWorker,
    repository: Repository,
) -> None:
    bob = env.guild.add_member(env.create_user("bob"))
    await alice.slash(channel, "separate", clip=CLIP)
    await bob.slash(channel, "separate", clip=CLIP)
    told = answer_of(await alice.slash(channel, "privacy"))
    assert "After 7 days it is deleted." in card_text(told)
    await alice.click(told.message, label="Delete my data")
    assert len(await repository.jobs_of(str(alice.id), None, 9)) == 1
    assert len(await played.queue.jobs()) == 2

    assert labels(told) == ["Yes, delete everything"]
    await alice.click(told.message, label="Yes, delete everything")
    assert told.content == "Deleted: one clip."
    assert await repository.jobs_of(str(alice.id), None, 9) == []
    (state,) = await played.queue.jobs()
    assert state.job.reply_to is not None
    assert state.job.reply_to.user_id == str(bob.id)


async def test_what_a_server_has_set_is_used_where_a_person_chooses_nothing(
    env: simcord.Env,
    channel: simcord.ChannelHandle,
    alice: simcord.MemberActor,
    played: PlayedWorker,
    repository: Repository,
) -> None:
    guild_id = str(env.guild.id)
    await repository.save_guild(GuildSettings(guild_id=guild_id, preset=Preset.STUDIO, language="zh"))
    await alice.slash(channel, "transcribe", clip=CLIP)
    await alice.slash(channel, "transcribe", clip=CLIP, language="de", preset="pocket")
    requests = [state.job.request for state in await played.queue.jobs()]
    assert [(request.preset, request.language) for request in requests] == [
        (Preset.STUDIO, "zh"),
        (Preset.POCKET, "de"),
    ]


async def test_only_people_with_a_role_may_use_the_bot(
    env: simcord.Env,
    channel: simcord.ChannelHandle,
    alice: simcord.MemberActor,
    manager: simcord.MemberActor,
    played: PlayedWorker,
    repository: Repository,
) -> None:
    guild_id = str(env.guild.id)
    team = env.guild.create_role("team")
    await repository.save_guild(GuildSettings(guild_id=guild_id, roles=(team.id,)))
    refused = await alice.slash(channel, "separate", clip=CLIP)
    assert answer_of(refused).content == (f"On this server you need one of these roles to use the bot: <@&{team.id}>")
    assert len(env.errors) == 1
    assert channel.history() == []
    await env.guild.add_member(env.create_user("bob"), roles=[team]).slash(channel, "separate", clip=CLIP)
    await manager.slash(channel, "separate", clip=CLIP)
    assert len(await played.queue.jobs()) == 2


def test_refusal_by_a_limit_tells_what_is_used_and_left() -> None:
    refused = ExceededQuota(kind="person", limit=90, used=80, resets_at=1_800_000_000.0).error()
    assert isinstance(refused, QuotaError)
    assert str(refused) == "You have used 80 of your 90 minutes today; 10 are left."
    assert refused.resets_at == 1_800_000_000.0
    assert str(ExceededQuota(kind="at-once", limit=2, used=2).error()).startswith(
        "You already have 2 of 2 clips in progress. Wait"
    )
