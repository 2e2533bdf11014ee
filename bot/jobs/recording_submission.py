"""Submits recordings by which people have their own voice kept, after their yes."""

import time
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import discord
from msgspec import structs

from bot.clips.attachments import AttachmentDownloader, Clip
from bot.database.deletion import DataDeletion
from bot.database.models import GuildSettings
from bot.error_handler import describe_error
from bot.exceptions import DatabaseError
from bot.i18n.translator import translator_for
from bot.jobs.origins import InteractionOrigin
from bot.jobs.submission import JobSubmitter
from bot.jobs.sync import JobSync
from pipeline.types import Artefact, Task
from worker.protocol import Job, ReplyTo

MAX_RECORDING_S: Final = 600.0
"""Far more than says whose voice it is."""


class RecordingSubmitter:
    """Submits recordings as clips are, by the same limits, with an answer that their person alone sees."""

    def __init__(
        self, submitter: JobSubmitter, sync: JobSync, downloader: AttachmentDownloader, deletion: DataDeletion
    ) -> None:
        self._submitter = submitter
        self._sync = sync
        self._downloader = downloader
        self._deletion = deletion

    async def submit(
        self,
        interaction: discord.Interaction[Any],
        clip: Clip,
        settings: GuildSettings,
        *,
        message_id: int,
        consent: int,
    ) -> None:
        """Fetch a recording and have it heard; what fails is told in the message.

        Args:
            interaction: The yes.
            clip: The recording.
            settings: Of the server.
            message_id: The private message with the question, which shows the answer.
            consent: Version of the text.

        """
        translator = translator_for(interaction.locale.value)
        text = translator.format("voice-recording-heard")
        await interaction.response.edit_message(content=text, embed=None, view=None)
        reply = structs.replace(InteractionOrigin(interaction).reply, message_id=str(message_id))
        async with self._submitter.running():
            try:
                await self._submit(reply, clip, settings, consent)
            except Exception as error:  # noqa: BLE001 - the message waits for an answer, whatever it is
                await interaction.edit_original_response(content=describe_error(interaction, error))

    async def _submit(self, reply: ReplyTo, clip: Clip, settings: GuildSettings, consent: int) -> None:
        request = replace(self._submitter.read_request(settings, Task.TRANSCRIBE, {}), task=Task.VOICES)
        async with self._sync.reserve(reply.user_id, reply.guild_id, reply.channel_id) as job_id:
            job = Job(
                id=job_id,
                request=request,
                source=Artefact(name=clip.name, digest="", size=clip.size, media_type=clip.content_type),
                submitted=time.time(),
                max_duration=min(settings.max_duration or MAX_RECORDING_S, MAX_RECORDING_S),
                reply_to=reply,
                consent=consent,
            )
            await self._submitter.check_wait(job)
            await self._sync.acknowledge(job)
            job = structs.replace(job, source=await self._downloader.download(clip))
            try:
                await self._submitter.enqueue(job)
            except Exception:
                with suppress(DatabaseError):
                    await self._deletion.delete_jobs([job_id])
                raise
