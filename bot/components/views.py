"""Rows of buttons and menus below a message."""

from typing import Any

import discord

from bot.components.custom_ids import Action, CustomId
from bot.i18n.translator import Translator
from bot.messages.embeds import EmbedMessage, ResultButtons
from pipeline.catalog import EXPORT_FORMATS


class ActionView(discord.ui.View):
    """Components whose custom ids say what they do; `bot.components.router` lists the classes that do it."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        # discord.py keeps no view in memory that has stopped.
        self.stop()

    def add_button(
        self, label: str, target: CustomId, style: discord.ButtonStyle = discord.ButtonStyle.secondary
    ) -> None:
        """Add a button."""
        self.add_item(button(label, target, style))

    def add_menu(self, placeholder: str, target: CustomId, options: list[discord.SelectOption]) -> None:
        """Add a menu; the placeholder stands in it until something is chosen."""
        self.add_item(discord.ui.Select[Any](placeholder=placeholder, options=options, custom_id=str(target)))


def button(
    label: str, target: CustomId, style: discord.ButtonStyle = discord.ButtonStyle.secondary
) -> discord.ui.Button[Any]:
    """Build a button that does what its target says."""
    return discord.ui.Button[Any](label=label, custom_id=str(target), style=style)


def format_menu(buttons: ResultButtons, translator: Translator) -> discord.ui.Select[Any]:
    """Build the menu of the formats of a transcript."""
    formats = [discord.SelectOption(label=_format_title(name, translator), value=name) for name in buttons.formats]
    target = CustomId(Action.SUBTITLES, buttons.job_id)
    placeholder = translator.format("select-subtitles")
    return discord.ui.Select[Any](placeholder=placeholder, options=formats, custom_id=str(target))


def build_view(content: EmbedMessage, translator: Translator) -> ActionView | None:
    """Build the components of a message; None when it has none."""
    view = ActionView()
    if content.cancel_job_id is not None:
        view.add_button(translator.format("button-cancel"), CustomId(Action.CANCEL, content.cancel_job_id))
    if content.cancel_batch_id is not None:
        view.add_button(translator.format("button-cancelall"), CustomId(Action.CANCEL_ALL, content.cancel_batch_id))
    if (buttons := content.buttons) is not None:
        for action in buttons.actions:
            view.add_button(translator.format(f"button-{action}"), CustomId(action, buttons.job_id))
        if buttons.formats:
            view.add_item(format_menu(buttons, translator))
    return view if view.children else None


def _format_title(suffix: str, translator: Translator) -> str:
    """Name a format of a transcript in the person's language, or else by its English title."""
    if translator.has(key := f"format-{suffix.replace('.', '-')}"):
        return translator.format(key)
    return next((form.title for form in EXPORT_FORMATS if form.suffix == suffix), suffix)
