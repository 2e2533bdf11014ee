"""The forms that name speakers: one speaker, by a member of the server or a text, or five by texts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final

import discord

from bot.components.custom_ids import Action, CustomId
from bot.components.modals import Modal, SubmittedModal
from bot.components.naming.listing import show_again
from bot.components.naming.named_speakers import (
    NamedSpeakers,
    open_speakers,
    speakers_on_page,
    token_of,
)
from bot.components.result_actions import defer_in_private
from bot.components.speaker_preview import MAX_QUOTE_CHARS, longest_turns
from bot.database.speaker_names import SpeakerName
from bot.exceptions import RefusedError
from bot.i18n.translator import Translator, translator_for
from bot.messages.formatting import one_line, shorten
from bot.services import Interaction
from bot.transcripts.naming import MAX_SPEAKER_NAME_CHARS, name_of_person
from pipeline.types import Speaker, Transcript

MEMBER: Final = "member"
NAME: Final = "name"


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
                custom_id=_field(index),
                default=speaker.name[:MAX_SPEAKER_NAME_CHARS],
                max_length=MAX_SPEAKER_NAME_CHARS,
            )
            quote = shorten(turns[speaker.id].text, MAX_QUOTE_CHARS) if speaker.id in turns else None
            description = None if quote is None else translator.format("form-rename-says", words=quote)
            self.add_field(field, speaker.name, description)

    @classmethod
    async def submitted(cls, interaction: Interaction, target: CustomId, fields: SubmittedModal) -> None:
        """Write the result again with the new names."""
        opened = await open_speakers(interaction, target.job_id, to_name=True)
        translator = translator_for(interaction.locale.value)
        speakers = speakers_on_page(opened.speakers, target.page)
        said = {speaker.id: opened.name_of(speaker, translator) for speaker in speakers}
        given = submitted_names(fields, speakers)
        # A field that shows what it did leaves the speaker to whoever named them while the form was open.
        shown = {speaker.id: (said[speaker.id], speaker.name) for speaker in speakers}
        names = {
            key: SpeakerName(name=name)
            for key, name in given.items()
            if key not in opened.names or name not in shown[key]
        }
        await defer_in_private(interaction)
        await name_speakers(interaction, opened, names, target.page)


class SpeakerModal(Modal):
    """Asks who one speaker is: a member of the server, or a name."""

    action: ClassVar[Action] = Action.NAME_SPEAKER

    def __init__(
        self, translator: Translator, opened: NamedSpeakers, speaker: Speaker, transcript: Transcript, *, members: bool
    ) -> None:
        name = opened.name_of(speaker, translator)
        target = CustomId(self.action, opened.job_id, detail=token_of(speaker.id))
        super().__init__(translator.format("form-name", name=name), target)
        turn = longest_turns(transcript).get(speaker.id)
        words = None if turn is None else shorten(turn.text, MAX_QUOTE_CHARS)
        says = None if words is None else translator.format("form-rename-says", words=words)
        if members:
            member = discord.ui.UserSelect[Any](custom_id=MEMBER, min_values=0, max_values=1, required=False)
            self.add_field(member, translator.format("form-name-member"), says)
        field = discord.ui.TextInput[Any](
            custom_id=NAME, default=name[:MAX_SPEAKER_NAME_CHARS], max_length=MAX_SPEAKER_NAME_CHARS, required=False
        )
        label = translator.format("form-name-text" if members else "form-name-alone")
        self.add_field(field, label, translator.format("form-name-hint") if members else says)

    @classmethod
    async def submitted(cls, interaction: Interaction, target: CustomId, fields: SubmittedModal) -> None:
        """Name the speaker."""
        opened = await open_speakers(interaction, target.job_id, to_name=True)
        speaker = opened.find(target.detail)
        said = opened.name_of(speaker, translator_for(interaction.locale.value))
        given = chosen_name(fields, (said, speaker.name))
        await defer_in_private(interaction)
        names = {} if given is None else {speaker.id: given}
        await name_speakers(interaction, opened, names, opened.page_of(speaker))


async def name_speakers(
    interaction: Interaction, opened: NamedSpeakers, names: dict[str, SpeakerName], page: int
) -> None:
    """Name speakers by id, and show the list as it is then; raises what `SpeakerNaming.give` raises."""
    if names:
        await interaction.client.services.naming.give(opened.record, names, str(interaction.user.id))
    text = translator_for(interaction.locale.value).format("renamed" if names else "renamed-nobody")
    await show_again(interaction, replace(opened, names={**opened.names, **names}), page, text)


def chosen_name(fields: SubmittedModal, said: Sequence[str]) -> SpeakerName | None:
    """Read what was filled in for a speaker; None where one of the names in `said` stays.

    Raises:
        RefusedError: The chosen one is an app, or is not on the server.

    """
    chosen = "".join(fields.choices.get(MEMBER, ()))
    if not chosen:
        name = one_line(fields.texts.get(NAME, said[0]))[:MAX_SPEAKER_NAME_CHARS]
        return None if name in [one_line(each)[:MAX_SPEAKER_NAME_CHARS] for each in said] else SpeakerName(name=name)
    person = fields.people.get(chosen)
    if person is None or not person.is_member:
        raise RefusedError("name-left", "name-left-hint")
    if person.is_app:
        raise RefusedError("name-app", "name-left-hint")
    return SpeakerName(name=name_of_person(person.names), user_id=person.id)


def submitted_names(fields: SubmittedModal, speakers: Sequence[Speaker]) -> dict[str, str]:
    """Return the filled-in names, by the id of the speaker."""
    given = {speaker.id: one_line(fields.texts.get(_field(index), "")) for index, speaker in enumerate(speakers)}
    return {speaker: name[:MAX_SPEAKER_NAME_CHARS] for speaker, name in given.items() if name}


def _field(index: int) -> str:
    return f"speaker-{index}"
