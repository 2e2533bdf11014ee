"""The button that gives each speaker of a result a track."""

from bot.components.custom_ids import Action
from bot.components.result_actions import ResultItem
from bot.exceptions import RefusedError
from bot.i18n.translator import translator_for
from bot.jobs.history import HistoryEntry
from bot.services import Interaction
from pipeline.types import Result


class TracksButton(ResultItem, action=Action.TRACKS):
    """Has the vocals shared out by who speaks."""

    async def act_on(self, interaction: Interaction, entry: HistoryEntry, result: Result) -> None:
        """Have the result made again, in its message."""
        if result.speaker_stems:
            raise RefusedError("tracks-already")
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.client.services.submitter.add_speaker_stems(entry.job)
        text = translator_for(interaction.locale.value).format("making-tracks")
        await interaction.edit_original_response(content=text)
