"""The button that brings progress or the result into its message where the bot is no member of the place.

There only the token of an interaction writes, for 15 minutes; each press gives the bot another one.
"""

from msgspec import structs

from bot.components.custom_ids import Action
from bot.components.persistent_item import PersistentItem
from bot.components.result_actions import find_entry
from bot.exceptions import RefusedError
from bot.i18n.translator import translator_for
from bot.services import Interaction


class FetchButton(PersistentItem, action=Action.FETCH):
    """Shows the newest state in the message."""

    async def act(self, interaction: Interaction) -> None:
        """Take the new token; show the result when there is one, or else let the progress go on."""
        services = interaction.client.services
        entry = await find_entry(interaction, self.target.job_id)
        reply = entry.job.reply_to
        if reply is None or interaction.message is None:
            raise RefusedError("result-gone", "result-gone-hint")
        await interaction.response.defer()
        reply = structs.replace(
            reply,
            message_id=str(interaction.message.id),
            interaction_token=interaction.token,
            interaction_expires=interaction.expires_at.timestamp(),
            size_limit=interaction.filesize_limit,
        )
        services.delivery.renew(entry.job.id, reply)
        newest = await services.repository.newest_of_message(entry.job.id)
        if newest is not None and newest.result is not None:
            services.delivery.renew(newest.job.id, reply)
            await services.tracker.show_result(newest.job, reply, newest.result)
            return
        if entry.status not in ("queued", "running"):
            raise RefusedError("ended")
        text = translator_for(interaction.locale.value).format("message-open")
        await interaction.followup.send(text, ephemeral=True)
