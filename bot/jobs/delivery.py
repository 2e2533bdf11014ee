"""Sends and edits messages in Discord; the only place that knows token lifetime, size limits and retries.

A result takes the first route that works:
  1. into the message of the interaction, by its token (15 minutes, then 401 with 50027)
  2. into the same message, by the bot's own token
  3. as a new message in the channel
  4. as a direct message to the person
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import aiohttp
import discord
import structlog
from aiolimiter import AsyncLimiter

from bot import discord_limits
from bot.components.views import build_view
from bot.exceptions import FilesTooLargeError, TransientError, UploadTimeoutError
from bot.i18n.translator import translator_for
from bot.jobs.result_files import Attachment, ResultMessage
from bot.messages.embeds import EmbedMessage
from bot.messages.formatting import mention
from bot.retry import is_transient
from worker.protocol import Job, ReplyTo
from worker.telemetry import span

MAX_SLOW_TRIES = 3
"""Attempts with the same files before fewer are sent."""
_NO_MENTIONS = discord.AllowedMentions.none()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message about a job."""

    job: Job
    reply: ReplyTo
    content: EmbedMessage
    files: Sequence[Attachment] = ()

    def attachments(self) -> list[discord.File]:
        """Open the files again for each attempt, since an attempt reads them to the end."""
        return [discord.File(file.path, filename=file.name) for file in self.files]

    def view(self) -> discord.ui.View | None:
        """Build the buttons."""
        return build_view(self.content, translator_for(self.reply.locale))


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way to send a message, and how large its files may be."""

    name: str
    send: Callable[[Message], Awaitable[object]]
    size_limit: int
    """Bytes of one file."""


class Delivery:
    """Sends messages about jobs for one client."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._edits = AsyncLimiter(discord_limits.MAX_EDITS_PER_SECOND, 1)

    async def show_progress(self, job: Job, reply: ReplyTo, content: EmbedMessage) -> bool:
        """Edit the job's message; return False when that is no longer possible. Raises `TransientError`."""
        message = Message(job=job, reply=reply, content=content)
        async with self._edits:
            return await self._try_routes(message, self._edit_routes(reply))

    async def show_final(self, job: Job, reply: ReplyTo, content: EmbedMessage) -> bool:
        """Send a last message without files; return False when no route works. Raises `TransientError`."""
        return await self._try_routes(Message(job=job, reply=reply, content=content), self._all_routes(reply))

    async def deliver(self, result_message: ResultMessage, reply: ReplyTo) -> bool:
        """Send a result with as many of its files as the place takes.

        Returns:
            False when no route works.

        Raises:
            TransientError: A route failed that can work later.

        """
        # Before that, servers and their limits are unknown.
        await self._client.wait_until_ready()
        for route in self._edit_routes(reply) if _follows_edits(result_message.job) else self._all_routes(reply):
            if await deliver(route, result_message, reply):
                return True
        return False

    async def share(self, result_message: ResultMessage, channel_id: str, text: str, size_limit: int) -> bool:
        """Post a result in another channel, below a line of text.

        Returns:
            False when the channel does not take it.

        Raises:
            TransientError: The same attempt can work later.

        """

        async def send(message: Message) -> None:
            await self._client.get_partial_messageable(int(channel_id)).send(
                text,
                embed=message.content.embed,
                files=message.attachments(),
                view=message.view() or discord.utils.MISSING,
                allowed_mentions=_NO_MENTIONS,
            )

        reply = result_message.job.reply_to
        return reply is not None and await deliver(
            Route(name="share", send=send, size_limit=size_limit), result_message, reply
        )

    async def notify(self, job: Job, reply: ReplyTo, text: str) -> bool:
        """Send the person a private message; return False when no route works. Raises `TransientError`."""

        async def send_privately(_: Message) -> None:
            await self._webhook(reply).send(text, ephemeral=True, allowed_mentions=_NO_MENTIONS, wait=True)

        async def send_directly(_: Message) -> None:
            user = await self._client.fetch_user(int(reply.user_id))
            await user.send(text, allowed_mentions=_NO_MENTIONS, nonce=_nonce(job))

        routes = [Route(name="direct", send=send_directly, size_limit=0)]
        if _has_token(reply):
            routes.insert(0, Route(name="interaction", send=send_privately, size_limit=0))
        return await self._try_routes(
            Message(job=job, reply=reply, content=EmbedMessage(embed=discord.Embed())), routes
        )

    async def _try_routes(self, message: Message, routes: Sequence[Route]) -> bool:
        """Try routes for a message without files, which cannot be made smaller; return whether one worked."""
        for route in routes:
            with suppress(FilesTooLargeError):
                if await try_route(route, message):
                    return True
        return False

    def _edit_routes(self, reply: ReplyTo) -> list[Route]:
        routes: list[Route] = []
        if reply.message_id is not None and _has_token(reply):
            routes.append(Route(name="interaction", send=self._edit_by_interaction, size_limit=reply.size_limit))
        if reply.message_id is not None:
            routes.append(Route(name="bot", send=self._edit_by_bot, size_limit=self._channel_limit(reply)))
        return routes

    def _all_routes(self, reply: ReplyTo) -> list[Route]:
        return [
            *self._edit_routes(reply),
            Route(name="channel", send=self._post_in_channel, size_limit=self._channel_limit(reply)),
            Route(
                name="direct",
                send=self._post_directly,
                size_limit=min(reply.size_limit, discord_limits.DEFAULT_MAX_FILE_BYTES),
            ),
        ]

    def _channel_limit(self, reply: ReplyTo) -> int:
        """Return the bytes of a file that the bot itself may send there."""
        guild = None if reply.guild_id is None else self._client.get_guild(int(reply.guild_id))
        return min(reply.size_limit, discord_limits.DEFAULT_MAX_FILE_BYTES if guild is None else guild.filesize_limit)

    def _webhook(self, reply: ReplyTo) -> discord.Webhook:
        webhook = discord.Webhook.partial(int(reply.application_id), reply.interaction_token, client=self._client)
        webhook.type = discord.WebhookType.application
        return webhook

    def _channel(self, reply: ReplyTo) -> discord.PartialMessageable:
        guild_id = None if reply.guild_id is None else int(reply.guild_id)
        return self._client.get_partial_messageable(int(reply.channel_id), guild_id=guild_id)

    async def _edit_by_interaction(self, message: Message) -> None:
        await self._webhook(message.reply).edit_message(
            int(message.reply.message_id or 0),
            content=None,
            embed=message.content.embed,
            attachments=message.attachments(),
            view=message.view(),
            allowed_mentions=_NO_MENTIONS,
        )

    async def _edit_by_bot(self, message: Message) -> None:
        await (
            self._channel(message.reply)
            .get_partial_message(int(message.reply.message_id or 0))
            .edit(
                content=None,
                embed=message.content.embed,
                attachments=message.attachments(),
                view=message.view(),
                allowed_mentions=_NO_MENTIONS,
            )
        )

    async def _post_in_channel(self, message: Message) -> None:
        await self._send(self._channel(message.reply), message)

    async def _post_directly(self, message: Message) -> None:
        await self._send(await self._client.fetch_user(int(message.reply.user_id)), message)

    @staticmethod
    async def _send(place: discord.abc.Messageable, message: Message) -> None:
        # The line of text stays readable where the bot may not embed links.
        await place.send(
            translator_for(message.reply.locale).format("result-for", person=mention(message.reply.user_id)),
            embed=message.content.embed,
            files=message.attachments(),
            view=message.view() or discord.utils.MISSING,
            allowed_mentions=_NO_MENTIONS,
            nonce=_nonce(message.job),
        )


