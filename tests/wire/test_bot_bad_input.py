"""What Discord's own client would not send: an old one, a forged one, too few or too many files."""

from pathlib import Path
from typing import Any

import pytest

from tests.wire import rights
from tests.wire.acts import COMMAND, COMPONENT, SUBMIT
from tests.wire.answers import CHINESE, id_for, in_chinese, private
from tests.wire.objects import Interaction, Message
from tests.wire.shapes import Json
from tests.wire.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

SECRET = "grandmas-birthday"
"""In the names of files and in what people write; never in the log."""


def said_since(stack: Stack, start: int) -> str:
    """What the bot logged since then."""
    assert stack.bot is not None
    return stack.bot.output[start:]


async def refused(stack: Stack, kind: int, data: Json, message: Message | None = None, locale: str = CHINESE) -> str:
    """The private answer to something that no client of today sends; the log says nothing personal about it."""
    assert stack.bot is not None
    start, before = len(stack.bot.output), len(stack.fake.messages)
    payload: Json = {"data": data, "locale": locale}
    if message is not None:
        payload["message"] = message.to_json()
    trigger = None
    if kind == SUBMIT and message is not None:
        trigger = await stack.fake.click(id_for(message, "rebalance"), message)
    interaction = await stack.fake.act(kind, payload, trigger=trigger)
    answer = await private(stack, interaction)
    assert len(stack.fake.messages) == before + 1, stack.fake.summary()
    log = said_since(stack, start)
    assert '"refused"' in log
    assert interaction.id not in answer.text
    for personal in (SECRET, "alex", stack.fake.world.person["id"], "scene.mp4", interaction.token):
        assert personal not in log
    assert "Traceback" not in log
    return answer.text


def command_data(stack: Stack, name: str, *options: Json, files: tuple[Any, ...] = ()) -> Json:
    data: Json = {"id": stack.fake.command(name)["id"], "name": name, "type": 1, "options": list(options)}
    return {**data, "resolved": {"attachments": {a.id: a.to_json() for a in files}}} if files else data


@pytest.fixture
def clip(scene: Path, tmp_path: Path) -> Path:
    path = tmp_path / f"{SECRET}.mp4"
    path.write_bytes(scene.read_bytes())
    return path


async def test_no_attachment(stack: Stack) -> None:
    assert (await refused(stack, COMMAND, command_data(stack, "separate"))).startswith("这个命令已经更改")


async def test_an_attachment_that_is_not_there(stack: Stack) -> None:
    option = {"name": "clip", "type": 11, "value": "123456789012345678"}
    assert (await refused(stack, COMMAND, command_data(stack, "separate", option))).startswith("这个命令已经更改")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("route", f"{SECRET}-route", "route"), ("preset", SECRET, "preset"), ("language", SECRET, "language")],
)
async def test_a_choice_that_is_no_longer_there(stack: Stack, clip: Path, name: str, value: str, said: str) -> None:
    file = stack.fake.upload(clip)
    options = ({"name": "clip", "type": 11, "value": file.id}, {"name": name, "type": 3, "value": value})
    command = "transcribe" if name == "language" else "separate"
    text = await refused(stack, COMMAND, command_data(stack, command, *options, files=(file,)))
    assert said in text
    assert text.startswith("文件或某个选项无法使用")


@pytest.mark.parametrize(
    ("name", "kind", "value"), [("speakers", 4, 9999), ("speakers", 3, SECRET), ("speakers", 4, -1)]
)
async def test_a_number_out_of_bounds(stack: Stack, clip: Path, name: str, kind: int, value: Any) -> None:
    file = stack.fake.upload(clip)
    options = ({"name": "clip", "type": 11, "value": file.id}, {"name": name, "type": kind, "value": value})
    command = "remix" if name == "voice" else "transcribe"
    text = await refused(stack, COMMAND, command_data(stack, command, *options, files=(file,)))
    assert text.startswith("文件或某个选项无法使用")
    assert name in text


async def test_a_command_that_is_gone(stack: Stack) -> None:
    data: Json = {"id": "123456789012345678", "name": "karaoke", "type": 1, "options": []}
    assert (await refused(stack, COMMAND, data)).startswith("这个命令已经更改")


async def test_a_message_with_eleven_files(stack: Stack, clip: Path) -> None:
    message = await stack.fake.post(SECRET, files=[clip] * 11)
    data: Json = {
        "id": stack.fake.command("Separate this", 3)["id"],
        "name": "Separate this",
        "type": 3,
        "target_id": message.id,
        "resolved": {"messages": {message.id: message.to_json()}},
    }
    assert (await refused(stack, COMMAND, data)).startswith("这条消息有 11 个文件")


