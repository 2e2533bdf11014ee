"""Requests for a result that is to be made again, from that of the newest job in its message."""

from collections.abc import Mapping
from dataclasses import replace

from bot.database.repository import Repository
from bot.database.transcript_edits import TranscriptEdits
from bot.transcripts.rewriter import put_edits
from pipeline.types import Request
from worker.protocol import Job
from worker.store import Store


async def newest_with_edits(
    job: Job, repository: Repository, edits: TranscriptEdits, store: Store
) -> tuple[Job, Request]:
    """Return the newest job of a message, and its request with all that people corrected since.

    Raises:
        StoreError: The edits cannot be kept.
        DatabaseError: The database is unavailable.

    """
    newest = await repository.newest_of_message(job.id)
    job = job if newest is None else newest.job
    history = await edits.history(job.id)
    if not history or newest is None or newest.result is None:
        return job, job.request
    return job, replace(job.request, edits=await put_edits(store, history, newest.result.media.duration))


def with_names(request: Request, names: Mapping[str, str]) -> Request:
    """Give speakers names, by their ids; an empty one takes a name back."""
    named = {**request.names, **names}
    return replace(request, names={speaker: name for speaker, name in named.items() if name})


def with_speaker_stems(request: Request) -> Request:
    """Ask for a track for each speaker, as the transcript was corrected."""
    corrected = request.transcript_edits is not None
    return replace(request, speaker_stems=True, mix_edits=True if corrected else request.mix_edits)
