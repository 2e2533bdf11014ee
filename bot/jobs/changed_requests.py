"""Requests for a result that is to be made again, from that of the newest job in its message."""

from collections.abc import Mapping
from dataclasses import replace

from bot.database.repository import Repository
from bot.database.speaker_names import with_given
from bot.database.transcript_edits import TranscriptEdits
from bot.transcripts.rewriter import put_edits
from pipeline.types import Request
from worker.protocol import Job
from worker.store import Store


async def newest_with_edits(
    job: Job, repository: Repository, edits: TranscriptEdits, store: Store
) -> tuple[Job, Request]:
    """Return the newest finished job of a message, and its request with all that people corrected and named since.

    Raises:
        StoreError: The edits cannot be kept.
        DatabaseError: The database is unavailable.

    """
    newest = await repository.newest_of_message(job.id)
    job = job if newest is None else newest.job
    # Files with these names may still be written by another job.
    names = with_given(job.request.names, await repository.speaker_names.of(job.id))
    request = replace(job.request, names=names)
    history = await edits.history(job.id)
    if not history or newest is None or newest.result is None:
        return job, request
    return job, replace(request, edits=await put_edits(store, history, newest.result.media.duration))


async def gets_speaker_stems(job: Job, repository: Repository) -> bool:
    """Tell whether a job that has not ended gives the speakers of a message tracks. Raises `DatabaseError`."""
    running = [await repository.job(other) for other in await repository.open_of_message(job.id)]
    return any(record is not None and record.job.request.wants_speaker_stems for record in running)


def with_names(request: Request, names: Mapping[str, str]) -> Request:
    """Give speakers names, by their ids; an empty one takes a name back."""
    named = {**request.names, **names}
    return replace(request, names={speaker: name for speaker, name in named.items() if name})


def with_speaker_stems(request: Request) -> Request:
    """Ask for a track for each speaker, as the transcript was corrected."""
    corrected = request.transcript_edits is not None
    return replace(request, speaker_stems=True, mix_edits=True if corrected else request.mix_edits)
