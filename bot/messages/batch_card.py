"""The card of a batch: one line for each clip, with its state and the way to its result."""

from collections.abc import Mapping
from typing import Final

import discord

from bot import discord_limits
from bot.database.models import OPEN_STATUSES, JobRecord, StoredStatus
from bot.i18n.translator import Translator
from bot.messages.embeds import COLOUR_DONE, COLOUR_ENDED, COLOUR_FAILED, COLOUR_PARTIAL, COLOUR_WORKING, EmbedMessage
from bot.messages.formatting import escape, fit_lines, mention, shorten
from worker.protocol import Batch

MAX_NAME_CHARS: Final = 60
NOT_TAKEN: Final = "refused"
RECEIVING: Final = "receiving"
_SIGNS: Final = {
    NOT_TAKEN: "✗",
    RECEIVING: "·",
    StoredStatus.QUEUED: "·",
    StoredStatus.RUNNING: "▸",
    StoredStatus.FINISHED: "✓",
    StoredStatus.FAILED: "✗",
    StoredStatus.STOPPED: "■",
}


def batch_card(
    translator: Translator, batch: Batch, records: Mapping[str, JobRecord | None], user_id: str
) -> EmbedMessage:
    """Build the card.

    Args:
        translator: Language of the message.
        batch: The clips.
        records: Their jobs by id, as `bot.database.repository.Repository.jobs_by_id` gives them.
        user_id: Who sent them.

    """
    states = [_state(records, job_id) for job_id in batch.jobs]
    lines = [
        _line(translator, name, state, records.get(job_id))
        for name, state, job_id in zip(batch.names, states, batch.jobs, strict=True)
    ]
    open_states = {RECEIVING, *OPEN_STATUSES}
    working = any(state in open_states for state in states)
    headline = _headline(translator, states, user_id)
    text = fit_lines([headline, "", *lines], discord_limits.MAX_EMBED_DESCRIPTION_CHARS)
    embed = discord.Embed(
        title=translator.format("batch-title", count=len(states)),
        description=text,
        colour=COLOUR_WORKING if working else _colour(states),
    )
    submitted = [job_id for job_id, state in zip(batch.jobs, states, strict=True) if state in OPEN_STATUSES]
    return EmbedMessage(embed=embed, cancel_batch_id=submitted[0] if submitted else None)


def _state(records: Mapping[str, JobRecord | None], job_id: str) -> str:
    if job_id not in records:
        return NOT_TAKEN
    record = records[job_id]
    return RECEIVING if record is None else record.status


def _headline(translator: Translator, states: list[str], user_id: str) -> str:
    done = states.count(StoredStatus.FINISHED)
    failed = states.count(StoredStatus.FAILED) + states.count(NOT_TAKEN)
    counts = [translator.format("batch-done", done=done, count=len(states), person=mention(user_id))]
    counts += [translator.format("batch-failed", count=failed)] if failed else []
    stopped = states.count(StoredStatus.STOPPED)
    counts += [translator.format("batch-stopped", count=stopped)] if stopped else []
    return " ".join(counts)


def _line(translator: Translator, name: str, state: str, record: JobRecord | None) -> str:
    shown = escape(shorten(name, MAX_NAME_CHARS))
    if record is not None and record.message_id is not None:
        place = record.guild_id or "@me"
        shown = f"[{shown}](https://discord.com/channels/{place}/{record.channel_id}/{record.message_id})"
    return f"{_SIGNS[state]} {shown}: {translator.format(f'state-{state}')}"


def _colour(states: list[str]) -> discord.Colour:
    if all(state == StoredStatus.FINISHED for state in states):
        return COLOUR_DONE
    if StoredStatus.FINISHED in states:
        return COLOUR_PARTIAL
    return COLOUR_ENDED if StoredStatus.STOPPED in states else COLOUR_FAILED
