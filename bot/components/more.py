"""The menu with what a card does not show: notes, and how the result was made."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, cast

from bot import discord_limits
from bot.components.custom_ids import Action
from bot.components.result_actions import ResultItem, find_result, require_transcript
from bot.exceptions import RefusedError, SummaryError
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
            case "summary":
                await _send_summary(interaction, entry, result)
                return
            case _:
                raise RefusedError("no-such-part")
        text = fit_lines(lines, discord_limits.MAX_CONTENT_CHARS) or translator.format("more-none")
        await interaction.response.send_message(text, ephemeral=True)


async def _send_summary(interaction: Interaction, entry: HistoryEntry, result: Result) -> None:
    """Have the transcript summarised in the person's language, and say by whom. Raises `SummaryError`."""
    services = interaction.client.services
    translator = translator_for(interaction.locale.value)
    if services.summarizer is None:
        raise RefusedError("no-summaries")
    await interaction.response.defer(ephemeral=True, thinking=True)
    transcript = await require_transcript(result, services.store)
    # A result knows the latest names.
    transcript = replace(transcript, speakers=result.speakers)
    # The result may be deleted, or the person may see it no longer, while parts of it are still sent.
    check = partial(find_result, interaction, entry.job.id)
    summary = await services.summarizer.summarize(transcript, translator.english_name, str(interaction.user.id), check)
    lines = [line for each in summary.splitlines() if (line := escape(each))]
    if not lines:
        raise SummaryError("the answer has nothing to see")
    made = translator.format("summary-by", model=services.summarizer.model, host=services.summarizer.host)
    foot = f"\n-# {escape(made)}"
    text = fit_lines(lines, discord_limits.MAX_CONTENT_CHARS - len(foot))
    await interaction.edit_original_response(content=f"{text}{foot}")


def _facts(translator: Translator, result: Result, user_id: str) -> list[str]:
    facts = {
        "field-route": describe_route(translator, result, user_id),
        "field-loudness": loudness_change(translator, result),
        "field-models": ", ".join(escape(f"{use.model} ({use.licence})") for use in result.models),
    }
    return [f"**{translator.format(key)}:** {text}" for key, text in facts.items() if text]
