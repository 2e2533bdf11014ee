"""The Discord client: intents, commands and what is taken up at the start."""

import sys
from typing import Any, cast

import aiohttp
import discord
import structlog
from discord import app_commands

from bot import discord_limits, error_handler
from bot.commands.help import add_help
from bot.commands.jobs import add_jobs
from bot.commands.localization import CommandTranslator
from bot.commands.privacy import add_privacy
from bot.commands.process import add_process
from bot.commands.remix import add_dub, add_remix
from bot.commands.separate import add_separate
from bot.commands.settings import add_settings
from bot.commands.share import add_share
from bot.commands.transcribe import add_transcribe
from bot.components.delete_data import DeleteDataActions
from bot.components.result_actions import Pages, ResultActions
from bot.components.router import ComponentRouter
from bot.database.repository import Repository
from bot.jobs.attachments import AttachmentDownloader
from bot.jobs.delivery import Delivery
from bot.jobs.history import JobHistory
from bot.jobs.submission import JobSubmitter
from bot.jobs.sync import JobSync
from bot.jobs.tracker import JobTracker
from bot.settings import BotSettings
from worker.queue import Queue
from worker.store import Store


class CommandTree(app_commands.CommandTree["StemcordClient"]):
    """The commands; an error in any of them is answered in private."""

    async def on_error(
        self, interaction: discord.Interaction["StemcordClient"], error: app_commands.AppCommandError, /
    ) -> None:
        """Answer and log."""
        await error_handler.answer_error(interaction, error)

    async def interaction_check(self, interaction: discord.Interaction["StemcordClient"], /) -> bool:
        """A command for servers is refused elsewhere as such, before its own checks; Discord does not show it there."""
        command = interaction.command
        if interaction.guild_id is None and isinstance(command, app_commands.Command) and command.guild_only:
            raise app_commands.NoPrivateMessage
        return True


class StemcordClient(discord.Client):
    """One bot on one token. Reads no message content; mentions nobody."""

    def __init__(
        self,
        settings: BotSettings,
        *,
        queue: Queue,
        store: Store,
        session: aiohttp.ClientSession,
        repository: Repository,
        pages: Pages | None = None,
        interval: float = discord_limits.EDIT_INTERVAL_S,
    ) -> None:
        intents = discord.Intents.none()
        intents.guilds = True
        super().__init__(intents=intents, allowed_mentions=discord.AllowedMentions.none())
        self.queue = queue
        sync = JobSync(repository, queue)
        delivery = Delivery(self)
        self.tracker = JobTracker(queue, store, delivery, sync, interval=interval, pages=pages is not None)
        self.tree = CommandTree(self)
        self._guilds_with_commands = settings.guilds
        downloader = AttachmentDownloader(session, store, hosts=settings.attachment_hosts, max_size=settings.max_size)
        submitter = self._submitter = JobSubmitter(
            downloader, queue, self.tracker, preset=settings.preset, repository=repository, sync=sync
        )
        history = JobHistory(queue, repository)
        self.result_actions = ResultActions(history, store, submitter, pages)
        self._router = ComponentRouter(self.result_actions, queue, DeleteDataActions(repository, queue))
        for add in (add_separate, add_transcribe, add_remix, add_dub, add_process):
            add(self.tree, submitter)
        add_jobs(self.tree, history)
        add_share(self.tree, history, store, delivery, pages=pages is not None)
        add_settings(self.tree, repository)
        add_privacy(self.tree, repository, settings.retention_days)
        add_help(self.tree, pages=pages is not None)

    async def setup_hook(self) -> None:
        """Before the gateway: make the commands known and take up what an earlier process left."""
        await self.tree.set_translator(CommandTranslator())
        await self._sync_commands()
        resumed = await self.tracker.resume()
        self.tracker.start()
        structlog.get_logger(__name__).info("bot_ready", resumed=resumed)

    async def close(self) -> None:
        """Stop following jobs, then say goodbye; the jobs go on and the next start takes them up."""
        await self._submitter.close()
        await self.tracker.close()
        await super().close()

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Buttons, menus and forms; the library brings commands to the tree itself."""
        if interaction.type in (discord.InteractionType.component, discord.InteractionType.modal_submit):
            await self._router.dispatch(interaction)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as inherited
        """Log what an event handler raised, and answer the person who is waiting for one."""
        error = sys.exc_info()[1]
        if args and isinstance(args[0], discord.Interaction) and error is not None:
            await error_handler.answer_error(cast("discord.Interaction[Any]", args[0]), error)
            return
        structlog.get_logger(__name__).exception("event_failed", event_name=event_method)

    async def _sync_commands(self) -> None:
        if not self._guilds_with_commands:
            await self.tree.sync()
            return
        for guild_id in self._guilds_with_commands:
            guild = discord.Object(guild_id)
            self.tree.copy_global_to(guild=guild)
            await self.tree.sync(guild=guild)
