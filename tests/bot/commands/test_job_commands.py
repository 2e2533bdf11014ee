"""`/process`, `/dub`, `/jobs`, `/share`, `/help`, and the languages in which commands are offered."""

from typing import Any

import discord
import pytest
import simcord

from pipeline.errors import MediaError
from pipeline.mix.presets import LoudnessTarget, MixPreset
from pipeline.types import Task
from tests.bot.components.test_result_actions import Place, answer_of, labels, menu_of
from tests.bot.world import PlayedWorker, card_text, discord_message, until

CLIP = ("talk.mp4", b"a clip of some length")


@pytest.fixture
def place(env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker) -> Place:
    return Place(env, channel, alice, played)


async def test_process_does_it_all(place: Place) -> None:
    await place.alice.slash(place.channel, "process", clip=CLIP, mix="cinema", language="zh", speakers=3)
    request = (await place.played.job()).request
    assert (request.task, request.mix, request.language, request.speakers) == (Task.ALL, MixPreset.CINEMA, "zh", 3)


@pytest.mark.parametrize("typed", ["", "zh", "en", "mixed", "zh-en"])
async def test_mixed_chinese_and_english_is_offered_and_taken(place: Place, typed: str) -> None:
    offered = await place.alice.autocomplete(place.channel, "transcribe", "language", typed)
    assert {"name": "Chinese and English, mixed (zh-en)", "value": "zh-en"} in offered
    if typed == "zh-en":
        await place.alice.slash(place.channel, "transcribe", clip=CLIP, language=offered[0]["value"])
        assert (await place.played.job()).request.language == "zh-en"


async def test_remix_takes_presets_targets_and_faders(place: Place) -> None:
    await place.alice.slash(
        place.channel, "remix", clip=CLIP, mix="karaoke", loudness="streaming", music=0.5, effects=0.0, ambience=2.0
    )
    request = (await place.played.job()).request
    assert (request.mix, request.loudness, request.voice) == (MixPreset.KARAOKE, LoudnessTarget.STREAMING, 0.0)
    assert (request.music, request.sfx, request.ambient) == (0.5, 0.0, 2.0)


async def test_dub_brings_both_files(place: Place) -> None:
    result = await place.alice.slash(place.channel, "dub", clip=CLIP, dub=("voice.zip", b"pieces"))
    job = await place.played.job()
    assert job.dub is not None
    assert (job.dub.name, job.request.task) == ("voice.zip", Task.REMIX)
    assert await place.played.store.read(job.dub, max_bytes=100) == b"pieces"
    await place.played.finish(await place.played.take(), {"final.m4a": b"m"})
    await until(place.env, lambda: bool(discord_message(result).attachments))
    assert f"Dubbed for {place.alice.mention}" in card_text(result.response)


@pytest.mark.parametrize(("name", "data"), [("voice.wav", b""), ("voice.zip", b"")])
async def test_dub_that_cannot_be_used_is_refused_before_anything_is_public(
    place: Place, name: str, data: bytes
) -> None:
    result = await place.alice.slash(place.channel, "dub", clip=CLIP, dub=(name, data))
    assert answer_of(result).content.startswith(name)
    assert place.channel.history() == []
    assert len(place.env.errors) == 1


async def test_jobs_lists_mine_with_a_button_each(place: Place) -> None:
    await place.alice.slash(place.channel, "separate", clip=("first_[x](https://evil.example).mp4", b"1"))
    await place.alice.slash(place.channel, "separate", clip=("second.mp4", b"2"))
    bob = place.env.guild.add_member(place.env.create_user("bob"))
    await bob.slash(place.channel, "separate", clip=("third.mp4", b"3"))

    listed = answer_of(await place.alice.slash(place.channel, "jobs"))
    text = card_text(listed)
    assert "second.mp4" in text
    assert "waiting, one clip is ahead" in text
    assert "next in the queue" in text
    assert "third.mp4" not in text
    assert "](https://evil" not in text
    assert labels(listed)[0] == "Cancel second.mp4"

    await place.alice.click(listed.message, label="Cancel second.mp4")
    listed = answer_of(await place.alice.slash(place.channel, "jobs"))
    assert labels(listed)[0] == "Again: second.mp4"
    await place.alice.click(listed.message, label="Again: second.mp4")
    states = await place.played.queue.jobs()
    assert [(state.job.source.name, state.status) for state in states][1::2] == [
        ("second.mp4", "stopped"),
        ("second.mp4", "queued"),
    ]


