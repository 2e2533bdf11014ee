"""Ways to send a message, and what to try again in which way when one fails."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import discord
import structlog

from bot import discord_limits
from bot.components.layouts import build_layout
from bot.components.views import build_view
from bot.database.upload_limits import step_below
from bot.exceptions import FilesTooLargeError, TransientError, UploadTimeoutError
from bot.i18n.translator import translator_for
from bot.jobs.result_files import Attachment, ResultMessage
from bot.messages.cards import CardMessage
from bot.messages.embeds import EmbedMessage
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
    content: EmbedMessage | CardMessage
    files: Sequence[Attachment] = ()

    def attachments(self) -> list[discord.File]:
        """Open the files again for each attempt, since an attempt reads them to the end."""
        return [discord.File(file.path, filename=file.name) for file in self.files]

    def edited(self) -> dict[str, Any]:
        """Return what an edit of the message sets; components take the place of text and embed for good."""
        translator = translator_for(self.reply.locale)
        if isinstance(self.content, CardMessage):
            shown: dict[str, Any] = {"embed": None, "view": build_layout(self.content, translator)}
        else:
            shown = {"embed": self.content.embed, "view": build_view(self.content, translator)}
        return {**shown, "content": None, "attachments": self.attachments(), "allowed_mentions": _NO_MENTIONS}

    def posted(self, text: str) -> dict[str, Any]:
        """Return what a new message has, below a line of text."""
        translator = translator_for(self.reply.locale)
        if isinstance(self.content, CardMessage):
            shown: dict[str, Any] = {"view": build_layout(self.content, translator, above=text)}
        else:
            view = build_view(self.content, translator) or discord.utils.MISSING
            shown = {"content": text, "embed": self.content.embed, "view": view}
        return {**shown, "files": self.attachments(), "allowed_mentions": _NO_MENTIONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way to send a message, and how large its files may be."""

    name: str
    send: Callable[[Message], Awaitable[object]]
    size_limit: int
    """Bytes of one file."""


async def deliver(
    route: Route, result_message: ResultMessage, reply: ReplyTo, learn: Callable[[int], Awaitable[None]] | None = None
) -> bool:
    """Try a route, with fewer or smaller files after each failure for their size; return whether it worked.

    Args:
        route: The route.
        result_message: The result with its files.
        reply: The place.
        learn: Remembers a limit that a refusal taught, in bytes.

    """
    size_limit = route.size_limit
    slow = 0
    while True:
        choice = result_message.select_files(size_limit)
        message = Message(
            job=result_message.job, reply=reply, content=result_message.content(choice), files=choice.files
        )
        refused = True
        try:
            return await try_route(route, message)
        except UploadTimeoutError:
            # A slow connection stays too slow for these files; a rate limit would end.
            slow += 1
            if slow % MAX_SLOW_TRIES:
                continue
            refused = False
        except FilesTooLargeError:
            if not choice.files:
                return False
        largest = max(file.size for file in choice.files)
        step = step_below(largest)
        if step is not None and refused and learn is not None and _tells_limit(choice.files):
            await learn(step)
        # Every place takes the smallest step; below it the largest file is dropped each time.
        size_limit = largest - 1 if step is None else step


def _tells_limit(files: Sequence[Attachment]) -> bool:
    """Tell whether a refusal was for the largest file, and not for all of them together."""
    return len(files) == 1 or sum(file.size for file in files) <= discord_limits.MAX_REQUEST_BYTES


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


def _may_work_later(error: discord.HTTPException, route: Route) -> bool:
    """Tell whether a route can work later; a 401 means an expired interaction token, or a wrong setting of the bot."""
    return is_transient(error) or (error.status == 401 and route.name != "interaction")
