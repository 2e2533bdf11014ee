"""Transcripts for the tests of the search, and jobs that have them."""

import time
import uuid
from collections.abc import Sequence

from bot.database.models import StoredStatus
from bot.database.repository import Repository
from bot.search.index import Document
from bot.search.lines import lines_of
from pipeline.types import Artefact, Speaker, Transcript, Turn, Word
from tests.bot.database.test_repository import job_for, result_of
from worker.protocol import Job

WORD_S = 0.5
SOURCE = Artefact(name="talk.mp4", digest="0" * 64, size=1, media_type="video/mp4")


def transcript_of(*lines: tuple[str, str], language: str = "en") -> Transcript:
    """A transcript of lines with their speakers; each word lasts half a second, each letter of Chinese too."""
    names = list(dict.fromkeys(name for name, _ in lines))
    turns: list[Turn] = []
    at = 0.0
    for name, text in lines:
        pieces = text.split() if language not in ("zh", "ja") else [text[i : i + 2] for i in range(0, len(text), 2)]
        words = tuple(
            Word(start=at + index * WORD_S, end=at + (index + 1) * WORD_S, text=piece, confidence=1.0)
            for index, piece in enumerate(pieces)
        )
        end = at + len(words) * WORD_S
        speaker = f"speaker-{names.index(name)}"
        turns.append(Turn(start=at, end=end, speaker=speaker, text=text, overlap=False, words=words))
        at = end + 1.0
    speakers = tuple(Speaker(id=f"speaker-{index}", name=name) for index, name in enumerate(names))
    return Transcript(language=language, duration=at, speakers=speakers, turns=tuple(turns))


async def finished_job(repository: Repository, user: str, guild: str) -> Job:
    """A job that is recorded as finished, in a message of its own."""
    from msgspec import structs

    job = job_for(user, guild, SOURCE)
    assert job.reply_to is not None
    reply = structs.replace(job.reply_to, message_id=str(uuid.uuid4().int)[:18], guild_id=guild or None)
    job = structs.replace(job, reply_to=reply)
    await repository.add_job(job)
    await repository.end_job(job.id, StoredStatus.FINISHED, result_of(SOURCE))
    return job


def document_of(job: Job, transcript: Transcript, *, created: float | None = None, channel: str = "7") -> Document:
    """What is indexed of a job."""
    assert job.reply_to is not None
    return Document(
        job_id=job.id,
        guild_id=job.reply_to.guild_id or "",
        channel_id=channel,
        user_id=job.reply_to.user_id,
        language=transcript.language,
        revision=0,
        created=time.time() if created is None else created,
        lines=tuple(lines_of(transcript, {})),
    )


def texts(lines: Sequence[object]) -> list[str]:
    """The texts of what was found."""
    return [getattr(line, "text", "") for line in lines]
