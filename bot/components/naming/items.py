"""The buttons that list speakers and name them."""

from dataclasses import replace

from bot.components.custom_ids import Action
from bot.components.naming.forms import RenameModal, SpeakerModal
from bot.components.naming.listing import show_again, show_with_samples
from bot.components.naming.named_speakers import NamedSpeakers, open_speakers
from bot.components.persistent_item import PersistentItem
from bot.components.result_actions import defer_in_private, require_transcript
from bot.database.speaker_names import SpeakerName
from bot.exceptions import RefusedError
from bot.i18n.translator import translator_for
from bot.jobs.origins import is_outside
from bot.messages.formatting import escape, mention
from bot.services import Interaction
from bot.transcripts.naming import name_of_person
from pipeline.types import Speaker


class RenameButton(PersistentItem, action=Action.RENAME):
    """Sends a short sample of each speaker with the buttons that name them; everybody may say who they are."""

    async def act(self, interaction: Interaction) -> None:
        """Show the list in private."""
        opened = await open_speakers(interaction, self.target.job_id)
        await defer_in_private(interaction)
        await show_with_samples(interaction, opened, self.target.page)


class SpeakerNamesButton(PersistentItem, action=Action.SPEAKER_NAMES):
    """Opens the form for up to five speakers."""

    async def act(self, interaction: Interaction) -> None:
        """Show the form."""
        opened = await open_speakers(interaction, self.target.job_id, to_name=True)
        translator = translator_for(interaction.locale.value)
        speakers = [
            replace(speaker, name=opened.name_of(speaker, translator)) for speaker in opened.page(self.target.page)
        ]
        transcript = await require_transcript(opened.result, interaction.client.services.store)
        form = RenameModal(translator, self.target.job_id, self.target.page, speakers, transcript)
        await interaction.response.send_modal(form)


class NameSpeakerButton(PersistentItem, action=Action.NAME_SPEAKER):
    """Opens the form for one speaker, with the members of the server."""

    async def act(self, interaction: Interaction) -> None:
        """Show the form; where the bot is no member there is no list of members."""
        opened = await open_speakers(interaction, self.target.job_id, to_name=True)
        speaker = opened.find(self.target.detail)
        transcript = await require_transcript(opened.result, interaction.client.services.store)
        members = interaction.guild_id is not None and not is_outside(interaction)
        translator = translator_for(interaction.locale.value)
        await interaction.response.send_modal(SpeakerModal(translator, opened, speaker, transcript, members=members))


class ThisIsMeButton(PersistentItem, action=Action.THIS_IS_ME):
    """Names a speaker by the person who presses it."""

    async def act(self, interaction: Interaction) -> None:
        """Give the speaker the person's name, unless somebody else is the speaker already."""
        opened = await open_speakers(interaction, self.target.job_id)
        speaker = opened.find(self.target.detail)
        await defer_in_private(interaction)
        person = interaction.user
        name = SpeakerName(
            name=name_of_person([person.display_name, person.global_name or "", person.name]),
            user_id=str(person.id),
            by=str(person.id),
        )
        held = await interaction.client.services.naming.claim(opened.record, speaker.id, name)
        if held is not None:
            raise _taken(opened, held)
        text = translator_for(interaction.locale.value).format("named-you", name=escape(name.name))
        await _show(interaction, opened, speaker, name, text)


class NotMeButton(PersistentItem, action=Action.NOT_ME):
    """Takes the person's name off a speaker, whoever gave it."""

    async def act(self, interaction: Interaction) -> None:
        """Take the name back."""
        opened = await open_speakers(interaction, self.target.job_id)
        speaker = opened.find(self.target.detail)
        await defer_in_private(interaction)
        if speaker.id in opened.matches and opened.person_of(speaker) == str(interaction.user.id):
            await interaction.client.voices.deny(opened.record, speaker.id, str(interaction.user.id))
        else:
            await interaction.client.services.naming.release(opened.record, speaker.id, str(interaction.user.id))
        text = translator_for(interaction.locale.value).format("named-not-you")
        name = SpeakerName(name="") if opened.person_of(speaker) == str(interaction.user.id) else None
        await _show(interaction, opened, speaker, name, text)


async def _show(
    interaction: Interaction, opened: NamedSpeakers, speaker: Speaker, name: SpeakerName | None, text: str
) -> None:
    names = opened.names if name is None else {**opened.names, speaker.id: name}
    await show_again(interaction, replace(opened, names=names), opened.page_of(speaker), text)


def _taken(opened: NamedSpeakers, held: SpeakerName) -> RefusedError:
    """Say who a speaker is already, and who can change that."""
    person = mention(held.user_id)
    if opened.may_name:
        return RefusedError("named-taken", "named-taken-hint", name=held.name, person=person)
    return RefusedError(
        "named-taken-asker",
        name=held.name,
        person=person,
        asker=mention(opened.record.user_id or held.user_id),
    )
