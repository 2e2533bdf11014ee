"""Starts the bot: `python -m bot` or `stemcord bot`. When it cannot start, it prints one line that says why."""

import asyncio
import gc
import os
import signal
import socket
import sys
import time
from contextlib import AsyncExitStack

import aiohttp
import discord
import pydantic
from discord.http import Route

from bot.client import ShardedStemcordClient, StemcordClient
from bot.database.deletion import DataDeletion
from bot.database.engine import Database
from bot.database.glossaries import Glossaries
from bot.database.page_links import PageLinks
from bot.database.repository import Repository
from bot.database.transcript_edits import TranscriptEdits
from bot.database.upload_limits import UploadLimits
from bot.exceptions import StartError
from bot.handover.processes import BotProcesses
from bot.jobs.quotas import Quotas
from bot.log import configure_log
from bot.search.index import SearchIndex
from bot.settings import BotSettings
from bot.uploads.expiry import expire_uploads
from bot.uploads.folder import UploadFolder
from bot.uploads.intake import UploadIntake
from bot.uploads.routes import UploadRoutes
from bot.uploads.tickets import UploadTickets
from bot.web.app import Site
from bot.web.channel_access import DiscordChannelAccess
from bot.web.legal import LegalPages
from bot.web.server import serve
from bot.web.sign_in import OAuthClient, SignIn
from bot.web.signed_links import PageAddresses, TokenSigner, read_secret
from bot.web.sources.stored import StoredSource
from pipeline.errors import StemcordError
from worker.queue import Queue
from worker.store import Store, keep_files_private, scratch_for, scratch_root, temporary_files_in
from worker.telemetry.session import open_telemetry

EXIT_BAD_SETTINGS = 2
DISCONNECT_TIMEOUT_S = 10.0


def main() -> int:
    """Run until SIGTERM or SIGINT; return the exit code."""
    configure_log()
    # Two warnings at each start that only matter to bots in voice channels.
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    try:
        settings = _read_settings()
        keep_files_private(settings.home.expanduser())
        asyncio.run(_run(settings))
    except StartError as error:
        print(f"stemcord bot: {error}", file=sys.stderr)  # noqa: T201 - for the person at the terminal
        return error.code
    return 0


def _read_settings() -> BotSettings:
    try:
        return BotSettings()
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = str(first["loc"][0]).upper()
        name = field if field == "DISCORD_TOKEN" else f"STEMCORD_{field}"
        raise StartError(f"The setting {name} cannot be used: {first['msg']}.", code=EXIT_BAD_SETTINGS) from error


async def _run(settings: BotSettings) -> None:
    """Serve until a signal arrives. Raises `StartError`."""
    if settings.token is None:
        raise StartError("DISCORD_TOKEN is not set; create a bot at https://discord.com/developers and set its token.")
    if bool(settings.oauth_client_id) != (settings.oauth_client_secret is not None):
        raise StartError("Set both STEMCORD_OAUTH_CLIENT_ID and STEMCORD_OAUTH_CLIENT_SECRET, or neither.")
    if bool(settings.summary_url) != bool(settings.summary_model):
        raise StartError("Set both STEMCORD_SUMMARY_URL and STEMCORD_SUMMARY_MODEL, or neither.")
    if settings.redis_url is None:
        raise StartError("STEMCORD_REDIS_URL is not set; set it, or start everything with `stemcord up`.")
    try:
        async with AsyncExitStack() as exits:
            scratch = exits.enter_context(scratch_for(settings.home.expanduser(), "bot-"))
            exits.enter_context(temporary_files_in(scratch))
            instance = f"{socket.gethostname()}-{os.getpid()}"
            await exits.enter_async_context(open_telemetry(settings, service="bot", instance=instance))
            client = await _build(settings, settings.redis_url, exits)
            await _serve(client, settings.token.get_secret_value())
    except StemcordError as error:
        raise StartError(f"{type(error).__name__}: {error}") from error
    except discord.LoginFailure as error:
        raise StartError("Discord refused DISCORD_TOKEN; copy the bot's token again.") from error
    except discord.Forbidden as error:
        raise StartError("Discord refused the commands; invite the bot to the servers of STEMCORD_GUILDS.") from error
    except (discord.HTTPException, discord.GatewayNotFound, aiohttp.ClientError, OSError) as error:
        raise StartError(f"Discord cannot be reached ({type(error).__name__}); check the network.") from error