async def deliver(route: Route, result_message: ResultMessage, reply: ReplyTo) -> bool:
    """Try a route, with fewer or smaller files after each failure for their size; return whether it worked."""
    size_limit = route.size_limit
    slow = 0
    while True:
        choice = result_message.select_files(size_limit)
        message = Message(job=result_message.job, reply=reply, content=result_message.embed(choice), files=choice.files)
        try:
            return await try_route(route, message)
        except UploadTimeoutError:
            # A slow connection stays too slow for these files; a rate limit would end.
            slow += 1
            if slow % MAX_SLOW_TRIES:
                continue
        except FilesTooLargeError:
            if not choice.files:
                return False
        largest = max(file.size for file in choice.files)
        # The size that every place takes is the best guess; after that, the largest file is dropped each time.
        size_limit = (
            discord_limits.DEFAULT_MAX_FILE_BYTES if largest > discord_limits.DEFAULT_MAX_FILE_BYTES else largest - 1
        )


async def try_route(route: Route, message: Message) -> bool:
    """Try a route once; return False when it never works.

    Raises:
        FilesTooLargeError: It can work with smaller files.
        UploadTimeoutError: It can work with fewer files.
        TransientError: It can work later.

    """
    try:
        async with asyncio.timeout(discord_limits.REQUEST_TIMEOUT_S):
            with span(f"route {route.name}", attributes={"stemcord.files": len(message.files)}):
                await route.send(message)
    except discord.HTTPException as error:
        if error.status == 413 or error.code == discord_limits.ENTITY_TOO_LARGE_CODE:
            raise FilesTooLargeError("The files are too large for this place.") from error
        if _may_work_later(error, route):
            raise TransientError(f"{route.name}: status {error.status}") from error
        log = structlog.get_logger(__name__)
        log.info("route_closed", route=route.name, status=error.status, code=error.code, job=message.job.id)
        return False
    except (aiohttp.ClientError, OSError) as error:
        if isinstance(error, TimeoutError) and message.files:
            raise UploadTimeoutError("The files were not uploaded in time.") from error
        raise TransientError(f"{route.name}: {type(error).__name__}") from error
    return True


def _follows_edits(job: Job) -> bool:
    """Tell whether a job writes a result again after an edit: who deleted its message wants no new one for each."""
    return job.replaces is True and job.request.transcript_edits is not None


def _may_work_later(error: discord.HTTPException, route: Route) -> bool:
    """Tell whether a route can work later; a 401 means an expired interaction token, or a wrong setting of the bot."""
    return is_transient(error) or (error.status == 401 and route.name != "interaction")


def _has_token(reply: ReplyTo) -> bool:
    """Tell whether the interaction's token can still work."""
    ends = reply.interaction_expires - discord_limits.INTERACTION_TOKEN_MARGIN_S
    return bool(reply.interaction_token) and discord.utils.utcnow().timestamp() < ends


def _nonce(job: Job) -> str:
    """Return what makes Discord refuse a second message of the same job for some minutes."""
    return job.id[: discord_limits.MAX_NONCE_CHARS]
