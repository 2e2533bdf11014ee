"""What stands below a result: every button, menu and form, for those who may, and for those who may not."""

import io
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tests.wire import forms, rights
from tests.wire.answers import CHINESE, answers, id_for, is_chinese, private, result_of, shows
from tests.wire.objects import Interaction, Message
from tests.wire.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

ACTIONS = ("rebalance", "fix", "dub", "thread")


async def made_again(stack: Stack, opened: Interaction, **fields: Any) -> Message:
    """The result that a form leads to, in a message of its own."""
    message = await result_of(stack, await stack.fake.submit(opened, **fields))
    assert message is not stack.fake.world.messages[opened.payload["message"]["id"]]
    return message


async def test_rebalance_by_a_preset(stack: Stack, result: Message) -> None:
    opened = await stack.fake.click(id_for(result, "rebalance"), result)
    assert opened.callback is not None
    assert opened.callback["data"]["title"] == "Rebalance"
    message = await made_again(stack, opened, mix=["karaoke"])
    assert "Separated, transcribed and remixed for" in message.text
    assert message.files["final.mp4"].data != result.files["final.mp4"].data
    assert message.files["vocals.flac"].data == result.files["vocals.flac"].data


async def test_rebalance_by_faders(stack: Stack, result: Message) -> None:
    opened = await stack.fake.click(id_for(result, "rebalance"), result)
    assert opened.callback is not None
    assert set(forms.fields_of(opened.callback["data"])) >= {"mix", "voice"}
    fader = "background" if "background" in forms.fields_of(opened.callback["data"]) else "music"
    message = await made_again(stack, opened, voice="-3 dB", **{fader: "0.2"})
    assert message.files["final.mp4"].data != result.files["final.mp4"].data


async def test_a_fader_that_is_no_loudness_is_explained_in_chinese(stack: Stack, result: Message) -> None:
    opened = await stack.fake.click(id_for(result, "rebalance"), result, locale=CHINESE)
    assert opened.callback is not None
    assert opened.callback["data"]["title"] == "调整音量"
    sent = await stack.fake.submit(opened, voice="loud", locale=CHINESE)
    answer = await private(stack, sent)
    assert answer.text.startswith("loud 不是有效的音量")
    assert sent.original is answer


async def test_rename_lets_hear_each_speaker_and_writes_the_names(stack: Stack, result: Message, scene: Path) -> None:
    own = await result_of(stack, await stack.fake.slash("process", clip=scene, language="en"))
    heard = await private(stack, await stack.fake.click(id_for(own, "rename"), own))
    await shows(stack, heard, lambda m: len(m.files) == 3, 10)
    for file in heard.files.values():
        samples, rate = soundfile.read(io.BytesIO(file.data))
        assert 0.2 < len(samples) / rate <= 7.1
        assert abs(samples).max() > 0.01
    opened = await stack.fake.click(id_for(heard, "names"), heard)
    assert opened.callback is not None
    shown = forms.fields_of(opened.callback["data"])
    assert [field["value"] for field in shown.values()] == ["Speaker 1", "Speaker 2", "Speaker 3"]
    assert all(label["description"].startswith("“") for label in opened.callback["data"]["components"])
    names: dict[str, Any] = {"speaker-0": "Ann *", "speaker-1": "@everyone", "speaker-2": "张三"}
    await stack.fake.submit(opened, **names)
    await shows(stack, heard, lambda m: "Renamed" in m.text, 10)
    assert len(heard.files) == 3
    await shows(stack, own, lambda m: "张三" in m.text, 30)
    assert "Ann \\*" in own.text
    assert "@everyone" not in own.text
    assert "张三" in own.files["transcript.txt"].data.decode()
    assert id_for(own, "rename") != id_for(result, "rename")


