"""What the cancel button does."""

from typing import Any, Final

import discord

from bot.exceptions import RefusedError
from bot.i18n.translator import translator_for
from bot.permissions import check_may_act
from worker.queue import Queue

CANCEL: Final = "cancel"


async def cancel(interaction: discord.Interaction[Any], queue: Queue, job_id: str) -> None:
    """Stop a job for the person who asked for it, or for moderators; the card changes once it has stopped.

    Raises `RefusedError` and `QueueError`.
    """
    await interaction.response.defer()
    state = await queue.state(job_id)
    reply = None if state is None else state.job.reply_to
    if state is None or reply is None or (reply.guild_id or "") != str(interaction.guild_id or ""):
        raise RefusedError("ended")
    check_may_act(interaction, reply, "not-yours-cancel")
    if not await queue.cancel(job_id):
        raise RefusedError("ended")
    if state.status == "running":
        # The worker needs a moment; the person gets an answer now.
        await interaction.followup.send(translator_for(interaction.locale.value).format("cancelling"), ephemeral=True)
