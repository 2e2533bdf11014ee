"""Files that follow the edits, whatever else is written into the same message."""

import asyncio
import time
import uuid
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from bot.database.deletion import DataDeletion
from bot.database.models import StoredStatus
from bot.database.transcript_edits import written_revision
from bot.exceptions import RefusedError
from pipeline.types import Request
from tests.bot.web.edited_page import DOES, MEND, TO_NEW, Edited
from tests.bot.web.edited_page import edited as edited
from tests.bot.web.test_stored_source import ALICE
from worker.protocol import Job
from worker.store import Store


async def begin(edited: Edited, job: Job, **changes: Any) -> Job:
    """Record a job that writes the result again, such as with other names."""
    again = structs.replace(
        job,
        id=uuid.uuid4().hex,
        request=replace(job.request, **changes),
        submitted=time.time(),
        replaces=True,
    )
    await edited.repository.add_job(again)
    return again


async def end(edited: Edited, job: Job) -> None:
    record = await edited.record()
    assert record.result is not None
    await edited.repository.end_job(job.id, StoredStatus.FINISHED, replace(record.result, request=job.request))


async def settled(edited: Edited) -> Request:
    """The request of the newest result once nothing is written any more."""
    await edited.transcripts.rewriter.settle(await edited.record(), 20)
    return (await edited.record()).job.request


async def test_names_that_are_being_written_are_kept(edited: Edited) -> None:
    renaming = await begin(edited, edited.job, names={"S1": "Ann"})
    await edited.edit(MEND)
    await asyncio.sleep(0.6)
    assert edited.desk.rewritten == []
    await end(edited, renaming)
    request = await settled(edited)
    assert (request.names, written_revision(request)) == ({"S1": "Ann"}, 1)


async def test_edits_come_back_after_a_job_that_did_not_know_them(edited: Edited) -> None:
    edited.desk.held = True
    await edited.edit(MEND)
    await edited.desk.asked_for(1)
    # Begun by another process, from the result as it was.
    await end(edited, await begin(edited, edited.job, names={"S1": "Ann"}))
    edited.desk.held = False
    request = await settled(edited)
    assert (request.names, written_revision(request)) == ({"S1": "Ann"}, 1)


async def test_a_new_speaker_has_not_the_name_of_one_who_was_taken_out(edited: Edited) -> None:
    made = await edited.edit(TO_NEW)
    await settled(edited)
    newest = (await edited.record()).job
    await end(edited, await begin(edited, newest, names={"S1": "Ann", "S3": "Anna"}))
    await edited.edit(*made["undo"], base=1)
    assert (await settled(edited)).names == {"S1": "Ann"}
    await edited.edit({**TO_NEW, "name": "Bob"}, base=2)
    await settled(edited)
    assert (await edited.lines())["speakers"][2] == {"id": "S3", "name": "Bob"}


async def test_a_failed_job_is_not_tried_for_ever(edited: Edited) -> None:
    edited.desk.held = True
    await edited.edit(MEND)
    await edited.desk.asked_for(1)
    (job,) = await edited.repository.open_of_message(edited.job.id)
    await edited.repository.end_job(job, StoredStatus.FAILED)
    edited.desk.held = False
    assert written_revision(await settled(edited)) == 0
    assert len(edited.desk.rewritten) == 1
    # The next edit brings both.
    await edited.edit({"op": "delete", "seen": DOES}, base=1)
    assert written_revision(await settled(edited)) == 2


async def test_nothing_is_written_again_for_a_person_who_was_forgotten(edited: Edited, store: Store) -> None:
    record = await edited.record()
    await edited.edit(MEND)
    await DataDeletion(edited.database, store).delete_person_records(ALICE)
    await edited.transcripts.rewriter.settle(record, 20)
    with pytest.raises(RefusedError):
        await begin(edited, edited.job)
    assert await edited.repository.jobs_of(ALICE, None, 9) == []
