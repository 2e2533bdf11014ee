"""Puts cards and files into Discord; the only place that knows token life, size limits and retries.

A result goes, by the first way that works:
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
from bot.i18n.translator import translator_for
from bot.jobs.result_files import Attachment, ResultMessage
from bot.messages.embeds import EmbedMessage, mention
from bot.retry import is_transient
from worker.protocol import Job, ReplyTo

MAX_SLOW_TRIES = 3
"""Tries with the same files before there are fewer."""
_NO_MENTIONS = discord.AllowedMentions.none()


class TransientError(Exception):
    """Discord or the way to it is troubled; the same will work later."""


class TooLargeError(Exception):
    """The files are larger than that place takes."""


class UploadTimeoutError(Exception):
    """The files did not get through in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A card with its files, on its way to the place of a job."""

    job: Job
    reply: ReplyTo
    content: EmbedMessage
    files: Sequence[Attachment] = ()

    def attachments(self) -> list[discord.File]:
        """The files, opened anew for each try, since a try reads them to their end."""
        return [discord.File(file.path, filename=file.name) for file in self.files]

    def view(self) -> discord.ui.View | None:
        """The buttons below the card."""
        return build_view(self.content, translator_for(self.reply.locale))


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way to bring a post, and how large a file may be by it."""

    name: str
    send: Callable[[Message], Awaitable[object]]
    size_limit: int


class Delivery:
    """The ways into Discord for one client."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._edits = AsyncLimiter(discord_limits.MAX_EDITS_PER_SECOND, 1)

    async def show_progress(self, job: Job, reply: ReplyTo, content: EmbedMessage) -> bool:
        """Edit the job's message, for progress; False when that is no longer possible. Raises `PassingError`."""
        message = Message(job=job, reply=reply, content=content)
        async with self._edits:
            return await self._try_routes(message, self._edit_routes(reply))

    async def show_final(self, job: Job, reply: ReplyTo, content: EmbedMessage) -> bool:
        """Bring a last card without files by any way; False when none is open. Raises `PassingError`."""
        return await self._try_routes(Message(job=job, reply=reply, content=content), self._all_routes(reply))

    async def deliver(self, result_message: ResultMessage, reply: ReplyTo) -> bool:
        """Bring a result with as many of its files as the place takes; False when no way is open.

        Raises `PassingError`.
        """
        # Before that the servers, and so their limits, are not known.
        await self._client.wait_until_ready()
        for route in self._all_routes(reply):
            if await deliver(route, result_message, reply):
                return True
        return False

    async def share(self, result_message: ResultMessage, channel_id: str, text: str, size_limit: int) -> bool:
        """Post a result in another channel, under a line of text; False when that cannot be done.

        Raises `PassingError`.
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
        """Tell the person in private; False when neither way to do so is open. Raises `PassingError`."""

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
        """Whether one of the ways worked, for a post without files: smaller it cannot be made."""
        for route in routes:
            with suppress(TooLargeError):
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
        """Bytes per file for the bot itself: what the server has, no matter what the person may send."""
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
    """Try a way with less each time the place finds it too large."""
    size_limit = route.size_limit
    slow = 0
    while True:
        choice = result_message.select_files(size_limit)
        message = Message(job=result_message.job, reply=reply, content=result_message.embed(choice), files=choice.files)
        try:
            return await try_route(route, message)
        except UploadTimeoutError:
            # A line that is too slow for so much would be so for ever; a place that makes the bot wait would not.
            slow += 1
            if slow % MAX_SLOW_TRIES:
                continue
        except TooLargeError:
            if not choice.files:
                return False
        largest = max(file.size for file in choice.files)
        # The size that every place takes is the best guess; after that the largest file goes each time.
        size_limit = (
            discord_limits.DEFAULT_MAX_FILE_BYTES if largest > discord_limits.DEFAULT_MAX_FILE_BYTES else largest - 1
        )


async def try_route(route: Route, message: Message) -> bool:
    """Whether the way worked; raises `TooLargeError`, `SlowError` or `PassingError` where it may yet."""
    try:
        async with asyncio.timeout(discord_limits.REQUEST_TIMEOUT_S):
            await route.send(message)
    except discord.HTTPException as error:
        if error.status == 413 or error.code == discord_limits.ENTITY_TOO_LARGE_CODE:
            raise TooLargeError from error
        if _may_work_later(error, route):
            raise TransientError(f"{route.name}: status {error.status}") from error
        log = structlog.get_logger(__name__)
        log.info("way_closed", route=route.name, status=error.status, code=error.code, job=message.job.id)
        return False
    except (aiohttp.ClientError, OSError) as error:
        if isinstance(error, TimeoutError) and message.files:
            raise UploadTimeoutError from error
        raise TransientError(f"{route.name}: {type(error).__name__}") from error
    return True


def _may_work_later(error: discord.HTTPException, route: Route) -> bool:
    """True for trouble that ends; a 401 is an expired token for an interaction, a wrong setting for the bot."""
    return is_transient(error) or (error.status == 401 and route.name != "interaction")


def _has_token(reply: ReplyTo) -> bool:
    """False once the interaction's token is surely refused; before that Discord's own answer counts."""
    ends = reply.interaction_expires - discord_limits.INTERACTION_TOKEN_MARGIN_S
    return bool(reply.interaction_token) and discord.utils.utcnow().timestamp() < ends


def _nonce(job: Job) -> str:
    """Makes Discord refuse a second message of the same job for some minutes."""
    return job.id[: discord_limits.MAX_NONCE_CHARS]
