"""The Discord client: builds the services, adds the commands and dispatches events."""

import asyncio
import sys
from functools import cached_property
from typing import Any, Final, cast

import aiohttp
import discord
import structlog
from discord import app_commands

from bot import discord_limits
from bot.audition.sample import Sampler
from bot.clips.attachments import AttachmentDownloader
from bot.commands import load_commands
from bot.commands.localization import CommandTranslator
from bot.components import router
from bot.database.deletion import DataDeletion
from bot.database.glossaries import Glossaries
from bot.database.person_archive import PersonArchives
from bot.database.repository import Repository
from bot.database.transcript_edits import TranscriptEdits
from bot.database.upload_limits import UploadLimits
from bot.error_handler import answer_error
from bot.file_types import add_file_types
from bot.glossary.server_glossary import ServerGlossary
from bot.glossary.server_members import ServerMembers
from bot.handover.duties import JobDuties
from bot.handover.handover import Handover
from bot.handover.processes import BotProcesses
from bot.http_metrics import InteractionTimes, discord_trace_config
from bot.jobs.batch_cards import BatchCards
from bot.jobs.batches import BatchSubmitter
from bot.jobs.delivery import Delivery
from bot.jobs.origins import is_outside
from bot.jobs.recording_submission import RecordingSubmitter
from bot.jobs.submission import JobSubmitter
from bot.jobs.sync import JobSync
from bot.jobs.tracker import JobTracker
from bot.mentions import MentionIntake
from bot.messages.features import Features
from bot.search.index import SearchIndex
from bot.search.search import Search
from bot.services import Interaction, ServiceClient, Services
from bot.settings import BotSettings
from bot.summary.summarizer import Summarizer
from bot.transcripts.naming import SpeakerNaming
from bot.transcripts.transcripts import Transcripts
from bot.voices.voices import Voices
from bot.web.signed_links import PageAddresses
from worker.protocol import Event, Job, ReplyTo
from worker.queue import Queue
from worker.store import Store

_OPTIONS: Final[dict[str, Any]] = {
    # None is privileged: what is in a message is seen only where it is for the bot.
    "intents": discord.Intents(guilds=True, guild_messages=True, dm_messages=True),
    "allowed_mentions": discord.AllowedMentions.none(),
    "max_messages": None,
}


class CommandTree(app_commands.CommandTree["StemcordClient"]):
    """The commands; their errors are answered in private. They are offered everywhere, but for those of servers."""

    def __init__(self, client: "StemcordClient") -> None:
        super().__init__(
            client,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )

    async def on_error(
        self, interaction: discord.Interaction["StemcordClient"], error: app_commands.AppCommandError, /
    ) -> None:
        """Answer and log an error."""
        await answer_error(interaction, error)

    async def interaction_check(self, interaction: discord.Interaction["StemcordClient"], /) -> bool:
        """Leave a command that another process handles, and refuse one for servers elsewhere, which Discord hides."""
        if not await self.client.services.gate.admits(interaction.id):
            return False
        command = interaction.command
        member = interaction.guild_id is not None and not is_outside(interaction)
        if not member and isinstance(command, app_commands.Command) and _is_for_servers(command):
            raise app_commands.NoPrivateMessage
        return True

    async def sync(self, *, guild: discord.abc.Snowflake | None = None) -> list[app_commands.AppCommand]:
        """Register the commands with Discord, with fields that the library does not send."""
        application_id, translator = self.client.application_id, self.translator
        if application_id is None or translator is None:
            return await super().sync(guild=guild)
        commands = self.get_commands(guild=guild)
        payload: list[Any] = [await command.get_translated_payload(self, translator) for command in commands]
        for command in payload:
            add_file_types(command.get("options", ()))
        http = self.client.http
        data = await (
            http.bulk_upsert_global_commands(application_id, payload=payload)
            if guild is None
            else http.bulk_upsert_guild_commands(application_id, guild.id, payload=payload)
        )
        return [app_commands.AppCommand(data=each, state=self._state) for each in data]


