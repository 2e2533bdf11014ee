"""`/glossary`: terms and people of a server, put in place of what sounds like them; those who manage it change them."""

import io
import re
from typing import Any, Final

import discord
from discord import app_commands

from bot.clips.attachments import clip_from_attachment
from bot.commands.localization import ServerGroup, localized, options
from bot.discord_limits import MAX_AUTOCOMPLETE_CHOICES, MAX_CHOICE_CHARS, MAX_CONTENT_CHARS
from bot.exceptions import RefusedError
from bot.i18n.translator import translator_for
from bot.messages.embeds import COLOUR_WORKING
from bot.messages.formatting import escape, shorten
from bot.permissions import check_may_use
from bot.services import Services
from pipeline.errors import StemcordError
from pipeline.speech.glossary.terms import MAX_GLOSSARY_BYTES, read_lines, split_line

BETWEEN_TERMS: Final = re.compile(r"[,;\uff0c\uff1b\u3001]")
"""What parts terms that are typed, also in Chinese; in a file each has a line."""
MAX_SHOWN_CHARS: Final = 100
"""Of what somebody typed, in an answer."""
MAX_SHOWN_LIST_CHARS: Final = 1500
"""Of a glossary in a message; a longer one is sent as a file."""


def setup(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the command."""
    tree.add_command(GlossaryCommands(services))


class GlossaryCommands(ServerGroup):
    """`/glossary add`, `/glossary remove`, `/glossary members` and `/glossary list`."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, "glossary", 75)

    @app_commands.command(name=localized("command-add"), description=localized("command-add-description"))
    @options(terms="terms", file="terms_file")
    @app_commands.checks.has_permissions(manage_guild=True)
    async def add_terms(
        self, interaction: discord.Interaction[Any], terms: str | None = None, file: discord.Attachment | None = None
    ) -> None:
        """Add terms that are typed and those of a file."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        lines = read_lines(BETWEEN_TERMS.sub("\n", terms or ""))
        if file is not None:
            lines += await self._read(file)
        if not lines:
            raise RefusedError("glossary-none", "glossary-none-hint")
        added = await self._services.glossaries.add(str(interaction.guild_id), lines)
        translator = translator_for(interaction.locale.value)
        text = translator.format("glossary-added", count=added.new)
        total = translator.format("glossary-total", count=added.total)
        await interaction.edit_original_response(content=f"{text} {total}")

    @app_commands.command(name=localized("command-remove"), description=localized("command-remove-description"))
    @options(term="term")
    @app_commands.checks.has_permissions(manage_guild=True)
    async def remove_term(self, interaction: discord.Interaction[Any], term: str) -> None:
        """Remove a term."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        removed = await self._services.glossaries.remove(str(interaction.guild_id), term)
        if not removed:
            raise RefusedError("glossary-unknown", "glossary-unknown-hint", term=shorten(term, MAX_SHOWN_CHARS))
        text = translator_for(interaction.locale.value).format("glossary-removed", terms=escape(", ".join(removed)))
        await interaction.edit_original_response(content=shorten(text, MAX_CONTENT_CHARS))

    @remove_term.autocomplete("term")
    async def _offer_terms(self, interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        try:
            lines = await self._services.glossaries.terms(str(interaction.guild_id))
        except StemcordError:
            # Autocomplete cannot answer an error, and the library would log who asked.
            return []
        wanted = typed.strip().casefold()
        return [_choice(line) for line in lines if wanted in line.casefold()][:MAX_AUTOCOMPLETE_CHOICES]

    @app_commands.command(name=localized("command-members"), description=localized("command-members-description"))
    @options(enabled="enabled")
    @app_commands.checks.has_permissions(manage_guild=True)
    async def use_members(self, interaction: discord.Interaction[Any], enabled: bool) -> None:
        """Turn the names of the server's members on or off."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        count = await self._services.glossary.use_members(str(interaction.guild_id), enabled=enabled)
        key = "glossary-members-on" if enabled else "glossary-members-off"
        text = translator_for(interaction.locale.value).format(key, count=count)
        await interaction.edit_original_response(content=text)

    @app_commands.command(name=localized("command-list"), description=localized("command-list-description"))
    async def list_terms(self, interaction: discord.Interaction[Any]) -> None:
        """Show all terms to the person alone, as a file where they are too long for a message."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id = str(interaction.guild_id)
        settings = await self._services.repository.guild(guild_id)
        check_may_use(interaction, settings.roles)
        lines = await self._services.glossaries.terms(guild_id)
        translator = translator_for(interaction.locale.value)
        text = "\n".join(map(escape, lines)) or translator.format("glossary-empty")
        total = translator.format("glossary-total", count=len(lines)) if lines else ""
        if settings.member_names:
            total = f"{total} {translator.format('glossary-members')}".strip()
        if len(text) <= MAX_SHOWN_LIST_CHARS:
            embed = discord.Embed(title=translator.format("glossary-title"), description=text, colour=COLOUR_WORKING)
            await interaction.edit_original_response(content=total or None, embed=embed)
            return
        file = discord.File(io.BytesIO("\n".join((*lines, "")).encode()), "glossary.txt")
        await interaction.edit_original_response(content=total, attachments=[file])

    async def _read(self, file: discord.Attachment) -> list[str]:
        """Read the lines of an attachment. Raises `RefusedError` for one that is no text or too large."""
        clip = clip_from_attachment(file)
        if clip.size == 0:
            return []
        if clip.size > MAX_GLOSSARY_BYTES:
            raise RefusedError("glossary-large", "glossary-file-hint", name=clip.name, limit=MAX_GLOSSARY_BYTES // 1024)
        try:
            text = (await self._services.downloader.read(clip, MAX_GLOSSARY_BYTES)).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise RefusedError("glossary-file", "glossary-file-hint", name=clip.name) from error
        return read_lines(text)


def _choice(line: str) -> app_commands.Choice[str]:
    """Offer a line; where that is too long for Discord, its term stands for it."""
    value = line if len(line) <= MAX_CHOICE_CHARS else split_line(line)[0]
    return app_commands.Choice(name=shorten(line, MAX_CHOICE_CHARS), value=value)
