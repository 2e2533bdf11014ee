"""The buttons and the form that name the speakers of a result."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import discord

from bot import discord_limits
from bot.components.custom_ids import Action, CustomId
from bot.components.modals import Modal, SubmittedModal
from bot.components.result_actions import ResultItem, find_result, require_transcript
from bot.components.speaker_preview import MAX_QUOTE_CHARS, fetch_previews, longest_turns
from bot.components.views import ActionView
from bot.exceptions import RefusedError
from bot.i18n.translator import Translator, translator_for
from bot.jobs.history import HistoryEntry
from bot.messages.formatting import one_line, shorten
from bot.services import Interaction
from pipeline.types import Result, Speaker, Transcript

MAX_NAME_CHARS: Final = 60
MAX_PAGES: Final = 5
"""Forms for one result: a row has five buttons."""


class RenameButton(ResultItem, action=Action.RENAME):
    """Sends a short sample of each speaker, with buttons that open the forms."""

    async def act_on(self, interaction: Interaction, entry: HistoryEntry, result: Result) -> None:
        """Send the samples and buttons in private."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        store = interaction.client.services.store
        transcript = await require_transcript(result, store)
        view = ActionView()
        for page in range(MAX_PAGES):
            if speakers := speakers_on_page(result.speakers, page):
                label = ", ".join(speaker.name for speaker in speakers)[: discord_limits.MAX_BUTTON_LABEL_CHARS]
                view.add_button(label, CustomId(Action.SPEAKER_NAMES, entry.job.id, page))
        text = translator_for(interaction.locale.value).format("form-rename")
        async with fetch_previews(result, transcript, store) as files:
            await interaction.edit_original_response(content=text, attachments=files, view=view)


class SpeakerNamesButton(ResultItem, action=Action.SPEAKER_NAMES):
    """Opens the form for up to five speakers."""

    async def act_on(self, interaction: Interaction, entry: HistoryEntry, result: Result) -> None:
        """Show the form."""
        speakers = _speakers(result, self.target.page)
        transcript = await require_transcript(result, interaction.client.services.store)
        translator = translator_for(interaction.locale.value)
        form = RenameModal(translator, entry.job.id, self.target.page, speakers, transcript)
        await interaction.response.send_modal(form)


class RenameModal(Modal):
    """Asks for the names of up to five speakers."""

    action: ClassVar[Action] = Action.SPEAKER_NAMES

    def __init__(
        self, translator: Translator, job_id: str, page: int, speakers: Sequence[Speaker], transcript: Transcript
    ) -> None:
        super().__init__(translator.format("form-rename"), CustomId(self.action, job_id, page))
        turns = longest_turns(transcript)
        for index, speaker in enumerate(speakers):
            field = discord.ui.TextInput[Any](
                custom_id=_field(index), default=speaker.name[:MAX_NAME_CHARS], max_length=MAX_NAME_CHARS
            )
            quote = shorten(turns[speaker.id].text, MAX_QUOTE_CHARS) if speaker.id in turns else None
            description = None if quote is None else translator.format("form-rename-says", words=quote)
            self.add_field(field, speaker.name, description)

    @classmethod
    async def submitted(cls, interaction: Interaction, target: CustomId, fields: SubmittedModal) -> None:
        """Write the result again with the new names."""
        entry, result = await find_result(interaction, target.job_id)
        names = submitted_names(fields, _speakers(result, target.page))
        await interaction.response.defer()
        await interaction.client.services.submitter.rename_speakers(entry.job, names)
        text = translator_for(interaction.locale.value).format("renamed")
        await interaction.edit_original_response(content=text, attachments=[], view=None)


def submitted_names(fields: SubmittedModal, speakers: Sequence[Speaker]) -> dict[str, str]:
    """Return the filled-in names, by the id of the speaker."""
    given = {speaker.id: one_line(fields.texts.get(_field(index), "")) for index, speaker in enumerate(speakers)}
    return {speaker: name[:MAX_NAME_CHARS] for speaker, name in given.items() if name}


def speakers_on_page(speakers: Sequence[Speaker], page: int) -> Sequence[Speaker]:
    """Return the speakers of one form, which has room for five."""
    return speakers[page * discord_limits.MAX_MODAL_FIELDS : (page + 1) * discord_limits.MAX_MODAL_FIELDS]


def _speakers(result: Result, page: int) -> Sequence[Speaker]:
    speakers = speakers_on_page(result.speakers, page)
    if not speakers:
        raise RefusedError("no-such-part")
    return speakers


def _field(index: int) -> str:
    return f"speaker-{index}"
