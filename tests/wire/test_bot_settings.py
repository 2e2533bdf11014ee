"""What a server sets is kept, is for its managers alone, and is what people meet."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
import soundfile

from tests.wire import rights
from tests.wire.answers import CHINESE, in_chinese, private, result_of, shows
from tests.wire.shapes import Json
from tests.wire.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]


@pytest_asyncio.fixture(loop_scope="session")
async def manager(stack: Stack) -> AsyncIterator[Json]:
    """Somebody who manages the server; it is as it was at the end."""
    manager = await stack.fake.add_person("mara", rights.MANAGE_GUILD)
    yield manager
    usual: dict[str, Any] = {
        "longest_clip": 60,
        "at_once": 3,
        "minutes_a_person": 1440,
        "minutes_the_server": 1440,
        "keep_days": 7,
    }
    await stack.fake.slash("settings", by=manager, preset="pocket", language="auto", **usual)
    for role in stack.fake.world.guild["roles"]:
        if role["name"] == "editors":
            await stack.fake.slash("settings", by=manager, remove_role=role)


async def changed(stack: Stack, by: Json, locale: str = "en-US", **options: Any) -> str:
    """What the bot says to a change."""
    interaction = await stack.fake.slash("settings", by=by, locale=locale, **options)
    answer = await shows(stack, interaction.original, lambda m: not m.loading and bool(m.text), 10)
    assert answer.ephemeral
    return answer.text


async def test_two_managers_at_once_undo_nothing_of_each_other(stack: Stack, manager: Json) -> None:
    await asyncio.gather(changed(stack, manager, language="zh-en"), changed(stack, manager, keep_days=30))
    shown = await changed(stack, manager, CHINESE)
    assert "片段语言: 中英文混合" in shown
    assert "结果保留: 30 天" in shown


async def test_settings_are_kept_over_a_restart(stack: Stack, manager: Json, scene: Path) -> None:
    told = await changed(
        stack,
        manager,
        preset="pocket",
        language="en",
        longest_clip=30,
        at_once=2,
        minutes_a_person=100,
        minutes_the_server=900,
        keep_days=14,
    )
    assert told.startswith("Saved.")
    await stack.kill_bot()
    await stack.start_bot()
    kept = await changed(stack, manager, CHINESE)
    assert not kept.startswith("已保存")
    for line in (
        "模型: 轻便",
        "片段语言: 英语",
        "片段时长上限: 30 分钟",
        "每人同时数量: 2 个片段",
        "每人每天: 100 分钟",
        "服务器每天: 900 分钟",
        "可以使用机器人: 所有人",
        "结果保留: 14 天",
    ):
        assert line in kept
    privacy = await private(stack, await stack.fake.slash("privacy"))
    assert "After 14 days it is deleted." in privacy.text
    message = await result_of(stack, await stack.fake.slash("transcribe", clip=scene))
    assert '"language":"en"' in message.files["transcript.json"].data.decode().replace(" ", "")


async def test_settings_are_for_managers(stack: Stack) -> None:
    person = await stack.fake.add_person("pia", rights.MANAGE_MESSAGES)
    refused = await private(stack, await stack.fake.slash("settings", by=person, keep_days=1, locale=CHINESE))
    assert refused.text == "只有可以管理本服务器的人才能修改设置、术语表和声音簿。"


async def test_only_the_roles_that_were_chosen_may_use_the_bot(stack: Stack, manager: Json, scene: Path) -> None:
    outsider, editor = await stack.fake.add_person("otto"), await stack.fake.add_person("edda")
    role = await stack.fake.make_role("editors", editor)
    assert f"May use the bot: <@&{role['id']}>" in await changed(stack, manager, allow_role=role)
    before = len(stack.fake.messages)
    refused = await private(stack, await stack.fake.slash("separate", clip=scene, by=outsider, locale=CHINESE))
    assert refused.text == in_chinese("role-missing", roles=f"<@&{role['id']}>")
    assert len(stack.fake.messages) == before + 1
    await result_of(stack, await stack.fake.slash("separate", clip=scene, by=editor))
    assert "everybody" in await changed(stack, manager, remove_role=role)
    await result_of(stack, await stack.fake.slash("separate", clip=scene, by=outsider))


async def test_more_at_once_than_the_server_allows_is_refused(stack: Stack, manager: Json, scene: Path) -> None:
    person = await stack.fake.add_person("olga")
    await changed(stack, manager, at_once=1)
    stack.workers["media"].pause()
    try:
        first = await stack.fake.slash("separate", clip=scene, by=person)
        refused = await private(stack, await stack.fake.slash("remix", clip=scene, by=person, locale=CHINESE))
        assert refused.text.startswith(in_chinese("quota-at-once", used=1, limit=1))
    finally:
        stack.workers["media"].resume()
    await result_of(stack, first)


async def test_a_clip_longer_than_the_server_allows_is_refused_also_when_run_again(
    stack: Stack, manager: Json, long: Path
) -> None:
    person = await stack.fake.add_person("lukas")
    await changed(stack, manager, longest_clip=1)
    refused = await stack.fake.slash("separate", clip=long, by=person, locale=CHINESE)
    told = await private(stack, refused, limit=60)
    assert "超过" in told.text
    listed = await private(stack, await stack.fake.slash("jobs", by=person))
    (again,) = listed.buttons
    told = await private(stack, await stack.fake.click(again, listed, by=person), limit=60)
    assert "at most 60 s are allowed" in told.text


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """A minute and a half of a tone."""
    path = tmp_path / "long.flac"
    soundfile.write(path, 0.1 * np.sin(np.arange(90 * 8000) * 0.2), 8000)
    return path


async def test_minutes_that_are_used_up_are_told_with_when_they_come_back(
    stack: Stack, manager: Json, scene: Path, long: Path
) -> None:
    fan = await stack.fake.add_person("finn")
    assert "Per day, per person: one minute" in await changed(stack, manager, minutes_a_person=1)
    await result_of(stack, await stack.fake.slash("separate", clip=long, route="basic", by=fan))
    refused = await private(stack, await stack.fake.slash("separate", clip=scene, by=fan, locale=CHINESE))
    assert refused.text.startswith(in_chinese("quota-person", used=1, limit=1, left=0))
    midnight = (int(time.time()) // 86400 + 1) * 86400
    assert f"<t:{midnight}:R>" in refused.text
    assert "Per day, per person: 10 minutes" in await changed(stack, manager, minutes_a_person=10)
    await result_of(stack, await stack.fake.slash("separate", clip=scene, by=fan))
