"""Each command as people use it, in their language, on the whole system."""

from pathlib import Path

import pytest

from tests.wire import rights
from tests.wire.answers import CHINESE, answers, id_for, is_chinese, private, result_of, shows
from tests.wire.objects import Message
from tests.wire.shapes import Json
from tests.wire.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

SLASH = {
    "separate": "分离",
    "transcribe": "转写",
    "remix": "混音",
    "dub": "配音",
    "process": "全部处理",
    "jobs": "任务",
    "share": "分享",
    "upload": "上传",
    "clip": "剪辑",
    "find": "查找",
    "glossary": "术语表",
    "voice": "声音",
    "settings": "设置",
    "privacy": "隐私",
    "help": "帮助",
}
MENUS = {
    "Separate this": ("分离声音", "已为"),
    "Transcribe this": ("转写对话", "已为"),
    "Remix this": ("重新混音", "已为"),
    "Process this": ("全部处理", "已为"),
}


def link_of(message: Message, place: str) -> str:
    return f"https://discord.com/channels/{place}/{message.channel_id}/{message.id}"


async def test_every_command_is_known_in_both_languages(stack: Stack) -> None:
    registered = {c["name"]: c for c in stack.fake.world.all_commands() if c["type"] == 1}
    assert set(registered) == set(SLASH)
    for name, chinese in SLASH.items():
        command = registered[name]
        assert command["name_localizations"][CHINESE] == chinese
        assert is_chinese(command["description_localizations"][CHINESE])
        for option in command.get("options") or []:
            assert is_chinese(option["name_localizations"][CHINESE])
            assert is_chinese(option["description_localizations"][CHINESE])
            assert all(is_chinese(c["name_localizations"][CHINESE]) for c in option.get("choices", []))
    assert registered["settings"]["default_member_permissions"] == str(rights.MANAGE_GUILD)


async def test_process_makes_it_all(stack: Stack, result: Message) -> None:
    assert "Separated, transcribed and remixed for" in result.text
    assert {"report.png", "final.mp4", "transcript.txt", "transcript.srt", "vocals.flac", "background.flac"} <= set(
        result.files
    )
    assert len(result.files) <= 10
    assert "3 speakers" in result.text
    for action in ("rebalance", "rename", "dub", "thread", "subtitles"):
        assert id_for(result, action)


async def test_process_answers_in_chinese(stack: Stack, scene: Path) -> None:
    message = await result_of(stack, await stack.fake.slash("process", clip=scene, language="en", locale=CHINESE))
    assert "已为" in message.text
    assert "3 位说话人" in message.text
    assert "调整音量" in message.text
    shown = " ".join(edit.before for edit in message.edits)
    assert "正在下载片段" in shown
    assert "Downloading" not in shown


async def test_dub_puts_another_voice_in_place(stack: Stack, scene: Path, voice: Path, result: Message) -> None:
    message = await result_of(stack, await stack.fake.slash("dub", clip=scene, dub=voice, background=0.5))
    assert "Dubbed for" in message.text
    assert message.files["final.mp4"].data[4:8] == b"ftyp"
    assert message.files["final.mp4"].data != result.files["final.mp4"].data


@pytest.mark.parametrize("name", MENUS)
async def test_message_menus_answer_in_the_language_of_the_person(stack: Stack, scene: Path, name: str) -> None:
    title, made = MENUS[name]
    assert stack.fake.command(name, 3)["name_localizations"][CHINESE] == title
    posted = await stack.fake.post("来听听", files=[scene])
    message = await result_of(stack, await stack.fake.context_menu(name, posted, locale=CHINESE))
    assert made in message.text


async def test_languages_are_offered_in_chinese(stack: Stack) -> None:
    choices = await stack.fake.autocomplete("process", "language", "德", locale=CHINESE)
    assert choices[0]["value"] == "de"
    assert all("德" in choice["name"] for choice in choices)


