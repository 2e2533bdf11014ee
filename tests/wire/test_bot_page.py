"""From the button below a result to its page, served by the bot's own process; the worker is played by the test."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import msgspec
import pytest

from deploy.local.embedded_broker import EmbeddedBroker
from pipeline.types import Artefact, DraftLine, Progress, Result
from tests.bot.web.test_site import STEMS, write_result
from tests.bot.world import make_result
from tests.wire.objects import Message
from tests.wire.processes import Program, ready_or_dead, run_program
from tests.wire.server import FakeDiscord
from worker.protocol import Finished, Job, Progressed, Started
from worker.queue import Queue
from worker.queue.keys import MEDIA
from worker.queue.lease import Lease
from worker.store import Store


@dataclass
class Office:
    """A bot that serves pages, its broker and its store."""

    fake: FakeDiscord
    queue: Queue
    store: Store
    folder: Path
    environment: dict[str, str]
    exits: AsyncExitStack
    session: aiohttp.ClientSession
    bot: Program

    async def start_bot(self) -> None:
        self.bot = await self.exits.enter_async_context(
            run_program("bot", [sys.executable, "-m", "bot"], self.environment, self.folder)
        )
        await ready_or_dead(self.fake, self.bot, commands=("separate",))

    async def work(self) -> Job:
        """The one job that waits, done as a worker does it."""
        job, lease = await self.take()
        await self.finish(job, lease)
        return job

    async def take(self) -> tuple[Job, Lease]:
        """The one job that waits, begun."""
        (job,) = [state.job for state in await self.queue.jobs() if state.status == "queued"]
        lease = await Lease.acquire(self.queue, MEDIA, job.id, "played")
        await lease.emit(Started(attempt=lease.attempt, worker="played"))
        return job, lease

    async def finish(self, job: Job, lease: Lease) -> None:
        """End a job well."""
        source = msgspec.json.decode((self.folder / "result" / "result.json").read_bytes(), type=Result)
        files = [await self._put(artefact) for artefact in source.artefacts]
        named = [replace(one, name=job.request.names.get(one.id, one.name)) for one in source.speakers]
        result = replace(make_result(job.request), artefacts=tuple(files), speakers=tuple(named))
        await lease.end("finished", Finished(result=result))

    async def _put(self, artefact: Artefact) -> Artefact:
        return await self.store.put(self.folder / "result" / artefact.name, name=artefact.name)

    async def get(self, address: str, path: str = "") -> tuple[int, bytes]:
        async with self.session.get(address + path) as answer:
            return answer.status, await answer.read()


@pytest.fixture
async def office(request: pytest.FixtureRequest, fake: FakeDiscord, tmp_path: Path) -> AsyncIterator[Office]:
    """The parameter says whether people sign in before they see a page."""
    write_result(tmp_path / "result")
    home = tmp_path / "home"
    home.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as line:
        port = line.getsockname()[1]
    async with AsyncExitStack() as exits:
        url = await exits.enter_async_context(EmbeddedBroker(home))
        environment = fake.environment | {
            "STEMCORD_HOME": str(home),
            "STEMCORD_REDIS_URL": url,
            "STEMCORD_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "STEMCORD_WEB_PORT": str(port),
        }
        if getattr(request, "param", False):
            environment["STEMCORD_OAUTH_CLIENT_ID"] = fake.oauth.client_id
            environment["STEMCORD_OAUTH_CLIENT_SECRET"] = fake.oauth.client_secret
        queue = await exits.enter_async_context(Queue.connect(url))
        session = await exits.enter_async_context(aiohttp.ClientSession())
        bot = await exits.enter_async_context(run_program("bot", [sys.executable, "-m", "bot"], environment, tmp_path))
        await ready_or_dead(fake, bot, commands=("process",))
        store = Store.open(f"file://{home / 'store'}")
        yield Office(fake, queue, store, tmp_path, environment, exits, session, bot)


def button(message: Message, start: str) -> str:
    (found,) = [key for key in message.buttons if key.startswith(start)]
    return found


async def test_a_result_has_a_page(office: Office, tmp_path: Path) -> None:
    fake = office.fake
    clip = tmp_path / "talk.mp4"
    clip.write_bytes(b"a clip of some length")
    interaction = await fake.slash("process", clip=clip)
    message = interaction.original
    assert message is not None
    await fake.wait(lambda: office.bot.running and bool(message.buttons), 20, "the job to be handed in")
    await office.work()
    await fake.wait(lambda: any("rebalance" in key for key in message.buttons), 20, "the result")

    pressed = await fake.click(button(message, "stemcord:page:"), message)
    private = await fake.wait_for_message(lambda m: m.interaction is pressed and bool(m.buttons), 10)
    assert private.ephemeral
    address = button(private, "http://")
    assert urlsplit(address).hostname == "127.0.0.1"
    status, page = await office.get(address)
    assert (status, b"Speaker 1" in page, b"<h1>talk</h1>" in page) == (200, True, True)
    status, stem = await office.get(address, f"files/{STEMS[0]}")
    assert stem == (tmp_path / "result" / STEMS[0]).read_bytes()
    assert (await office.get(address, "all.zip"))[0] == 200
    assert (await office.get(address[:-3] + "xx/"))[0] == 403

    async with office.session.post(address + "names", json={"S1": "Anna"}) as answer:
        assert await answer.json() == {"S1": "Anna"}
    await office.work()
    await fake.wait(lambda: "Anna" in message.text, 20, "the new name in the message")

    office.bot.process.terminate()
    assert await office.bot.wait(20) == 0
    await office.start_bot()
    # Until the server has come in over the gateway nobody's rights are known.
    async with asyncio.timeout(20):
        while (status := (await office.get(address))[0]) == 503:
            await asyncio.sleep(0.1)
    assert status == 200, "links outlive a restart"
    revoked = await fake.click(button(private, "stemcord:revoke:"), private)
    await fake.wait(lambda: "no longer work" in private.text, 10, "the answer to the revoking")
    assert revoked.delay < 3
    status, page = await office.get(address)
    assert (status, b"was revoked" in page) == (410, True)


async def test_a_running_job_has_a_page_with_first_words_and_stems(office: Office, tmp_path: Path) -> None:
    fake = office.fake
    clip = tmp_path / "talk.mp4"
    clip.write_bytes(b"a clip of some length")
    message = (await fake.slash("process", clip=clip)).original
    assert message is not None
    await fake.wait(lambda: office.bot.running and bool(message.buttons), 20, "the job to be handed in")
    job, lease = await office.take()
    stem = await office.store.put(tmp_path / "result" / STEMS[0], name="vocals.flac")
    lines = (DraftLine(start=62.0, text="Good <b>evening</b>."),)
    for progress in (
        Progress(stage="separate", fraction=1.0, files=(stem,)),
        Progress(stage="transcribe", fraction=0.3, draft=lines),
    ):
        await lease.emit(Progressed(progress=progress))
    await fake.wait(lambda: "evening" in message.text, 20, "the first words in the message")
    pressed = await fake.click(button(message, "stemcord:page:"), message)
    private = await fake.wait_for_message(lambda m: m.interaction is pressed and bool(m.buttons), 10)
    address = button(private, "http://")
    status, page = await office.get(address)
    assert status == 200
    for shown in (b"data-pending", b"<time>1:02</time> Good &lt;b&gt;evening", b"files/vocals.flac", b'value="0.3"'):
        assert shown in page
    assert await office.get(address, "files/vocals.flac") == (200, (tmp_path / "result" / STEMS[0]).read_bytes())
    assert (await office.get(address, "files/background.flac"))[0] == 404
    assert (await office.get(address, "all.zip"))[0] == 409
    await fake.click(button(private, "stemcord:revoke:"), private)
    await fake.wait(lambda: "no longer work" in private.text, 10, "the answer to the revoking")
    assert (await office.get(address))[0] == 410
    pressed = await fake.click(button(message, "stemcord:page:"), message)
    private = await fake.wait_for_message(lambda m: m.interaction is pressed and bool(m.buttons), 10)
    address = button(private, "http://")

    await office.finish(job, lease)
    await fake.wait(lambda: any("rebalance" in key for key in message.buttons), 20, "the result")
    status, page = await office.get(address)
    assert (status, b"data-pending" in page, b"Speaker 1" in page) == (200, False, True)


async def test_who_may_no_longer_see_the_channel_sees_no_page(office: Office, tmp_path: Path) -> None:
    fake = office.fake
    clip = tmp_path / "talk.mp4"
    clip.write_bytes(b"a clip of some length")
    bob = fake.world.add_person("bob")
    interaction = await fake.slash("process", clip=clip, by=bob)
    message = interaction.original
    assert message is not None
    await fake.wait(lambda: bool(message.buttons), 20, "the job to be handed in")
    await office.work()
    await fake.wait(lambda: any("rebalance" in key for key in message.buttons), 20, "the result")
    pressed = await fake.click(button(message, "stemcord:page:"), message, by=bob)
    private = await fake.wait_for_message(lambda m: m.interaction is pressed and bool(m.buttons), 10)
    del fake.world.users[bob["id"]]
    status, page = await office.get(button(private, "http://"))
    assert (status, b"no longer see the channel" in page) == (403, True)


@asynccontextmanager
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """A browser of its own, with its cookies."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def ask(session: aiohttp.ClientSession, address: str) -> tuple[int, str, str]:
    """Status, place to go to, and text of an answer."""
    async with session.get(address, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", ""), await answer.text(errors="replace")


@pytest.mark.parametrize("office", [True], indirect=True)
async def test_with_sign_in_a_page_opens_for_those_who_can_see_the_channel(office: Office, tmp_path: Path) -> None:
    fake = office.fake
    clip = tmp_path / "talk.mp4"
    clip.write_bytes(b"a clip of some length")
    interaction = await fake.slash("process", clip=clip)
    message = interaction.original
    assert message is not None
    await fake.wait(lambda: bool(message.buttons), 20, "the job to be handed in")
    await office.work()
    await fake.wait(lambda: any("rebalance" in key for key in message.buttons), 20, "the result")
    pressed = await fake.click(button(message, "stemcord:page:"), message)
    private = await fake.wait_for_message(lambda m: m.interaction is pressed and bool(m.buttons), 10)
    assert "sign in with Discord" in private.text
    address = button(private, "http://")

    bob, eve = fake.world.add_person("bob"), fake.world.add_person("eve")
    async with browser() as own, browser() as members, browser() as strangers:
        for path in (f"files/{STEMS[0]}", "all.zip", "captions.vtt"):
            assert (await ask(own, address + path))[0] == 401
        status, discord, _ = await ask(own, address)
        assert status == 302
        back = fake.oauth.allow(discord, fake.world.person["id"])
        assert (await ask(strangers, back))[0] == 403, "another browser began it"
        assert (await ask(own, back + "x"))[0] == 403, "another state"
        assert (await ask(own, back))[:2] == (302, address)
        status, _, page = await ask(own, address)
        assert (status, "Speaker 1" in page) == (200, True)
        assert (await ask(own, address + f"files/{STEMS[0]}"))[0] == 200
        async with own.post(address + "names", json={"S1": "Anna"}) as answer:
            assert answer.status == 200

        _, discord, _ = await ask(members, address)
        assert (await ask(members, fake.oauth.allow(discord, bob["id"])))[0] == 302
        assert (await ask(members, address))[0] == 200
        async with members.post(address + "names", json={"S1": "Bella"}) as answer:
            assert answer.status == 403, "only the person who asked may rename, and moderators"

        _, discord, _ = await ask(strangers, address)
        assert (await ask(strangers, fake.oauth.allow(discord, eve["id"])))[0] == 302
        del fake.world.users[eve["id"]]
        status, _, page = await ask(strangers, address)
        assert (status, "You cannot see the channel" in page) == (403, True)
        assert (await ask(strangers, address))[0] == 302, "another account may be tried"
