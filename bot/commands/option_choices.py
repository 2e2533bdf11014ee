"""What the options of commands offer."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import discord
from discord import app_commands

from bot.commands.localization import localized
from bot.discord_limits import MAX_AUTOCOMPLETE_CHOICES
from bot.i18n.translator import Translator, translator_for
from pipeline.languages import LANGUAGES, MIXTURES, SUGGESTED, language_name
from pipeline.options import REQUEST_OPTIONS
from pipeline.types import CaptionPlace, CaptionSize, Fit, LoopFormat, PictureFormat, PictureTurn, SoundFormat


def _choices(option: str) -> list[app_commands.Choice[str]]:
    """Return what an option of a request offers, from its table."""
    values = REQUEST_OPTIONS[option].choices
    return [app_commands.Choice(name=localized(f"{option}-{value}"), value=value) for value in values]


def _texts_of(option: str, values: Iterable[StrEnum]) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=localized(f"{option}-{value}"), value=value.value) for value in values]


TASKS = [
    app_commands.Choice(name=localized(f"command-{name}"), value=value)
    for name, value in (("process", "all"), ("separate", "separate"), ("transcribe", "transcribe"), ("remix", "remix"))
]
ROUTES = _choices("route")
PRESETS = _choices("preset")
PARTS = _choices("parts")
MIX_PRESETS = _choices("mix")
LOUDNESS = _choices("loudness")
FITS = _texts_of("fit", Fit)
TURNS = _texts_of("turn", PictureTurn)
SOUND_FORMATS = _texts_of("sound_format", SoundFormat)
PICTURE_FORMATS = _texts_of("picture_format", PictureFormat)
LOOP_FORMATS = _texts_of("loop_format", LoopFormat)
CAPTION_PLACES = _texts_of("place", CaptionPlace)
CAPTION_SIZES = _texts_of("caption_size", CaptionSize)


async def offer_languages(interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
    """Offer languages whose code or name begins with what was typed, then those that contain it.

    A mixture is also found by the code of each of its languages.
    """
    text = typed.strip().lower()
    translator = translator_for(interaction.locale.value)
    if not text:
        codes = list(SUGGESTED)
    else:
        names = {
            code: (language_name(code).lower(), translator.language_name(code).lower())
            for code in (*LANGUAGES, *MIXTURES)
        }
        codes = [code for code, known in names.items() if _begins(code, known, text)]
        codes += [code for code, known in names.items() if code not in codes and any(text in name for name in known)]
        codes.sort(key=lambda code: code != text)
    return [
        app_commands.Choice(name=_language(translator, code), value=code) for code in codes[:MAX_AUTOCOMPLETE_CHOICES]
    ]


def _begins(code: str, names: tuple[str, ...], text: str) -> bool:
    return text in (code, *MIXTURES.get(code, ())) or any(name.startswith(text) for name in names)


def _language(translator: Translator, code: str) -> str:
    return f"{translator.language_name(code)} ({code})"
