"""Keeps the cards of batches up to date, also after a restart."""

import asyncio
from functools import partial
from typing import Final

from cachetools import LRUCache
from msgspec import UnsetType, structs

from bot.database.repository import Repository
from bot.i18n.translator import translator_for
from bot.jobs.delivery import Delivery
from bot.messages.batch_card import batch_card
from bot.messages.embeds import EmbedMessage
from bot.retry import retry_until_done
from worker.protocol import Batch, Job, ReplyTo

MAX_CARDS: Final = 1000
"""Cards of which it is known what they show; far more than change at once."""


class BatchCards:
    """Edits the card of a batch whenever one of its jobs has changed."""

    def __init__(self, repository: Repository, delivery: Delivery) -> None:
        self._repository = repository
        self._delivery = delivery
        self._turns: LRUCache[str, asyncio.Lock] = LRUCache(MAX_CARDS)
        self._shown: LRUCache[str, EmbedMessage] = LRUCache(MAX_CARDS)
        self._updates: set[asyncio.Task[None]] = set()

    async def update(self, job: Job) -> None:
        """Show the state of the batch of a job, if it has one, however long Discord or the database is away."""
        if not isinstance(job.batch, UnsetType) and job.reply_to is not None:
            await retry_until_done(partial(self.show, job, job.batch, job.reply_to))

    def update_soon(self, job: Job) -> None:
        """Show it in the background, for a change that matters less than what follows."""
        if not isinstance(job.batch, UnsetType):
            task = asyncio.create_task(self.update(job), name=f"card-{job.id}")
            self._updates.add(task)
            task.add_done_callback(self._updates.discard)

    async def close(self) -> None:
        """Stop; the next start shows the cards of jobs that have not ended."""
        for task in self._updates:
            task.cancel()
        await asyncio.gather(*self._updates, return_exceptions=True)

    async def show(self, job: Job, batch: Batch, reply: ReplyTo) -> None:
        """Show the state of a batch. Raises `TransientError` and `DatabaseError`.

        Args:
            job: One of its jobs.
            batch: The batch.
            reply: The place of its jobs.

        """
        async with self._turns.setdefault(batch.card_id, asyncio.Lock()):
            records = await self._repository.jobs_by_id(batch.jobs)
            content = batch_card(translator_for(reply.locale), batch, records, reply.user_id)
            if content != self._shown.get(batch.card_id):
                # A card that was deleted is not posted again.
                await self._delivery.show_progress(job, structs.replace(reply, message_id=batch.card_id), content)
                self._shown[batch.card_id] = content