class StemcordClient(ServiceClient):
    """The bot: reads messages only where they are for it, and mentions nobody.

    Args:
        settings: Settings of the bot.
        queue: Where jobs run.
        store: Where clips and results are.
        session: Client for downloads.
        repository: What the bot stores.
        glossaries: Terms of servers.
        edits: What people changed in transcripts.
        deletion: Deletes what the bot stores.
        upload_limits: How large a file each server takes.
        search_index: What was said.
        pages: Creates links to pages; None: the bot serves none.
        interval_s: Time between two edits of a message.

    """

    _connecting: asyncio.Task[None] | None = None
    _handover: Handover | None = None

    def __init__(
        self,
        settings: BotSettings,
        *,
        queue: Queue,
        store: Store,
        session: aiohttp.ClientSession,
        repository: Repository,
        glossaries: Glossaries,
        edits: TranscriptEdits,
        deletion: DataDeletion,
        upload_limits: UploadLimits,
        search_index: SearchIndex,
        pages: PageAddresses | None = None,
        interval_s: float = discord_limits.EDIT_INTERVAL_S,
    ) -> None:
        super().__init__(http_trace=discord_trace_config(self._times), **self._options(settings))
        delivery, sync = Delivery(self, upload_limits), JobSync(repository, queue, deletion, self._follow_result)
        cards, downloads = BatchCards(repository, delivery), AttachmentDownloader.for_settings(session, store, settings)
        features = Features(pages=pages is not None, summarizer=settings.summary_host, doubts=self._find_doubts)
        given = (queue, store, delivery, sync, self._end_recording)
        tracker = JobTracker(*given, interval_s=interval_s, features=features, cards=cards)
        work = (downloads, queue, tracker, repository, store, edits)
        glossary = ServerGlossary(glossaries, repository, ServerMembers(self.http))
        submitter = JobSubmitter(*work, settings=settings, glossary=glossary, sync=sync, upload_limits=upload_limits)
        transcripts = Transcripts.build(edits, repository, store, submitter.rewrite, changed=self._index_anew)
        self.services = Services(
            settings=settings,
            queue=queue,
            store=store,
            repository=repository,
            glossaries=glossaries,
            glossary=glossary,
            deletion=deletion,
            downloader=downloads,
            submitter=submitter,
            batches=BatchSubmitter(submitter, downloads, sync, delivery, cards, upload_limits),
            recordings=RecordingSubmitter(submitter, sync, downloads, deletion, tracker),
            tracker=tracker,
            transcripts=transcripts,
            naming=SpeakerNaming(repository, transcripts.rewriter, submitter.rename_speakers, self._index_anew),
            delivery=delivery,
            sampler=Sampler(store),
            search=Search.build(search_index, repository, transcripts.editor),
            archives=PersonArchives(store),
            summarizer=Summarizer.for_settings(session, settings),
            pages=pages,
        )
        self._add_commands()

    @cached_property
    def _times(self) -> InteractionTimes:
        return InteractionTimes()

    def _follow_result(self, job_id: str) -> None:
        self._index_anew(job_id)
        self.voices.finder.finished(job_id)

    async def _end_recording(self, job: Job, reply: ReplyTo, event: Event | None) -> bool:
        return await self.voices.recordings.end(job, reply, event)

    async def _find_doubts(self, job_id: str) -> list[str]:
        return await self.voices.doubts(job_id)

    def _index_anew(self, job_id: str) -> None:
        self.services.search.indexer.changed(job_id)

    def _options(self, settings: BotSettings) -> dict[str, Any]:
        """Return what the library's client is made with."""
        return _OPTIONS

    def _add_commands(self) -> None:
        services = self.services
        parts = (services.repository, services.store, services.naming, services.settings)
        self.voices = Voices.build(self, *parts, services.deletion, services.queue, services.delivery)
        self._mentions = MentionIntake(self.services)
        self.tree = CommandTree(self)
        load_commands(self.tree, self.services)
        router.register(self)

    @cached_property
    def _duties(self) -> JobDuties:
        services = self.services
        background = (services.transcripts.rewriter, services.search.indexer, self.voices.finder)
        return JobDuties(services.submitter, services.tracker, *background)

    def join(self, processes: BotProcesses) -> None:
        """Take over, at the start, from processes that share the database, and let later ones take over."""
        self.services.gate.claim = processes.claim
        self._handover = Handover(processes, self.services.gate, self._duties)

    async def setup_hook(self) -> None:
        """Register the commands with Discord and follow the jobs of an earlier process, before connecting.

        Where such a process still runs, it follows them until this one is connected.
        """
        await self.tree.set_translator(CommandTranslator())
        await self._sync_commands()
        resumed = 0
        if self._handover is None or await self._handover.join():
            resumed = await self._duties.begin_first()
        self._connecting = asyncio.create_task(self._note_connected(), name="note-connected")
        structlog.get_logger(__name__).info("bot_ready", resumed=resumed)

    async def _note_connected(self) -> None:
        await self.wait_until_ready()
        if self._handover is not None:
            self._handover.connected()

    async def yield_to_next(self) -> None:
        """Go on until a process that was started to take over has done so; where there is none, at once."""
        if self._handover is not None:
            await self._handover.leave()

    async def close(self) -> None:
        """Stop following jobs and disconnect; the jobs go on, and the next start follows them again."""
        if self._connecting is not None:
            self._connecting.cancel()
        self._duties.stop_resuming()
        await self.services.transcripts.rewriter.close()
        await self.services.search.indexer.close()
        await self.voices.finder.close()
        await self.services.submitter.close()
        await self.services.tracker.close()
        if self._handover is not None:
            await self._handover.close()
        await super().close()

    async def on_interaction(self, interaction: Interaction) -> None:
        """Handle components and forms; discord.py itself passes commands to the tree."""
        self._times.note_arrival(interaction.id)
        by_hand = interaction.type in (discord.InteractionType.component, discord.InteractionType.modal_submit)
        if by_hand and await self.services.gate.admits(interaction.id):
            await router.dispatch(interaction)

    async def on_message(self, message: discord.Message) -> None:
        """Take the clip of a message that is for the bot."""
        await self._mentions.handle(message, self)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as inherited
        """Log what an event handler raised, and answer the person who is waiting."""
        error = sys.exc_info()[1]
        if args and isinstance(args[0], discord.Interaction) and error is not None:
            await answer_error(cast("Interaction", args[0]), error)
            return
        structlog.get_logger(__name__).exception("event_failed", event_name=event_method)

    async def _sync_commands(self) -> None:
        guild_ids = self.services.settings.guilds
        if not guild_ids:
            await self.tree.sync()
            return
        for guild_id in guild_ids:
            guild = discord.Object(guild_id)
            self.tree.copy_global_to(guild=guild)
            await self.tree.sync(guild=guild)


class ShardedStemcordClient(StemcordClient, discord.AutoShardedClient):
    """The bot with several connections to the gateway, each for a part of the servers."""

    def _options(self, settings: BotSettings) -> dict[str, Any]:
        return _OPTIONS if settings.shards == "auto" else {**_OPTIONS, "shard_count": settings.shards}


def _is_for_servers(command: app_commands.Command[Any, ..., Any]) -> bool:
    group = command.root_parent
    return command.guild_only or (group is not None and group.guild_only)
