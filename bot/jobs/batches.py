"""Submits the clips of one message in one go: a job and a message for each, and a card that sums them up."""

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial

from msgspec import structs

from bot import discord_limits
from bot.clips.attachments import AttachmentDownloader, Clip
from bot.database.upload_limits import UploadLimits
from bot.error_handler import describe_message_error
from bot.i18n.translator import translator_for
from bot.jobs.batch_cards import BatchCards
from bot.jobs.delivery import Delivery
from bot.jobs.origins import JobOrigin
from bot.jobs.submission import JobSubmitter
from bot.jobs.sync import JobSync
from bot.messages import embeds
from bot.messages.batch_card import batch_card
from bot.messages.formatting import escape, shorten
from bot.retry import retry_until_done
from pipeline.types import Artefact, Request, Task
from worker.protocol import Batch, Job, ReplyTo
from worker.telemetry import span

NO_CARD = "0"
"""Stands for the id of a card that Discord did not tell."""


class BatchSubmitter:
    """Submits several clips that came with one message; the limits and quotas of a single clip hold for each."""

    def __init__(
        self,
        submitter: JobSubmitter,
        downloader: AttachmentDownloader,
        sync: JobSync,
        delivery: Delivery,
        cards: BatchCards,
        upload_limits: UploadLimits,
    ) -> None:
        self._submitter = submitter
        self._downloader = downloader
        self._sync = sync
        self._delivery = delivery
        self._cards = cards
        self._upload_limits = upload_limits

    async def submit(self, origin: JobOrigin, clips: Sequence[Clip], task: Task, options: Mapping[str, object]) -> None:
        """Submit the clips of a message; a single one as every command does.

        Where the bot is no member, it can post too few messages for several, and takes the first clip.

        Args:
            origin: Where they are asked for.
            clips: The attachments.
            task: What to do with each.
            options: Options of the request; None: not chosen.

        Raises:
            RefusedError: The person's rights do not allow it.
            ValidationError: An option has a wrong value.
            DatabaseError: The database is unavailable.

        """
        if len(clips) == 1 or origin.reply.outside is True:
            await self._submitter.submit_from(origin, clips[0], task, options)
            return
        settings = await self._submitter.admit(origin)
        request = self._submitter.read_request(settings, task, options)
        batch = await self._show_card(origin, clips)
        reply = await self._upload_limits.narrow(origin.reply)
        jobs = [structs.replace(job, max_duration=settings.max_duration) for job in _jobs(batch, clips, request, reply)]
        turn = asyncio.Lock()
        async with self._submitter.running():
            await asyncio.gather(*(self._take(origin, job, clip, turn) for job, clip in zip(jobs, clips, strict=True)))
        await self._cards.update(jobs[0])

    async def _show_card(self, origin: JobOrigin, clips: Sequence[Clip]) -> Batch:
        """Answer with the card; as long as a command's answer is empty, the next message would take its place."""
        ids, names = tuple(uuid.uuid4().hex for _ in clips), tuple(clip.name for clip in clips)
        plan = Batch(card_id=NO_CARD, jobs=ids, names=names)
        content = batch_card(translator_for(origin.reply.locale), plan, dict.fromkeys(ids), origin.reply.user_id)
        card_id = await origin.acknowledge(content)
        await origin.show(content)
        return plan if card_id is None else structs.replace(plan, card_id=card_id)

    async def _take(self, origin: JobOrigin, job: Job, clip: Clip, turn: asyncio.Lock) -> None:
        """Take one clip as far as the queue; what fails is told in private and shown in the card."""
        reply = job.reply_to
        assert reply is not None
        try:
            async with AsyncExitStack() as slot:
                # One after the other, so that the messages stand in the order of the clips.
                async with turn:
                    self._downloader.check(clip)
                    reserved = self._sync.reserve(reply.user_id, reply.guild_id, reply.channel_id, job.id)
                    await slot.enter_async_context(reserved)
                    await self._submitter.check_wait(job)
                    await self._sync.acknowledge(job)
                    content = embeds.receiving_embed(translator_for(reply.locale), job.source.name)
                    message_id = await origin.post(content)
                    job = structs.replace(job, reply_to=structs.replace(reply, message_id=message_id))
                    await self._sync.acknowledge(job)
                with span("download"):
                    source = await self._downloader.download(clip)
                given = await self._submitter.with_glossary(structs.replace(job, source=source))
                await self._submitter.enqueue(given)
        except Exception as error:  # noqa: BLE001 - the other clips go on
            await self._refuse(job, error)

    async def _refuse(self, job: Job, error: Exception) -> None:
        """Say in private why a clip was not taken."""
        reply = job.reply_to
        assert reply is not None
        reason = describe_message_error(int(job.id[:8], 16), error, reply.locale)
        text = shorten(f"**{escape(job.source.name)}**: {reason}", discord_limits.MAX_CONTENT_CHARS)
        await retry_until_done(partial(self._delivery.notify, job, reply, text))
        if reply.message_id is not None:
            failed = embeds.failed_embed(translator_for(reply.locale), job.source.name, reply.user_id)
            await retry_until_done(partial(self._delivery.show_final, job, reply, failed))


def _jobs(batch: Batch, clips: Sequence[Clip], request: Request, reply: ReplyTo) -> list[Job]:
    return [
        Job(
            id=job_id,
            request=request,
            source=Artefact(name=clip.name, digest="", size=clip.size, media_type=clip.content_type),
            submitted=time.time(),
            reply_to=reply,
            batch=batch,
            card=True,
        )
        for job_id, clip in zip(batch.jobs, clips, strict=True)
    ]
