"""The message of a running job."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from bot.exceptions import TransientError
from bot.i18n.translator import translator_for
from bot.jobs.delivery import Delivery
from bot.messages.embeds import EmbedMessage, progress_embed
from bot.messages.job_progress import JobProgress, RunningJobs
from pipeline.errors import QueueError
from worker.protocol import Job, ReplyTo
from worker.queue import Queue

CLOSING_NOTICE_S: Final = 180.0
"""How long before the end of its token a message says so where the bot is no member: at minute 12 of 15."""


class ProgressMessage:
    """Edits the message of a running job at a steady pace, however many events there are."""

    def __init__(
        self, queue: Queue, delivery: Delivery, job: Job, reply: ReplyTo, running: RunningJobs, *, pages: bool
    ) -> None:
        self._queue = queue
        self._delivery = delivery
        self._job = job
        self._reply = reply
        self._running = running
        self._pages = pages
        self._editing = asyncio.Lock()
        self._shown: EmbedMessage | None = None

    @asynccontextmanager
    async def editing(self, interval_s: float) -> AsyncGenerator[None]:
        """Edit the message in the background until the block ends; an edit that has begun ends first."""
        task = asyncio.create_task(self._edit_repeatedly(interval_s), name=f"progress-{self._job.id}")
        try:
            yield
        finally:
            # A late edit would cover the result.
            async with self._editing:
                task.cancel()
            await asyncio.wait({task})
            if not task.cancelled() and (error := task.exception()) is not None:
                structlog.get_logger(__name__).error("progress_not_shown", job=self._job.id, exc_info=error)

    async def _edit_repeatedly(self, interval_s: float) -> None:
        editable = True
        # Where the bot is no member, a button of the message can bring a new token.
        while editable or self._reply.outside is True:
            with suppress(TransientError, QueueError):
                async with self._editing:
                    editable = await self._edit()
            await asyncio.sleep(interval_s)

    async def _edit(self) -> bool:
        """Edit when something changed; return False when the message can no longer be edited."""
        progress = self._running.get(self._job.id) or JobProgress()
        if progress.attempt == 0:
            outlook = await self._queue.outlook(self._job.id)
            if outlook is not None:
                progress = JobProgress(position=outlook.position, wait_s=outlook.wait_s)
        translator = translator_for(self._reply.locale)
        content = progress_embed(
            translator, self._job.source.name, self._job.id, progress, closes=self._closes(), pages=self._pages
        )
        if content == self._shown:
            return True
        editable = await self._delivery.show_progress(self._job, self._reply, content)
        if editable:
            self._shown = content
        return editable

    def _closes(self) -> int | None:
        """Return the Unix time at which the message can no longer be edited, once that is near."""
        reply = self._delivery.newest_reply(self._job, self._reply)
        if reply.outside is not True or reply.interaction_expires - time.time() > CLOSING_NOTICE_S:
            return None
        return int(reply.interaction_expires)
