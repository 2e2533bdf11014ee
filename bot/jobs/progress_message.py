"""The message of a running job."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import structlog

from bot.exceptions import TransientError
from bot.i18n.translator import translator_for
from bot.jobs.delivery import Delivery
from bot.messages.embeds import EmbedMessage, JobProgress, progress_embed
from pipeline.errors import QueueError
from worker.protocol import Event, Job, ReplyTo
from worker.queue import Queue


class ProgressMessage:
    """Edits the message of a running job at a steady pace, however many events there are."""

    def __init__(self, queue: Queue, delivery: Delivery, job: Job, reply: ReplyTo) -> None:
        self._queue = queue
        self._delivery = delivery
        self._job = job
        self._reply = reply
        self._progress = JobProgress()
        self._editing = asyncio.Lock()
        self._shown: EmbedMessage | None = None

    def apply(self, event: Event) -> None:
        """Show an event with the next edit."""
        self._progress = self._progress.apply(event)

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
        while editable:
            with suppress(TransientError, QueueError):
                async with self._editing:
                    editable = await self._edit()
            await asyncio.sleep(interval_s)

    async def _edit(self) -> bool:
        """Edit when something changed; return False when the message can no longer be edited."""
        progress = self._progress
        if progress.attempt == 0:
            outlook = await self._queue.outlook(self._job.id)
            if outlook is not None:
                progress = JobProgress(position=outlook.position, wait_s=outlook.wait_s)
        translator = translator_for(self._reply.locale)
        content = progress_embed(translator, self._job.source.name, self._job.id, progress)
        if content == self._shown:
            return True
        editable = await self._delivery.show_progress(self._job, self._reply, content)
        self._shown = content
        return editable
