"""Answers every error in private, and logs it without personal content."""

from contextlib import suppress
from functools import partial
from typing import Any

import aiohttp
import discord
import structlog
from discord import app_commands

from bot.exceptions import RefusedError
from bot.i18n.translator import Translator, translator_for
from bot.log import stack_frames
from bot.messages.errors import error_message, unwrap
from bot.retry import retry_transient
from pipeline.errors import StemcordError, ValidationError

NETWORK_ERRORS = (discord.HTTPException, aiohttp.ClientError, OSError)
"""What a call to Discord can raise; a timeout is an OSError."""


async def answer_error(interaction: discord.Interaction[Any], error: BaseException) -> bool:
    """Tell the person in private what went wrong, and remove a public "thinking" message.

    Returns:
        False when Discord did not take the answer.

    """
    text = describe_error(interaction, error)
    translator = translator_for(interaction.locale.value)
    try:
        if not interaction.response.is_done():
            await interaction.response.send_message(text, ephemeral=True)
        else:
            await _answer_late(interaction, text, translator)
    except NETWORK_ERRORS as failure:
        log = structlog.get_logger(__name__)
        log.warning("error_not_answered", reference=_reference(interaction), error=type(failure).__name__)
        return False
    return True


def describe_error(interaction: discord.Interaction[Any], error: BaseException) -> str:
    """Log an error without personal content; return what the person is told."""
    command = None if interaction.command is None else interaction.command.qualified_name
    return _describe(error, _reference(interaction), command, interaction.locale.value)


def describe_message_error(message_id: int, error: BaseException, locale: str) -> str:
    """Log an error about a message for the bot, without personal content; return what the person is told."""
    return _describe(error, f"{message_id:x}", None, locale)


def _describe(error: BaseException, reference: str, command: str | None, locale: str) -> str:
    _log_error(unwrap(error), reference, command)
    translator = translator_for(locale)
    return error_message(error, reference, translator).text(translator)


def _reference(interaction: discord.Interaction[Any]) -> str:
    return f"{interaction.id:x}"


async def _answer_late(interaction: discord.Interaction[Any], text: str, translator: Translator) -> None:
    thinking = interaction.response.type is discord.InteractionResponseType.deferred_channel_message
    if thinking:
        # The first follow-up to a thinking message becomes that message, public as it was deferred; an edit ends that.
        content = translator.format("not-done")
        shown = await retry_transient(
            partial(interaction.edit_original_response, content=content, embed=None, view=None)
        )
        if shown.flags.ephemeral:
            await retry_transient(partial(interaction.edit_original_response, content=text))
            return
    await retry_transient(partial(interaction.followup.send, text, ephemeral=True))
    if thinking:
        # The person has been told; a message that stays says that nothing was done.
        with suppress(*NETWORK_ERRORS):
            await retry_transient(interaction.delete_original_response)


def _log_error(error: BaseException, reference: str, command: str | None) -> None:
    log = structlog.get_logger(__name__).bind(reference=reference, command=command, error=type(error).__name__)
    if isinstance(error, RefusedError | ValidationError | app_commands.AppCommandError):
        # What an outdated or forged client sends is not a failure of the bot.
        log.info("refused")
    elif isinstance(error, StemcordError):
        log.error("failed", detail=error.detail)
    else:
        log.error("failed", frames=stack_frames(error))