async def test_jobs_of_somebody_without_any(place: Place) -> None:
    assert answer_of(await place.alice.slash(place.channel, "jobs")).content.startswith("You have no clips here yet.")


async def test_share_posts_a_result_elsewhere(place: Place) -> None:
    await place.bring()
    job = await place.newest()
    other = place.env.guild.create_text_channel("other")
    offered = await place.alice.autocomplete(place.channel, "share", "result", "tal")
    assert offered == [{"name": "talk.mp4", "value": job.id}]
    done = await place.alice.slash(place.channel, "share", result=job.id, to=other)
    assert answer_of(done).content == f"Posted in {other.mention}."
    (message,) = other.history()
    assert card_text(message).startswith(f"{place.alice.mention} shares this result.")
    assert {file.filename for file in message.attachments} == {"transcript.srt", "vocals.flac", "report.png"}


async def test_share_while_discord_is_troubled_says_that_it_may_work_later(place: Place) -> None:
    await place.bring()
    other = place.env.guild.create_text_channel("other")
    place.env.inject_error("POST", f"/channels/{other.id}/messages", status=503, times=None)
    done = await place.alice.slash(place.channel, "share", result=(await place.newest()).id, to=other)
    assert answer_of(done).content.startswith(f"The result could not be posted in {other.mention}. Try again later")
    assert len(place.env.errors) == 1


async def test_share_of_something_typed(place: Place) -> None:
    done = await place.alice.slash(place.channel, "share", result="talk:mp4", to=place.channel)
    assert answer_of(done).content.startswith("This result is no longer kept.")
    assert len(place.env.errors) == 1


async def test_share_of_another_persons_result(place: Place) -> None:
    await place.bring()
    bob = place.env.guild.add_member(place.env.create_user("bob"))
    job = await place.newest()
    done = await bob.slash(place.channel, "share", result=job.id, to=place.channel)
    assert answer_of(done).content.startswith("This result is no longer kept.")
    assert len(place.channel.history()) == 1
    assert len(place.env.errors) == 1


@pytest.mark.parametrize("who", ["person", "bot"])
async def test_share_where_one_may_not_post(place: Place, who: str) -> None:
    await place.bring()
    target: Any = place.alice if who == "person" else place.env.bot.user
    silent = discord.PermissionOverwrite(send_messages=False)
    quiet = place.env.guild.create_text_channel("quiet", overwrites={target: silent})
    done = await place.alice.slash(place.channel, "share", result=(await place.newest()).id, to=quiet)
    subject = "You" if who == "person" else "The bot"
    assert answer_of(done).content.startswith(f"{subject} may not post in {quiet.mention}.")
    assert quiet.history() == []
    assert len(place.env.errors) == 1


async def test_moderator_who_cannot_see_the_first_channel_is_refused(place: Place) -> None:
    role = place.env.guild.create_role("mods", permissions=discord.Permissions(manage_messages=True))
    moderator = place.env.guild.add_member(place.env.create_user("mod"), roles=[role])
    hidden = discord.PermissionOverwrite(view_channel=False)
    public = place.channel
    place.channel = place.env.guild.create_text_channel("secret", overwrites={moderator: hidden})
    await place.bring()
    await place.alice.slash(place.channel, "share", result=(await place.newest()).id, to=public)
    (shared,) = public.history()
    pressed = await moderator.click(shared, label="Thread")
    assert answer_of(pressed).content == "You cannot see the channel of this result."


