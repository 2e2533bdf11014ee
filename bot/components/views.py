"""The buttons below a card."""

import discord

from bot.components.cancel import CANCEL
from bot.components.custom_ids import action_button, action_menu
from bot.i18n.translator import Translator
from bot.jobs.result_buttons import SUBTITLES
from bot.messages.embeds import EmbedMessage, ResultButtons
from pipeline.catalog import EXPORT_FORMATS


def build_view(content: EmbedMessage, translator: Translator) -> discord.ui.View | None:
    """The rows for a card, None where nothing can be done."""
    view = discord.ui.View(timeout=None)
    if content.cancel_job_id is not None:
        view.add_item(action_button(CANCEL, content.cancel_job_id, translator.format("button-cancel")))
    if content.buttons is not None:
        _add_offers(view, content.buttons, translator)
    return view if view.children else None


def _add_offers(view: discord.ui.View, buttons: ResultButtons, translator: Translator) -> None:
    for action in buttons.actions:
        view.add_item(action_button(action, buttons.job_id, translator.format(f"button-{action}")))
    if buttons.formats:
        formats = [discord.SelectOption(label=_format_title(name, translator), value=name) for name in buttons.formats]
        view.add_item(action_menu(SUBTITLES, buttons.job_id, translator.format("select-subtitles"), formats))


def _format_title(suffix: str, translator: Translator) -> str:
    """Name a format of a transcript in the person's language, or else by its English title."""
    if translator.has(key := f"format-{suffix}"):
        return translator.format(key)
    return next((form.title for form in EXPORT_FORMATS if form.suffix == suffix), suffix)
