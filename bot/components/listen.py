"""The menu that lets hear a part of a result at once."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import discord
import structlog

from bot.audition.sample import Sample, names_of_tracks, sound_of
from bot.audition.voice_message import VoiceFile, send_voice_message
from bot.components.custom_ids import Action
from bot.components.result_actions import ResultItem
from bot.error_handler import NETWORK_ERRORS
from bot.exceptions import RefusedError
from bot.i18n.translator import translator_for
from bot.jobs.history import HistoryEntry
from bot.messages.cards import label_of
from bot.messages.formatting import escape, format_duration
from bot.retry import retry_transient
from bot.services import Interaction
from pipeline.types import Result

FILE_NAME: Final = "voice-message.ogg"


class ListenMenu(ResultItem, action=Action.LISTEN):
    """Sends a sample of the chosen part, in private."""

    async def act_on(self, interaction: Interaction, entry: HistoryEntry, result: Result) -> None:
        """Say that the sample is coming, send it, and say where in the clip it is."""
        data = cast("Mapping[str, Any]", interaction.data or {})
        name = "".join(map(str, data.get("values") or ()))
        sound = sound_of(result, name)
        if sound is None:
            raise RefusedError("no-such-part")
        translator = translator_for(interaction.locale.value)
        part = escape(label_of(translator, name, names_of_tracks(result)))
        # A message that waits cannot become a voice message, so this one stays beside it.
        await interaction.response.send_message(translator.format("sample-coming", part=part), ephemeral=True)
        try:
            sample = await send_sample(interaction, partial(interaction.client.services.sampler.cut, sound), name)
        except Exception:
            # What is not coming is not announced any longer; the reason is told apart from it.
            with suppress(*NETWORK_ERRORS):
                await retry_transient(interaction.delete_original_response)
            raise
        times = {"start": format_duration(sample.start), "end": format_duration(sample.start + sample.duration)}
        await interaction.edit_original_response(content=translator.format("sample-here", part=part, **times))


async def send_sample(
    interaction: Interaction, cut: Callable[[], AbstractAsyncContextManager[tuple[Sample, Path]]], name: str
) -> Sample:
    """Send a sample as a private voice message, or as a file where Discord takes none.

    Args:
        interaction: Whom to send it to.
        cut: Cuts it, as `Sampler.cut` does.
        name: Of the file.

    """
    async with cut() as (sample, path):
        try:
            await send_voice_message(interaction, VoiceFile(path, FILE_NAME, sample))
        except discord.HTTPException as error:
            # Some places allow no voice messages.
            log = structlog.get_logger(__name__)
            log.info("voice_message_refused", status=error.status, code=error.code)
            await interaction.followup.send(file=discord.File(path, filename=f"{name}.ogg"), ephemeral=True)
    return sample
