"""Submits recordings by which people have their own voice kept, after their yes."""

import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final

import discord
from msgspec import structs

from bot.clips.attachments import AttachmentDownloader, Clip
from bot.database.deletion import DataDeletion
from bot.database.models import GuildSettings
from bot.error_handler import NETWORK_ERRORS, describe_error
from bot.exceptions import DatabaseError
from bot.i18n.translator import translator_for
from bot.jobs.origins import InteractionOrigin
from bot.jobs.submission import JobSubmitter
from bot.jobs.sync import JobSync
from bot.jobs.tracker import JobTracker
from bot.retry import ack_deadline, retry_transient, retry_until_done
from pipeline.errors import QueueError
from pipeline.types import Artefact, Task
from worker.protocol import Job, ReplyTo

MAX_RECORDING_S: Final = 600.0
"""Far more than says whose voice it is."""


class RecordingSubmitter:
    """Submits recordings as clips are, by the same limits, with an answer that their person alone sees."""

    def __init__(
        self,
        submitter: JobSubmitter,
        sync: JobSync,
        downloader: AttachmentDownloader,
        deletion: DataDeletion,
        tracker: JobTracker,
    ) -> None:
        self._submitter = submitter
        self._sync = sync
        self._downloader = downloader
        self._deletion = deletion
        self._tracker = tracker

    async def submit(
        self,
        interaction: discord.Interaction[Any],
        clip: Clip,
        settings: GuildSettings,
        *,
        message_id: int,
        consent: int,
    ) -> None:
        """Fetch a recording and have it heard; what fails after the acknowledgement is told in the message.

        Args:
            interaction: The yes.
            clip: The recording.
            settings: Of the server.
            message_id: The private message with the question, which shows the answer.
            consent: Version of the text.

        Raises:
            RefusedError: A limit is reached; the question still stands.
            DatabaseError: The database is unavailable.

        """
        text = translator_for(interaction.locale.value).format("voice-recording-heard")
        reply = structs.replace(InteractionOrigin(interaction).reply, message_id=str(message_id))
        reserved = self._sync.reserve(reply.user_id, reply.guild_id, reply.channel_id)
        async with self._submitter.running(), reserved as job_id:
            job = self._job(job_id, reply, clip, settings, consent)
            await self._submitter.check_wait(job)
            # A bot that is killed right after the answer must still know whom it has answered.
            async with ack_deadline():
                await self._sync.acknowledge(job)
            await interaction.response.edit_message(content=text, embed=None, view=None)
            try:
                await self._fetch(job, clip)
            except Exception as error:  # noqa: BLE001 - the message waits for an answer, whatever it is
                await self._report(interaction, job, error)

    def _job(self, job_id: str, reply: ReplyTo, clip: Clip, settings: GuildSettings, consent: int) -> Job:
        return Job(
            id=job_id,
            request=replace(self._submitter.read_request(settings, Task.TRANSCRIBE, {}), task=Task.VOICES),
            source=Artefact(name=clip.name, digest="", size=clip.size, media_type=clip.content_type),
            submitted=time.time(),
            max_duration=min(settings.max_duration or MAX_RECORDING_S, MAX_RECORDING_S),
            reply_to=reply,
            consent=consent,
        )

    async def _fetch(self, job: Job, clip: Clip) -> None:
        job = structs.replace(job, source=await self._downloader.download(clip))
        try:
            await self._submitter.enqueue(job)
        except Exception:
            with suppress(DatabaseError):
                await self._deletion.delete_jobs([job.id])
            raise
        # Otherwise it is heard for nothing.
        with suppress(DatabaseError, QueueError):
            await self._sync.cancel_withdrawn(job.id)

    async def _report(self, interaction: discord.Interaction[Any], job: Job, error: Exception) -> None:
        """Say what went wrong in the message, or else as it is said of clips; then end the job."""
        text = describe_error(interaction, error)
        try:
            await retry_transient(partial(interaction.edit_original_response, content=text))
        except NETWORK_ERRORS:
            await self._tracker.report_error(job, error)
        await retry_until_done(partial(self._sync.release, job.id))
