"""The forms of a line, and of a time to go to."""

import re
import unicodedata
from typing import Any, ClassVar, Final

import discord

from bot import discord_limits
from bot.components.custom_ids import Action, CustomId
from bot.components.line_fixing.answers import show, show_change, show_refusal
from bot.components.line_fixing.line_edits import SubmittedLine, Then, edits_for, new_speaker
from bot.components.line_fixing.list_view import describe_line
from bot.components.line_fixing.open_transcript import OpenTranscript, find_record, load_transcript
from bot.components.line_fixing.places import LinePlace, SavedEdits
from bot.components.modals import Modal, SubmittedModal
from bot.components.result_actions import defer_in_private
from bot.exceptions import RefusedError
from bot.i18n.translator import Translator, translator_for
from bot.messages.formatting import format_duration, shorten
from bot.services import Interaction
from pipeline.edits.lines import EditableTranscript
from pipeline.errors import StemcordError
from pipeline.types import Speaker

TEXT: Final = "text"
SPEAKER: Final = "speaker"
THEN: Final = "then"
TIME: Final = "time"
NEW_SPEAKER: Final = "new"
MAX_TIME_CHARS: Final = 12
_KNOWN: Final = "="
"""Begins the value of a speaker whom the transcript has, whatever the id."""
_TIME: Final = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,4}):)?(\d{1,6})")


class LineModal(Modal):
    """Asks for the words and the speaker of a line, and what becomes of it."""

    action: ClassVar[Action] = Action.LINE

    def __init__(self, translator: Translator, opened: OpenTranscript, index: int) -> None:
        turn = opened.lines[index].turn
        title = translator.format("form-line", time=format_duration(turn.start))
        super().__init__(title, CustomId(self.action, opened.job_id, detail=str(opened.place_of(index))))
        text = discord.ui.TextInput[Any](
            custom_id=TEXT,
            style=discord.TextStyle.paragraph,
            default=turn.text,
            max_length=discord_limits.MAX_TEXT_INPUT_CHARS,
        )
        self.add_field(text, translator.format("form-line-text"), translator.format("form-line-text-hint"))
        speakers = discord.ui.Select[Any](custom_id=SPEAKER, options=_speaker_options(translator, opened, turn.speaker))
        self.add_field(speakers, translator.format("form-line-speaker"), translator.format("form-line-speaker-hint"))
        then = discord.ui.Select[Any](custom_id=THEN, options=_then_options(translator, opened, index))
        self.add_field(then, translator.format("form-line-then"))

    @classmethod
    async def submitted(cls, interaction: Interaction, target: CustomId, fields: SubmittedModal) -> None:
        """Save the change; what was typed is given back where that fails."""
        try:
            await cls._save(interaction, target, fields)
        except StemcordError as error:
            await show_refusal(interaction, target.job_id, error, fields.texts.get(TEXT, ""))

    @classmethod
    async def _save(cls, interaction: Interaction, target: CustomId, fields: SubmittedModal) -> None:
        place = LinePlace.parse(target.detail)
        record = await find_record(interaction, target.job_id)
        await defer_in_private(interaction)
        translator = translator_for(interaction.locale.value)
        editor = interaction.client.services.transcripts.editor
        seen = await editor.state(record, place.revision)
        place.find(seen.transcript)
        wanted = submitted_line(fields, translator, seen.transcript, place.index)
        steps = edits_for(seen.transcript, place.index, wanted)
        if not steps.edits:
            opened = await load_transcript(interaction, record, target.job_id)
            await show(interaction, translator.format("line-same"), opened, place.index)
            return
        change = await editor.change(record, steps.edits, by=str(interaction.user.id), base=place.revision)
        opened = OpenTranscript(job_id=target.job_id, record=record, state=change.state)
        saved = SavedEdits(change.saved - len(steps.edits), change.saved, place.index)
        await show_change(interaction, opened, seen.transcript, steps.transcript, saved)


