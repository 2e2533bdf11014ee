"""What unlucky and hostile people do to a transcript on its page."""

import uuid

import pytest
from msgspec import structs
from sqlalchemy import select

from bot.database.deletion import DataDeletion
from bot.database.models import StoredStatus
from bot.database.tables import EDITS
from bot.web.sources.stored import PageRights
from tests.bot.web.edited_page import FIRST, MEND, THANKS, TO_NEW, Edited
from tests.bot.web.test_stored_source import ALICE, MODERATOR
from worker.store import Store

ADD = {"op": "add", "speaker": "S1", "start": 1.0, "end": 2.0, "words": ["More."]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("edits", b'{"base":0,"edits":["\xff"]}', id="edits that are no text"),
        pytest.param("names", b'{"S1":"\xff"}', id="names that are no text"),
        pytest.param("back", b"[" * 60_000, id="a deep list"),
        pytest.param("edits", b'{"base":1e999,"edits":[]}', id="an endless number"),
        pytest.param("edits", b'{"base":NaN,"edits":[]}', id="no number"),
    ],
)
async def test_bytes_that_nobody_can_read_are_refused(edited: Edited, path: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await edited.browser.post(f"{edited.page}/{path}", data=body, headers=headers)
    assert answer.status == 400


async def test_an_edit_whose_answer_was_lost_is_made_once(edited: Edited) -> None:
    first = await edited.edit(ADD, MEND)
    again = await edited.edit(ADD, MEND)
    assert again == first
    assert (await edited.lines())["revision"] == 2
    await edited.edit({"op": "split", "seen": FIRST, "at": 1}, base=2)
    later = await edited.edit({"op": "split", "seen": FIRST, "at": 1}, base=2)
    assert later["revision"] == 3
    # Once it was undone, the same edit is another one.
    await edited.edit(*later["undo"], base=3)
    made = await edited.edit({"op": "split", "seen": FIRST, "at": 1}, base=4)
    assert made["revision"] == 5


async def test_a_speaker_has_the_new_name_before_the_files_have_it(edited: Edited) -> None:
    edited.desk.held = True
    made = await edited.edit({"op": "rename", "speaker": "S1", "name": "Ann"})
    assert made["speakers"][0]["name"] == "Ann"
    assert (await edited.lines())["speakers"][0]["name"] == "Ann"
    assert "Ann" in await edited.text("transcript.srt")


async def test_the_same_clip_in_another_message_has_its_own_corrections(edited: Edited) -> None:
    edited.desk.held = True
    await edited.edit(MEND)
    assert "halving" in await edited.text("transcript.srt")
    first = await edited.record()
    assert first.job.reply_to is not None
    reply = structs.replace(first.job.reply_to, message_id="9")
    job = structs.replace(first.job, id=uuid.uuid4().hex, reply_to=reply)
    await edited.repository.add_job(job)
    await edited.repository.end_job(job.id, StoredStatus.FINISHED, first.result)
    address = await edited.addresses.create(job.id, MODERATOR)
    edited.page = address.url.removeprefix("https://stems.example").rstrip("/")
    await edited.edit({**MEND, "words": ["Thanks", "for", "nothing", "else."]})
    text = await edited.text("transcript.srt")
    assert "nothing" in text
    assert "halving" not in text


async def test_who_was_forgotten_is_named_no_more(edited: Edited, store: Store) -> None:
    edited.desk.held = True
    edited.page = (await edited.addresses.create(edited.job.id, MODERATOR)).url.removeprefix("https://stems.example")
    edited.page = edited.page.rstrip("/")
    await edited.edit(MEND)
    page = (await edited.addresses.create(edited.job.id, ALICE)).url.removeprefix("https://stems.example").rstrip("/")
    await DataDeletion(edited.database, store).delete_person_records(MODERATOR)
    edited.page = page
    history = await (await edited.browser.get(edited.page + "/history.json")).json()
    assert [past["author"] for past in history] == [""]
    refused = await edited.edit({"op": "delete", "seen": THANKS}, base=0, status=409)
    assert refused["author"] == ""


async def test_more_edits_at_once_than_anybody_makes_are_refused(edited: Edited) -> None:
    await edited.edit(*[ADD] * 1001, status=400)
    assert (await edited.lines())["revision"] == 0


async def test_rights_and_links_that_end_meanwhile_end_editing(edited: Edited) -> None:
    await edited.edit(MEND)
    edited.desk.allowed = PageRights(see=True, edit=False)
    await edited.edit(TO_NEW, base=1, status=403)
    await edited.post("back", {"base": 1, "revision": 0}, 403)
    edited.desk.allowed = PageRights(see=True, edit=True)
    await edited.addresses.revoke(edited.job.id)
    await edited.edit(TO_NEW, base=1, status=410)
    for path in ("lines.json", "history.json"):
        assert (await edited.browser.get(f"{edited.page}/{path}")).status == 410


async def test_forgetting_the_owner_deletes_all_edits_and_their_files(edited: Edited, store: Store) -> None:
    await edited.edit(MEND)
    await edited.edit(TO_NEW, base=1)
    await edited.transcripts.rewriter.settle(await edited.record(), 20)
    files = [request.transcript_edits for request in edited.desk.rewritten]
    assert files
    await DataDeletion(edited.database, store).delete_person_records(ALICE)
    assert not any([file is None or await store.has_digest(file.digest) for file in files])
    async with edited.database.transaction() as connection:
        assert not list(await connection.execute(select(EDITS)))
    await edited.edit(MEND, base=2, status=410)
