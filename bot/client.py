"""The Discord client: intents, commands and what is taken up at the start."""

from typing import Any

import aiohttp
import discord
import structlog
from discord import app_commands

from bot import errors, limits
from bot.buttons import CancelButton
from bot.commands.remix import add_remix
from bot.commands.separate import add_separate
from bot.commands.transcribe import add_transcribe
from bot.courier import Courier
from bot.delivery import Delivery
from bot.desk import Desk
from bot.intake import Intake
from bot.settings import BotSettings
from worker.queue import Queue
from worker.store import Store


class Tree(app_commands.CommandTree["StemcordClient"]):
    """The commands; an error in any of them is answered in private."""

    async def on_error(
        self, interaction: discord.Interaction["StemcordClient"], error: app_commands.AppCommandError, /
    ) -> None:
        """Answer and log."""
        await errors.answer(interaction, error)


class StemcordClient(discord.Client):
    """One bot on one token. Reads no message content; mentions nobody."""

    def __init__(
        self,
        settings: BotSettings,
        *,
        queue: Queue,
        store: Store,
        session: aiohttp.ClientSession,
        interval: float = limits.EDIT_INTERVAL,
    ) -> None:
        intents = discord.Intents.none()
        intents.guilds = True
        super().__init__(intents=intents, allowed_mentions=discord.AllowedMentions.none())
        self.queue = queue
        self.courier = Courier(queue, store, Delivery(self), interval=interval)
        self.tree = Tree(self)
        self._guilds_with_commands = settings.guilds
        intake = Intake(session, store, hosts=settings.attachment_hosts, max_size=settings.max_size)
        desk = Desk(intake, queue, self.courier, preset=settings.preset)
        for add in (add_separate, add_transcribe, add_remix):
            add(self.tree, desk)

    async def setup_hook(self) -> None:
        """Before the gateway: make the commands known and take up what an earlier process left."""
        self.add_dynamic_items(CancelButton)
        await self._sync_commands()
        resumed = await self.courier.resume()
        self.courier.start()
        structlog.get_logger(__name__).info("bot_ready", resumed=resumed)

    async def close(self) -> None:
        """Stop following jobs, then say goodbye; the jobs go on and the next start takes them up."""
        await self.courier.close()
        await super().close()

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as inherited
        """Log what an event handler of the library raised."""
        structlog.get_logger(__name__).exception("event_failed", event_name=event_method)

    async def _sync_commands(self) -> None:
        if not self._guilds_with_commands:
            await self.tree.sync()
            return
        for guild_id in self._guilds_with_commands:
            guild = discord.Object(guild_id)
            self.tree.copy_global_to(guild=guild)
            await self.tree.sync(guild=guild)
