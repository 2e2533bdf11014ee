"""Edits that are taken back, and mixes that follow them: a real database and store; the test plays the worker."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from bot.database.engine import Database
from bot.database.models import JobRecord, StoredStatus
from bot.database.repository import Repository
from bot.database.transcript_edits import TranscriptEdits
from bot.exceptions import EditConflictError, RefusedError
from bot.jobs.quotas import Quotas
from bot.transcripts.rewriter import written_revision
from bot.transcripts.transcripts import Transcripts
from pipeline.edits.edit_file import read_edits
from pipeline.edits.lines import EditableTranscript, see
from pipeline.edits.operations import Edit, SetWords, SplitLine
from pipeline.types import Request, Task
from tests.bot.world import make_result
from tests.pipeline.export.dialogue import talk
from worker.protocol import Job, ReplyTo
from worker.store import Store

ALICE, BOB = "1", "2"
TALK = EditableTranscript.of(talk())
FIRST, THANKS, QUESTION, DOES = TALK.lines
SPOKEN = [line.turn.text for line in TALK.lines]


@dataclass
class Desk:
    """A result whose transcript is edited."""

    record: JobRecord
    repository: Repository
    store: Store
    transcripts: Transcripts = field(init=False)
    requests: list[Request] = field(default_factory=list[Request])

    async def rewrite(self, job: Job, request: Request) -> Job:
        """What a worker makes of a job that is to be done anew, at once."""
        self.requests.append(request)
        again = structs.replace(job, id=uuid.uuid4().hex, request=request, submitted=time.time())
        await self.repository.add_job(again)
        await self.repository.end_job(again.id, StoredStatus.FINISHED, self.record.result)
        return again

    async def settle(self) -> None:
        await self.transcripts.rewriter.settle(self.record, 10)

    async def save(self, *edits: Edit, by: str = ALICE, base: int = 0) -> int:
        return (await self.transcripts.editor.change(self.record, edits, by=by, base=base)).saved

    async def said(self) -> list[str]:
        state = await self.transcripts.editor.state(self.record)
        return [line.turn.text for line in state.transcript.lines]


@pytest.fixture
async def desk(store: Store, tmp_path: Path) -> AsyncIterator[Desk]:
    path = tmp_path / "transcript.json"
    path.write_bytes(msgspec.json.encode(talk()))
    kept = await store.put(path, name="transcript.json")
    request = Request(task=Task.ALL)
    reply = ReplyTo(application_id="1", channel_id="7", user_id=ALICE, guild_id="5", message_id="8")
    job = Job(id=uuid.uuid4().hex, request=request, source=kept, submitted=time.time(), reply_to=reply)
    async with Database.open(f"sqlite:///{tmp_path / 'bot.sqlite3'}") as database:
        repository = Repository(database, Quotas())
        await repository.add_job(job)
        await repository.end_job(job.id, StoredStatus.FINISHED, replace(make_result(request), artefacts=(kept,)))
        record = await repository.job(job.id)
        assert record is not None
        desk = Desk(record, repository, store)
        desk.transcripts = Transcripts.build(TranscriptEdits(database), repository, store, desk.rewrite)
        yield desk
        await desk.transcripts.rewriter.close()


async def test_edits_are_taken_back_though_others_changed_other_lines_since(desk: Desk) -> None:
    mend = SetWords(seen=see(THANKS), words=("Thanks", "for", "halving", "me."))
    mended = await desk.transcripts.editor.change(desk.record, [mend], by=ALICE, base=0)
    split = SplitLine(seen=see(mended.state.transcript.lines[1]), at=2)
    assert await desk.save(split, base=1) == 2
    assert await desk.save(SetWords(seen=see(DOES), words=("It", "did.")), by=BOB, base=0) == 3
    undone = await desk.transcripts.editor.undo(desk.record, 0, 2, by=ALICE)
    assert await desk.said() == [*SPOKEN[:3], "It did."]
    assert undone.saved == 3 + len(undone.undo)
    await desk.transcripts.editor.undo(desk.record, 3, undone.saved, by=ALICE)
    assert await desk.said() == [SPOKEN[0], "Thanks for", "halving me.", SPOKEN[2], "It did."]


async def test_an_edit_on_which_others_built_is_not_taken_back(desk: Desk) -> None:
    await desk.save(SetWords(seen=see(THANKS), words=("Thanks.",)))
    now = (await desk.transcripts.editor.state(desk.record)).transcript.lines[1]
    await desk.save(SetWords(seen=see(now), words=("Many", "thanks.")), by=BOB, base=1)
    with pytest.raises(EditConflictError) as caught:
        await desk.transcripts.editor.undo(desk.record, 0, 1, by=ALICE)
    assert caught.value.author == BOB
    assert (await desk.said())[1] == "Many thanks."


@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 0), (0, 2), (-1, 1)])
async def test_edits_that_were_never_made_are_not_taken_back(desk: Desk, before: int, after: int) -> None:
    await desk.save(SetWords(seen=see(THANKS), words=("Thanks.",)))
    with pytest.raises(RefusedError):
        await desk.transcripts.editor.undo(desk.record, before, after, by=ALICE)


async def test_a_transcript_is_seen_as_it_was(desk: Desk) -> None:
    await desk.save(SetWords(seen=see(THANKS), words=("Thanks.",)))
    assert (await desk.transcripts.editor.state(desk.record, 0)).transcript == TALK
    with pytest.raises(RefusedError):
        await desk.transcripts.editor.state(desk.record, 2)


async def test_a_mix_follows_from_when_it_is_asked_for(desk: Desk, tmp_path: Path) -> None:
    await desk.save(SetWords(seen=see(THANKS), words=("Thanks.",)))
    await desk.settle()
    assert [(written_revision(each), each.mix_edits is True) for each in desk.requests] == [(1, False)]
    desk.transcripts.rewriter.mix_again(desk.record)
    desk.transcripts.rewriter.mix_again(desk.record)
    await desk.settle()
    await desk.save(SetWords(seen=see(DOES), words=("Did.",)), base=1)
    await desk.settle()
    assert [(written_revision(each), each.mix_edits is True) for each in desk.requests[1:]] == [(1, True), (2, True)]
    assert desk.requests[-1].transcript_edits is not None
    path = await desk.store.fetch(desk.requests[-1].transcript_edits, tmp_path / "edits.json")
    assert len(read_edits(path).operations) == 2


async def test_a_mix_that_is_asked_for_while_files_are_written_is_made(desk: Desk) -> None:
    await desk.save(SetWords(seen=see(THANKS), words=("Thanks.",)))
    while not desk.requests:
        await asyncio.sleep(0)
    desk.transcripts.rewriter.mix_again(desk.record)
    await desk.settle()
    assert [each.mix_edits is True for each in desk.requests] == [False, True]
