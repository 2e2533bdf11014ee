"""Takes an order: options checked, acknowledged, clip brought in, job handed to the queue."""

import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import discord

from bot import cards, errors
from bot.courier import Courier
from bot.intake import Clip, Intake
from pipeline.options import parse_request
from pipeline.types import Preset, Task
from worker.protocol import Job, ReplyTo
from worker.queue import Queue


class Desk:
    """What every command does once it knows the clip and the options."""

    def __init__(self, intake: Intake, queue: Queue, courier: Courier, *, preset: Preset) -> None:
        self._intake = intake
        self._queue = queue
        self._courier = courier
        self._preset = preset

    async def take(
        self, interaction: discord.Interaction[Any], clip: Clip, task: Task, options: Mapping[str, object]
    ) -> None:
        """From a command to a job on its way.

        What can be refused at once is refused before the public acknowledgement. Raises
        `ValidationError` and its children, `QueueError`, `StoreError` and `AudioProcessingError`.
        """
        given = {name: value for name, value in options.items() if value is not None}
        request = parse_request({"preset": self._preset, **given, "task": task})
        self._intake.check(clip)
        # Whether a message is private is fixed here: the result is for the team.
        acknowledged = await interaction.response.defer(thinking=True)
        with suppress(*errors.NETWORK_ERRORS):
            await interaction.edit_original_response(embed=cards.receiving_card(clip.name).embed)
        job = Job(
            id=uuid.uuid4().hex,
            request=request,
            source=await self._intake.bring(clip),
            submitted=time.time(),
            reply_to=_reply_to(interaction, None if acknowledged is None else acknowledged.message_id),
        )
        await self._queue.submit(job)
        self._courier.follow(job)


def _reply_to(interaction: discord.Interaction[Any], message_id: int | None) -> ReplyTo:
    return ReplyTo(
        application_id=str(interaction.application_id),
        channel_id=str(interaction.channel_id or 0),
        user_id=str(interaction.user.id),
        guild_id=None if interaction.guild_id is None else str(interaction.guild_id),
        message_id=None if message_id is None else str(message_id),
        interaction_token=interaction.token,
        interaction_expires=interaction.expires_at.timestamp(),
        size_limit=interaction.filesize_limit,
        locale=interaction.locale.value,
    )
