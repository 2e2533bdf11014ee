"""The list of lines from which a person chooses one, with the buttons below it."""

import secrets
from typing import Final

import discord

from bot import discord_limits
from bot.components.custom_ids import Action, CustomId
from bot.components.line_fixing.open_transcript import OpenTranscript
from bot.components.line_fixing.places import SavedEdits
from bot.components.views import ActionView
from bot.i18n.translator import Translator
from bot.messages.formatting import format_duration, one_line, shorten
from pipeline.edits.lines import Line

LINES_PER_PAGE: Final = discord_limits.MAX_MENU_OPTIONS
UNSURE: Final = 0.5
"""Confidence below which a word is named, as on the page of a result."""
_NONCE_BYTES: Final = 4


def list_view(
    opened: OpenTranscript,
    translator: Translator,
    index: int = 0,
    *,
    saved: SavedEdits | None = None,
    mixes: bool = True,
) -> ActionView:
    """Build the list that has a line, and the buttons.

    Args:
        opened: The transcript.
        translator: The person's language.
        index: Place of a line on the page that is shown.
        saved: What an undo button takes back; None: no such button.
        mixes: Whether to offer another mix, where there is something new to follow.

    """
    view = ActionView()
    job, lines = opened.job_id, opened.lines
    first = max(0, min(index, len(lines) - 1)) // LINES_PER_PAGE * LINES_PER_PAGE
    shown = range(first, min(first + LINES_PER_PAGE, len(lines)))
    if shown:
        place = translator.format("select-line", first=first + 1, last=shown[-1] + 1, count=len(lines))
        options = [_option(opened, translator, each) for each in shown]
        placeholder = shorten(place, discord_limits.MAX_MENU_PLACEHOLDER_CHARS)
        # A client does not send the choice that a menu shows, as after a form that was closed; a new menu shows none.
        view.add_menu(placeholder, CustomId(Action.LINE, job, detail=secrets.token_hex(_NONCE_BYTES)), options)
    if first:
        earlier = CustomId(Action.LINES, job, detail=str(first - LINES_PER_PAGE))
        view.add_button(translator.format("button-earlier"), earlier)
    if first + LINES_PER_PAGE < len(lines):
        later = CustomId(Action.LINES, job, detail=str(first + LINES_PER_PAGE))
        view.add_button(translator.format("button-later"), later)
    if len(lines) > LINES_PER_PAGE:
        view.add_button(translator.format("button-goto"), CustomId(Action.GO_TO, job))
    else:
        view.add_button(translator.format("button-refresh"), CustomId(Action.LINES, job, detail="0"))
    if saved is not None:
        label = translator.format("button-redo" if saved.undone else "button-undo")
        view.add_button(label, CustomId(Action.UNDO, job, detail=str(saved)))
    if mixes and opened.can_be_mixed_again:
        view.add_button(translator.format("button-mixagain"), CustomId(Action.MIX_AGAIN, job))
    return view


def describe_line(opened: OpenTranscript, line: Line) -> str:
    """Return time, speaker and text of a line, as plain text on one line."""
    turn = line.turn
    name = one_line(opened.names.get(turn.speaker, turn.speaker))
    return f"{format_duration(turn.start)} {name}: {one_line(turn.text)}"


def _option(opened: OpenTranscript, translator: Translator, index: int) -> discord.SelectOption:
    line = opened.lines[index]
    unsure = [one_line(word.text) for word in line.turn.words if word.confidence < UNSURE]
    words = translator.format("option-unsure", words=", ".join(unsure)) if unsure else None
    return discord.SelectOption(
        label=shorten(describe_line(opened, line), discord_limits.MAX_MENU_OPTION_CHARS),
        value=str(opened.place_of(index)),
        description=words and shorten(words, discord_limits.MAX_MENU_OPTION_CHARS),
    )
