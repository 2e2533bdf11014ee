"""The buttons below a card."""

import discord

from bot.components.cancel import CANCEL
from bot.components.custom_ids import action_button, action_menu
from bot.i18n.translator import Speech
from bot.jobs.result_buttons import SUBTITLES
from bot.messages.embeds import Card, Offers
from pipeline.catalog import EXPORT_FORMATS


def view_of(card: Card, speech: Speech) -> discord.ui.View | None:
    """The rows for a card, None where nothing can be done."""
    view = discord.ui.View(timeout=None)
    if card.cancels is not None:
        view.add_item(action_button(CANCEL, card.cancels, speech.say("button-cancel")))
    if card.offers is not None:
        _add_offers(view, card.offers, speech)
    return view if view.children else None


def _add_offers(view: discord.ui.View, offers: Offers, speech: Speech) -> None:
    for action in offers.actions:
        view.add_item(action_button(action, offers.job_id, speech.say(f"button-{action}")))
    if offers.formats:
        formats = [discord.SelectOption(label=_format_title(name, speech), value=name) for name in offers.formats]
        view.add_item(action_menu(SUBTITLES, offers.job_id, speech.say("select-subtitles"), formats))


def _format_title(suffix: str, speech: Speech) -> str:
    """Name a format of a transcript in the person's language, or else by its English title."""
    if speech.knows(key := f"format-{suffix}"):
        return speech.say(key)
    return next((form.title for form in EXPORT_FORMATS if form.suffix == suffix), suffix)
