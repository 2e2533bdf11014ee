"""The cancel buttons, of one job and of all jobs of a batch."""

from msgspec import UnsetType

from bot.components.custom_ids import Action
from bot.components.persistent_item import PersistentItem
from bot.exceptions import RefusedError
from bot.i18n.translator import translator_for
from bot.permissions import check_may_act
from bot.services import Interaction


class CancelButton(PersistentItem, action=Action.CANCEL):
    """Stops a job for the person who asked for it, and for moderators."""

    async def act(self, interaction: Interaction) -> None:
        """Stop the job; its message changes once it has stopped."""
        await interaction.response.defer()
        queue = interaction.client.services.queue
        state = await queue.state(self.target.job_id)
        reply = None if state is None else state.job.reply_to
        if state is None or reply is None or (reply.guild_id or "") != str(interaction.guild_id or ""):
            raise RefusedError("ended")
        check_may_act(interaction, reply, "not-yours-cancel")
        if not await queue.cancel(self.target.job_id):
            raise RefusedError("ended")
        if state.status == "running":
            # The worker needs a moment; the person gets an answer now.
            text = translator_for(interaction.locale.value).format("cancelling")
            await interaction.followup.send(text, ephemeral=True)


class CancelAllButton(PersistentItem, action=Action.CANCEL_ALL):
    """Stops all jobs of a batch, likewise."""

    async def act(self, interaction: Interaction) -> None:
        """Stop those that have not ended; their messages and the card change once they have stopped."""
        await interaction.response.defer()
        services = interaction.client.services
        record = await services.repository.job(self.target.job_id)
        if record is None or isinstance(record.job.batch, UnsetType):
            raise RefusedError("result-gone", "result-gone-hint")
        check_may_act(interaction, record.job.reply_to, "not-yours-cancel")
        stopped = [await services.queue.cancel(job_id) for job_id in record.job.batch.jobs]
        if not any(stopped):
            raise RefusedError("ended")
        text = translator_for(interaction.locale.value).format("cancelling-all", count=sum(stopped))
        await interaction.followup.send(text, ephemeral=True)