class GoToModal(Modal):
    """Asks for a time of the clip."""

    action: ClassVar[Action] = Action.GO_TO

    def __init__(self, translator: Translator, job_id: str) -> None:
        super().__init__(translator.format("button-goto"), CustomId(self.action, job_id))
        time = discord.ui.TextInput[Any](custom_id=TIME, max_length=MAX_TIME_CHARS, placeholder="1:23")
        self.add_field(time, translator.format("form-goto"))

    @classmethod
    async def submitted(cls, interaction: Interaction, target: CustomId, fields: SubmittedModal) -> None:
        """Show the lines from that time on."""
        seconds = read_time(fields.texts.get(TIME, ""))
        record = await find_record(interaction, target.job_id)
        await defer_in_private(interaction)
        opened = await load_transcript(interaction, record, target.job_id)
        later = (index for index, line in enumerate(opened.lines) if line.turn.end > seconds)
        index = next(later, len(opened.lines) - 1)
        text = translator_for(interaction.locale.value).format("line-choose")
        if opened.lines:
            text = f"{text}\n`{describe_line(opened, opened.lines[index])[:80].replace('`', '')}`"
        await show(interaction, text, opened, index)


def read_time(text: str) -> float:
    """Read `h:mm:ss`, `m:ss` or seconds. Raises `RefusedError`."""
    match = _TIME.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if match is None:
        raise RefusedError("bad-time", "bad-time-hint", value=text[:MAX_TIME_CHARS])
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return 3600.0 * hours + 60.0 * minutes + seconds


def submitted_line(
    fields: SubmittedModal, translator: Translator, transcript: EditableTranscript, index: int
) -> SubmittedLine:
    """Read what was filled in for a line; a field that is not there changes nothing. Raises `RefusedError`."""
    turn = transcript.lines[index].turn
    text = fields.texts.get(TEXT, turn.text)
    if len(text) > discord_limits.MAX_TEXT_INPUT_CHARS:
        raise RefusedError("edit-too-large", "edit-too-large-hint")
    chosen = "".join(fields.choices.get(SPEAKER, ())) or f"{_KNOWN}{turn.speaker}"
    then = "".join(fields.choices.get(THEN, ())) or Then.KEEP
    if then not in list(Then):
        raise RefusedError("button-gone", "button-gone-hint")
    speaker = next((each for each in transcript.speakers if f"{_KNOWN}{each.id}" == chosen), None)
    if chosen == NEW_SPEAKER:
        number = len(transcript.speakers) + 1
        speaker = new_speaker(transcript.speakers, translator.format("page-speaker-number", number=number))
    if speaker is None:
        raise RefusedError("no-such-part")
    return SubmittedLine(text=text, speaker=speaker, then=Then(then))


def _speaker_options(translator: Translator, opened: OpenTranscript, own: str) -> list[discord.SelectOption]:
    """Offer the speakers, as many as a menu has room for, that of the line in any case, and a new one."""
    names = opened.names
    speakers: tuple[Speaker, ...] = opened.state.transcript.speakers
    ordered = [*(each for each in speakers if each.id == own), *(each for each in speakers if each.id != own)]
    offered = ordered[: discord_limits.MAX_MENU_OPTIONS - 1]
    options = [
        discord.SelectOption(
            label=shorten(names[speaker.id], discord_limits.MAX_MENU_OPTION_CHARS) or speaker.id,
            value=f"{_KNOWN}{speaker.id}",
            default=speaker.id == own,
        )
        for speaker in speakers
        if speaker in offered
    ]
    return [*options, discord.SelectOption(label=translator.format("option-new-speaker"), value=NEW_SPEAKER)]


def _then_options(translator: Translator, opened: OpenTranscript, index: int) -> list[discord.SelectOption]:
    options = [discord.SelectOption(label=translator.format("then-keep"), value=Then.KEEP, default=True)]
    if index + 1 < len(opened.lines):
        following = shorten(describe_line(opened, opened.lines[index + 1]), discord_limits.MAX_MENU_OPTION_CHARS)
        options.append(
            discord.SelectOption(label=translator.format("then-join"), value=Then.JOIN, description=following)
        )
    return [*options, discord.SelectOption(label=translator.format("then-delete"), value=Then.DELETE)]