@pytest.mark.parametrize(("suffix", "begins"), [("srt", "1\n"), ("vtt", "WEBVTT"), ("json", "{"), ("md", "#")])
async def test_the_transcript_in_a_format(stack: Stack, result: Message, suffix: str, begins: str) -> None:
    chosen = await stack.fake.choose(id_for(result, "subtitles"), result, suffix, locale=CHINESE)
    answer = await private(stack, chosen)
    assert answer.text == "文件在这里。"
    assert answer.files[f"transcript.{suffix}"].data.decode().startswith(begins)


async def test_a_menu_that_has_just_gone_from_its_message_still_gives_its_file(
    stack: Stack, result: Message, scene: Path
) -> None:
    other = await result_of(stack, await stack.fake.slash("separate", clip=scene))
    data = {"custom_id": id_for(result, "subtitles"), "component_type": 3, "id": 1, "values": ["srt"]}
    answer = await private(stack, await stack.fake.use(data, other))
    assert answer.files["transcript.srt"].data.decode().startswith("1\n")


async def test_dub_takes_the_file_of_the_form(stack: Stack, result: Message, voice: Path) -> None:
    opened = await stack.fake.click(id_for(result, "dub"), result)
    message = await made_again(stack, opened, dub=[voice])
    assert "Dubbed for" in message.text
    assert message.files["final.mp4"].data != result.files["final.mp4"].data


async def test_thread_gets_the_transcript(stack: Stack, scene: Path) -> None:
    own = await result_of(stack, await stack.fake.slash("transcribe", clip=scene, language="en"))
    told = await private(stack, await stack.fake.click(id_for(own, "thread"), own, locale=CHINESE))
    thread = stack.fake.world.channels[own.id]
    assert told.text == f"文稿已发到 <#{thread['id']}>。"
    assert thread["name"] == "scene.mp4 的文稿"
    posted = [m for m in stack.fake.messages if m.channel_id == thread["id"]]
    assert "storm" in " ".join(m.text for m in posted).lower()
    assert "**Speaker 1**" in posted[0].text
    sent = stack.fake.recorder.requests("POST", f"/channels/{thread['id']}/messages")
    assert all(e.payload["allowed_mentions"] == {"parse": []} for e in sent)
    # An archived thread is no longer known to the bot, and the message cannot have a second one.
    archived = {**thread, "thread_metadata": {**thread["thread_metadata"], "archived": True}}
    await stack.fake.gateway.dispatch("THREAD_UPDATE", archived)
    again = await private(stack, await stack.fake.click(id_for(own, "thread"), own))
    other = again.text.rpartition("<#")[2].partition(">")[0]
    assert other != own.id
    assert [m for m in stack.fake.messages if m.channel_id == other]


async def test_thread_where_the_bot_may_make_none(stack: Stack, result: Message) -> None:
    denied = rights.overwrite(stack.fake.world.application_id, member=True, deny=rights.OPEN_THREADS)
    await stack.fake.change_channel(result.channel_id, overwrites=[denied])
    try:
        pressed = await stack.fake.click(id_for(result, "thread"), result, locale=CHINESE)
        assert (await private(stack, pressed)).text.startswith("机器人不能在这里创建子区")
    finally:
        await stack.fake.change_channel(result.channel_id, overwrites=[])


async def test_in_a_private_chat_the_buttons_work_and_there_are_no_threads(stack: Stack, scene: Path) -> None:
    asked = await stack.fake.slash("transcribe", clip=scene, language="en", private=True)
    own = await result_of(stack, asked)
    assert (
        "transcript.srt" in (await private(stack, await stack.fake.choose(id_for(own, "subtitles"), own, "srt"))).files
    )
    refused = await private(stack, await stack.fake.click(id_for(own, "thread"), own, locale=CHINESE))
    assert refused.text.startswith("机器人不能在这里创建子区")