@pytest.mark.parametrize("count", [0, 11])
async def test_a_dub_form_with_a_wrong_number_of_files(stack: Stack, result: Message, clip: Path, count: int) -> None:
    files = [stack.fake.upload(clip) for _ in range(count)]
    field: Json = {"type": 19, "id": 2, "custom_id": "dub", "values": [file.id for file in files]}
    data: Json = {
        "custom_id": id_for(result, "dub"),
        "components": [{"type": 18, "id": 1, "component": field}],
        "resolved": {"attachments": {file.id: file.to_json() for file in files}},
    }
    text = await refused(stack, SUBMIT, data, result)
    assert text.startswith(in_chinese("not-one-file", count=count))


FORGED = (
    SECRET,
    "stemcord:",
    f"stemcord:{SECRET}:{'0' * 32}",
    "stemcord:rebalance:../../etc/passwd",
    f"stemcord:steal:{'a' * 32}",
    f"stemcord:rebalance:{'a' * 32}:77",
)


@pytest.mark.parametrize("custom_id", FORGED)
async def test_a_forged_button_and_a_forged_form(stack: Stack, result: Message, custom_id: str) -> None:
    data: Json = {"custom_id": custom_id, "component_type": 2, "id": 1}
    assert (await refused(stack, COMPONENT, data, result)).startswith("这个按钮已经失效")
    form: Json = {"custom_id": custom_id, "components": []}
    assert (await refused(stack, SUBMIT, form, result)).startswith("这个按钮已经失效")


@pytest.mark.parametrize("action", ["rebalance", "rename", "names", "dub", "thread", "page", "again"])
async def test_a_button_of_a_job_that_nobody_knows(stack: Stack, result: Message, action: str) -> None:
    data: Json = {"custom_id": f"stemcord:{action}:{'a' * 32}", "component_type": 2, "id": 1}
    assert (await refused(stack, COMPONENT, data, result)).startswith("这个结果已不再保存")


async def test_a_cancel_button_of_a_job_that_nobody_knows(stack: Stack, result: Message) -> None:
    data: Json = {"custom_id": f"stemcord:cancel:{'a' * 32}", "component_type": 2, "id": 1}
    assert (await refused(stack, COMPONENT, data, result)).startswith("这个任务已经结束")


@pytest.mark.parametrize("values", [[], [f"../../{SECRET}"], ["srt", "vtt"], ["exe"]])
async def test_a_format_that_is_none(stack: Stack, result: Message, values: list[str]) -> None:
    data: Json = {"custom_id": id_for(result, "subtitles"), "component_type": 3, "id": 1, "values": values}
    assert (await refused(stack, COMPONENT, data, result)).startswith("这个结果缺少此操作所需的内容")


async def test_a_fader_and_a_preset_of_a_forged_form(stack: Stack, result: Message) -> None:
    fields = [
        {"type": 18, "id": 1, "component": {"type": 3, "id": 2, "custom_id": "mix", "values": [SECRET]}},
        {"type": 18, "id": 3, "component": {"type": 4, "id": 4, "custom_id": "task", "value": "separate"}},
    ]
    data: Json = {"custom_id": id_for(result, "rebalance"), "components": fields}
    assert SECRET in (await refused(stack, SUBMIT, data, result))


async def test_a_server_command_in_a_private_place(stack: Stack) -> None:
    interaction: Interaction = await stack.fake.slash("settings", private=True, offered=False, locale=CHINESE)
    assert (await private(stack, interaction)).text == "此功能只能在服务器里使用。"


async def test_a_clip_that_is_none_leaves_no_name_in_any_log(stack: Stack, tmp_path: Path) -> None:
    clip = tmp_path / f"{SECRET}.mp4"
    clip.write_text(f"Dear {SECRET}, this is no film. " * 40)
    interaction = await stack.fake.slash("separate", clip=clip, locale=CHINESE)
    answer = await private(stack, interaction, limit=60)
    assert answer.text.startswith(in_chinese("error-MediaError").rstrip("。"))
    original = interaction.original
    assert original is not None
    await stack.fake.wait(lambda: "无法处理" in original.text, 20, "the public message")
    assert SECRET not in "".join(program.output for program in stack.programs)


async def test_a_place_where_the_bot_may_not_post(stack: Stack, scene: Path) -> None:
    mute = rights.overwrite(stack.fake.world.application_id, member=True, deny=rights.SEND)
    silent = await stack.fake.make_channel("quiet", overwrites=[mute])
    interaction = await stack.fake.slash("separate", clip=scene, at=silent["id"], locale=CHINESE)
    answer = await private(stack, interaction)
    assert answer.text.startswith(in_chinese("may-not-post-bot", channel=f"<#{silent['id']}>"))
    assert [m for m in stack.fake.messages if m.channel_id == silent["id"]] == [answer]
