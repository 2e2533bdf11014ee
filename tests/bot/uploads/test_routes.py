"""The protocol below the upload page, over sockets."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from yarl import URL

from bot.exceptions import RefusedError
from bot.uploads import folder as folder_module
from bot.uploads.folder import UploadFolder
from bot.uploads.intake import UploadIntake
from bot.uploads.rate import MinimumRate
from bot.uploads.routes import UploadRoutes
from bot.uploads.tickets import UploadTicket, UploadTickets, new_upload_id
from bot.web.app import Site
from bot.web.signed_links import TokenSigner
from bot.web.sources.folder import FolderSource
from pipeline.types import Task

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {**TUS, "Content-Type": "application/offset+octet-stream"}
META = f"filename {base64.b64encode(b'film.mp4').decode()}"


class Intake(UploadIntake):
    """Takes clips over when it is told to."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.open = asyncio.Event()
        self.open.set()
        self.refusal: RefusedError | None = None

    async def check(self, ticket: UploadTicket, name: str, length: int) -> None:
        await asyncio.sleep(0)

    async def submit(self, ticket: UploadTicket, name: str, path: Path) -> None:
        await self.open.wait()
        if self.refusal is not None:
            raise self.refusal
        self.taken.append(path.read_bytes())


class Page:
    """The routes of one link, and a browser."""

    def __init__(self, session: aiohttp.ClientSession, address: str, folder: UploadFolder, upload_id: str) -> None:
        self.session = session
        self.address = address
        self.folder = folder
        self.upload_id = upload_id

    async def create(self, **headers: str) -> int:
        given = {**TUS, "Upload-Length": "10", "Upload-Metadata": META} | headers
        async with self.session.post(f"{self.address}files", headers=given) as answer:
            return answer.status

    async def send(self, data: bytes | AsyncIterator[bytes], **headers: str) -> tuple[int, str]:
        given = {**BYTES, "Upload-Offset": "0"} | headers
        async with self.session.patch(f"{self.address}files/clip", headers=given, data=data) as answer:
            return answer.status, await answer.text()

    async def delete(self) -> int:
        async with self.session.delete(f"{self.address}files/clip", headers=TUS) as answer:
            return answer.status

    async def state(self) -> str:
        async with self.session.get(f"{self.address}state") as answer:
            return (await answer.json())["state"]

    async def until(self, state: str) -> None:
        async with asyncio.timeout(5):
            while await self.state() != state:
                await asyncio.sleep(0.01)


@pytest.fixture
def intake() -> Intake:
    return Intake()


@pytest.fixture
async def page(tmp_path: Path, intake: Intake) -> AsyncIterator[Page]:
    tickets = UploadTickets(b"a secret of sixteen", public_url="http://stems.example", hours=1)
    folder = UploadFolder(tmp_path / "uploads", max_size=1000, rate=lambda: MinimumRate(1000.0, 0.3))
    (tmp_path / "result.json").touch()
    site = Site(
        FolderSource(tmp_path),
        TokenSigner(b"a secret of sixteen"),
        public_url="http://stems.example",
        uploads=UploadRoutes(tickets, folder, intake),
    )
    ticket = UploadTicket(
        id=new_upload_id(),
        expires=int(time.time()) + 3600,
        task=Task.ALL,
        application_id="1",
        channel_id="2",
        user_id="7",
        guild_id="3",
        locale="en",
        outside=False,
    )
    async with TestServer(site.application()) as server, aiohttp.ClientSession() as session:
        yield Page(session, str(server.make_url(f"/u/{tickets.sign(ticket)}/")), folder, ticket.id)


async def sent_until(stop: asyncio.Event) -> AsyncIterator[bytes]:
    yield b"12345"
    await stop.wait()


async def test_what_overlaps_is_locked(page: Page) -> None:
    assert await page.create() == 201
    stop = asyncio.Event()
    writing = asyncio.create_task(page.send(sent_until(stop)))
    async with asyncio.timeout(5):
        while await page.folder.offset(page.upload_id) == 0 and page.upload_id not in page.folder._held:
            await asyncio.sleep(0.01)
    assert await page.create() == 423
    assert await page.create(**{"Upload-Length": "11"}) == 423
    assert (await page.send(b"67890"))[0] == 423
    assert await page.delete() == 423
    stop.set()
    assert (await writing)[0] == 204
    assert await page.delete() == 204
    assert await page.state() == "none"


