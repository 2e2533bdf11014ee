"""Transcripts as people see and change them: as recognised, with all edits so far."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import msgspec
from cachetools import LRUCache

from bot.database.models import JobRecord, StoredEdit
from bot.database.transcript_edits import TranscriptEdits, check_conflicts
from bot.exceptions import RefusedError
from bot.jobs.result_buttons import TRANSCRIPT_FILE
from pipeline.edits.apply import apply_edit, apply_edits, way_between
from pipeline.edits.lines import EditableTranscript, difference
from pipeline.edits.operations import Edit, ReplaceLines
from pipeline.errors import StoreError
from pipeline.types import Chapter
from pipeline.types.edited import EditedTranscript
from worker.store import Store

MAX_TRANSCRIPT_BYTES: Final = 32 * 1024 * 1024
"""Two hours of talk are about 2 MB, and twice that with the original."""
MAX_CACHED_TRANSCRIPTS: Final = 8
MAX_EDITS_AT_ONCE: Final = 1000
"""In one request; each takes about a millisecond in a long transcript."""
MAX_CACHED_REVISIONS: Final = 64
"""Of one transcript; they share all lines that are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptState:
    """A transcript at a revision."""

    revision: int
    """How many edits it has had."""
    transcript: EditableTranscript
    chapters: tuple[Chapter, ...] = ()
    """Of a long recording, as the files have them; edits move them when the files are written again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of a transcript by edits."""

    state: TranscriptState
    """After them."""
    saved: int
    """The revision with the last of these edits; later ones of others may be in `state` already."""
    difference: ReplaceLines
    """From what the person saw to that."""
    undo: tuple[Edit, ...]
    """What undoes these edits."""


@dataclass(slots=True, kw_only=True)
class _Session:
    """A transcript in memory; read and changed under its lock."""

    recognised: EditableTranscript
    chapters: tuple[Chapter, ...] = ()
    edits: list[StoredEdit] = field(default_factory=list[StoredEdit])
    states: LRUCache[int, EditableTranscript] = field(default_factory=lambda: LRUCache(MAX_CACHED_REVISIONS))
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def at(self, revision: int) -> EditableTranscript:
        """Return the transcript after so many edits, from the nearest state before."""
        known = max((each for each in self.states if each <= revision), default=0)
        start = self.states.get(known, self.recognised)
        later = [stored.edit for stored in self.edits[known:revision]]
        found = self.states[revision] = apply_edits(start, later).transcript
        return found


