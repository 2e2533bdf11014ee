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

from bot import discord_limits as limits
from bot.components.views import view_of
from bot.i18n.translator import speech_for
from bot.jobs.result_files import Attachable, Outcome
from bot.messages.embeds import Card, person
from bot.retry import is_passing
from worker.protocol import Job, ReplyTo

SLOW_TRIES = 3
"""Tries with the same files before there are fewer."""
_NOBODY = discord.AllowedMentions.none()


class PassingError(Exception):
    """Discord or the way to it is troubled; the same will work later."""


class TooLargeError(Exception):
    """The files are larger than that place takes."""


class SlowError(Exception):
    """The files did not get through in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A card with its files, on its way to the place of a job."""

    job: Job
    reply: ReplyTo
    card: Card
    files: Sequence[Attachable] = ()

    def attachments(self) -> list[discord.File]:
        """The files, opened anew for each try, since a try reads them to their end."""
        return [discord.File(file.path, filename=file.name) for file in self.files]

    def view(self) -> discord.ui.View | None:
        """The buttons below the card."""
        return view_of(self.card, speech_for(self.reply.locale))


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to bring a post, and how large a file may be by it."""

    name: str
    send: Callable[[Post], Awaitable[object]]
    size_limit: int


class Delivery:
    """The ways into Discord for one client."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._edits = AsyncLimiter(limits.EDITS_PER_SECOND, 1)

    async def show(self, job: Job, reply: ReplyTo, card: Card) -> bool:
        """Edit the job's message, for progress; False when that is no longer possible. Raises `PassingError`."""
        post = Post(job=job, reply=reply, card=card)
        async with self._edits:
            return await self._first_way(post, self._edits_of(reply))

    async def settle(self, job: Job, reply: ReplyTo, card: Card) -> bool:
        """Bring a last card without files by any way; False when none is open. Raises `PassingError`."""
        return await self._first_way(Post(job=job, reply=reply, card=card), self._all_ways(reply))

    async def deliver(self, outcome: Outcome, reply: ReplyTo) -> bool:
        """Bring a result with as many of its files as the place takes; False when no way is open.

        Raises `PassingError`.
        """
        # Before that the servers, and so their limits, are not known.
        await self._client.wait_until_ready()
        for way in self._all_ways(reply):
            if await bring(way, outcome, reply):
                return True
        return False

    async def share(self, outcome: Outcome, channel_id: str, text: str, size_limit: int) -> bool:
        """Post a result in another channel, under a line of text; False when that cannot be done.

        Raises `PassingError`.
        """

        async def send(post: Post) -> None:
            await self._client.get_partial_messageable(int(channel_id)).send(
                text,
                embed=post.card.embed,
                files=post.attachments(),
                view=post.view() or discord.utils.MISSING,
                allowed_mentions=_NOBODY,
            )

        reply = outcome.job.reply_to
        return reply is not None and await bring(Way(name="share", send=send, size_limit=size_limit), outcome, reply)

    async def tell(self, job: Job, reply: ReplyTo, text: str) -> bool:
        """Tell the person in private; False when neither way to do so is open. Raises `PassingError`."""

        async def send_privately(_: Post) -> None:
            await self._webhook(reply).send(text, ephemeral=True, allowed_mentions=_NOBODY, wait=True)

        async def send_directly(_: Post) -> None:
            user = await self._client.fetch_user(int(reply.user_id))
            await user.send(text, allowed_mentions=_NOBODY, nonce=_nonce(job))

        ways = [Way(name="direct", send=send_directly, size_limit=0)]
        if _has_token(reply):
            ways.insert(0, Way(name="interaction", send=send_privately, size_limit=0))
        return await self._first_way(Post(job=job, reply=reply, card=Card(embed=discord.Embed())), ways)

    async def _first_way(self, post: Post, ways: Sequence[Way]) -> bool:
        """Whether one of the ways worked, for a post without files: smaller it cannot be made."""
        for way in ways:
            with suppress(TooLargeError):
                if await attempt(way, post):
                    return True
        return False

    def _edits_of(self, reply: ReplyTo) -> list[Way]:
        ways: list[Way] = []
        if reply.message_id is not None and _has_token(reply):
            ways.append(Way(name="interaction", send=self._edit_by_interaction, size_limit=reply.size_limit))
        if reply.message_id is not None:
            ways.append(Way(name="bot", send=self._edit_by_bot, size_limit=self._channel_limit(reply)))
        return ways

    def _all_ways(self, reply: ReplyTo) -> list[Way]:
        return [
            *self._edits_of(reply),
            Way(name="channel", send=self._post_in_channel, size_limit=self._channel_limit(reply)),
            Way(name="direct", send=self._post_directly, size_limit=min(reply.size_limit, limits.FILE_SIZE)),
        ]

    def _channel_limit(self, reply: ReplyTo) -> int:
        """Bytes per file for the bot itself: what the server has, no matter what the person may send."""
        guild = None if reply.guild_id is None else self._client.get_guild(int(reply.guild_id))
        return min(reply.size_limit, limits.FILE_SIZE if guild is None else guild.filesize_limit)

    def _webhook(self, reply: ReplyTo) -> discord.Webhook:
        webhook = discord.Webhook.partial(int(reply.application_id), reply.interaction_token, client=self._client)
        webhook.type = discord.WebhookType.application
        return webhook

    def _channel(self, reply: ReplyTo) -> discord.PartialMessageable:
        guild_id = None if reply.guild_id is None else int(reply.guild_id)
        return self._client.get_partial_messageable(int(reply.channel_id), guild_id=guild_id)

    async def _edit_by_interaction(self, post: Post) -> None:
        await self._webhook(post.reply).edit_message(
            int(post.reply.message_id or 0),
            content=None,
            embed=post.card.embed,
            attachments=post.attachments(),
            view=post.view(),
            allowed_mentions=_NOBODY,
        )

    async def _edit_by_bot(self, post: Post) -> None:
        await (
            self._channel(post.reply)
            .get_partial_message(int(post.reply.message_id or 0))
            .edit(
                content=None,
                embed=post.card.embed,
                attachments=post.attachments(),
                view=post.view(),
                allowed_mentions=_NOBODY,
            )
        )

    async def _post_in_channel(self, post: Post) -> None:
        await self._send(self._channel(post.reply), post)

    async def _post_directly(self, post: Post) -> None:
        await self._send(await self._client.fetch_user(int(post.reply.user_id)), post)

    @staticmethod
    async def _send(place: discord.abc.Messageable, post: Post) -> None:
        # The line of text stays readable where the bot may not embed links.
        await place.send(
            speech_for(post.reply.locale).say("result-for", person=person(post.reply.user_id)),
            embed=post.card.embed,
            files=post.attachments(),
            view=post.view() or discord.utils.MISSING,
            allowed_mentions=_NOBODY,
            nonce=_nonce(post.job),
        )


