"""The cancel button; its job is in its id, so that it works after a restart of the bot."""

import re
from typing import TYPE_CHECKING, Any, Self, cast

import discord

from bot import errors
from bot.language import ENGLISH, Speech, speech_for
from bot.refusals import RefusedError
from pipeline.errors import AudioProcessingError

if TYPE_CHECKING:
    from bot.client import StemcordClient

TEMPLATE = re.compile(r"stemcord:cancel:(?P<job>[0-9a-f]{32})")


class CancelButton(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=TEMPLATE):
    """Stops a job for the person who asked for it, or for moderators."""

    def __init__(self, job_id: str, label: str) -> None:
        super().__init__(
            discord.ui.Button(label=label, style=discord.ButtonStyle.secondary, custom_id=f"stemcord:cancel:{job_id}")
        )
        self.job_id = job_id

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The button that was pressed."""
        return cls(match["job"], Speech(ENGLISH).say("button-cancel"))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Acknowledge, check, cancel; the card changes once the job has stopped."""
        try:
            await interaction.response.defer()
            await self._cancel(interaction)
        except (AudioProcessingError, *errors.NETWORK_ERRORS) as error:
            await errors.answer(interaction, error)

    async def _cancel(self, interaction: discord.Interaction[Any]) -> None:
        queue = cast("StemcordClient", interaction.client).queue
        state = await queue.state(self.job_id)
        reply = None if state is None else state.job.reply_to
        if reply is None:
            raise RefusedError("ended")
        if reply.user_id != str(interaction.user.id) and not interaction.permissions.manage_messages:
            raise RefusedError("not-yours-cancel")
        if not await queue.cancel(self.job_id):
            raise RefusedError("ended")
        if state is not None and state.status == "running":
            # The worker needs a moment; the person gets an answer now.
            text = speech_for(interaction.locale.value).say("cancelling")
            await interaction.followup.send(text, ephemeral=True)