class TranscriptEditor:
    """Loads transcripts and changes them.

    Args:
        edits: What people changed.
        store: Where the transcripts are.
        changed: Called with a job whose transcript was changed.

    """

    def __init__(self, edits: TranscriptEdits, store: Store, changed: Callable[[JobRecord], None]) -> None:
        self._edits = edits
        self._store = store
        self._changed = changed
        self._sessions: LRUCache[str, _Session] = LRUCache(MAX_CACHED_TRANSCRIPTS)
        self._loading = asyncio.Lock()

    async def state(self, record: JobRecord, revision: int | None = None) -> TranscriptState:
        """Return the transcript of a job as it was at a revision; None: as it is now.

        Raises:
            RefusedError: The job has no transcript, or this one no such revision.
            StoreError: It cannot be read.
            DatabaseError: The database is unavailable.

        """
        async with self._session(record) as session:
            if revision is None:
                return await _newest(session)
            if not 0 <= revision <= len(session.edits):
                raise RefusedError("edit-unknown", "edit-conflict-hint")
            transcript = await asyncio.to_thread(session.at, revision)
            return TranscriptState(revision=revision, transcript=transcript, chapters=session.chapters)

    async def change(self, record: JobRecord, edits: Sequence[Edit], *, by: str, base: int) -> Change:
        """Make edits that a person made to a transcript as it was at a revision; all of them or none.

        Args:
            record: A finished job.
            edits: In the order in which they were made.
            by: Id of the person.
            base: The revision that the person saw.

        Raises:
            EditConflictError: Somebody changed the same line or speaker since.
            RefusedError: The job is gone or has no transcript, or has too many edits.
            ValidationError: An edit cannot be used, or does not fit.
            StoreError: The transcript cannot be read.
            DatabaseError: The database is unavailable.

        """
        async with self._session(record) as session:
            return await self._save(record, session, edits, by=by, base=base)

    async def go_back(self, record: JobRecord, revision: int, *, by: str, base: int) -> Change:
        """Bring a transcript back to how it was at a revision, by edits; raises what `change` raises."""
        async with self._session(record) as session:
            if not 0 <= revision <= len(session.edits):
                raise RefusedError("edit-unknown", "edit-conflict-hint")
            now = await _newest(session)
            then = await asyncio.to_thread(session.at, revision)
            back = await asyncio.to_thread(way_between, now.transcript, then)
            return await self._save(record, session, back, by=by, base=base)

    async def undo(self, record: JobRecord, before: int, after: int, *, by: str) -> Change:
        """Take back the edits between two revisions, by edits; raises what `change` raises."""
        async with self._session(record) as session:
            if not 0 <= before < after <= len(session.edits):
                raise RefusedError("edit-unknown", "edit-conflict-hint")
            made = await asyncio.to_thread(session.at, after)
            back = await asyncio.to_thread(lambda: way_between(made, session.at(before)))
            if not back:
                raise RefusedError("edit-unknown", "edit-conflict-hint")
            return await self._save(record, session, back, by=by, base=after)

    async def history(self, record: JobRecord) -> tuple[EditableTranscript, list[StoredEdit]]:
        """Return the transcript as recognised and all edits; raises what `state` raises."""
        async with self._session(record) as session:
            # Read again: an author may have been forgotten since.
            return session.recognised, await self._edits.history(record.id)

    async def _save(self, record: JobRecord, session: _Session, edits: Sequence[Edit], *, by: str, base: int) -> Change:
        if not 0 <= base <= len(session.edits):
            raise RefusedError("edit-unknown", "edit-conflict-hint")
        if len(edits) > MAX_EDITS_AT_ONCE:
            raise RefusedError("edit-too-large", "edit-too-large-hint")
        # Read again: an author may have been forgotten since.
        later = await self._edits.history(record.id, base) if base < len(session.edits) else []
        made = _find_made(edits, later, by)
        if made is None:
            check_conflicts(edits, later)
            now = await _newest(session)
            undo = await asyncio.to_thread(_try, now.transcript, edits)
            made = await self._edits.save(record.id, edits, by=by, base=base)
            # Before anything else can fail.
            self._changed(record)
            # Another process of the bot may have saved something just before.
            session.edits += await self._edits.history(record.id, len(session.edits))
        else:
            before = await asyncio.to_thread(session.at, made - len(edits))
            undo = await asyncio.to_thread(_try, before, edits)
        after = await _newest(session)
        seen = await asyncio.to_thread(session.at, base)
        changed = await asyncio.to_thread(difference, seen, after.transcript)
        return Change(state=after, saved=made, difference=changed, undo=undo)

    @asynccontextmanager
    async def _session(self, record: JobRecord) -> AsyncGenerator[_Session]:
        """Yield a transcript with all edits so far, which nobody else changes meanwhile."""
        async with self._loading:
            session = await self._load(record)
        async with session.lock:
            session.edits += await self._edits.history(record.id, len(session.edits))
            yield session

    async def _load(self, record: JobRecord) -> _Session:
        artefact = None if record.result is None else record.result.artefact(TRANSCRIPT_FILE)
        if artefact is None:
            raise RefusedError("no-such-part")
        key = f"{record.message}/{artefact.digest}"
        if key not in self._sessions:
            content = await self._store.read(artefact, max_bytes=MAX_TRANSCRIPT_BYTES)
            try:
                kept = await asyncio.to_thread(msgspec.json.decode, content, type=EditedTranscript)
            except msgspec.DecodeError as error:
                raise StoreError("The transcript cannot be read.", detail=repr(error)) from error
            self._sessions[key] = _Session(recognised=EditableTranscript.of(kept.before()), chapters=kept.topics)
        return self._sessions[key]


async def _newest(session: _Session) -> TranscriptState:
    revision = len(session.edits)
    transcript = await asyncio.to_thread(session.at, revision)
    return TranscriptState(revision=revision, transcript=transcript, chapters=session.chapters)


def _find_made(edits: Sequence[Edit], later: Sequence[StoredEdit], by: str) -> int | None:
    """Return the revision with the last of some edits where they are the last that this person made; else None.

    A page whose answer was lost on its way sends the same edits once more.
    """
    last = next((index for index in range(len(later) - 1, -1, -1) if later[index].author == by), -1)
    first = last + 1 - len(edits)
    if not edits or first < 0:
        return None
    same = all((each.author, each.edit) == (by, edit) for each, edit in zip(later[first:], edits, strict=False))
    return later[last].revision if same else None


def _try(transcript: EditableTranscript, edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """Return what undoes edits, in the order in which to make it. Raises `ValidationError` when one does not fit."""
    undo: list[Edit] = []
    for edit in edits:
        edited = apply_edit(transcript, edit)
        transcript = edited.transcript
        undo.append(edited.undo)
    return tuple(reversed(undo))
