"""What a person is told in private after a change, or when it could not be made."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

import discord

from bot import discord_limits
from bot.components.line_fixing.list_view import list_view
from bot.components.line_fixing.open_transcript import OpenTranscript, find_record, load_transcript
from bot.components.line_fixing.places import SavedEdits
from bot.components.views import ActionView
from bot.error_handler import describe_error
from bot.exceptions import EditConflictError
from bot.i18n.translator import Translator, translator_for
from bot.messages.embeds import COLOUR_PARTIAL, transcript_lines
from bot.messages.formatting import fit_lines, mention, shorten
from bot.services import Interaction
from pipeline.edits.lines import EditableTranscript, Line, difference
from pipeline.errors import StemcordError
from pipeline.types import Speaker

MAX_LINES_CHARS: Final = 1500
"""For lines of a transcript in a message; the rest is for what is said about them."""
_FENCE: Final = "```"


async def show(
    interaction: Interaction,
    text: str,
    opened: OpenTranscript,
    index: int = 0,
    *,
    saved: SavedEdits | None = None,
    mixes: bool = True,
) -> None:
    """Show a text and the list of lines in the private message."""
    translator = translator_for(interaction.locale.value)
    view = list_view(opened, translator, index, saved=saved, mixes=mixes)
    await interaction.edit_original_response(content=text, embed=None, view=view)


async def show_change(
    interaction: Interaction,
    opened: OpenTranscript,
    before: EditableTranscript,
    after: EditableTranscript,
    saved: SavedEdits,
) -> None:
    """Show what edits made of the lines, with the button that takes it back.

    Args:
        interaction: A press or a form that is acknowledged.
        opened: The transcript as it is now, maybe with edits of others.
        before: The transcript without the edits.
        after: The transcript with them.
        saved: The edits.

    """
    translator = translator_for(interaction.locale.value)
    made = difference(before, after)
    put, gone = {placed.line for placed in made.put}, {seen.line for seen in made.gone}
    key = "line-undone" if saved.undone else "line-saved" if put else "line-deleted"
    lines = [line for line in after.lines if line.id in put] or [line for line in before.lines if line.id in gone]
    text = "\n".join([translator.format(key), quote(opened, lines), translator.format("files-follow")])
    await show(interaction, text, opened, saved.index, saved=saved)


async def show_refusal(interaction: Interaction, job_id: str, error: StemcordError, typed: str = "") -> None:
    """Tell why something was not saved, and give back what the person typed."""
    text = describe_error(interaction, error)
    embed = _typed(translator_for(interaction.locale.value), typed)
    if not interaction.response.is_done():
        await interaction.response.send_message(text, embed=embed or discord.utils.MISSING, ephemeral=True)
        return
    view: ActionView = discord.utils.MISSING
    with suppress(StemcordError):
        opened = await load_transcript(interaction, await find_record(interaction, job_id), job_id)
        view = list_view(opened, translator_for(interaction.locale.value), _place_of_conflict(error, opened))
        if isinstance(error, EditConflictError):
            text = _describe_conflict(error, opened, translator_for(interaction.locale.value))
    await interaction.edit_original_response(content=text, embed=embed, view=view)


def quote(opened: OpenTranscript, lines: Sequence[Line]) -> str:
    """Return lines with time and speaker, escaped, as far as they fit into a message."""
    names = opened.names
    transcript = opened.state.transcript.transcript()
    speakers = tuple(Speaker(id=key, name=name) for key, name in names.items())
    shown = replace(transcript, speakers=speakers, turns=tuple(line.turn for line in lines))
    return fit_lines([f"> {line}" for line in transcript_lines(shown)], MAX_LINES_CHARS)


def _describe_conflict(error: EditConflictError, opened: OpenTranscript, translator: Translator) -> str:
    who = mention(error.author) if error.author else translator.format("page-somebody")
    told = translator.format("line-conflict", who=who, when=f"<t:{int(error.at)}:R>")
    now = [line for line in opened.lines if line.id in error.changed]
    if now:
        return "\n".join([told, translator.format("line-now"), quote(opened, now), translator.format("line-try-again")])
    return f"{told} {translator.format('line-now-gone')}"


def _place_of_conflict(error: StemcordError, opened: OpenTranscript) -> int:
    changed = error.changed if isinstance(error, EditConflictError) else ()
    return next((index for index, line in enumerate(opened.lines) if line.id in changed), 0)


def _typed(translator: Translator, typed: str) -> discord.Embed | None:
    """Show a text so that it can be copied; none for an empty one."""
    kept = "".join(sign for sign in typed if sign == "\n" or sign.isprintable()).strip()
    if not kept:
        return None
    text = shorten(kept.replace(_FENCE, "'''"), discord_limits.MAX_TEXT_INPUT_CHARS)
    return discord.Embed(
        title=translator.format("line-typed"), description=f"{_FENCE}\n{text}\n{_FENCE}", colour=COLOUR_PARTIAL
    )