async def test_languages_of_the_settings_have_a_way_back(stack: Stack) -> None:
    choices = await stack.fake.autocomplete("settings", "language", "")
    assert choices[0]["value"] == "auto"
    assert len(choices) <= 25
    assert [c["value"] for c in await stack.fake.autocomplete("settings", "language", "detected")] == ["auto"]


@pytest.mark.parametrize(("locale", "said"), [("en-US", "What this bot can do"), (CHINESE, "这个机器人能做什么")])
async def test_help_is_private_and_in_the_language_of_the_person(stack: Stack, locale: str, said: str) -> None:
    answer = await private(stack, await stack.fake.slash("help", locale=locale))
    assert said in answer.text
    names = SLASH if locale == "en-US" else SLASH.values()
    assert all(f"/{name}" in answer.text for name in names if name not in ("help", "帮助"))


async def test_a_newcomer_has_no_jobs(stack: Stack) -> None:
    newcomer = await stack.fake.add_person("nora")
    assert "You have no clips here yet" in (await private(stack, await stack.fake.slash("jobs", by=newcomer))).text
    told = await private(stack, await stack.fake.slash("jobs", by=newcomer, locale=CHINESE))
    assert "你在这里还没有片段" in told.text


async def test_jobs_show_the_queue_and_cancel_and_run_again(stack: Stack, scene: Path) -> None:
    person = await stack.fake.add_person("quinn")
    worker = stack.workers["media"]
    worker.pause()
    try:
        first = await stack.fake.slash("separate", clip=scene, by=person)
        await shows(stack, first.original, lambda m: bool(m.buttons), 10)
        second = await stack.fake.slash("remix", clip=scene, by=person)
        await shows(stack, second.original, lambda m: "one clip is ahead" in m.text, 10)
        listed = await private(stack, await stack.fake.slash("jobs", by=person))
        assert "next in the queue" in listed.text
        assert "waiting, one clip is ahead" in listed.text
        assert second.original is not None
        assert link_of(second.original, stack.fake.world.guild_id) in listed.text
        cancel = id_for(second.original, "cancel")
        await stack.fake.click(cancel, listed, by=person)
        await shows(stack, second.original, lambda m: "Cancelled." in m.text, 2)
    finally:
        worker.resume()
    await result_of(stack, first)
    listed = await private(stack, await stack.fake.slash("jobs", by=person, locale=CHINESE))
    assert "已完成" in listed.text
    assert "已取消" in listed.text
    again = next(key for key in listed.buttons if cancel.rpartition(":")[2] in key)
    assert "final.mp4" in (await result_of(stack, await stack.fake.click(again, listed, by=person))).files


async def test_a_result_is_shared_with_another_channel_and_a_thread(stack: Stack, scene: Path) -> None:
    # Only the latest results are offered, and the one that other tests look at may be an old one by now.
    result = await result_of(stack, await stack.fake.slash("process", clip=scene, language="en"))
    place = await stack.fake.make_channel("screening")
    offered = await stack.fake.autocomplete("share", "result", "SCENE")
    job_id = id_for(result, "dub").rpartition(":")[2]
    assert job_id in [choice["value"] for choice in offered]
    told = await private(stack, await stack.fake.slash("share", result=job_id, to=place))
    assert f"Posted in <#{place['id']}>." in told.text
    (posted,) = [m for m in stack.fake.messages if m.channel_id == place["id"]]
    assert set(posted.files) == set(result.files)
    assert f"<@{stack.fake.world.person['id']}> shares this result." in posted.text
    sent = stack.fake.recorder.requests("POST", f"/channels/{place['id']}/messages")[-1]
    assert sent.payload["allowed_mentions"] == {"parse": []}

    made = await private(stack, await stack.fake.click(id_for(result, "thread"), result))
    thread = stack.fake.world.channels[made.text.rpartition("<#")[2].partition(">")[0]]
    told = await private(stack, await stack.fake.slash("share", result=job_id, to=thread, locale=CHINESE))
    assert f"已发到 <#{thread['id']}>" in told.text
    assert [m for m in stack.fake.messages if m.channel_id == thread["id"] and m.files]


