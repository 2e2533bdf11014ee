"""Every error becomes a private answer of two sentences, and a log line without personal content."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
import discord
import structlog
from discord import app_commands

from bot import discord_limits
from bot.exceptions import BotError, QuotaError
from bot.i18n.translator import ENGLISH, Translator, translator_for
from bot.log import stack_frames
from bot.messages.errors import error_sentence, is_for_operators
from bot.messages.formatting import escape, shorten
from bot.retry import retry_transient
from pipeline.errors import AudioProcessingError, ValidationError, from_failure
from pipeline.types import Failure

NETWORK_ERRORS = (discord.HTTPException, aiohttp.ClientError, OSError)
"""What a call to Discord may raise; a time-out is an OSError."""
_TRUSTED_VALUES = frozenset({"channel", "roles", "size", "limit"})
"""Values of the bot's sentences that it writes itself, some of them in Discord's markup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorMessage:
    """What a person is told: what happened and what to do, one sentence each, with nothing in them that is not safe."""

    message: str
    hint: str
    resets_at: float | None = None
    """Unix time from which on the reason no longer holds."""

    def text(self, translator: Translator) -> str:
        """All sentences; Discord shows the time in the reader's own zone."""
        text = f"{self.message} {self.hint}".strip()
        if self.resets_at is not None:
            text = f"{text} {translator.format('quota-reset', when=f'<t:{int(self.resets_at)}:R>')}"
        return shorten(text, discord_limits.MAX_CONTENT_CHARS)


def error_message(error: BaseException, reference: str, translator: Translator) -> ErrorMessage:
    """What to tell a person about an error; the reference finds it in the log."""
    cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
    match cause:
        case BotError():
            message = translator.format(cause.key, **{name: _safe(name, value) for name, value in cause.values.items()})
            return ErrorMessage(
                message=message, hint=translator.format(cause.hint_key) if cause.hint_key else "", resets_at=_end(cause)
            )
        case AudioProcessingError():
            return _pipeline_message(cause, translator)
        case app_commands.TransformerError():
            value = escape(shorten(str(cause.value), 100))
            return ErrorMessage(
                message=translator.format("choice-error", value=value), hint=translator.format("choice-hint")
            )
        case app_commands.CommandSignatureMismatch() | app_commands.CommandNotFound():
            return ErrorMessage(message=translator.format("out-of-date"), hint=translator.format("out-of-date-hint"))
        case app_commands.NoPrivateMessage():
            return ErrorMessage(message=translator.format("not-here"), hint="")
        case app_commands.MissingPermissions():
            return ErrorMessage(message=translator.format("not-manager"), hint="")
        case _:
            message = translator.format("unknown-error", reference=reference)
            return ErrorMessage(message=message, hint=translator.format("try-later"))


def failure_message(failure: Failure, reference: str, translator: Translator) -> ErrorMessage:
    """What to tell a person about an error that came over the queue."""
    return error_message(from_failure(failure), reference, translator)


def _safe(name: str, value: str | int) -> str | int:
    return escape(value) if isinstance(value, str) and name not in _TRUSTED_VALUES else value


def _end(error: BotError) -> float | None:
    return error.resets_at if isinstance(error, QuotaError) else None


def _pipeline_message(error: AudioProcessingError, translator: Translator) -> ErrorMessage:
    """The pipeline speaks English; elsewhere a sentence by the kind of error comes first."""
    if is_for_operators(error):
        return ErrorMessage(message=error_sentence(error, translator), hint=translator.format("try-later"))
    if translator.locale == ENGLISH:
        return ErrorMessage(message=escape(error.message), hint=escape(error.hint))
    hint = "error-hint-input" if isinstance(error, ValidationError) else "try-later"
    sentence, detail = error_sentence(error, translator), escape(error.message)
    return ErrorMessage(
        message=translator.format("error-detail", sentence=sentence, detail=detail), hint=translator.format(hint)
    )


async def answer_error(interaction: discord.Interaction[Any], error: BaseException) -> None:
    """Tell the person in private what went wrong; a public "thinking" message goes away."""
    reference = f"{interaction.id:x}"
    cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
    _log_error(interaction, cause, reference)
    translator = translator_for(interaction.locale.value)
    text = error_message(error, reference, translator).text(translator)
    try:
        if not interaction.response.is_done():
            await interaction.response.send_message(text, ephemeral=True)
            return
        await _answer_late(interaction, text, translator)
    except NETWORK_ERRORS as away:
        structlog.get_logger(__name__).warning("error_untold", reference=reference, error=type(away).__name__)


async def _answer_late(interaction: discord.Interaction[Any], text: str, translator: Translator) -> None:
    thinking = interaction.response.type is discord.InteractionResponseType.deferred_channel_message
    if thinking:
        # The first follow-up to a thinking message becomes that message, public as it was deferred; an edit ends that.
        ended = partial(
            interaction.edit_original_response, content=translator.format("not-done"), embed=None, view=None
        )
        shown = await retry_transient(ended)
        if shown.flags.ephemeral:
            await retry_transient(partial(interaction.edit_original_response, content=text))
            return
    await retry_transient(partial(interaction.followup.send, text, ephemeral=True))
    if thinking:
        await retry_transient(interaction.delete_original_response)


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
        log.error(
            "failed", reference=reference, command=command, error=type(error).__name__, frames=stack_frames(error)
        )
