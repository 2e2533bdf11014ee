"""People's commands, from the words typed to the job on the queue and the result in the channel."""

import discord
import pytest
import simcord

from pipeline.types import Preset, RouteName, Task
from tests.bot.world import (
    PlayedWorker,
    acknowledgement,
    card_text,
    discord_message,
    has_cancel_button,
    pass_time_until,
    until,
    walk,
)

CLIP = ("talk.mp4", b"a clip of some length")


async def test_separate_brings_the_stems_to_the_channel(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    result = await alice.slash(channel, "separate", clip=CLIP, route="dialogue")

    assert acknowledgement(env) == {"type": 5}
    assert not result.ephemeral
    assert result.response is not None
    assert "next in the queue" in card_text(result.response)
    assert has_cancel_button(result.response)
    job = await played.job()
    assert job.request.task is Task.SEPARATE
    assert job.request.route is RouteName.DIALOGUE
    assert await played.store.read(job.source, max_bytes=1000) == CLIP[1]
    assert job.reply_to is not None
    assert job.reply_to.user_id == str(alice.id)
    assert job.reply_to.message_id == str(result.response.id)

    lease = await played.take()
    await played.report(lease, "probe", 1.0)
    await played.report(lease, "separate", 0.5)
    await pass_time_until(env, lambda: "50 % Taking the sound apart" in card_text(result.response))
    assert "✓ Reading the clip" in card_text(result.response)

    files = {"stems/vocals.flac": b"v" * 9, "stems/background.flac": b"b" * 7, "report.png": b"p"}
    await played.finish(lease, files)
    await until(env, lambda: len(discord_message(result).attachments) == 3)
    text = card_text(result.response)
    assert alice.mention in text
    assert "1:01 · 2 speakers · English" in text
    assert {a.filename for a in discord_message(result).attachments} == {
        "vocals.flac",
        "background.flac",
        "report.png",
    }
    shown = [
        item["media"]["url"] for each in walk(discord_message(result).components) for item in each.get("items", ())
    ]
    assert [url.rpartition("/")[2] for url in shown] == ["report.png"]
    assert not has_cancel_button(result.response)
    assert len(channel.history()) == 1
    await played.wait_for_confirmation()


async def test_transcribe_shows_who_said_what(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    result = await alice.slash(channel, "transcribe", clip=CLIP, language="en", speakers=2, track=3, preset="studio")
    job = await played.job()
    assert (job.request.language, job.request.speakers, job.request.preset) == ("en", 2, Preset.STUDIO)
    assert job.request.track == 3

    transcript = (
        b'{"language":"en","duration":61.4,"speakers":[{"id":"A","name":"Speaker 1"}],"turns":[{"start":3.2,"end":5.0,'
        b'"speaker":"A","text":"Look at [this](https://evil.example) @everyone **now**","overlap":false,"words":[]}]}'
    )
    await played.finish(await played.take(), {"transcript.json": transcript, "transcript.txt": b"text"})
    await until(env, lambda: len(discord_message(result).attachments) == 2)
    text = card_text(result.response)
    assert "0:03 **Speaker 1** Look at" in text
    assert "](https://" not in text
    assert "@everyone" not in text
    assert "**now**" not in text
    assert "2 speakers · English" in text


async def test_remix_takes_the_gains(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    result = await alice.slash(channel, "remix", clip=CLIP, voice=0.0, background=1.5)
    job = await played.job()
    assert (job.request.task, job.request.voice, job.request.background) == (Task.REMIX, 0.0, 1.5)

    await played.finish(await played.take(), {"final.m4a": b"m", "final.mp4": b"v"})
    await until(env, lambda: len(discord_message(result).attachments) == 2)
    assert "-20.0 → -16.2 LUFS" in card_text(result.response)


async def test_languages_are_offered_as_one_types(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor
) -> None:
    offered = await alice.autocomplete(channel, "transcribe", "language", "germ")
    assert offered == [{"name": "German (de)", "value": "de"}]
    at_first = await alice.autocomplete(channel, "transcribe", "language", "")
    assert at_first[0]["value"] == "en"
    assert len(at_first) <= 25


@pytest.mark.parametrize(
    ("menu", "task"),
    [
        ("Separate this", Task.SEPARATE),
        ("Transcribe this", Task.TRANSCRIBE),
        ("Remix this", Task.REMIX),
    ],
)
async def test_menu_takes_the_first_clip_of_a_message(
    env: simcord.Env,
    channel: simcord.ChannelHandle,
    alice: simcord.MemberActor,
    played: PlayedWorker,
    menu: str,
    task: Task,
) -> None:
    message = await alice.send(channel, "look", attachments=[("photo.png", b"png"), ("talk.ogg", b"ogg")])
    bob = env.guild.add_member(env.create_user("bob"))
    result = await bob.context_menu(channel, menu, message)
    assert not result.ephemeral
    job = await played.job()
    assert (job.source.name, job.request.task) == ("talk.ogg", task)


async def test_menu_takes_a_forwarded_clip(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    message = await alice.send(channel, "look", attachments=[CLIP])
    forwarded = await alice.forward(message, channel)
    await alice.context_menu(channel, "Separate this", forwarded)
    assert (await played.job()).source.name == "talk.mp4"


async def test_menu_on_a_message_without_a_clip_answers_in_private(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    message = await alice.send(channel, "no clip", attachments=[("photo.png", b"png")])
    result = await alice.context_menu(channel, "Separate this", message)
    assert result.ephemeral
    assert result.response is not None
    assert result.response.content.startswith("This message has no video or sound file.")
    assert await played.queue.jobs() == []
    assert len(env.errors) == 1


async def test_bot_asks_for_no_message_content(env: simcord.Env) -> None:
    assert env.bot.intents == discord.Intents(guilds=True, guild_messages=True, dm_messages=True)
    mentions = env.bot.allowed_mentions
    assert mentions is not None
    assert mentions.to_dict() == discord.AllowedMentions.none().to_dict()
