"""`/settings`: shows and changes the settings of a server, for people who manage it."""

import asyncio
from dataclasses import replace
from typing import Any, Final

import discord
from discord import app_commands

from bot.commands.localization import help_order, localized, options
from bot.commands.option_choices import PRESETS, offer_languages
from bot.database.models import GuildSettings
from bot.discord_limits import MAX_AUTOCOMPLETE_CHOICES
from bot.exceptions import RefusedError
from bot.i18n.translator import Translator, translator_for
from bot.messages.embeds import COLOUR_WORKING
from bot.services import Services
from pipeline.catalog import MAX_DURATION
from pipeline.languages import LANGUAGES, MIXTURES
from pipeline.types import Preset

MAX_MINUTES_PER_DAY = 24 * 60
MAX_ROLES = 20
MAX_RETENTION_DAYS = 365
MAX_JOBS_AT_ONCE = 50
DETECT_LANGUAGE = "auto"

Minutes = app_commands.Range[int, 1, MAX_MINUTES_PER_DAY]
OPTIONS: Final = (
    *("preset", "language", "minutes", "at_once", "minutes_person", "minutes_server"),
    *("allow_role", "remove_role", "retention"),
)


def setup(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the command."""
    changing = asyncio.Lock()

    @tree.command(
        name=localized("command-settings"), description=localized("command-settings-description"), extras=help_order(80)
    )
    @options(**{name: name for name in OPTIONS})
    @app_commands.choices(preset=PRESETS)
    @app_commands.autocomplete(language=_offer_languages)
    @app_commands.guild_only()
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.checks.has_permissions(manage_guild=True)
    async def settings(
        interaction: discord.Interaction[Any],
        preset: str | None = None,
        language: str | None = None,
        minutes: app_commands.Range[int, 1, int(MAX_DURATION // 60)] | None = None,
        at_once: app_commands.Range[int, 1, MAX_JOBS_AT_ONCE] | None = None,
        minutes_person: Minutes | None = None,
        minutes_server: Minutes | None = None,
        allow_role: discord.Role | None = None,
        remove_role: discord.Role | None = None,
        retention: app_commands.Range[int, 1, MAX_RETENTION_DAYS] | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "preset": None if preset is None else _preset(preset),
            "max_duration": None if minutes is None else minutes * 60.0,
            "jobs_at_once": at_once,
            "minutes_per_day_person": minutes_person,
            "minutes_per_day_guild": minutes_server,
            "retention_days": retention,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        changes |= {} if language is None else {"language": _language(language)}
        await interaction.response.defer(ephemeral=True, thinking=True)
        # Of two managers at the same time, neither may undo what the other has just set.
        async with changing:
            before = await services.repository.guild(str(interaction.guild_id))
            after = replace(before, **changes, roles=_roles(before.roles, allow_role, remove_role))
            if after != before:
                await services.repository.save_guild(after)
        translator = translator_for(interaction.locale.value)
        saved = translator.format("settings-saved") if after != before else None
        await interaction.edit_original_response(content=saved, embed=_embed(translator, after))


async def _offer_languages(interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
    """Offer detection first, then the languages."""
    detected = translator_for(interaction.locale.value).format("value-detected")
    offered = await offer_languages(interaction, typed)
    if typed.strip().lower() not in detected.lower():
        return offered
    return [app_commands.Choice(name=detected, value=DETECT_LANGUAGE), *offered][:MAX_AUTOCOMPLETE_CHOICES]


def _preset(value: str) -> Preset:
    if value not in list(Preset):
        raise RefusedError("choice-error", "choice-hint", value=value)
    return Preset(value)


def _language(value: str) -> str | None:
    if value != DETECT_LANGUAGE and value not in LANGUAGES and value not in MIXTURES:
        raise RefusedError("choice-error", "choice-hint", value=value)
    return None if value == DETECT_LANGUAGE else value


def _language_name(translator: Translator, code: str | None) -> str:
    """Name a language for a field, which must not be empty; an unknown language keeps its code."""
    return translator.format("value-detected") if code is None else translator.language_name(code) or code


def _roles(roles: tuple[int, ...], allowed: discord.Role | None, removed: discord.Role | None) -> tuple[int, ...]:
    kept = [role for role in roles if removed is None or role != removed.id]
    if allowed is not None and allowed.id not in kept:
        kept.append(allowed.id)
    return tuple(kept[-MAX_ROLES:])


def _embed(translator: Translator, settings: GuildSettings) -> discord.Embed:
    default = translator.format("value-default")

    def minutes(count: float | None) -> str:
        return default if count is None else translator.format("value-minutes", count=int(count))

    days, at_once = settings.retention_days, settings.jobs_at_once
    longest = None if settings.max_duration is None else settings.max_duration / 60
    lines = {
        "preset": default if settings.preset is None else translator.format(f"preset-{settings.preset}"),
        "language": _language_name(translator, settings.language),
        "minutes": minutes(longest),
        "at_once": default if at_once is None else translator.format("value-clips", count=at_once),
        "minutes_person": minutes(settings.minutes_per_day_person),
        "minutes_server": minutes(settings.minutes_per_day_guild),
        "roles": ", ".join(f"<@&{role}>" for role in settings.roles) or translator.format("value-everybody"),
        "retention": default if days is None else translator.format("value-days", count=days),
    }
    embed = discord.Embed(title=translator.format("settings-title"), colour=COLOUR_WORKING)
    for name, value in lines.items():
        embed.add_field(name=translator.format(f"setting-{name}"), value=value)
    return embed