async def test_moderator_who_is_not_in_the_private_thread_is_refused(place: Place) -> None:
    role = place.env.guild.create_role("mods", permissions=discord.Permissions(manage_messages=True))
    moderator = place.env.guild.add_member(place.env.create_user("mod"), roles=[role])
    public = place.channel
    private = discord.ChannelType.private_thread.value
    place.env.backend.create_thread(public.id, "closed", place.alice.id, type=private)
    (place.channel,) = public.threads
    await place.bring()
    await place.alice.slash(place.channel, "share", result=(await place.newest()).id, to=public)
    shared = public.history()[-1]
    pressed = await moderator.click(shared, label="Thread")
    assert answer_of(pressed).content == "You cannot see the channel of this result."
    assert (
        answer_of(await place.alice.select(shared, ["srt"], custom_id=menu_of(shared, "subtitles"))).attachments != []
    )


async def test_help_names_every_command(place: Place) -> None:
    text = card_text(answer_of(await place.alice.slash(place.channel, "help")))
    for name in place.alice.available_commands(place.channel):
        # Discord itself lists the subcommands.
        assert name == "help" or f"/{name.split()[0]}" in text
    assert "Open page" not in text
    for named in ("zh-en", "podcast", "Rebalance", "Rename speakers", "Thread", "Dub", "subtitles"):
        assert named in text


@pytest.mark.usefixtures("chinese")
async def test_help_in_chinese_names_commands_as_they_are_typed_there(place: Place) -> None:
    text = card_text(answer_of(await place.alice.slash(place.channel, "help")))
    assert "/转写" in text
    assert "中英文混合 (zh-en)" in text
    assert "播客" in text
    none = answer_of(await place.alice.slash(place.channel, "jobs"))
    assert "/全部处理" in none.content


async def test_commands_are_offered_in_chinese(env: simcord.Env) -> None:
    sent = next(entry.json for entry in env.http_requests if entry.method == "PUT" and entry.path.endswith("/commands"))
    assert sent is not None
    by_name: dict[str, Any] = {command["name"]: command for command in sent}
    assert by_name["remix"]["name_localizations"]["zh-CN"] == "混音"
    assert by_name["Separate this"]["name_localizations"]["zh-CN"] == "分离声音"
    options = {option["name"]: option for option in by_name["remix"]["options"]}
    assert options["clip"]["description_localizations"]["zh-CN"] == "视频或音频文件。"
    assert options["preset"]["choices"][0]["name_localizations"]["zh-CN"].startswith("轻便")
    assert "de" not in by_name["remix"]["name_localizations"]


@pytest.fixture
def chinese(env: simcord.Env) -> None:
    """From now on Discord says that people's language is Chinese."""
    parsers = env.bot._connection.parsers
    parse = parsers["INTERACTION_CREATE"]

    def parse_in_chinese(data: Any) -> None:
        parse({**data, "locale": "zh-CN"})

    parsers["INTERACTION_CREATE"] = parse_in_chinese


@pytest.mark.usefixtures("chinese")
async def test_everything_about_a_job_is_said_in_the_askers_language(place: Place) -> None:
    await place.bring()
    assert place.result.response is not None
    text = card_text(place.result.response)
    assert f"已为 {place.alice.mention} 分离、转写并重新混音" in text
    assert "2 位说话人 · 英语" in text
    assert labels(place.result.response)[:2] == ["调整音量", "修改说话人名字"]
    bob = place.env.guild.add_member(place.env.create_user("bob"))
    assert answer_of(await place.press("发到子区", bob)).content.startswith("只有提交者本人")
    refused = await place.alice.slash(place.channel, "separate", clip=("talk.mp4", b""))
    assert answer_of(refused).content.startswith("talk.mp4 是空文件。")
    assert len(place.env.errors) == 1


@pytest.mark.usefixtures("chinese")
async def test_error_of_the_pipeline_is_told_by_its_kind(place: Place) -> None:
    result = await place.alice.slash(place.channel, "separate", clip=CLIP)
    await place.played.fail(await place.played.take(), MediaError("The file has no sound track."))
    await until(place.env, lambda: bool(result.followups))
    assert result.followups[0].content == (
        "这个文件不能作为片段处理。（The file has no sound track.） 请检查文件和选项后再试。"  # noqa: RUF001
    )
