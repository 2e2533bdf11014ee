"""The upload page: a clip comes piece by piece, over cut connections, and becomes a job where it was asked for."""

import asyncio
import base64
import io
import json
import os
import socket
import struct
import time
import zipfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio
from msgspec import structs

from bot.uploads.tickets import UploadTickets
from bot.web.signed_links import read_secret
from tests.wire import rights
from tests.wire.answers import CHINESE, in_chinese, private, shows
from tests.wire.light import LightStack, pages_of
from tests.wire.openapi import Description
from tests.wire.shapes import Json
from tests.wire.world import MIB

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
TUS = {"Tus-Resumable": "1.0.0"}


@dataclass
class Client:
    """A person's browser at an upload page."""

    session: aiohttp.ClientSession
    page: str

    async def create(self, name: str, length: int) -> tuple[int, str]:
        metadata = f"filename {base64.b64encode(name.encode()).decode()}"
        headers = {**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata}
        async with self.session.post(f"{self.page}files", headers=headers) as answer:
            return answer.status, await answer.text()

    async def offset(self) -> int:
        async with self.session.head(f"{self.page}files/clip", headers=TUS) as answer:
            assert answer.status == 200, answer.status
            return int(answer.headers["Upload-Offset"])

    async def send(self, data: bytes, offset: int) -> int:
        headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        async with self.session.patch(f"{self.page}files/clip", headers=headers, data=io.BytesIO(data)) as answer:
            return answer.status

    async def send_and_cut(self, data: bytes, offset: int, length: int) -> int:
        """Announces all of it, sends a part, and resets the connection; returns where to go on once it is let go."""
        address = urlsplit(self.page)
        head = f"PATCH {address.path}files/clip HTTP/1.1\r\nHost: {address.netloc}\r\nTus-Resumable: 1.0.0\r\n"
        head += f"Content-Type: application/offset+octet-stream\r\nUpload-Offset: {offset}\r\n"
        request = f"{head}Content-Length: {length}\r\n\r\n".encode() + data
        with await asyncio.to_thread(socket.create_connection, (address.hostname, address.port), 10) as line:
            await asyncio.to_thread(line.sendall, request)
            await self.until(lambda here, _: here > offset)
            # No time is left for anything: the other side gets a reset and nothing more.
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await self.until(lambda _, free: free)
        return await self.offset()

    async def until(self, reached: Callable[[int, bool], bool]) -> None:
        """Waits for what `reached` tells by the offset, and by whether nothing writes to the upload."""
        end = time.monotonic() + 20
        while True:
            offset = await self.offset()
            # Nothing comes with it, so it only asks for its turn.
            status = await self.send(b"", offset)
            if reached(offset, status == 204):
                return
            assert time.monotonic() < end, (offset, status)
            await asyncio.sleep(0.05)

    async def state(self, *, ends: bool = True) -> Json:
        end = time.monotonic() + 15
        while True:
            async with self.session.get(f"{self.page}state") as answer:
                told = await answer.json()
            if not ends or told["state"] in ("done", "refused"):
                return told
            assert time.monotonic() < end, told
            await asyncio.sleep(0.1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served(tmp_path_factory: pytest.TempPathFactory, description: Description) -> AsyncIterator[LightStack]:
    settings = {
        **pages_of(),
        "STEMCORD_MAX_SIZE": str(40 * MIB),
        "STEMCORD_JOBS_AT_ONCE": "2",
    }
    async with LightStack.start(tmp_path_factory.mktemp("upload"), settings=settings) as stack:
        yield stack
        assert not (found := stack.fake.violations(description)), found


@pytest_asyncio.fixture(loop_scope="session")
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def left(stack: LightStack) -> list[str]:
    """Bytes of uploads on the disk of the bot."""
    return [str(path) for path in (stack.folder / "home" / "uploads").glob("*/data")]


async def client_for(stack: LightStack, session: aiohttp.ClientSession, person: Json, **where: str) -> Client:
    told = await private(stack, await stack.fake.slash("upload", by=person, at=where.get("at"), task="separate"))
    (address,) = told.buttons
    return Client(session, address)


async def test_a_clip_of_30_mib_comes_over_connections_that_are_cut(
    served: LightStack, session: aiohttp.ClientSession
) -> None:
    person = served.fake.world.add_person("ursula")
    client = await client_for(served, session, person)
    async with session.get(client.page) as answer:
        assert answer.status == 200
        assert "Send a clip" in await answer.text()
    data = os.urandom(30 * MIB)
    assert (await client.create("film.mkv", len(data)))[0] == 201
    offset = await client.send_and_cut(data[: 7 * MIB], 0, len(data))
    assert 0 < offset <= 7 * MIB
    assert await client.send(data[5:], 5) == 409, "it is not there"
    assert await client.send(data[offset : 20 * MIB], offset) == 204
    # The page is opened again, and the same file is chosen.
    assert (await client.create("film.mkv", len(data)))[0] == 201
    assert await client.offset() == 20 * MIB
    assert await client.send(data[20 * MIB :], 20 * MIB) == 204
    assert (await client.state())["state"] == "done"
    job = await served.job(of=person["id"])
    assert (job.source.name, job.request.task) == ("film.mkv", "separate")
    assert await served.store.read(job.source, max_bytes=40 * MIB) == data
    await served.finish(await served.take(job), job)
    assert job.reply_to is not None
    message = served.fake.world.messages[str(job.reply_to.message_id)]
    assert message.channel_id == served.fake.world.channel_id
    await shows(served, message, lambda m: "vocals.flac" in m.files, 10)
    assert left(served) == []
    async with session.delete(f"{client.page}files/clip", headers=TUS) as answer:
        assert answer.status == 204
    assert (await client.create("other.mkv", 10))[0] == 400, "a link is for one clip"


async def test_what_is_no_clip_or_too_large_is_refused_before_it_is_sent(
    served: LightStack, session: aiohttp.ClientSession
) -> None:
    person = served.fake.world.add_person("uwe")
    client = await client_for(served, session, person)
    for name, length, word in (
        ("notes.txt", 10, "is not a video or sound file"),
        ("film.mp4", 41 * MIB, "the limit is"),
        ("film.mp4", 0, "is empty"),
    ):
        status, text = await client.create(name, length)
        assert (status, word in text) == (400, True), text
    chinese = Client(aiohttp.ClientSession(headers={"Accept-Language": CHINESE}), client.page)
    async with chinese.session:
        assert "不是" in (await chinese.create("notes.txt", 10))[1]
    assert left(served) == []


async def test_quotas_hold_for_uploads(served: LightStack, session: aiohttp.ClientSession, tmp_path: Path) -> None:
    person = served.fake.world.add_person("quinn")
    clip = tmp_path / "talk.mp4"
    clip.write_bytes(b"a clip")
    for _ in range(2):
        await served.fake.slash("separate", clip=clip, by=person)
    client = await client_for(served, session, person)
    status, text = await client.create("film.mp4", 10)
    assert status == 400
    assert "2 of 2 clips in progress" in text


async def test_six_people_at_once(served: LightStack, session: aiohttp.ClientSession) -> None:
    people = [served.fake.world.add_person(f"six-{number}") for number in range(6)]
    clients = [await client_for(served, session, person) for person in people]

    async def send(client: Client, number: int) -> None:
        data = bytes([number]) * (2 * MIB)
        assert (await client.create(f"clip-{number}.mp4", len(data)))[0] == 201
        for start in range(0, len(data), MIB // 2):
            assert await client.send(data[start : start + MIB // 2], start) == 204
        assert (await client.state())["state"] == "done"

    await asyncio.gather(*(send(client, number) for number, client in enumerate(clients)))
    for number, person in enumerate(people):
        job = await served.job(of=person["id"])
        assert job.source.name == f"clip-{number}.mp4"
    assert left(served) == []


async def test_links_that_are_forged_or_have_ended_and_uploads_that_are_given_up(
    served: LightStack, session: aiohttp.ClientSession
) -> None:
    person = served.fake.world.add_person("greta")
    client = await client_for(served, session, person)
    forged = Client(session, client.page[:-4] + "xxx/")
    assert (await forged.create("film.mp4", 10))[0] == 403
    assert (await client.create("film.mp4", 10))[0] == 201
    assert await client.send(b"12345", 0) == 204
    assert len(left(served)) == 1
    async with session.delete(f"{client.page}files/clip", headers=TUS) as answer:
        assert answer.status == 204
    assert left(served) == []
    assert (await client.state(ends=False))["state"] == "none"


async def test_a_link_whose_time_is_over_takes_nothing(served: LightStack, session: aiohttp.ClientSession) -> None:
    person = served.fake.world.add_person("hugo")
    client = await client_for(served, session, person)
    public_url = served.environment["STEMCORD_PUBLIC_URL"]
    tickets = UploadTickets(read_secret(served.folder / "home"), public_url=public_url, hours=1.0)
    ticket = tickets.read(client.page.rstrip("/").rpartition("/")[2])
    over = Client(session, tickets.address(structs.replace(ticket, expires=int(time.time()) - 1)))
    status, text = await over.create("film.mp4", 10)
    assert (status, "This link has ended." in text) == (410, True), text
    async with session.get(over.page, headers={"Accept-Language": CHINESE}) as answer:
        assert (answer.status, in_chinese("upload-expired") in await answer.text()) == (410, True)
    assert left(served) == []


async def test_where_the_bot_is_no_member_the_result_comes_directly(
    served: LightStack, session: aiohttp.ClientSession
) -> None:
    person = served.fake.world.add_person("olga")
    place = served.fake.world.add_strange_guild("elsewhere")
    client = await client_for(served, session, person, at=place["id"])
    assert (await client.create("film.mp4", 10))[0] == 201
    assert await client.send(b"1234567890", 0) == 204
    assert (await client.state())["state"] == "done"
    job = await served.job(of=person["id"])
    await served.finish(await served.take(job), job)
    direct = served.fake.world.private_channel(person["id"])["id"]
    posted = await served.fake.wait_for_message(lambda m: m.channel_id == direct, 15)
    assert "vocals.flac" in posted.files


async def test_rights_are_asked_for_when_the_clip_is_here(served: LightStack, session: aiohttp.ClientSession) -> None:
    fake = served.fake
    person = await fake.add_person("rita")
    channel = await fake.make_channel("cinema")
    client = await client_for(served, session, person, at=channel["id"])
    late = await client_for(served, session, person, at=channel["id"])
    assert (await client.create("film.mp4", 10))[0] == 201
    closed = rights.overwrite(person["id"], member=True, deny=rights.USE_COMMANDS)
    await fake.change_channel(channel["id"], overwrites=[closed])
    status, text = await late.create("film.mp4", 10)
    assert (status, "no longer use commands" in text) == (400, True), text
    assert await client.send(b"1234567890", 0) == 204
    told = await client.state()
    assert told["state"] == "refused"
    assert "no longer use commands" in told["text"]
    assert [m for m in fake.world.in_order if m.channel_id == channel["id"] and not m.ephemeral] == []
    assert left(served) == []


async def test_a_person_who_wants_to_be_forgotten(served: LightStack, session: aiohttp.ClientSession) -> None:
    person = served.fake.world.add_person("petra")
    client = await client_for(served, session, person)
    assert (await client.create("secret film.mp4", 10))[0] == 201
    assert await client.send(b"12345", 0) == 204
    told = await private(served, await served.fake.slash("privacy", by=person, export=True))
    with zipfile.ZipFile(io.BytesIO(told.files["my-data.zip"].data)) as archive:
        (upload,) = json.loads(archive.read("data.json"))["uploads"]
    assert (upload["name"], upload["received"]) == ("secret film.mp4", 5)
    told = await private(served, await served.fake.slash("privacy", by=person))
    for _ in range(2):
        await served.fake.click(next(key for key in told.buttons if "forget" in key), told, by=person)
    await shows(served, told, lambda m: "Deleted:" in m.text, 20)
    assert left(served) == []
    kept = (served.folder / "home" / "uploads").glob("*/info.json")
    assert not [path for path in kept if b"secret film" in path.read_bytes()]
    assert await client.send(b"67890", 5) == 409
    assert (await client.create("film.mp4", 10))[0] == 400, "its link is used"