async def test_nothing_changes_while_a_clip_is_submitted_and_its_link_is_used(page: Page, intake: Intake) -> None:
    assert await page.create() == 201
    intake.open.clear()
    assert (await page.send(b"1234567890"))[0] == 204
    status, text = await page.send(b"", **{"Upload-Offset": "10"})
    assert (status, "being taken over" in text) == (423, True)
    assert await page.delete() == 423
    intake.open.set()
    await page.until("done")
    assert await page.delete() == 204
    assert await page.create() == 400
    assert (await page.send(b"1"))[0] == 409
    assert intake.taken == [b"1234567890"]


async def test_a_refused_clip_uses_its_link_too(page: Page, intake: Intake) -> None:
    intake.refusal = RefusedError("upload-not-allowed", "upload-not-allowed-hint")
    assert await page.create() == 201
    assert (await page.send(b"1234567890"))[0] == 204
    await page.until("refused")
    assert await page.delete() == 204
    assert await page.create() == 400


async def test_a_whole_clip_that_nobody_took_is_taken_when_its_page_is_opened_again(page: Page, intake: Intake) -> None:
    assert await page.create() == 201
    # As after a bot that was stopped between the last byte and the job.
    page.folder.path(page.upload_id).write_bytes(b"1234567890")
    assert await page.create() == 201
    await page.until("done")
    assert intake.taken == [b"1234567890"]


@pytest.mark.parametrize("number", ["9" * 5000, "9" * 16, "-1", "1_0", "+1", "1.0", "", "٣", "0x1"])
async def test_numbers_that_are_none_get_clear_words(page: Page, number: str) -> None:
    assert await page.create(**{"Upload-Length": number}) == 400
    assert await page.create() == 201
    status, text = await page.send(b"12345", **{"Upload-Offset": number})
    assert (status, "whole numbers of at most 15 digits" in text) == (400, True)
    assert await page.folder.offset(page.upload_id) == 0


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "nonsense"])
async def test_bytes_that_are_packed_for_the_way_are_refused(page: Page, coding: str) -> None:
    assert await page.create() == 201
    address = f"{page.address}files/clip"
    headers = {**BYTES, "Upload-Offset": "0", "Content-Encoding": coding}
    async with page.session.patch(address, headers=headers, data=b"no such thing", compress=False) as answer:
        assert 400 <= answer.status < 500, await answer.text()
    assert await page.folder.offset(page.upload_id) == 0


async def test_bytes_of_another_type_are_refused(page: Page) -> None:
    assert await page.create() == 201
    assert (await page.send(b"12345", **{"Content-Type": "text/plain"}))[0] == 415


async def test_broken_chunks_are_no_fault_of_the_server(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "STALL_TIMEOUT_S", 0.3)
    assert await page.create() == 201
    url = URL(page.address)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = f"PATCH {url.raw_path}files/clip HTTP/1.1\r\nHost: x\r\nUpload-Offset: 0\r\n"
    head += f"Content-Type: {BYTES['Content-Type']}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"
    writer.write(head.encode())
    await asyncio.sleep(0.1)
    writer.write(b"zz\r\nnothing\r\n")
    answer = await asyncio.wait_for(reader.readline(), 15)
    writer.close()
    await writer.wait_closed()
    assert answer
    assert not answer.startswith(b"HTTP/1.1 5"), answer[:200]
    assert await page.folder.offset(page.upload_id) == 5


async def test_a_trickle_is_cut_off_and_the_upload_goes_on(page: Page) -> None:
    assert await page.create() == 201

    async def trickle() -> AsyncIterator[bytes]:
        for _ in range(8):
            yield b"x"
            await asyncio.sleep(0.06)

    status, text = await page.send(trickle())
    assert (status, "too slowly" in text) == (408, True)
    offset = await page.folder.offset(page.upload_id)
    assert 0 < offset < 10
    assert (await page.send(b"x" * (10 - offset), **{"Upload-Offset": str(offset)}))[0] == 204
    await page.until("done")
