"""What the options offer, from the catalogue."""

from typing import Any

import discord
from discord import app_commands

from bot import texts
from bot.limits import CHOICES
from pipeline.languages import LANGUAGES

ROUTES = [app_commands.Choice(name=text, value=route.value) for route, text in texts.ROUTES.items()]
PRESETS = [app_commands.Choice(name=text, value=preset.value) for preset, text in texts.PRESETS.items()]
COMMON = ("en", "zh", "de", "es", "fr", "ja", "ko", "pt", "ru", "it", "nl", "pl", "tr", "ar", "hi")
"""Offered before anything is typed."""


async def offer_languages(_: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
    """Languages whose code or English name begins with what was typed, then those that contain it."""
    text = typed.strip().lower()
    if not text:
        codes = list(COMMON)
    else:
        codes = [code for code, name in LANGUAGES.items() if code == text or name.lower().startswith(text)]
        codes += [code for code, name in LANGUAGES.items() if code not in codes and text in name.lower()]
        codes.sort(key=lambda code: code != text)
    return [app_commands.Choice(name=f"{LANGUAGES[code]} ({code})", value=code) for code in codes[:CHOICES]]


def clips_of(message: discord.Message) -> list[discord.Attachment]:
    """The attachments of a message and of what it forwards."""
    forwarded = [attachment for snapshot in message.message_snapshots for attachment in snapshot.attachments]
    return [*message.attachments, *forwarded]
