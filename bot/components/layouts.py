"""Lays the card of a result out in Discord's components: at most 40 of them in a message."""

from collections.abc import Mapping
from typing import Any, Final

import discord

from bot.components.custom_ids import Action, CustomId
from bot.components.views import button, format_menu
from bot.discord_limits import MAX_MENU_OPTION_CHARS
from bot.i18n.translator import Translator
from bot.messages.cards import CardMessage, label_of
from bot.messages.embeds import ResultButtons
from bot.messages.formatting import one_line, shorten

BUTTONS_IN_ROW: Final = 5
MAX_ASKED_NAME_CHARS: Final = 40
"""Of the 80 that the label of a button has."""
MAX_COMPONENTS: Final = 40
"""https://discord.com/developers/docs/components/reference"""


class CardLayout(discord.ui.LayoutView):
    """Components whose custom ids say what they do, like those of `ActionView`."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        # discord.py keeps no view in memory that has stopped.
        self.stop()


def build_layout(card: CardMessage, translator: Translator, above: str = "") -> CardLayout:
    """Build the components of a card; `above`: a line over it."""
    labelled = [item for file in card.files for item in ([file.label] if file.label else [])]
    container = _container(card, translator, with_labels=True)
    if 1 + bool(above) + _count(container) > MAX_COMPONENTS and labelled:
        container = _container(card, translator, with_labels=False)
    layout = CardLayout()
    if above:
        layout.add_item(discord.ui.TextDisplay[Any](above))
    layout.add_item(container)
    return layout


def _container(card: CardMessage, translator: Translator, *, with_labels: bool) -> discord.ui.Container[Any]:
    container = discord.ui.Container[Any](accent_colour=card.colour)
    actions = list(card.buttons.actions)
    headline = discord.ui.TextDisplay[Any](card.headline)
    if Action.PAGE in actions:
        actions.remove(Action.PAGE)
        page = button(translator.format("button-page"), CustomId(Action.PAGE, card.buttons.job_id))
        container.add_item(discord.ui.Section[Any](headline, accessory=page))
    else:
        container.add_item(headline)
    if card.warnings:
        container.add_item(discord.ui.TextDisplay[Any](card.warnings))
    if card.transcript:
        container.add_item(discord.ui.Separator[Any]())
        container.add_item(discord.ui.TextDisplay[Any](card.transcript))
    for gallery in card.galleries:
        items = [discord.MediaGalleryItem(f"attachment://{name}") for name in gallery]
        container.add_item(discord.ui.MediaGallery[Any](*items))
    if card.files:
        container.add_item(discord.ui.Separator[Any]())
    for file in card.files:
        if file.label and with_labels:
            container.add_item(discord.ui.TextDisplay[Any](f"**{file.label}**"))
        container.add_item(discord.ui.File[Any](f"attachment://{file.name}"))
    if actions or card.buttons.doubts or card.more:
        container.add_item(discord.ui.Separator[Any]())
    _add_controls(container, card, actions, translator)
    return container


def _add_controls(
    container: discord.ui.Container[Any], card: CardMessage, actions: list[Action], translator: Translator
) -> None:
    job_id = card.buttons.job_id
    buttons = [button(translator.format(f"button-{action}"), CustomId(action, job_id)) for action in actions]
    if card.buttons.doubts:
        buttons.insert(0, _question(card.buttons, translator))
    for start in range(0, len(buttons), BUTTONS_IN_ROW):
        container.add_item(discord.ui.ActionRow[Any](*buttons[start : start + BUTTONS_IN_ROW]))
    if card.buttons.formats:
        container.add_item(discord.ui.ActionRow[Any](format_menu(card.buttons, translator)))
    if card.buttons.sounds:
        parts = [_part(translator, name, card.buttons.speakers) for name in card.buttons.sounds]
        container.add_item(_menu(translator.format("select-listen"), parts, CustomId(Action.LISTEN, job_id)))
    if not card.more:
        return
    options = [
        discord.SelectOption(label=option.label, value=option.value, description=option.description or None)
        for option in card.more
    ]
    container.add_item(_menu(translator.format("select-more"), options, CustomId(Action.MORE, job_id)))


def _question(buttons: ResultButtons, translator: Translator) -> discord.ui.Button[Any]:
    """Build the button that asks whether a speaker was found rightly; one for all, since a card has little room."""
    name, *others = buttons.doubts
    label = translator.format(
        f"button-{Action.PERHAPS}", name=shorten(one_line(name), MAX_ASKED_NAME_CHARS), more=len(others)
    )
    return button(label, CustomId(Action.PERHAPS, buttons.job_id), discord.ButtonStyle.primary)


def _part(translator: Translator, name: str, speakers: Mapping[str, str]) -> discord.SelectOption:
    label = shorten(label_of(translator, name, speakers), MAX_MENU_OPTION_CHARS)
    return discord.SelectOption(label=label, value=name)


def _menu(placeholder: str, options: list[discord.SelectOption], target: CustomId) -> discord.ui.ActionRow[Any]:
    menu = discord.ui.Select[Any](placeholder=placeholder, options=options, custom_id=str(target))
    return discord.ui.ActionRow[Any](menu)


def _count(container: discord.ui.Container[Any]) -> int:
    return sum(1 for _ in container.walk_children())
