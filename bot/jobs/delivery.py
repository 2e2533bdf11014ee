"""Sends and edits messages in Discord; the only place that knows token lifetime, size limits and retries.

A result takes the first route that works:
  1. into the message of the interaction, by its token (15 minutes, then 401 with 50027)
  2. into the same message, by the bot's own token
  3. as a new message in the channel
  4. as a direct message to the person
Where the bot is no member, only the first and the last are open; a button of the message brings a new token.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import discord
from aiolimiter import AsyncLimiter
from cachetools import LRUCache

from bot import discord_limits
from bot.database.upload_limits import UploadLimits, usual_limit
from bot.exceptions import FilesTooLargeError
from bot.i18n.translator import translator_for
from bot.jobs.result_files import ResultMessage
from bot.jobs.routes import Message, Route, deliver, try_route
from bot.messages.embeds import EmbedMessage
from bot.messages.formatting import mention
from bot.voices.consent import is_recording
from worker.protocol import Job, ReplyTo

MAX_RENEWED_TOKENS = 1000
"""Far more than people ask for within the 15 minutes that one works."""
_NO_MENTIONS = discord.AllowedMentions.none()


class Delivery:
    """Sends messages about jobs for one client."""

    def __init__(self, client: discord.Client, limits: UploadLimits) -> None:
        self._client = client
        self.limits = limits
        self._edits = AsyncLimiter(discord_limits.MAX_EDITS_PER_SECOND, 1)
        self._renewed: LRUCache[str, ReplyTo] = LRUCache(MAX_RENEWED_TOKENS)

    def renew(self, job_id: str, reply: ReplyTo) -> None:
        """Answer a job with the token of a later interaction with its message."""
        self._renewed[job_id] = reply

    def newest_reply(self, job: Job, reply: ReplyTo) -> ReplyTo:
        """Return the reply with the latest token that is known for the message of a job."""
        return self._renewed.get(job.id, reply)

    async def show_progress(self, job: Job, reply: ReplyTo, content: EmbedMessage) -> bool:
        """Edit the job's message; return False when that is no longer possible. Raises `TransientError`."""
        if is_recording(job):
            return False
        reply = self.newest_reply(job, reply)
        message = Message(job=job, reply=reply, content=content)
        async with self._edits:
            return await self._try_routes(message, self._edit_routes(reply))

    async def answer(self, job: Job, reply: ReplyTo, text: str) -> bool:
        """Put a text into the private message of a job, or else send it directly; return False when neither works.

        Raises `TransientError`.
        """

        async def edit(_: Message) -> None:
            fields: dict[str, Any] = {"content": text, "embed": None, "view": None, "allowed_mentions": _NO_MENTIONS}
            await self._webhook(reply).edit_message(int(reply.message_id or 0), **fields)

        return await self._tell(job, reply, text, Route(name="interaction", send=edit, size_limit=0))

    async def show_final(self, job: Job, reply: ReplyTo, content: EmbedMessage) -> bool:
        """Send a last message without files; return False when no route works. Raises `TransientError`.

        What somebody's recording of their own voice came to is nobody else's business: `notify` says it.
        """
        if is_recording(job):
            return True
        reply = self.newest_reply(job, reply)
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
        reply = self.newest_reply(result_message.job, reply)
        size = min(reply.size_limit, await self._own_limit(reply.guild_id))
        routes = self._edit_routes(reply, size) if _follows_edits(result_message.job) else self._all_routes(reply, size)
        for route in routes:
            place = None if route.name == "direct" else reply.guild_id
            if await deliver(route, result_message, reply, partial(self.limits.learn, place)):
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
            await self._client.get_partial_messageable(int(channel_id)).send(**message.posted(text))

        reply = result_message.job.reply_to
        if reply is None:
            return False
        route = Route(name="share", send=send, size_limit=size_limit)
        return await deliver(route, result_message, reply, partial(self.limits.learn, reply.guild_id))

    async def notify(self, job: Job, reply: ReplyTo, text: str) -> bool:
        """Send the person a private message; return False when no route works. Raises `TransientError`."""
        reply = self.newest_reply(job, reply)

        async def send_privately(_: Message) -> None:
            await self._webhook(reply).send(text, ephemeral=True, allowed_mentions=_NO_MENTIONS, wait=True)

        return await self._tell(job, reply, text, Route(name="interaction", send=send_privately, size_limit=0))

    async def _tell(self, job: Job, reply: ReplyTo, text: str, private: Route) -> bool:
        """Tell a person by a route that needs the token, or else in a direct message."""

        async def send_directly(_: Message) -> None:
            user = await self._client.fetch_user(int(reply.user_id))
            await user.send(text, allowed_mentions=_NO_MENTIONS, nonce=_nonce(job))

        routes = [Route(name="direct", send=send_directly, size_limit=0)]
        if has_token(reply):
            routes.insert(0, private)
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

    def _edit_routes(self, reply: ReplyTo, size_limit: int = 0) -> list[Route]:
        """Return the ways into the message; `size_limit`: bytes of a file that the bot itself may send there."""
        routes: list[Route] = []
        if reply.message_id is not None and has_token(reply):
            routes.append(Route(name="interaction", send=self._edit_by_interaction, size_limit=reply.size_limit))
        if reply.message_id is not None and reply.outside is not True:
            routes.append(Route(name="bot", send=self._edit_by_bot, size_limit=size_limit))
        return routes

    def _all_routes(self, reply: ReplyTo, size_limit: int = 0) -> list[Route]:
        routes = self._edit_routes(reply, size_limit)
        if reply.outside is not True:
            routes.append(Route(name="channel", send=self._post_in_channel, size_limit=size_limit))
        limit = min(reply.size_limit, discord_limits.DEFAULT_MAX_FILE_BYTES)
        return [*routes, Route(name="direct", send=self._post_directly, size_limit=limit)]

    async def _own_limit(self, guild_id: str | None) -> int:
        """Return the bytes of a file that the bot itself may send: what was learnt there, or else the usual."""
        known = await self.limits.learnt(guild_id)
        guild = None if guild_id is None else self._client.get_guild(int(guild_id))
        return usual_limit(guild) if known is None else known

    def _webhook(self, reply: ReplyTo) -> discord.Webhook:
        webhook = discord.Webhook.partial(int(reply.application_id), reply.interaction_token, client=self._client)
        webhook.type = discord.WebhookType.application
        return webhook

    def _channel(self, reply: ReplyTo) -> discord.PartialMessageable:
        guild_id = None if reply.guild_id is None else int(reply.guild_id)
        return self._client.get_partial_messageable(int(reply.channel_id), guild_id=guild_id)

    async def _edit_by_interaction(self, message: Message) -> None:
        await self._webhook(message.reply).edit_message(int(message.reply.message_id or 0), **message.edited())

    async def _edit_by_bot(self, message: Message) -> None:
        place = self._channel(message.reply)
        await place.get_partial_message(int(message.reply.message_id or 0)).edit(**message.edited())

    async def _post_in_channel(self, message: Message) -> None:
        await self._send(self._channel(message.reply), message)

    async def _post_directly(self, message: Message) -> None:
        await self._send(await self._client.fetch_user(int(message.reply.user_id)), message)

    @staticmethod
    async def _send(place: discord.abc.Messageable, message: Message) -> None:
        # The line of text stays readable where the bot may not embed links.
        text = translator_for(message.reply.locale).format("result-for", person=mention(message.reply.user_id))
        await place.send(**message.posted(text), nonce=_nonce(message.job))


def _follows_edits(job: Job) -> bool:
    """Tell whether a job writes a result again after an edit: who deleted its message wants no new one for each."""
    return job.replaces is True and job.request.transcript_edits is not None


def has_token(reply: ReplyTo) -> bool:
    """Tell whether the interaction's token can still work."""
    ends = reply.interaction_expires - discord_limits.INTERACTION_TOKEN_MARGIN_S
    return bool(reply.interaction_token) and discord.utils.utcnow().timestamp() < ends


def _nonce(job: Job) -> str:
    """Return what makes Discord refuse a second message of the same job for some minutes."""
    return job.id[: discord_limits.MAX_NONCE_CHARS]
