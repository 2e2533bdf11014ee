"""Every error becomes a private answer of two sentences, and a log line without personal content."""

from dataclasses import dataclass
from typing import Any

import aiohttp
import discord
import structlog
from discord import app_commands

from bot import limits, texts
from bot.writing import escape, shorten
from pipeline.errors import (
    AttemptsError,
    AudioProcessingError,
    ModelError,
    QueueError,
    StoreError,
    ValidationError,
    from_failure,
)
from pipeline.types import Failure

NETWORK_ERRORS = (discord.HTTPException, aiohttp.ClientError, OSError)
"""What a call to Discord may raise; a time-out is an OSError."""
_FOR_OPERATORS: tuple[tuple[type[AudioProcessingError], str], ...] = (
    (QueueError, texts.QUEUE_AWAY),
    (StoreError, texts.STORE_AWAY),
    (ModelError, texts.MODELS_AWAY),
    (AttemptsError, texts.ATTEMPTS),
)
"""Errors that speak of addresses and commands, which help who runs the bot and nobody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a person is told: what happened and what to do, one sentence each."""

    message: str
    mend: str

    def text(self) -> str:
        """Both sentences, safe to send."""
        return shorten(f"{escape(self.message)} {escape(self.mend)}".strip(), limits.CONTENT_LENGTH)


def notice_of(error: BaseException, reference: str) -> Notice:
    """What to tell a person about an error; the reference finds it in the log."""
    cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
    match cause:
        case AudioProcessingError():
            for kind, message in _FOR_OPERATORS:
                if isinstance(cause, kind):
                    return Notice(message=message, mend=texts.TRY_LATER)
            return Notice(message=cause.message, mend=cause.mend)
        case app_commands.TransformerError():
            value = shorten(str(cause.value), 100)
            return Notice(message=texts.OPTION_ERROR.format(value=value), mend=texts.OPTION_MEND)
        case app_commands.CommandSignatureMismatch() | app_commands.CommandNotFound():
            return Notice(message=texts.OUT_OF_DATE, mend=texts.OUT_OF_DATE_MEND)
        case _:
            return Notice(message=texts.UNKNOWN_ERROR.format(reference=reference), mend=texts.TRY_LATER)


def notice_of_failure(failure: Failure, reference: str) -> Notice:
    """What to tell a person about an error that came over the queue."""
    return notice_of(from_failure(failure), reference)


async def answer(interaction: discord.Interaction[Any], error: BaseException) -> None:
    """Tell the person in private what went wrong; a public "thinking" message goes away."""
    reference = f"{interaction.id:x}"
    cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
    _log_error(interaction, cause, reference)
    text = notice_of(error, reference).text()
    try:
        if not interaction.response.is_done():
            await interaction.response.send_message(text, ephemeral=True)
            return
        await _answer_late(interaction, text)
    except NETWORK_ERRORS as away:
        structlog.get_logger(__name__).warning("error_untold", reference=reference, error=type(away).__name__)


async def _answer_late(interaction: discord.Interaction[Any], text: str) -> None:
    thinking = interaction.response.type is discord.InteractionResponseType.deferred_channel_message
    if thinking:
        # The first follow-up to a thinking message becomes that message, public as it was deferred; an edit ends that.
        await interaction.edit_original_response(content=texts.NOT_DONE, embed=None, view=None)
    await interaction.followup.send(text, ephemeral=True)
    if thinking:
        await interaction.delete_original_response()


def _log_error(interaction: discord.Interaction[Any], error: BaseException, reference: str) -> None:
    log = structlog.get_logger(__name__)
    command = None if interaction.command is None else interaction.command.name
    if isinstance(error, ValidationError):
        log.info("refused", reference=reference, command=command, error=type(error).__name__)
    elif isinstance(error, AudioProcessingError):
        log.error("failed", reference=reference, command=command, error=type(error).__name__, detail=error.detail)
    else:
        log.error("failed", reference=reference, command=command, error=type(error).__name__, exc_info=error)
