"""Turns a finished upload into a job, in the place where it was asked for."""

import asyncio
import time
import uuid
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import discord
from msgspec import structs

from bot.clips.attachments import named_clip
from bot.database.upload_limits import usual_limit
from bot.error_handler import NETWORK_ERRORS, describe_message_error
from bot.i18n.translator import translator_for
from bot.jobs.origins import JobOrigin
from bot.messages.embeds import EmbedMessage
from bot.messages.formatting import mention
from bot.retry import retry_transient
from bot.services import Services
from bot.uploads.rights import PlaceRights, read_rights
from bot.uploads.tickets import UploadTicket
from worker.protocol import ReplyTo

_NO_MENTIONS: Final = discord.AllowedMentions.none()


class UploadOrigin(JobOrigin):
    """A finished upload; errors are told on its page.

    Args:
        ticket: What its link allows.
        client: Posts the message.
        rights: What person and bot may do there by now; None where there is nothing to ask.

    """

    def __init__(self, ticket: UploadTicket, client: discord.Client, rights: PlaceRights | None) -> None:
        guild = None if ticket.guild_id is None else client.get_guild(int(ticket.guild_id))
        reply = ReplyTo(
            application_id=ticket.application_id,
            channel_id=ticket.channel_id,
            user_id=ticket.user_id,
            guild_id=ticket.guild_id,
            size_limit=usual_limit(guild),
            locale=ticket.locale,
        )
        super().__init__(structs.replace(reply, outside=True) if ticket.outside else reply)
        self._ticket = ticket
        self._client = client
        self._rights = rights
        self._answer: discord.Message | None = None

    @property
    def is_answered(self) -> bool:
        """Tell whether the job has a message; without one, an error is told on the page alone."""
        return self._answer is not None

    def check_may_post(self) -> None:
        """Check the bot, whose rights may have changed since the link was made."""
        if self._rights is not None:
            self._rights.check_may_post()

    def check_may_use(self, roles: tuple[int, ...]) -> None:
        """Check the person, whose rights may have changed since the link was made."""
        if self._rights is not None:
            self._rights.check_may_use(roles)

    async def acknowledge(self, content: EmbedMessage) -> str | None:
        """Post the message of the job; where the bot is no member the result comes directly."""
        if self._ticket.outside:
            return None
        place = self._client.get_partial_messageable(int(self._ticket.channel_id))
        text = translator_for(self._ticket.locale).format("upload-of", person=mention(self._ticket.user_id))
        self._answer = await retry_transient(
            lambda: place.send(text, embed=content.embed, allowed_mentions=_NO_MENTIONS, nonce=self._ticket.id[:25])
        )
        return str(self._answer.id)

    async def show(self, content: EmbedMessage) -> None:
        """Nothing is left to show."""

    async def post(self, content: EmbedMessage) -> str:
        """Post a further message in the channel."""
        place = self._client.get_partial_messageable(int(self._ticket.channel_id))
        return str((await retry_transient(lambda: place.send(embed=content.embed, allowed_mentions=_NO_MENTIONS))).id)

    async def answer_error(self, error: BaseException) -> bool:
        """Say it in the message of the job."""
        text = describe_message_error(int(self._ticket.id[:8], 16), error, self.reply.locale)
        if self._answer is None:
            return False
        with suppress(*NETWORK_ERRORS):
            await retry_transient(partial(self._answer.edit, content=text, embed=None, view=None))
            return True
        return False


class UploadIntake:
    """Checks uploads before they begin, and submits them."""

    def __init__(self, services: Services, client: discord.Client) -> None:
        self._services = services
        self._client = client

    async def check(self, ticket: UploadTicket, name: str, length: int) -> None:
        """Refuse a file before it is sent.

        Raises:
            RefusedError: It is no clip or too large, the person is over a limit, or may no longer use the bot there.
            DatabaseError: The database is unavailable.
            DiscordUnavailableError: Discord did not say what the person may do.

        """
        self._services.downloader.check(named_clip(name, length), Path(name))
        await self._services.submitter.admit(await self._origin(ticket))
        slot = uuid.uuid4().hex
        refused = await self._services.repository.reserve(
            slot, user_id=ticket.user_id, guild_id=ticket.guild_id, channel_id=ticket.channel_id, now=time.time()
        )
        if refused is not None:
            raise refused.error()
        await self._services.repository.release(slot)

    async def submit(self, ticket: UploadTicket, name: str, path: Path) -> None:
        """Submit a clip that is here. Raises what submitting any job raises."""
        size = (await asyncio.to_thread(path.stat)).st_size
        origin = await self._origin(ticket)
        await self._services.submitter.submit_from(origin, named_clip(name, size), ticket.task, {}, path=path)

    async def _origin(self, ticket: UploadTicket) -> UploadOrigin:
        return UploadOrigin(ticket, self._client, await read_rights(self._client, ticket))
