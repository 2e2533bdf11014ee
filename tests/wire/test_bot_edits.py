"""A line mended on the page of a result: all files, the video's subtitles and the message follow."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.pipeline.media.subtitled_video import words_in
from tests.wire.answers import id_for
from tests.wire.objects import Message
from tests.wire.observed import Observed

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

WRITTEN_LIMIT_S = 60.0
"""Far more than it takes; how long that is, is printed."""
WORD = "Quetzalcoatl"


async def until(found: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait for something."""
    began = time.monotonic()
    while not await found():
        assert time.monotonic() < began + WRITTEN_LIMIT_S, what
        await asyncio.sleep(0.05)


@dataclass(frozen=True)
class ResultPage:
    """The page of a result as its owner has it open."""

    session: aiohttp.ClientSession
    address: str
    made: Message

    async def read(self, name: str) -> bytes:
        """A file of the page."""
        async with self.session.get(self.address + name) as answer:
            assert answer.status == 200, f"{name}: {answer.status}"
            return await answer.read()

    async def send(self, route: str, body: dict[str, Any]) -> None:
        """What the page sends."""
        async with self.session.post(self.address + route, json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def first_line(self) -> dict[str, Any]:
        """The first line of the transcript."""
        async with self.session.get(self.address + "lines.json") as answer:
            return (await answer.json())["lines"][0]

    async def in_message(self, word: str) -> bool:
        """Whether the text in the message has a word."""
        return word.encode() in self.made.files["transcript.txt"].data

    async def out_of_message(self, word: str) -> bool:
        """Whether it does not."""
        return not await self.in_message(word)


@pytest_asyncio.fixture(loop_scope="session")
async def page(observed: Observed) -> AsyncIterator[ResultPage]:
    fake, made = observed.stack.fake, observed.made
    pressed = await fake.click(id_for(made, "page"), made)
    private = await fake.wait_for_message(lambda m: m.interaction is pressed and bool(m.buttons), 10)
    (address,) = [key for key in private.buttons if key.startswith("http://")]
    async with aiohttp.ClientSession() as session:
        yield ResultPage(session, address, made)


def mend(line: dict[str, Any]) -> dict[str, Any]:
    """Another first word for a line, as it was seen."""
    seen = {"speaker": line["speaker"], "line": line["id"], "words": [word[:3] for word in line["words"]]}
    return {"op": "set_words", "seen": seen, "words": [WORD, *(word[2] for word in line["words"][1:])]}


async def test_every_file_follows_a_mended_line(
    page: ResultPage, observed: Observed, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    posts, shown = len(observed.stack.fake.messages), set(page.made.files)
    await page.send("edits", {"base": 0, "edits": [mend(await page.first_line())]})
    began = time.monotonic()
    for name in ("files/transcript.srt", "files/transcript.md", "captions.vtt"):
        assert WORD.encode() in await page.read(name)
    record_property("seconds until the texts say so", round(time.monotonic() - began, 2))

    async def in_video() -> bool:
        (tmp_path / "final.mp4").write_bytes(await page.read("files/final.mp4"))
        return WORD in words_in(tmp_path / "final.mp4", 0, tmp_path)

    await until(in_video, "the subtitles in the video")
    record_property("seconds until the video says so", round(time.monotonic() - began, 2))
    await until(lambda: page.in_message(WORD), "the files of the message")
    record_property("seconds until the message says so", round(time.monotonic() - began, 2))
    assert len(observed.stack.fake.messages) == posts, "the message is edited and no other is posted"
    assert set(page.made.files) == shown


async def test_the_way_back_works_and_the_message_follows(page: ResultPage) -> None:
    await page.send("back", {"base": 1, "revision": 0})
    assert WORD.encode() not in await page.read("files/transcript.srt")
    await until(lambda: page.out_of_message(WORD), "the files of the message")


async def test_a_name_given_later_stays_and_so_do_corrections_after_it(page: ResultPage) -> None:
    line = await page.first_line()
    await page.send("names", {line["speaker"]: "Anna"})
    await until(lambda: page.in_message("Anna"), "the name")
    await page.send("edits", {"base": 2, "edits": [mend(line)]})
    await until(lambda: page.in_message(WORD), "the files of the message")
    assert await page.in_message("Anna")
