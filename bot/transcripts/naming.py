"""Names speakers of results: what people say is kept at once, then the files follow."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from bot.database.models import JobRecord
from bot.database.repository import Repository
from bot.database.speaker_names import SpeakerName
from bot.messages.formatting import one_line
from bot.transcripts.rewriter import TranscriptRewriter
from worker.protocol import Job

MAX_SPEAKER_NAME_CHARS: Final = 60
Rename = Callable[[Job, Mapping[str, str]], Awaitable[None]]
"""Writes a result again, in its message, with names by the id of the speaker; an empty one takes a name back."""


class SpeakerNaming:
    """Names speakers.

    Args:
        repository: Where names are kept.
        rewriter: Writes files again once no other job of their message runs.
        rename: Writes them at once.
        changed: Called with the id of a job whose speakers have other names.

    """

    def __init__(
        self, repository: Repository, rewriter: TranscriptRewriter, rename: Rename, changed: Callable[[str], None]
    ) -> None:
        self._repository = repository
        self._rewriter = rewriter
        self._rename = rename
        self._changed = changed
        self._writing = asyncio.Lock()

    async def names(self, record: JobRecord) -> dict[str, SpeakerName]:
        """Return what people called the speakers of a result, by id. Raises `DatabaseError`."""
        return await self._repository.speaker_names.of(record.id)

    async def give(self, record: JobRecord, names: Mapping[str, SpeakerName], by: str) -> None:
        """Name speakers by id, whoever had them.

        Raises:
            RefusedError: The result is gone.
            QueueError: The queue is unavailable; the names are kept, and the next start writes them.
            StoreError: Likewise the store.
            DatabaseError: The database is unavailable.

        """
        await self._repository.speaker_names.give(record.id, names, by)
        await self.write(record)

    async def claim(self, record: JobRecord, speaker_id: str, name: SpeakerName) -> SpeakerName | None:
        """Let a person say which speaker they are; return what the speaker is called where that is somebody else.

        Raises what `give` raises.
        """
        held = await self._repository.speaker_names.claim(record.id, speaker_id, name)
        if held is None:
            await self.write(record)
        return held

    async def release(self, record: JobRecord, speaker_id: str, user_id: str) -> None:
        """Let a person say that a speaker is not them; raises what `give` raises."""
        if await self._repository.speaker_names.release(record.id, speaker_id, user_id):
            await self.write(record)

    async def write(self, record: JobRecord) -> None:
        """Have the files of a result follow the names."""
        self._changed(record.id)
        async with self._writing:
            if await self._repository.open_of_message(record.id):
                # Two jobs could end in the other order.
                self._rewriter.changed(record)
                return
            names = await self.names(record)
            await self._rename(record.job, {speaker: given.name for speaker, given in names.items()})

    async def write_all(self, job_ids: list[str]) -> None:
        """Have the files of several results follow their names, soon and in the background. Raises `DatabaseError`."""
        for job_id in job_ids:
            record = await self._repository.newest_of_message(job_id)
            if record is not None:
                self._changed(record.id)
                self._rewriter.changed(record)


def name_of_person(names: Sequence[str]) -> str:
    """Return the first name of a person that has something to see, as it stands in transcripts."""
    return next((line[:MAX_SPEAKER_NAME_CHARS] for name in names if (line := one_line(name))), "?")
