"""The menu with what a card does not show: notes, and how the result was made."""

from collections.abc import Mapping
from typing import Any, cast

from bot import discord_limits
from bot.components.custom_ids import Action
from bot.components.result_actions import ResultItem
from bot.exceptions import RefusedError
from bot.i18n.translator import Translator, translator_for
from bot.jobs.history import HistoryEntry
from bot.messages.embeds import describe_route, loudness_change
from bot.messages.formatting import escape, fit_lines
from bot.services import Interaction
from pipeline.types import Result


class MoreMenu(ResultItem, action=Action.MORE):
    """Shows what was chosen, in private."""

    async def act_on(self, interaction: Interaction, entry: HistoryEntry, result: Result) -> None:
        """Send the text."""
        data = cast("Mapping[str, Any]", interaction.data or {})
        translator = translator_for(interaction.locale.value)
        reply = entry.job.reply_to
        match "".join(map(str, data.get("values") or ())):
            case "notes":
                lines = [f"- {escape(note)}" for note in result.notes]
            case "facts":
                lines = _facts(translator, result, "0" if reply is None else reply.user_id)
            case _:
                raise RefusedError("no-such-part")
        text = fit_lines(lines, discord_limits.MAX_CONTENT_CHARS) or translator.format("more-none")
        await interaction.response.send_message(text, ephemeral=True)


def _facts(translator: Translator, result: Result, user_id: str) -> list[str]:
    facts = {
        "field-route": describe_route(translator, result, user_id),
        "field-loudness": loudness_change(translator, result),
        "field-models": ", ".join(escape(f"{use.model} ({use.licence})") for use in result.models),
    }
    return [f"**{translator.format(key)}:** {text}" for key, text in facts.items() if text]
