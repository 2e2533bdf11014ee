"""Actions on a result, for the person who asked for it and for moderators who see its channel."""

import io
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Final, cast

import discord

from bot.components.custom_ids import Action
from bot.components.persistent_item import PersistentItem
from bot.exceptions import RefusedError
from bot.i18n.translator import translator_for
from bot.jobs.history import HistoryEntry
from bot.jobs.result_files import read_transcript
from bot.permissions import check_may_act
from bot.retry import ack_deadline
from bot.services import Interaction
from pipeline.types import Result, Transcript
from worker.store import Store

MAX_TRANSCRIPT_BYTES: Final = 8 * 1024 * 1024
"""Two hours of talk are about 2 MB in the largest format."""


async def find_entry(interaction: Interaction, job_id: str) -> HistoryEntry:
    """Find a job of which the person may use the buttons.

    Raises:
        RefusedError: The job is no longer stored, or the person may not use its buttons.
        AckTimeoutError: It could not be found in time.

    """
    async with ack_deadline():
        entry = await interaction.client.services.history.find(job_id)
    if entry is None:
        raise RefusedError("result-gone", "result-gone-hint")
    check_may_act(interaction, entry.job.reply_to, "not-yours")
    return entry


async def find_result(interaction: Interaction, job_id: str) -> tuple[HistoryEntry, Result]:
    """Find a finished job and its result; raises what `find_entry` raises."""
    entry = await find_entry(interaction, job_id)
    if entry.result is None:
        raise RefusedError("result-gone", "result-gone-hint")
    return entry, entry.result


async def require_transcript(result: Result, store: Store) -> Transcript:
    """Read the transcript of a result. Raises `RefusedError` when there is none."""
    transcript = await read_transcript(result, store)
    if transcript is None:
        raise RefusedError("no-such-part")
    return transcript


async def defer_in_private(interaction: Interaction) -> None:
    """Acknowledge a press or a form: its private message is edited later, or there will be one."""
    message = interaction.message
    is_private = message is not None and message.flags.ephemeral
    await interaction.response.defer(ephemeral=True, thinking=not is_private)


class ResultItem(PersistentItem):
    """Button or menu below a result; subclasses do their action in `act_on`."""

    async def act(self, interaction: Interaction) -> None:
        """Find the result and do the action."""
        entry, result = await find_result(interaction, self.target.job_id)
        await self.act_on(interaction, entry, result)

    @abstractmethod
    async def act_on(self, interaction: Interaction, entry: HistoryEntry, result: Result) -> None:
        """Do the action."""


class AgainButton(PersistentItem, action=Action.AGAIN):
    """Runs a job once more, also one that has no result."""

    async def act(self, interaction: Interaction) -> None:
        """Submit the same request for the same clip."""
        entry = await find_entry(interaction, self.target.job_id)
        await interaction.client.services.submitter.resubmit(interaction, entry.job, entry.job.request)


class TranscriptMenu(ResultItem, action=Action.SUBTITLES):
    """Sends the transcript in the chosen format, in private."""

    async def act_on(self, interaction: Interaction, entry: HistoryEntry, result: Result) -> None:
        """Send the file."""
        data = cast("Mapping[str, Any]", interaction.data or {})
        chosen = "".join(map(str, data.get("values") or ()))
        artefact = result.artefact(f"transcript.{chosen}")
        if artefact is None:
            raise RefusedError("no-such-part")
        await interaction.response.defer(ephemeral=True, thinking=True)
        data = await interaction.client.services.store.read(artefact, max_bytes=MAX_TRANSCRIPT_BYTES)
        text = translator_for(interaction.locale.value).format("subtitles-here")
        file = discord.File(io.BytesIO(data), filename=artefact.name)
        await interaction.edit_original_response(content=text, attachments=[file])
