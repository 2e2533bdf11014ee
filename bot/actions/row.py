"""The buttons below a card."""

import discord

from bot.actions.cancel import CancelButton
from bot.actions.press import ActionButton, SubtitlesMenu
from bot.cards import Card, Offers
from bot.language import Speech


def view_of(card: Card, speech: Speech) -> discord.ui.View | None:
    """The rows for a card, None where nothing can be done."""
    view = discord.ui.View(timeout=None)
    if card.cancels is not None:
        view.add_item(CancelButton(card.cancels, speech.say("button-cancel")))
    if card.offers is not None:
        _add_offers(view, card.offers, speech)
    return view if view.children else None


def _add_offers(view: discord.ui.View, offers: Offers, speech: Speech) -> None:
    for action in offers.actions:
        view.add_item(ActionButton(action, offers.job_id, speech.say(f"button-{action}")))
    if offers.formats:
        menu = discord.ui.Select[discord.ui.View](
            placeholder=speech.say("select-subtitles"),
            options=[discord.SelectOption(label=speech.say(f"format-{name}"), value=name) for name in offers.formats],
        )
        view.add_item(SubtitlesMenu(offers.job_id, menu))