async def test_a_shared_result_keeps_to_the_rights_of_its_own_channel(stack: Stack, result: Message) -> None:
    moderator = await stack.fake.add_person("mona", rights.MANAGE_MESSAGES)
    hidden = rights.overwrite(moderator["id"], member=True, deny=rights.VIEW)
    channel = stack.fake.world.channels[result.channel_id]
    place = await stack.fake.make_channel("premiere")
    job_id = id_for(result, "dub").rpartition(":")[2]
    await private(stack, await stack.fake.slash("share", result=job_id, to=place))
    (posted,) = [m for m in stack.fake.messages if m.channel_id == place["id"]]
    opened = await stack.fake.choose(id_for(posted, "subtitles"), posted, "srt", by=moderator)
    assert (await private(stack, opened)).files
    await stack.fake.change_channel(channel["id"], overwrites=[hidden])
    try:
        refused = await stack.fake.choose(id_for(posted, "subtitles"), posted, "srt", by=moderator, locale=CHINESE)
        answer = await private(stack, refused)
        assert "你看不到这个结果所在的频道" in answer.text
        assert not answer.files
    finally:
        await stack.fake.change_channel(channel["id"], overwrites=[])


async def test_sharing_needs_the_right_to_post_there(stack: Stack, result: Message) -> None:
    world, job_id = stack.fake.world, id_for(result, "dub").rpartition(":")[2]
    mute = rights.overwrite(world.application_id, member=True, deny=rights.SEND)
    silent = await stack.fake.make_channel("no-bots", overwrites=[mute])
    refused = await stack.fake.slash("share", result=job_id, to=silent, locale=CHINESE)
    assert f"机器人不能在 <#{silent['id']}> 发消息" in (await private(stack, refused)).text

    reader = await stack.fake.add_person("rita")
    notices = await stack.fake.make_channel(
        "notices", overwrites=[rights.overwrite(reader["id"], member=True, deny=rights.SEND)]
    )
    asked = await stack.fake.slash("share", result=job_id, to=notices, by=reader, locale=CHINESE)
    assert "这个结果已不再保存" in (await private(stack, asked)).text
    own = await result_of(stack, await stack.fake.context_menu("Separate this", await _clip(stack, result), by=reader))
    own_id = id_for(own, "dub").rpartition(":")[2]
    refused = await stack.fake.slash("share", result=own_id, to=notices, by=reader)
    assert f"You may not post in <#{notices['id']}>." in (await private(stack, refused)).text
    assert not [m for m in stack.fake.messages if m.channel_id in (silent["id"], notices["id"])]


async def _clip(stack: Stack, result: Message) -> Message:
    """The clip of a result, posted by somebody."""
    source = next(a for a in stack.fake.world.attachments.values() if a.filename == "scene.mp4")
    message = await stack.fake.post("again")
    message.attachments = [source]
    assert result.files
    return message


async def test_privacy_tells_what_is_kept_and_deletes_it(stack: Stack, scene: Path) -> None:
    leaver: Json = await stack.fake.add_person("lena")
    own = await result_of(stack, await stack.fake.slash("separate", clip=scene, by=leaver))
    told = await private(stack, await stack.fake.slash("privacy", by=leaver, locale=CHINESE))
    assert "机器人保存了你的哪些信息" in told.text
    assert "7 天后自动删除" in told.text
    await stack.fake.click("stemcord:forget", told, by=leaver, locale=CHINESE)
    assert "此操作无法撤销" in told.text
    (sure,) = told.buttons
    assert "separate" not in told.text
    await stack.fake.click(sure, told, by=leaver, locale=CHINESE)
    await shows(stack, told, lambda m: "已删除 1 个片段" in m.text, 5)
    assert not told.buttons
    pressed = await stack.fake.click(id_for(own, "dub"), own, by=leaver)
    assert "no longer kept" in (await private(stack, pressed)).text
    assert "no clips here yet" in (await private(stack, await stack.fake.slash("jobs", by=leaver))).text
    assert not [m for m in answers(stack, pressed) if m.files]