async def bring(way: Way, outcome: Outcome, reply: ReplyTo) -> bool:
    """Try a way with less each time the place finds it too large."""
    size_limit = way.size_limit
    slow = 0
    while True:
        choice = outcome.choose(size_limit)
        post = Post(job=outcome.job, reply=reply, card=outcome.card(choice), files=choice.files)
        try:
            return await attempt(way, post)
        except SlowError:
            # A line that is too slow for so much would be so for ever; a place that makes the bot wait would not.
            slow += 1
            if slow % SLOW_TRIES:
                continue
        except TooLargeError:
            if not choice.files:
                return False
        largest = max(file.size for file in choice.files)
        # The size that every place takes is the best guess; after that the largest file goes each time.
        size_limit = limits.FILE_SIZE if largest > limits.FILE_SIZE else largest - 1


async def attempt(way: Way, post: Post) -> bool:
    """Whether the way worked; raises `TooLargeError`, `SlowError` or `PassingError` where it may yet."""
    try:
        async with asyncio.timeout(limits.REQUEST_TIME):
            await way.send(post)
    except discord.HTTPException as error:
        if error.status == 413 or error.code == limits.ENTITY_TOO_LARGE:
            raise TooLargeError from error
        if _may_work_later(error, way):
            raise PassingError(f"{way.name}: status {error.status}") from error
        log = structlog.get_logger(__name__)
        log.info("way_closed", way=way.name, status=error.status, code=error.code, job=post.job.id)
        return False
    except (aiohttp.ClientError, OSError) as error:
        if isinstance(error, TimeoutError) and post.files:
            raise SlowError from error
        raise PassingError(f"{way.name}: {type(error).__name__}") from error
    return True


def _may_work_later(error: discord.HTTPException, way: Way) -> bool:
    """True for trouble that ends; a 401 is an expired token for an interaction, a wrong setting for the bot."""
    return is_passing(error) or (error.status == 401 and way.name != "interaction")


def _has_token(reply: ReplyTo) -> bool:
    """False once the interaction's token is surely refused; before that Discord's own answer counts."""
    ends = reply.interaction_expires - limits.TOKEN_MARGIN
    return bool(reply.interaction_token) and discord.utils.utcnow().timestamp() < ends


def _nonce(job: Job) -> str:
    """Makes Discord refuse a second message of the same job for some minutes."""
    return job.id[: limits.NONCE_LENGTH]
