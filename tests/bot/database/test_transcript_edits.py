"""Edits of transcripts, on SQLite and on PostgreSQL; each test uses jobs of its own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from msgspec import structs

from bot.database import transcript_edits
from bot.database.deletion import DataDeletion, delete_rows
from bot.database.engine import Database
from bot.database.models import StoredStatus
from bot.database.repository import Repository
from bot.database.transcript_edits import MAX_EDIT_BYTES, TranscriptEdits, name_file
from bot.database.upgrade import migrations_of
from bot.exceptions import EditConflictError, RefusedError
from bot.jobs.quotas import Quotas
from pipeline.edits.apply import apply_edit, apply_edits, way_between
from pipeline.edits.edit_file import MAX_EDITS, encode_edits
from pipeline.edits.lines import EditableTranscript, see
from pipeline.edits.operations import (
    AddLine,
    DeleteLine,
    Edit,
    GiveWords,
    RenameSpeaker,
    SeenLine,
    SeenWord,
    SetWords,
    SplitLine,
)
from pipeline.errors import ValidationError
from tests.bot.database.test_repository import job_for, number, put, result_of
from tests.pipeline.export.dialogue import talk
from worker.store import Store

TALK = EditableTranscript.of(talk())
FIRST, THANKS, QUESTION, DOES = (see(line) for line in TALK.lines)
MEND = SetWords(seen=THANKS, words=("Thanks", "for", "halving", "me."))
ALICE, BOB = "1", "2"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database.open(database_url) as database:
        yield database


@pytest.fixture
def edits(database: Database) -> TranscriptEdits:
    return TranscriptEdits(database)


@pytest.fixture
async def job(database: Database, store: Store, tmp_path: Path) -> str:
    return await new_job(database, store, tmp_path, number())


async def new_job(
    database: Database, store: Store, folder: Path, user: str, message: str | None = None, edits: str = ""
) -> str:
    job = job_for(user, number(), await put(store, folder, user))
    assert job.reply_to is not None
    reply = structs.replace(job.reply_to, channel_id="7", message_id=message or number())
    request = replace(job.request, edits=replace(job.source, name=edits)) if edits else job.request
    job = structs.replace(job, reply_to=reply, request=request)
    repository = Repository(database, Quotas())
    await repository.add_job(job)
    await repository.end_job(job.id, StoredStatus.FINISHED, result_of())
    return job.id


async def made(edits: TranscriptEdits, job: str) -> list[tuple[int, str, Edit]]:
    return [(each.revision, each.author, each.edit) for each in await edits.history(job)]


async def test_edits_are_kept_in_order_with_who_and_when(edits: TranscriptEdits, job: str, database_url: str) -> None:
    assert await edits.history(job) == []
    assert await edits.save(job, [MEND], by=ALICE, base=0) == 1
    rename, delete = RenameSpeaker(speaker="S1", name="Ann"), DeleteLine(seen=DOES)
    assert await edits.save(job, [rename, delete], by=BOB, base=1) == 3
    assert await made(edits, job) == [(1, ALICE, MEND), (2, BOB, rename), (3, BOB, delete)]
    times = [each.created for each in await edits.history(job)]
    assert times == sorted(times)
    async with Database.open(database_url) as again:
        assert await made(TranscriptEdits(again), job) == await made(edits, job)


@pytest.mark.parametrize(
    ("first", "second", "changed"),
    [
        (MEND, DeleteLine(seen=THANKS), ("L2",)),
        (SplitLine(seen=THANKS, at=1), GiveWords(seen=THANKS, speaker="S1"), ("L2",)),
        (RenameSpeaker(speaker="S1", name="A"), RenameSpeaker(speaker="S1", name="B"), ("speaker:S1",)),
        (
            GiveWords(seen=DOES, speaker="S3", name="Eve"),
            AddLine(speaker="S3", name="Zoë", start=1.0, end=2.0, words=("x",)),
            ("speaker:S3",),
        ),
    ],
)
async def test_the_second_of_two_people_is_told_what_changed(
    first: Edit, second: Edit, changed: Sequence[str], edits: TranscriptEdits, job: str
) -> None:
    await edits.save(job, [first], by=ALICE, base=0)
    stored = (await edits.history(job))[0]
    with pytest.raises(EditConflictError) as caught:
        await edits.save(job, [RenameSpeaker(speaker="S2", name="Ben"), second], by=BOB, base=0)
    assert (caught.value.changed, caught.value.author, caught.value.at) == (changed, ALICE, stored.created)
    assert changed[0].removeprefix("speaker:") in str(caught.value)
    assert await made(edits, job) == [(1, ALICE, first)]
    assert await edits.save(job, [second], by=BOB, base=1) == 2


async def test_people_who_change_different_lines_are_no_hindrance(edits: TranscriptEdits, job: str) -> None:
    other = SplitLine(seen=QUESTION, at=1)
    assert await edits.save(job, [MEND], by=ALICE, base=0) == 1
    assert await edits.save(job, [other], by=BOB, base=0) == 2
    outcome = apply_edits(TALK, [each.edit for each in await edits.history(job)])
    assert outcome.misfits == ()
    assert [line.turn.text for line in outcome.transcript.lines[1:3]] == ["Thanks for halving me.", "So"]


async def test_of_twenty_at_once_on_one_line_one_is_kept(edits: TranscriptEdits, job: str) -> None:
    async def save(person: int) -> int | EditConflictError:
        try:
            return await edits.save(job, [SetWords(seen=THANKS, words=(str(person),))], by=str(person), base=0)
        except EditConflictError as error:
            return error

    answers = await asyncio.gather(*(save(person) for person in range(20)))
    (winner,) = [person for person, answer in enumerate(answers) if answer == 1]
    assert all(isinstance(answer, EditConflictError) for person, answer in enumerate(answers) if person != winner)
    assert [(revision, author) for revision, author, _ in await made(edits, job)] == [(1, str(winner))]


async def test_of_many_at_once_on_different_lines_all_are_kept(edits: TranscriptEdits, job: str) -> None:
    saved = [
        edits.save(job, [DeleteLine(seen=see(line))], by=str(place), base=0) for place, line in enumerate(TALK.lines)
    ]
    assert sorted(await asyncio.gather(*saved)) == [1, 2, 3, 4]
    assert apply_edits(TALK, [each.edit for each in await edits.history(job)]).transcript.lines == ()


async def test_there_is_a_way_back_to_each_revision(edits: TranscriptEdits, job: str) -> None:
    states, now = [TALK], TALK
    for edit in (MEND, GiveWords(seen=DOES, speaker="S3", name="Eve"), RenameSpeaker(speaker="S1", name="Ann")):
        await edits.save(job, [edit], by=ALICE, base=len(states) - 1)
        now = apply_edit(now, edit).transcript
        states.append(now)
    for revision in (2, 0, 3):
        history = [each.edit for each in await edits.history(job)]
        now = apply_edits(TALK, history).transcript
        await edits.save(job, way_between(now, states[revision]), by=BOB, base=len(history))
        history = [each.edit for each in await edits.history(job)]
        outcome = apply_edits(TALK, history)
        assert (outcome.transcript, outcome.misfits) == (states[revision], ())
    assert [each.author for each in await edits.history(job)][:3] == [ALICE] * 3


@pytest.mark.parametrize(
    ("edit", "error"),
    [
        (SetWords(seen=THANKS, words=("x" * 10_000,)), ValidationError),
        (SetWords(seen=THANKS, words=("a\x00",)), ValidationError),
        (
            DeleteLine(seen=SeenLine(line="L1", speaker="S1", words=(SeenWord(0, 1, "x" * MAX_EDIT_BYTES),))),
            RefusedError,
        ),
    ],
)
async def test_what_cannot_be_used_is_refused_and_nothing_kept(
    edit: Edit, error: type[Exception], edits: TranscriptEdits, job: str
) -> None:
    with pytest.raises(error):
        await edits.save(job, [MEND, edit], by=ALICE, base=0)
    assert await edits.history(job) == []


async def test_an_unknown_job_or_revision_is_refused(edits: TranscriptEdits, job: str) -> None:
    with pytest.raises(RefusedError, match="no longer kept"):
        await edits.save(number(), [MEND], by=ALICE, base=0)
    for base in (-1, 1):
        with pytest.raises(RefusedError, match="another transcript"):
            await edits.save(job, [MEND], by=ALICE, base=base)
    assert await edits.history(job) == []


async def test_a_transcript_has_only_so_many_edits(edits: TranscriptEdits, job: str) -> None:
    many = [RenameSpeaker(speaker="S1", name="Ann")] * MAX_EDITS
    assert await edits.save(job, many, by=ALICE, base=0) == MAX_EDITS
    with pytest.raises(RefusedError, match=f"{MAX_EDITS:,}"):
        await edits.save(job, [MEND], by=ALICE, base=MAX_EDITS)


async def test_a_job_of_another_message_takes_the_edits(
    edits: TranscriptEdits, job: str, database: Database, store: Store, tmp_path: Path
) -> None:
    await edits.save(job, [MEND, DeleteLine(seen=DOES)], by=ALICE, base=0)
    newer = await new_job(database, store, tmp_path, number())
    for _ in range(2):
        assert await edits.copy(job, newer) == 2
    assert await edits.history(newer) == await edits.history(job)


async def test_jobs_of_one_message_have_one_transcript(
    edits: TranscriptEdits, database: Database, store: Store, tmp_path: Path
) -> None:
    message, alice = number(), number()
    first = await new_job(database, store, tmp_path, alice, message)
    assert await edits.save(first, [MEND], by=alice, base=0) == 1
    assert first in await edits.unwritten()
    other = await new_job(database, store, tmp_path, alice, message)
    assert first in await edits.unwritten(), "a job with other names knows no edits"
    newer = await new_job(database, store, tmp_path, alice, message, name_file(1))
    assert first not in await edits.unwritten()
    assert await edits.history(other) == await edits.history(newer)
    assert await edits.save(newer, [DeleteLine(seen=DOES)], by=alice, base=1) == 2
    assert await made(edits, first) == await made(edits, newer) == [(1, alice, MEND), (2, alice, DeleteLine(seen=DOES))]
    assert await edits.history(newer, 1) == (await edits.history(newer))[1:]
    async with database.transaction() as connection:
        await delete_rows(connection, [first])
    assert [edit for _, _, edit in await made(edits, newer)] == [MEND, DeleteLine(seen=DOES)]
    async with database.transaction() as connection:
        await delete_rows(connection, [newer])
    assert await edits.history(newer) == []


async def test_edits_go_with_their_job_and_lose_the_name_of_who_is_forgotten(
    edits: TranscriptEdits, database: Database, store: Store, tmp_path: Path
) -> None:
    alice, bob = number(), number()
    of_alice, of_bob = [await new_job(database, store, tmp_path, person) for person in (alice, bob)]
    for job in (of_alice, of_bob):
        await edits.save(job, [MEND], by=alice, base=0)
    await DataDeletion(database, store).delete_person_records(alice)
    assert await edits.history(of_alice) == []
    assert await made(edits, of_bob) == [(1, "", MEND)]


async def test_a_database_of_the_version_before_gets_the_table(tmp_path: Path, store: Store) -> None:
    url = f"sqlite:///{tmp_path / 'bot.sqlite3'}"
    async with Database.open(url) as database, database.transaction() as connection:
        await connection.run_sync(lambda synchronous: command.downgrade(migrations_of(synchronous), "0002"))
    async with Database.open(url) as database:
        job = await new_job(database, store, tmp_path, number())
        assert await TranscriptEdits(database).save(job, [MEND], by=ALICE, base=0) == 1


async def test_more_edits_than_their_file_can_hold_are_refused(
    edits: TranscriptEdits, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await edits.save(job, [MEND], by=ALICE, base=0)
    kept = [each.edit for each in await edits.history(job)]
    monkeypatch.setattr(transcript_edits, "MAX_EDITS_BYTES", 3 * len(encode_edits(1.0, kept)) // 2)
    with pytest.raises(RefusedError):
        await edits.save(job, [DeleteLine(seen=DOES), MEND], by=ALICE, base=1)
    assert len(await edits.history(job)) == 1
