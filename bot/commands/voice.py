"""`/voice`: the voice-book of a server; those who manage it turn it on, and everybody enrols only themselves."""

from typing import Any

import discord
from discord import app_commands

from bot.clips.attachments import clip_from_attachment
from bot.commands.localization import ServerGroup, localized, options
from bot.components.naming.recording_items import recording_form
from bot.components.naming.voice_items import consent_form
from bot.exceptions import RefusedError
from bot.i18n.translator import translator_for
from bot.permissions import check_may_use
from bot.services import Interaction, Services


def setup(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the command."""
    tree.add_command(VoiceCommands(services))


class VoiceCommands(ServerGroup):
    """`/voice enable`, `disable`, `enrol`, `forget` and `status`."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, "voice", 77)

    @app_commands.command(name=localized("command-enable"), description=localized("command-enable-description"))
    @app_commands.checks.has_permissions(manage_guild=True)
    async def enable(self, interaction: Interaction) -> None:
        """Turn the voice-book on."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.client.voices.books.enable(str(interaction.guild_id))
        await _answer(interaction, "voice-enabled")

    @app_commands.command(name=localized("command-disable"), description=localized("command-disable-description"))
    @app_commands.checks.has_permissions(manage_guild=True)
    async def disable(self, interaction: Interaction) -> None:
        """Turn the voice-book off, and delete all voices in it."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        count = await interaction.client.voices.disable(str(interaction.guild_id))
        await _answer(interaction, "voice-disabled", count=count)

    @app_commands.command(name=localized("command-enrol"), description=localized("command-enrol-description"))
    @options(recording="recording")
    async def enrol(self, interaction: Interaction, recording: discord.Attachment | None = None) -> None:
        """Ask for a yes to keep the voice of a recording.

        Without one: that of the newest clip in which the person said which speaker they are.
        """
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id = str(interaction.guild_id)
        check_may_use(interaction, (await self._services.repository.guild(guild_id)).roles)
        voices = interaction.client.voices
        voices.books.require_keys()
        if not await voices.books.is_enabled(guild_id):
            raise RefusedError("voice-off", "voice-off-hint")
        translator, left_days = translator_for(interaction.locale.value), self._services.settings.voice_left_days
        if recording is not None:
            clip = clip_from_attachment(recording)
            self._services.downloader.check(clip)
            text, embed, view = recording_form(translator, clip, interaction.user.id, left_days)
            await interaction.edit_original_response(content=text, embed=embed, view=view)
            return
        record, speaker_id = await voices.find_own(guild_id, str(interaction.user.id))
        text, view = consent_form(translator, record.id, speaker_id, left_days)
        await interaction.edit_original_response(content=text, view=view)

    @app_commands.command(name=localized("command-forget"), description=localized("command-forget-description"))
    @options(past="past")
    async def forget(self, interaction: Interaction, past: bool = False) -> None:
        """Delete the person's voice."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        voices = interaction.client.voices
        had = await voices.forget(str(interaction.guild_id), str(interaction.user.id), past=past)
        await _answer(interaction, "voice-forgotten" if had else "voice-was-none")

    @app_commands.command(name=localized("command-status"), description=localized("command-status-description"))
    async def status(self, interaction: Interaction) -> None:
        """Say whether there is a voice-book, and whether the person is in it."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id, books = str(interaction.guild_id), interaction.client.voices.books
        if not await books.is_enabled(guild_id):
            await _answer(interaction, "voice-off")
            return
        own = await books.enrolments(guild_id, str(interaction.user.id))
        if not own:
            await _answer(interaction, "voice-status-none")
            return
        since = f"<t:{int(own[0].consented)}:D>"
        await _answer(interaction, "voice-status-kept", since=since, version=own[0].text_version)


async def _answer(interaction: Interaction, key: str, **values: str | int) -> None:
    text = translator_for(interaction.locale.value).format(key, **values)
    await interaction.edit_original_response(content=text)