async def test_in_a_thread_the_transcript_stays_there(stack: Stack, result: Message, scene: Path) -> None:
    told = await private(stack, await stack.fake.click(id_for(result, "thread"), result))
    thread_id = told.text.rpartition("<#")[2].partition(">")[0]
    own = await result_of(stack, await stack.fake.slash("transcribe", clip=scene, language="en", at=thread_id))
    assert own.channel_id == thread_id
    before, channels = len(stack.fake.messages), len(stack.fake.world.channels)
    told = await private(stack, await stack.fake.click(id_for(own, "thread"), own))
    assert f"<#{thread_id}>" in told.text
    assert len(stack.fake.world.channels) == channels
    assert all(m.channel_id == thread_id for m in stack.fake.messages[before:])


@pytest.mark.parametrize("action", ACTIONS)
async def test_strangers_are_told_so_in_their_language(stack: Stack, result: Message, action: str) -> None:
    stranger = await stack.fake.add_person("sven")
    before = len(stack.fake.messages)
    pressed = await stack.fake.click(id_for(result, action), result, by=stranger, locale=CHINESE)
    answer = await private(stack, pressed)
    assert answer.text.startswith("只有提交者本人")
    assert not answer.files
    assert len(stack.fake.messages) == before + 1


async def test_strangers_get_no_transcript_and_open_no_form_of_others(stack: Stack, result: Message) -> None:
    stranger = await stack.fake.add_person("stig")
    menu = await stack.fake.choose(id_for(result, "subtitles"), result, "srt", by=stranger)
    assert (await private(stack, menu)).text.startswith("Only the person who asked")
    opened = await stack.fake.click(id_for(result, "rebalance"), result)
    sent = await stack.fake.submit(opened, by=stranger, mix=["karaoke"], locale=CHINESE)
    assert (await private(stack, sent)).text.startswith("只有提交者本人")


async def test_moderators_may(stack: Stack, result: Message) -> None:
    moderator = await stack.fake.add_person("mika", rights.MANAGE_MESSAGES)
    menu = await stack.fake.choose(id_for(result, "subtitles"), result, "txt", by=moderator)
    assert "transcript.txt" in (await private(stack, menu)).files


async def test_everything_works_after_a_restart(stack: Stack, result: Message, voice: Path) -> None:
    world = stack.fake.world
    opened = await stack.fake.click(id_for(result, "rebalance"), result)
    listed = await private(stack, await stack.fake.slash("jobs"))
    person = await stack.fake.add_person("resa")
    told = await private(stack, await stack.fake.slash("privacy", by=person))
    await stack.kill_bot()
    await stack.start_bot()
    # A form that was open meanwhile.
    assert "final.mp4" in (await made_again(stack, opened, mix=["podcast"])).files
    for action in ("rebalance", "dub"):
        again = await stack.fake.click(id_for(result, action), result, locale=CHINESE)
        assert again.callback is not None
        assert is_chinese(again.callback["data"]["title"])
    assert "final.mp4" in (await made_again(stack, again, dub=[voice])).files
    assert (await private(stack, await stack.fake.click(id_for(result, "rename"), result))).files
    chosen = await stack.fake.choose(id_for(result, "subtitles"), result, "vtt")
    assert (await private(stack, chosen)).files
    thread = await private(stack, await stack.fake.click(id_for(result, "thread"), result))
    assert thread.text.rpartition("<#")[2].partition(">")[0] in world.channels
    once_more = next(key for key in listed.buttons if ":again:" in key)
    assert (await result_of(stack, await stack.fake.click(once_more, listed))).files
    ask = next(key for key in told.buttons if "forget" in key)
    await stack.fake.click(ask, told, by=person)
    (sure,) = told.buttons
    await stack.fake.click(sure, told, by=person)
    await shows(stack, told, lambda m: "There was nothing to delete." in m.text, 5)
    stranger = await stack.fake.add_person("sina")
    pressed = await stack.fake.click(id_for(result, "dub"), result, by=stranger, locale=CHINESE)
    assert (await private(stack, pressed)).text.startswith("只有提交者本人")
    assert len(answers(stack, pressed)) == 1
