"""The form that gives speakers their names, and the excerpts that come before it."""

import asyncio
import tempfile
import time
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import discord
import structlog
from msgspec import structs

from bot import discord_limits
from bot.components.custom_ids import custom_id
from bot.components.modals import Modal, SubmittedModal
from bot.components.speaker_preview import MAX_QUOTE_CHARS, cut_previews, longest_turns
from bot.i18n.translator import Translator
from bot.messages.formatting import one_line, shorten
from pipeline.errors import StoreError
from pipeline.types import Request, Result, Speaker, Transcript
from worker.protocol import Job
from worker.store import Store

SPEAKER_NAMES: Final = "names"
VOCALS_FILE = "stems/vocals.flac"
MAX_NAME_CHARS = 60
"""Characters."""
FETCH_TIMEOUT_S: Final = 120.0
"""Seconds for the voices to come from the store; without excerpts the form is of use all the same."""


class RenameModal(Modal):
    """Asks for the names of up to five speakers."""

    def __init__(
        self, translator: Translator, job_id: str, page: int, speakers: Sequence[Speaker], transcript: Transcript
    ) -> None:
        super().__init__(translator.format("form-rename"), custom_id(SPEAKER_NAMES, job_id, page))
        turns = longest_turns(transcript)
        for index, speaker in enumerate(speakers):
            field = discord.ui.TextInput[Any](
                custom_id=_field(index), default=speaker.name[:MAX_NAME_CHARS], max_length=MAX_NAME_CHARS
            )
            said = None if speaker.id not in turns else shorten(turns[speaker.id].text, MAX_QUOTE_CHARS)
            hint = None if said is None else translator.format("form-rename-says", words=said)
            self.add_field(field, speaker.name, hint)


def submitted_names(submitted: SubmittedModal, speakers: Sequence[Speaker]) -> dict[str, str]:
    """What was filled in, by the id of the speaker."""
    given = {speaker.id: one_line(submitted.texts.get(_field(index), "")) for index, speaker in enumerate(speakers)}
    return {speaker: name[:MAX_NAME_CHARS] for speaker, name in given.items() if name}


def _field(index: int) -> str:
    return f"speaker-{index}"


def modal_page(speakers: Sequence[Speaker], page: int) -> Sequence[Speaker]:
    """As many speakers as one form has room for."""
    return speakers[page * discord_limits.MAX_MODAL_FIELDS : (page + 1) * discord_limits.MAX_MODAL_FIELDS]


def rename_request(request: Request, names: Mapping[str, str]) -> Request:
    """The request whose speakers have these names too."""
    return replace(request, names={**request.names, **names})


def replacement_job(job: Job, request: Request) -> Job:
    """The job anew, with its answer in the message that it has, by the bot's own token."""
    reply = (
        None if job.reply_to is None else structs.replace(job.reply_to, interaction_token="", interaction_expires=0.0)
    )
    return structs.replace(job, id=uuid.uuid4().hex, request=request, submitted=time.time(), reply_to=reply)


@asynccontextmanager
async def fetch_previews(result: Result, transcript: Transcript, store: Store) -> AsyncGenerator[list[discord.File]]:
    """A sound file a speaker, named like the speaker; none where the voices were not kept."""
    folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="stemcord-")
    try:
        yield await _cut(result, transcript, store, Path(folder.name))
    finally:
        await asyncio.to_thread(folder.cleanup)


async def _cut(result: Result, transcript: Transcript, store: Store, folder: Path) -> list[discord.File]:
    voices = result.artefact(VOCALS_FILE)
    if voices is None:
        return []
    turns = {
        speaker: replace(turn, start=turn.start - result.media.audio.start, end=turn.end - result.media.audio.start)
        for speaker, turn in longest_turns(transcript).items()
    }
    speakers = [speaker.id for speaker in result.speakers][: discord_limits.MAX_FILES_PER_MESSAGE]
    try:
        async with asyncio.timeout(FETCH_TIMEOUT_S):
            sound = await store.fetch(voices, folder / "vocals.flac")
        # What soundfile raises is a RuntimeError.
        paths = await asyncio.to_thread(cut_previews, sound, turns, speakers, folder)
    except (StoreError, TimeoutError, RuntimeError) as error:
        structlog.get_logger(__name__).warning("excerpts_missing", error=type(error).__name__)
        return []
    return [discord.File(path, filename=path.name) for path in paths.values()]
