"""The buttons and the menu with which lines are found and changed."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, cast

import discord

from bot import discord_limits
from bot.components.custom_ids import Action, CustomId
from bot.components.line_fixing.answers import show, show_change, show_refusal
from bot.components.line_fixing.forms import GoToModal, LineModal
from bot.components.line_fixing.line_edits import halves_of
from bot.components.line_fixing.list_view import list_view
from bot.components.line_fixing.open_transcript import OpenTranscript, find_line, find_record, load_transcript
from bot.components.line_fixing.places import LinePlace, SavedEdits
from bot.components.persistent_item import PersistentItem
from bot.components.result_actions import defer_in_private
from bot.components.views import ActionView
from bot.database.models import JobRecord
from bot.exceptions import EditConflictError, RefusedError
from bot.i18n.translator import translator_for
from bot.retry import ack_deadline
from bot.services import Interaction


class TranscriptItem(PersistentItem):
    """Button that is answered in private with the lines; subclasses do their action in `act_on`."""

    async def act(self, interaction: Interaction) -> None:
        """Check the person's rights, acknowledge, and do the action."""
        record = await find_record(interaction, self.target.job_id)
        await defer_in_private(interaction)
        await self.act_on(interaction, record)

    @abstractmethod
    async def act_on(self, interaction: Interaction, record: JobRecord) -> None:
        """Do the action on the newest result of the message."""


class FixButton(TranscriptItem, action=Action.FIX):
    """Shows the lines in private."""

    async def act_on(self, interaction: Interaction, record: JobRecord) -> None:
        """Show the first lines."""
        opened = await load_transcript(interaction, record, self.target.job_id)
        text = translator_for(interaction.locale.value).format("line-choose")
        await show(interaction, text, opened)


class LinesButton(TranscriptItem, action=Action.LINES):
    """Turns to other lines."""

    async def act_on(self, interaction: Interaction, record: JobRecord) -> None:
        """Show them in place of the others; what was said before stays, and what can be undone."""
        opened = await load_transcript(interaction, record, self.target.job_id)
        translator = translator_for(interaction.locale.value)
        index = int(self.target.detail) if self.target.detail.isdecimal() else 0
        saved = _undoable(interaction.message)
        await interaction.edit_original_response(view=list_view(opened, translator, index, saved=saved))


class LineMenu(PersistentItem, action=Action.LINE):
    """Opens the form of the chosen line."""

    async def act(self, interaction: Interaction) -> None:
        """Show the form with the line as it is now, also if it was another when it was listed."""
        data = cast("Mapping[str, Any]", interaction.data or {})
        place = LinePlace.parse("".join(map(str, data.get("values") or ())))
        record = await find_record(interaction, self.target.job_id)
        async with ack_deadline():
            opened = await load_transcript(interaction, record, self.target.job_id)
            index = await find_line(interaction, opened, place)
        if len(opened.lines[index].turn.text) > discord_limits.MAX_TEXT_INPUT_CHARS:
            await _offer_split(interaction, opened, index)
            return
        await interaction.response.send_modal(LineModal(translator_for(interaction.locale.value), opened, index))


class GoToButton(PersistentItem, action=Action.GO_TO):
    """Opens the form that asks for a time."""

    async def act(self, interaction: Interaction) -> None:
        """Show the form."""
        await interaction.response.send_modal(GoToModal(translator_for(interaction.locale.value), self.target.job_id))


class SplitLineButton(TranscriptItem, action=Action.SPLIT_LINE):
    """Splits a line that is too long for the form."""

    async def act_on(self, interaction: Interaction, record: JobRecord) -> None:
        """Split it near its middle."""
        place = LinePlace.parse(self.target.detail)
        editor = interaction.client.services.transcripts.editor
        seen = await editor.state(record, place.revision)
        place.find(seen.transcript)
        steps = halves_of(seen.transcript, place.index)
        try:
            change = await editor.change(record, steps.edits, by=str(interaction.user.id), base=place.revision)
        except EditConflictError as error:
            await show_refusal(interaction, self.target.job_id, error)
            return
        opened = OpenTranscript(job_id=self.target.job_id, record=record, state=change.state)
        saved = SavedEdits(change.saved - len(steps.edits), change.saved, place.index)
        await show_change(interaction, opened, seen.transcript, steps.transcript, saved)


class UndoButton(TranscriptItem, action=Action.UNDO):
    """Takes a change back, which is a change itself."""

    async def act_on(self, interaction: Interaction, record: JobRecord) -> None:
        """Undo it unless somebody has changed the same lines since."""
        made = SavedEdits.parse(self.target.detail)
        editor = interaction.client.services.transcripts.editor
        before, after = await editor.state(record, made.before), await editor.state(record, made.after)
        try:
            change = await editor.undo(record, made.before, made.after, by=str(interaction.user.id))
        except EditConflictError as error:
            await show_refusal(interaction, self.target.job_id, error)
            return
        opened = OpenTranscript(job_id=self.target.job_id, record=record, state=change.state)
        saved = SavedEdits(change.saved - len(change.undo), change.saved, made.index, undone=not made.undone)
        await show_change(interaction, opened, after.transcript, before.transcript, saved)


class MixAgainButton(TranscriptItem, action=Action.MIX_AGAIN):
    """Lets a mix that goes by who speaks when follow the edits."""

    async def act_on(self, interaction: Interaction, record: JobRecord) -> None:
        """Have the result mixed again, in its message."""
        opened = await load_transcript(interaction, record, self.target.job_id)
        if not opened.can_be_mixed_again:
            raise RefusedError("mixed-already")
        interaction.client.services.transcripts.rewriter.mix_again(record)
        text = translator_for(interaction.locale.value).format("mixing-again")
        await show(interaction, text, opened, mixes=False)


async def _offer_split(interaction: Interaction, opened: OpenTranscript, index: int) -> None:
    """Say that a line is too long for a form, with the button that splits it."""
    translator = translator_for(interaction.locale.value)
    has_pages = interaction.client.services.pages is not None
    text = translator.format(
        "line-long-page" if has_pages else "line-long",
        count=len(opened.lines[index].turn.text),
        limit=discord_limits.MAX_TEXT_INPUT_CHARS,
    )
    view = ActionView()
    split = CustomId(Action.SPLIT_LINE, opened.job_id, detail=str(opened.place_of(index)))
    view.add_button(translator.format("button-split"), split)
    view.add_button(translator.format("button-lines"), CustomId(Action.LINES, opened.job_id, detail=str(index)))
    await interaction.response.edit_message(content=text, embed=None, view=view)


def _undoable(message: discord.Message | None) -> SavedEdits | None:
    """Return what the undo button of a private message takes back."""
    rows = () if message is None else message.components
    items = (item for row in rows if isinstance(row, discord.ActionRow) for item in row.children)
    targets = (CustomId.parse(item.custom_id or "") for item in items if isinstance(item, discord.Button))
    details = (target.detail for target in targets if target is not None and target.action is Action.UNDO)
    return next((SavedEdits.parse(detail) for detail in details), None)
