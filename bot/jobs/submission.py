"""Submits jobs: checks the options, acknowledges, downloads the clip and enqueues the job."""

import asyncio
import math
import time
import uuid
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import discord
from msgspec import UNSET, structs

from bot.clips.attachments import AttachmentDownloader, Clip
from bot.database.models import GuildSettings
from bot.database.repository import Repository
from bot.database.speaker_names import with_given
from bot.database.transcript_edits import TranscriptEdits
from bot.database.upload_limits import UploadLimits
from bot.exceptions import DatabaseError, RefusedError
from bot.glossary.server_glossary import ServerGlossary
from bot.i18n.translator import translator_for
from bot.jobs.changed_requests import gets_speaker_stems, newest_with_edits, with_names, with_speaker_stems
from bot.jobs.origins import InteractionOrigin, JobOrigin
from bot.jobs.sync import JobSync
from bot.jobs.tracker import JobTracker
from bot.messages import embeds
from bot.retry import ack_deadline, retry_until_done
from bot.settings import BotSettings
from bot.transcripts.rewriter import put_edits
from pipeline.clip_options import tool_request
from pipeline.errors import QueueError
from pipeline.options import parse_request
from pipeline.types import Artefact, ClipTool, Request, Task
from worker.protocol import Job
from worker.queue import Queue
from worker.store import Store
from worker.telemetry import current_trace, span

SHUTDOWN_TIMEOUT_S: Final = 5.0
"""Time for downloads to end when the bot stops."""


