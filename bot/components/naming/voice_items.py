"""The buttons that keep a voice after a yes, and that say whether a voice was found rightly."""

from abc import abstractmethod
from dataclasses import replace
from typing import ClassVar, Literal

import discord

from bot.components.custom_ids import Action, CustomId
from bot.components.naming.listing import show_again, show_with_samples
from bot.components.naming.named_speakers import NamedSpeakers, open_speakers, token_of
from bot.components.persistent_item import PersistentItem
from bot.components.result_actions import defer_in_private
from bot.components.views import ActionView
from bot.database.speaker_names import SpeakerName
from bot.exceptions import RefusedError
from bot.i18n.translator import Translator, translator_for
from bot.services import Interaction
from bot.voices.consent import CONSENT_VERSION, ENROLMENT_DAYS
from pipeline.types import Speaker


class EnrolButton(PersistentItem, action=Action.ENROL):
    """Says what it means to have one's voice kept, and asks for a yes."""

    async def act(self, interaction: Interaction) -> None:
        """Show the text in private."""
        opened = await open_speakers(interaction, self.target.job_id)
        speaker = opened.find(self.target.detail)
        if opened.person_of(speaker) != str(interaction.user.id):
            raise RefusedError("voice-not-yours", "voice-not-yours-hint")
        translator = translator_for(interaction.locale.value)
        text, view = consent_form(
            translator, opened.job_id, speaker.id, interaction.client.services.settings.voice_left_days
        )
        await interaction.response.send_message(text, view=view, ephemeral=True)


class AgreeButton(PersistentItem, action=Action.AGREE):
    """Keeps the person's voice after their yes."""

    async def act(self, interaction: Interaction) -> None:
        """Keep the voice with the time and the version of the text."""
        token, _, version = self.target.detail.partition("-")
        if not (version.isascii() and version.isdecimal()):
            raise RefusedError("button-gone", "button-gone-hint")
        opened = await open_speakers(interaction, self.target.job_id)
        speaker = opened.find(token)
        await defer_in_private(interaction)
        person = str(interaction.user.id)
        await interaction.client.voices.enrol(opened.record, speaker.id, person, int(version))
        text = translator_for(interaction.locale.value).format("voice-kept")
        await interaction.edit_original_response(content=text, view=None)


class PerhapsButton(PersistentItem, action=Action.PERHAPS):
    """Opens the list with the first speaker who is perhaps somebody, for those who can answer."""

    async def act(self, interaction: Interaction) -> None:
        """Show the list in private, with samples."""
        opened = await open_speakers(interaction, self.target.job_id)
        doubts = {key: match for key, match in opened.matches.items() if not match.sure}
        asked = [speaker for speaker in opened.speakers if speaker.id in doubts]
        if not asked:
            raise RefusedError("voice-answered")
        person = str(interaction.user.id)
        own = [speaker for speaker in asked if opened.may_name or doubts[speaker.id].user_id == person]
        if not own:
            raise RefusedError("voice-not-asked")
        await defer_in_private(interaction)
        await show_with_samples(interaction, opened, opened.page_of(own[0]))


class AnswerButton(PersistentItem):
    """Says whether a voice was found rightly, for the person and for those who may name others."""

    text: ClassVar[str]

    async def act(self, interaction: Interaction) -> None:
        """Name the speaker accordingly, and show the list as it is then."""
        opened = await open_speakers(interaction, self.target.job_id)
        speaker = opened.find(self.target.detail)
        match = opened.matches.get(speaker.id)
        if match is None:
            raise RefusedError("voice-answered")
        if not opened.may_name and match.user_id != str(interaction.user.id):
            raise RefusedError("not-yours")
        await defer_in_private(interaction)
        name = await self.answer(interaction, opened, speaker)
        left = {key: each for key, each in opened.matches.items() if key != speaker.id}
        shown = replace(opened, names={**opened.names, speaker.id: name}, matches=left)
        text = translator_for(interaction.locale.value).format(self.text)
        await show_again(interaction, shown, opened.page_of(speaker), text)

    @abstractmethod
    async def answer(self, interaction: Interaction, opened: NamedSpeakers, speaker: Speaker) -> SpeakerName:
        """Store the answer, and return what the speaker is called."""


class VoiceRightButton(AnswerButton, action=Action.VOICE_RIGHT):
    """Says that it is the person."""

    text = "renamed"

    async def answer(self, interaction: Interaction, opened: NamedSpeakers, speaker: Speaker) -> SpeakerName:
        """Give the speaker the person's name."""
        return await interaction.client.voices.confirm(opened.record, speaker.id, str(interaction.user.id))


class VoiceWrongButton(AnswerButton, action=Action.VOICE_WRONG):
    """Says that it is not the person."""

    text = "voice-taken-back"

    async def answer(self, interaction: Interaction, opened: NamedSpeakers, speaker: Speaker) -> SpeakerName:
        """Take the name back."""
        return await interaction.client.voices.deny(opened.record, speaker.id, str(interaction.user.id))


def consent_form(translator: Translator, job_id: str, speaker_id: str, left_days: float) -> tuple[str, ActionView]:
    """Return the text about what is kept, and the button that says yes to this version of it."""
    view = ActionView()
    target = CustomId(Action.AGREE, job_id, detail=f"{token_of(speaker_id)}-{CONSENT_VERSION}")
    view.add_button(translator.format("button-agree"), target, discord.ButtonStyle.primary)
    return consent_text(translator, left_days, "clip"), view


def consent_text(translator: Translator, left_days: float, source: Literal["clip", "recording"]) -> str:
    """Return what a person says yes to."""
    days = {"days": ENROLMENT_DAYS, "left": f"{left_days:g}", "version": CONSENT_VERSION}
    return translator.format("voice-consent", **days, source=source)