async def _build(settings: BotSettings, redis_url: str, exits: AsyncExitStack) -> StemcordClient:
    """Build the client and serve the pages; everything closes with `exits`."""
    store = Store.open(settings.store, settings.keyring)
    queue = await exits.enter_async_context(Queue.connect(redis_url))
    database = await exits.enter_async_context(Database.open(settings.database, settings.keyring))
    session = await exits.enter_async_context(aiohttp.ClientSession())
    repository = Repository(database, _quotas(settings))
    scratch = scratch_root(settings.home.expanduser())
    uploads = UploadFolder(settings.home.expanduser() / "uploads", max_size=settings.max_size)
    deletion = DataDeletion(database, store, retention_days=settings.retention_days, scratch=scratch, uploads=uploads)
    processes = BotProcesses(database)
    links, signer = PageLinks(database), _token_signer(settings)
    pages = None if signer is None else _page_addresses(settings, links, signer)
    client = (ShardedStemcordClient if settings.shards else StemcordClient)(
        settings,
        queue=queue,
        store=store,
        session=session,
        repository=repository,
        glossaries=Glossaries(database),
        edits=TranscriptEdits(database),
        deletion=deletion,
        upload_limits=UploadLimits(database),
        search_index=SearchIndex(database),
        pages=pages,
    )
    client.join(processes)
    await exits.enter_async_context(client)
    if signer is not None:
        access = DiscordChannelAccess(client)
        services = client.services
        source = StoredSource(
            *(links, repository, store, access, services.submitter.rename_speakers, services.transcripts),
            services.tracker.running,
        )
        site = Site(
            *(source, signer),
            public_url=settings.public_url,
            sign_in=_sign_in(settings, session),
            legal=LegalPages(settings),
            uploads=_upload_routes(uploads, client),
        )
        await exits.enter_async_context(expire_uploads(uploads))
        shared = await processes.are_there_others(time.time())
        await exits.enter_async_context(serve(site, settings.web_host, settings.web_port, shared=shared))
    return client


def _page_addresses(settings: BotSettings, links: PageLinks, signer: TokenSigner) -> PageAddresses:
    return PageAddresses(
        links,
        signer,
        public_url=settings.public_url,
        hours=settings.page_hours,
        sign_in=bool(settings.oauth_client_id),
        uploads=UploadTickets(_page_secret(settings), public_url=settings.public_url, hours=settings.page_hours),
    )


def _upload_routes(folder: UploadFolder, client: StemcordClient) -> UploadRoutes | None:
    """Return what takes uploads; None where there are no links to them."""
    pages = client.services.pages
    if pages is None or pages.uploads is None:
        return None
    return UploadRoutes(pages.uploads, folder, UploadIntake(client.services, client))


def _token_signer(settings: BotSettings) -> TokenSigner | None:
    """Return what signs the addresses of pages; None when no pages are served. Raises `SecretError`."""
    if not settings.public_url:
        return None
    return TokenSigner(_page_secret(settings))


def _page_secret(settings: BotSettings) -> bytes:
    given = "" if settings.secret is None else settings.secret.get_secret_value()
    return read_secret(settings.home.expanduser(), given)


def _sign_in(settings: BotSettings, session: aiohttp.ClientSession) -> SignIn | None:
    """Return what tells who opens a page; None when that is not set up."""
    if settings.oauth_client_secret is None:
        return None
    client = OAuthClient(
        client_id=settings.oauth_client_id,
        client_secret=settings.oauth_client_secret.get_secret_value(),
        api_url=Route.BASE,
    )
    return SignIn(client, session, _page_secret(settings), public_url=settings.public_url)


def _quotas(settings: BotSettings) -> Quotas:
    return Quotas(
        jobs_at_once=settings.jobs_at_once,
        minutes_person=settings.minutes_per_day_person,
        minutes_guild=settings.minutes_per_day_guild,
    )


async def _serve(client: StemcordClient, token: str) -> None:
    """Serve until a signal arrives or the client ends; raise what the client raised."""
    # A full collection stops all threads; with modules in it that takes as long as to read a transcript of two hours.
    gc.collect()
    gc.freeze()
    asked_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked_to_stop.set)
    serving = asyncio.create_task(client.start(token))
    stopping = asyncio.create_task(asked_to_stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if serving.done():
        serving.result()
        return
    # A process that was started to take over does so before this one ends.
    giving = asyncio.create_task(client.yield_to_next())
    await asyncio.wait({serving, giving}, return_when=asyncio.FIRST_COMPLETED)
    giving.cancel()
    await client.close()
    _, late = await asyncio.wait({serving}, timeout=DISCONNECT_TIMEOUT_S)
    for task in late:
        task.cancel()


if __name__ == "__main__":
    sys.exit(main())