class JobSubmitter:
    """Does what every command does once it knows the clip and the options."""

    def __init__(
        self,
        downloader: AttachmentDownloader,
        queue: Queue,
        tracker: JobTracker,
        repository: Repository,
        store: Store,
        edits: TranscriptEdits,
        *,
        settings: BotSettings,
        glossary: ServerGlossary,
        sync: JobSync,
        upload_limits: UploadLimits,
    ) -> None:
        self._downloader = downloader
        self._queue = queue
        self._tracker = tracker
        self._preset = settings.preset
        self._repository = repository
        self._glossary = glossary
        self._store = store
        self._edits = edits
        self._sync = sync
        self._max_wait_minutes = settings.max_wait_minutes
        self._upload_limits = upload_limits
        self._submissions: set[asyncio.Task[Any]] = set()
        self._adding_stems = asyncio.Lock()

    async def submit(
        self,
        interaction: discord.Interaction[Any],
        clip: Clip,
        task: Task,
        options: Mapping[str, object],
        dub: Clip | None = None,
        tool: ClipTool | None = None,
    ) -> None:
        """Submit a job for a clip. What can be refused at once is refused before the public acknowledgement.

        What fails after it, such as the download, is answered here and not raised.

        Args:
            interaction: The command.
            clip: The attachment.
            task: What to do with it.
            options: Options of the request; None: not chosen.
            dub: A new voice track.
            tool: What to make of the clip, where the task is that.

        Raises:
            RefusedError: The clip, an option or the person's rights do not allow it.
            ValidationError: An option has a wrong value.
            DatabaseError: The database is unavailable.

        """
        await self.submit_from(InteractionOrigin(interaction), clip, task, options, dub, tool)

    async def submit_from(
        self,
        origin: JobOrigin,
        clip: Clip,
        task: Task,
        options: Mapping[str, object],
        dub: Clip | None = None,
        tool: ClipTool | None = None,
        path: Path | None = None,
    ) -> None:
        """Submit a job from wherever it was asked for, as `submit` does; `path`: the clip is here already."""
        with span("interaction", trace=UNSET, attributes={"stemcord.task": task.value}):
            settings = await self.admit(origin)
            request = self.read_request(settings, task, options, tool)
            self._downloader.check(clip, path)
            if dub is not None:
                self._downloader.check_dub(dub)
            pending = Artefact(name=clip.name, digest="", size=clip.size, media_type=clip.content_type)
            async with self.running(), self._reserve(origin, request, pending) as reserved:
                job = await self.with_glossary(await self._acknowledge(origin, reserved))
                with span("download"):
                    source = await self._downloader.download(clip, path)
                track = None if dub is None else await self._downloader.download_dub(dub)
                await self.enqueue(structs.replace(job, source=source, dub=track, max_duration=settings.max_duration))

    async def resubmit(
        self, interaction: discord.Interaction[Any], job: Job, request: Request, dub: Clip | None = None
    ) -> None:
        """Submit the clip of an earlier job with another request, in a new message; raises what `submit` raises.

        What people corrected in the transcript goes with it, and its glossary; without either, the server's goes.
        """
        with span("interaction", trace=UNSET, attributes={"stemcord.task": request.task.value}):
            await self._resubmit(InteractionOrigin(interaction), job, request, dub)

    async def _resubmit(self, origin: JobOrigin, job: Job, request: Request, dub: Clip | None) -> None:
        settings = await self.admit(origin)
        if dub is not None:
            self._downloader.check_dub(dub)
        async with self.running(), self._reserve(origin, request, job.source) as reserved:
            again = await self._acknowledge(origin, reserved)
            track = job.dub if dub is None else await self._downloader.download_dub(dub)
            given = await self._with_edits(job, again)
            if given.request.transcript_edits is None:
                # Corrections would no longer fit words that new terms change.
                given = await self.with_glossary(given)
            await self.enqueue(structs.replace(given, dub=track, max_duration=settings.max_duration))

    async def with_glossary(self, job: Job) -> Job:
        """Give a job the terms and people of its server, unless its request has some."""
        return await self._glossary.add_to(job)

    async def _with_edits(self, job: Job, again: Job) -> Job:
        """Give a new job the edits and names of an earlier one, those too that are not in its files yet."""
        record = await self._repository.newest_of_message(job.id)
        given = await self._repository.speaker_names.copy(job.id, again.id) if record is not None else {}
        again = structs.replace(again, request=replace(again.request, names=with_given(again.request.names, given)))
        history = await self._edits.history(job.id)
        if not history or record is None or record.result is None:
            return again
        edits = await put_edits(self._store, history, record.result.media.duration)
        await self._edits.copy(job.id, again.id)
        # It is mixed anew in any case, so by the words as they are now.
        return structs.replace(again, request=replace(again.request, edits=edits, mix_edits=True))

    def read_request(
        self, settings: GuildSettings, task: Task, options: Mapping[str, object], tool: ClipTool | None = None
    ) -> Request:
        """Read options that a person gave, beside those of the server. Raises `ValidationError`."""
        usual = {"preset": settings.preset or self._preset, "language": settings.language}
        given = usual | {name: value for name, value in options.items() if value is not None}
        return parse_request({**given, "task": task}) if tool is None else tool_request(tool, given)

    async def admit(self, origin: JobOrigin) -> GuildSettings:
        """Return the server's settings. Raises `RefusedError` where the bot may not post or the person not use it."""
        origin.check_may_post()
        guild_id = origin.reply.guild_id
        if guild_id is None:
            return GuildSettings(guild_id="")
        async with ack_deadline():
            settings = await self._repository.guild(guild_id)
        origin.check_may_use(settings.roles)
        return settings

    @asynccontextmanager
    async def _reserve(self, origin: JobOrigin, request: Request, source: Artefact) -> AsyncGenerator[Job]:
        """Reserve a slot and yield its job; answer what fails after the acknowledgement. Raises `QuotaError`."""
        reply = origin.reply
        async with self._sync.reserve(reply.user_id, reply.guild_id, reply.channel_id) as job_id:
            job = Job(id=job_id, request=request, source=source, submitted=time.time(), reply_to=reply, card=True)
            try:
                await self.check_wait(job)
                yield job
            except Exception as error:
                if not origin.is_answered:
                    raise
                # As long as the slot is there, the next start answers its person, should the bot be killed now.
                if not await origin.answer_error(error):
                    await self._tracker.report_error(job, error)
                await retry_until_done(partial(self._sync.release, job_id))

    async def check_wait(self, job: Job) -> None:
        """Refuse a job that would wait too long. Raises `RefusedError`."""
        if not self._max_wait_minutes:
            return
        wait_s = None
        # A queue that is away is told of where the job is handed in, after the acknowledgement.
        with suppress(QueueError):
            async with ack_deadline():
                wait_s = (await self._queue.outlook_of_new(job)).wait_s
        if wait_s is not None and wait_s > 60 * self._max_wait_minutes:
            raise RefusedError("queue-long", "queue-long-hint", minutes=math.ceil(wait_s / 60))

    async def _acknowledge(self, origin: JobOrigin, job: Job) -> Job:
        """Answer in public that the clip is being downloaded; return the job with the id of that message."""
        # A bot that is killed right after the answer must still know whom it has answered.
        async with ack_deadline():
            await self._sync.acknowledge(job)
        content = embeds.receiving_embed(translator_for(origin.reply.locale), job.source.name)
        with span("acknowledge"):
            message_id = await origin.acknowledge(content)
        reply = await self._upload_limits.narrow(structs.replace(origin.reply, message_id=message_id))
        job = structs.replace(job, reply_to=reply)
        if message_id is not None:
            await self._sync.acknowledge(job)
        await origin.show(content)
        return job

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Give what is submitted in the block a moment to end when the bot stops."""
        task = asyncio.current_task()
        assert task is not None
        self._submissions.add(task)
        try:
            yield
        finally:
            self._submissions.discard(task)

    async def close(self, timeout_s: float = SHUTDOWN_TIMEOUT_S) -> None:
        """Give downloads a moment to end before the bot stops; who comes after it answers for the others."""
        if not self._submissions:
            return
        _, late = await asyncio.wait(self._submissions, timeout=timeout_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=SHUTDOWN_TIMEOUT_S)

    async def enqueue(self, job: Job) -> None:
        """Record, enqueue and track a job. Raises `QueueError` and `DatabaseError`."""
        with span("submit", attributes={"stemcord.job": job.id}):
            job = structs.replace(job, trace=current_trace())
            await self._sync.record(job)
            await self._queue.submit(job)
            self._tracker.track(job)

    async def rename_speakers(self, job: Job, names: Mapping[str, str]) -> None:
        """Write a result again, in its message, with names by the id of the speaker and all edits; an empty one goes.

        Raises `QueueError`, `StoreError` and `DatabaseError`.
        """
        newest, request = await newest_with_edits(job, self._repository, self._edits, self._store)
        await self.rewrite(newest, with_names(request, names))

    async def add_speaker_stems(self, job: Job) -> None:
        """Write a result again with a track for each speaker, unless that is done; raises as `rename_speakers`."""
        async with self._adding_stems:
            if not await gets_speaker_stems(job, self._repository):
                newest, request = await newest_with_edits(job, self._repository, self._edits, self._store)
                await self.rewrite(newest, with_speaker_stems(request))

    async def rewrite(self, job: Job, request: Request) -> Job:
        """Run a job again with another request, in its message; return the new job.

        Raises `QueueError` and `DatabaseError`.
        """
        # The interaction's token has expired; the bot's own token edits the message.
        reply = job.reply_to and structs.replace(job.reply_to, interaction_token="", interaction_expires=0.0)
        alone = structs.replace(job, batch=UNSET, replaces=True, reply_to=reply)
        again = structs.replace(alone, id=uuid.uuid4().hex, request=request, submitted=time.time())
        try:
            with span("rewrite", trace=UNSET):
                await self.enqueue(again)
        except QueueError:
            # It would count as running until somebody misses it.
            with suppress(DatabaseError):
                await self._sync.release(again.id)
            raise
        return again
