"""Every error becomes a private answer of two sentences, and a log line without personal content."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
import discord
import structlog
from discord import app_commands

from bot import discord_limits as limits
from bot.exceptions import BotError, QuotaError
from bot.i18n.translator import ENGLISH, Speech, speech_for
from bot.log import frames_of
from bot.messages.errors import is_for_operators, kind_of
from bot.messages.formatting import escape, shorten
from bot.retry import patiently
from pipeline.errors import AudioProcessingError, ValidationError, from_failure
from pipeline.types import Failure

NETWORK_ERRORS = (discord.HTTPException, aiohttp.ClientError, OSError)
"""What a call to Discord may raise; a time-out is an OSError."""
_OWN = frozenset({"channel", "roles", "size", "limit"})
"""Values of the bot's sentences that it writes itself, some of them in Discord's markup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a person is told: what happened and what to do, one sentence each, with nothing in them that is not safe."""

    message: str
    hint: str
    ends: float | None = None
    """Unix time from which on the reason no longer holds."""

    def text(self, speech: Speech) -> str:
        """All sentences; Discord shows the time in the reader's own zone."""
        text = f"{self.message} {self.hint}".strip()
        if self.ends is not None:
            text = f"{text} {speech.say('quota-reset', when=f'<t:{int(self.ends)}:R>')}"
        return shorten(text, limits.CONTENT_LENGTH)


def notice_of(error: BaseException, reference: str, speech: Speech) -> Notice:
    """What to tell a person about an error; the reference finds it in the log."""
    cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
    match cause:
        case BotError():
            message = speech.say(cause.key, **{name: _safe(name, value) for name, value in cause.values.items()})
            return Notice(message=message, hint=speech.say(cause.hint_key) if cause.hint_key else "", ends=_end(cause))
        case AudioProcessingError():
            return _notice_of_pipeline(cause, speech)
        case app_commands.TransformerError():
            value = escape(shorten(str(cause.value), 100))
            return Notice(message=speech.say("choice-error", value=value), hint=speech.say("choice-hint"))
        case app_commands.CommandSignatureMismatch() | app_commands.CommandNotFound():
            return Notice(message=speech.say("out-of-date"), hint=speech.say("out-of-date-hint"))
        case app_commands.NoPrivateMessage():
            return Notice(message=speech.say("not-here"), hint="")
        case app_commands.MissingPermissions():
            return Notice(message=speech.say("not-manager"), hint="")
        case _:
            message = speech.say("unknown-error", reference=reference)
            return Notice(message=message, hint=speech.say("try-later"))


def notice_of_failure(failure: Failure, reference: str, speech: Speech) -> Notice:
    """What to tell a person about an error that came over the queue."""
    return notice_of(from_failure(failure), reference, speech)


def _safe(name: str, value: str | int) -> str | int:
    return escape(value) if isinstance(value, str) and name not in _OWN else value


def _end(error: BotError) -> float | None:
    return error.resets_at if isinstance(error, QuotaError) else None


def _notice_of_pipeline(error: AudioProcessingError, speech: Speech) -> Notice:
    """The pipeline speaks English; elsewhere a sentence by the kind of error comes first."""
    if is_for_operators(error):
        return Notice(message=kind_of(error, speech), hint=speech.say("try-later"))
    if speech.locale == ENGLISH:
        return Notice(message=escape(error.message), hint=escape(error.hint))
    hint = "error-hint-input" if isinstance(error, ValidationError) else "try-later"
    sentence, detail = kind_of(error, speech), escape(error.message)
    return Notice(message=speech.say("error-detail", sentence=sentence, detail=detail), hint=speech.say(hint))


async def answer(interaction: discord.Interaction[Any], error: BaseException) -> None:
    """Tell the person in private what went wrong; a public "thinking" message goes away."""
    reference = f"{interaction.id:x}"
    cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
    _log_error(interaction, cause, reference)
    speech = speech_for(interaction.locale.value)
    text = notice_of(error, reference, speech).text(speech)
    try:
        if not interaction.response.is_done():
            await interaction.response.send_message(text, ephemeral=True)
            return
        await _answer_late(interaction, text, speech)
    except NETWORK_ERRORS as away:
        structlog.get_logger(__name__).warning("error_untold", reference=reference, error=type(away).__name__)


async def _answer_late(interaction: discord.Interaction[Any], text: str, speech: Speech) -> None:
    thinking = interaction.response.type is discord.InteractionResponseType.deferred_channel_message
    if thinking:
        # The first follow-up to a thinking message becomes that message, public as it was deferred; an edit ends that.
        ended = partial(interaction.edit_original_response, content=speech.say("not-done"), embed=None, view=None)
        shown = await patiently(ended)
        if shown.flags.ephemeral:
            await patiently(partial(interaction.edit_original_response, content=text))
            return
    await patiently(partial(interaction.followup.send, text, ephemeral=True))
    if thinking:
        await patiently(interaction.delete_original_response)


def _log_error(interaction: discord.Interaction[Any], error: BaseException, reference: str) -> None:
    log = structlog.get_logger(__name__)
    command = None if interaction.command is None else interaction.command.name
    refused = isinstance(error, ValidationError | app_commands.AppCommandError)
    if refused:
        # What clients send that are old or forged is nobody's failure here.
        log.info("refused", reference=reference, command=command, error=type(error).__name__)
    elif isinstance(error, AudioProcessingError):
        log.error("failed", reference=reference, command=command, error=type(error).__name__, detail=error.detail)
    else:
        log.error("failed", reference=reference, command=command, error=type(error).__name__, frames=frames_of(error))
