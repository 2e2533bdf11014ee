"""A line mended on the page of a result: all files, the video's subtitles and the message follow."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.bot.web.test_server import free_port
from tests.pipeline.media.subtitled_video import words_in
from tests.wire.answers import id_for, result_of
from tests.wire.openapi import Description
from tests.wire.stack import Stack

pytestmark = pytest.mark.timeout(600)

WRITTEN_LIMIT_S = 20.0
"""Far more than it takes; how long that is, is printed."""


async def until(found: Callable[[], Awaitable[bool]], what: str) -> float:
    """Wait for something; return how many seconds it took."""
    began = time.monotonic()
    while not await found():
        assert time.monotonic() < began + WRITTEN_LIMIT_S, what
        await asyncio.sleep(0.05)
    return time.monotonic() - began


async def test_every_file_follows_a_mended_line(
    tmp_path: Path, scene: Path, description: Description, record_property: Callable[[str, object], None]
) -> None:
    async with Stack.start(tmp_path, page_port=free_port()) as stack, aiohttp.ClientSession() as session:
        made = await result_of(stack, await stack.fake.slash("process", clip=scene, language="en", subtitles=True))
        pressed = await stack.fake.click(id_for(made, "page"), made)
        private = await stack.fake.wait_for_message(lambda m: m.interaction is pressed and bool(m.buttons), 10)
        (page,) = [key for key in private.buttons if key.startswith("http://")]

        async def read(name: str) -> bytes:
            async with session.get(page + name) as answer:
                assert answer.status == 200, f"{name}: {answer.status}"
                return await answer.read()

        async with session.get(page + "lines.json") as answer:
            lines: list[dict[str, Any]] = (await answer.json())["lines"]
        line = lines[0]
        seen = {key: line[key] for key in ("speaker",)} | {"line": line["id"]}
        seen["words"] = [word[:3] for word in line["words"]]
        words = ["Quetzalcoatl", *(word[2] for word in line["words"][1:])]
        posts = len(stack.fake.messages)
        shown = set(made.files)
        edit = {"op": "set_words", "seen": seen, "words": words}
        async with session.post(page + "edits", json={"base": 0, "edits": [edit]}) as answer:
            assert answer.status == 200, await answer.text()
        began = time.monotonic()
        for name in ("transcript.srt", "transcript.md", "captions.vtt"):
            assert b"Quetzalcoatl" in await read(name if name == "captions.vtt" else f"files/{name}")
        record_property("seconds until the texts say so", round(time.monotonic() - began, 2))

        async def in_video() -> bool:
            (tmp_path / "final.mp4").write_bytes(await read("files/final.mp4"))
            return "Quetzalcoatl" in words_in(tmp_path / "final.mp4", 0, tmp_path)

        await until(in_video, "the subtitles in the video")
        record_property("seconds until the video says so", round(time.monotonic() - began, 2))

        async def in_message() -> bool:
            return b"Quetzalcoatl" in made.files["transcript.txt"].data

        await until(in_message, "the files of the message")
        record_property("seconds until the message says so", round(time.monotonic() - began, 2))
        assert len(stack.fake.messages) == posts, "the message is edited and no other is posted"
        assert set(made.files) == shown

        # The way back works, and the message follows.
        async with session.post(page + "back", json={"base": 1, "revision": 0}) as answer:
            assert answer.status == 200, await answer.text()
        assert b"Quetzalcoatl" not in await read("files/transcript.srt")

        async def out_of_message() -> bool:
            return b"Quetzalcoatl" not in made.files["transcript.txt"].data

        await until(out_of_message, "the files of the message")
        # A name that is given later stays, and so do corrections that are made after it.
        async with session.post(page + "names", json={line["speaker"]: "Anna"}) as answer:
            assert answer.status == 200

        async def named() -> bool:
            return b"Anna" in made.files["transcript.txt"].data

        await until(named, "the name")
        async with session.post(page + "edits", json={"base": 2, "edits": [edit]}) as answer:
            assert answer.status == 200, await answer.text()
        await until(in_message, "the files of the message")
        assert b"Anna" in made.files["transcript.txt"].data
        assert not (found := stack.fake.violations(description)), "\n".join(found)
