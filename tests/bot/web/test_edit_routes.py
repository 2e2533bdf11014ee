"""A transcript changed on its page: over real sockets, with real records and a real store."""

import asyncio
import io
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.database.engine import Database
from bot.database.models import StoredStatus
from bot.database.page_links import PageLinks
from bot.database.repository import Repository
from bot.database.transcript_edits import TranscriptEdits
from bot.jobs.quotas import Quotas
from bot.transcripts.transcripts import Transcripts
from bot.web.app import Site
from bot.web.signed_links import PageAddresses
from bot.web.sources.stored import PageRights, StoredSource
from pipeline.edits.edit_file import EditFile
from pipeline.edits.edited_transcript import edit_transcript
from pipeline.edits.lines import EditableTranscript, see
from pipeline.types import Artefact, Request, Transcript
from pipeline.types.edited import EditedTranscript
from tests.bot.web.test_site import TICKETS
from tests.bot.web.test_stored_source import ALICE, Desk, keep_result
from tests.pipeline.export.dialogue import heard, talk
from worker.protocol import Job, ReplyTo
from worker.store import Store

TALK = EditableTranscript.of(talk())
FIRST, THANKS, QUESTION, DOES = (msgspec.to_builtins(see(line)) for line in TALK.lines)
MEND = {"op": "set_words", "seen": THANKS, "words": ["Thanks", "for", "halving", "it."]}
TO_NEW = {"op": "give", "seen": QUESTION, "speaker": "S3", "name": "Eve"}


@dataclass
class Writing(Desk):
    """Does the jobs that write files again, as a worker does, unless they are held back."""

    repository: Repository | None = None
    store: Store | None = None
    folder: Path = Path()
    held: bool = False

    async def asked_for(self, count: int) -> None:
        """Wait until so many jobs were asked for."""
        async with asyncio.timeout(20):
            while len(self.rewritten) < count:
                await asyncio.sleep(0.02)

    async def write(self, job: Job) -> Job:
        assert self.repository is not None
        assert self.store is not None
        await self.repository.add_job(job)
        edits = job.request.transcript_edits
        assert edits is not None
        file = msgspec.json.decode(await self.store.read(edits, max_bytes=1 << 20), type=EditFile)
        kept = EditedTranscript(language="en", duration=talk().duration, speakers=talk().speakers, turns=talk().turns)
        edited = edit_transcript(kept, heard(talk()), file).transcript
        while self.held:
            await asyncio.sleep(0.01)
        path = self.folder / uuid.uuid4().hex
        path.write_bytes(msgspec.json.encode(edited))
        record = await self.repository.newest_of_message(job.id)
        assert record is not None
        assert record.result is not None
        artefacts = (await self.store.put(path, name="transcript.json"), *record.result.artefacts[1:])
        result = replace(record.result, request=job.request, artefacts=artefacts, speakers=edited.speakers)
        await self.repository.end_job(job.id, StoredStatus.FINISHED, result)
        return job


@dataclass
class Edited:
    """The page of a dialogue, and who works behind it."""

    desk: Writing
    browser: TestClient
    repository: Repository
    job: Job
    page: str

    async def lines(self, **headers: str) -> dict[str, Any]:
        answer = await self.browser.get(self.page + "/lines.json", headers=headers)
        assert answer.status == 200
        return await answer.json()

    async def post(self, path: str, body: object, status: int = 200) -> dict[str, Any]:
        answer = await self.browser.post(f"{self.page}/{path}", json=body)
        assert answer.status == status, await answer.text()
        return await answer.json() if answer.content_type == "application/json" else {}

    async def edit(self, *edits: object, base: int = 0, status: int = 200) -> dict[str, Any]:
        return await self.post("edits", {"base": base, "edits": edits}, status)

    async def text(self, name: str) -> str:
        answer = await self.browser.get(f"{self.page}/files/{name}")
        assert answer.status == 200
        return await answer.text()


@pytest.fixture
async def edited(tmp_path: Path, store: Store) -> AsyncIterator[Edited]:
    result = await keep_result(store, tmp_path / "result")
    content = {"transcript.json": msgspec.json.encode(talk()), "transcript.srt": b"as recognised"}
    texts: list[Artefact] = []
    for name, data in content.items():
        (tmp_path / name).write_bytes(data)
        texts.append(await store.put(tmp_path / name, name=name))
    media = replace(result.media, duration=talk().duration)
    result = replace(result, artefacts=tuple(texts), media=media, speakers=talk().speakers)
    reply = ReplyTo(application_id="1", channel_id="7", user_id=ALICE, guild_id="5", message_id="8")
    job = Job(id=uuid.uuid4().hex, request=Request(), source=texts[0], submitted=time.time(), reply_to=reply)
    async with Database.open(f"sqlite:///{tmp_path / 'bot.sqlite3'}") as database:
        repository, links = Repository(database, Quotas()), PageLinks(database)
        desk = Writing(repository=repository, store=store, folder=tmp_path)
        await repository.add_job(job)
        await repository.end_job(job.id, StoredStatus.FINISHED, result)
        transcripts = Transcripts.build(TranscriptEdits(database), repository, store, desk.rewrite)
        source = StoredSource(links, repository, store, desk, desk.rename, transcripts)
        site = Site(source, TICKETS, public_url="https://stems.example")
        address = await PageAddresses(links, TICKETS, public_url="https://stems.example", hours=24).create(
            job.id, ALICE
        )
        page = address.url.removeprefix("https://stems.example").rstrip("/")
        async with TestClient(TestServer(site.application())) as browser:
            yield Edited(desk, browser, repository, job, page)
        desk.held = False
        await transcripts.rewriter.close()


def words(line: dict[str, Any]) -> list[str]:
    return [word[2] for word in line["words"]]


async def test_a_line_is_mended_and_everything_says_so(edited: Edited) -> None:
    before = await edited.lines()
    assert (before["revision"], before["edit"], len(before["lines"])) == (0, True, 4)
    made = await edited.edit(MEND, TO_NEW)
    assert (made["revision"], made["gone"]) == (2, ["L2", "L3"])
    assert [(placed["after"], placed["line"]["id"]) for placed in made["put"]] == [("L1", "L2"), ("L2", "L3")]
    assert words(made["put"][0]["line"]) == MEND["words"]
    assert made["speakers"][-1] == {"id": "S3", "name": "Eve"}
    after = await edited.lines()
    assert (after["revision"], words(after["lines"][1]), after["lines"][2]["speaker"]) == (2, MEND["words"], "S3")
    assert "halving it." in await edited.text("transcript.srt")
    assert "halving" in await (await edited.browser.get(edited.page + "/")).text()


async def test_files_that_are_still_written_are_waited_for(edited: Edited) -> None:
    await edited.edit(MEND)
    kept = msgspec.json.decode(await edited.text("transcript.json"), type=EditedTranscript)
    assert kept.current().turns[1].text == "Thanks for halving it."
    assert kept.before() == talk()
    (request,) = edited.desk.rewritten
    assert request.transcript_edits is not None
    assert request.transcript_edits.name == "edits-1.json"


async def test_texts_are_new_while_the_files_wait_for_a_worker(edited: Edited) -> None:
    edited.desk.held = True
    await edited.edit(MEND)
    assert "halving it." in await edited.text("transcript.srt")
    await edited.desk.asked_for(1)
    await edited.edit({"op": "delete", "seen": DOES}, base=1)
    assert TALK.lines[3].turn.words[0].text not in await edited.text("transcript.srt")
    edited.desk.held = False
    # Both edits are in the files in the end, though the second came while the first was written.
    await edited.desk.asked_for(2)
    kept = msgspec.json.decode(await edited.text("transcript.json"), type=Transcript)
    assert len(kept.turns) == 3


async def test_what_is_undone_is_as_it_was_and_can_be_redone(edited: Edited) -> None:
    before = (await edited.lines())["lines"]
    made = await edited.edit(MEND, TO_NEW)
    undone = await edited.edit(*made["undo"], base=2)
    assert undone["revision"] == 4
    assert (await edited.lines())["lines"] == before
    assert [speaker["id"] for speaker in undone["speakers"]] == ["S1", "S2"]
    await edited.edit(*undone["undo"], base=4)
    assert words((await edited.lines())["lines"][1]) == MEND["words"]


async def test_the_history_says_who_did_what_and_leads_back(edited: Edited) -> None:
    await edited.edit(MEND)
    await edited.edit({"op": "delete", "seen": DOES}, base=1)
    history = await (await edited.browser.get(edited.page + "/history.json")).json()
    assert [(past["revision"], past["author"], past["what"]) for past in history] == [
        (1, "Alice", "set_words"),
        (2, "Alice", "delete"),
    ]
    assert history[0]["text"] == "Thanks for halving it."
    assert history[1]["text"] == TALK.lines[3].turn.text
    back = await edited.post("back", {"base": 2, "revision": 1})
    assert (back["revision"], [placed["line"]["id"] for placed in back["put"]]) == (3, ["L4"])
    assert len((await edited.lines())["lines"]) == 4
    await edited.post("back", {"base": 3, "revision": 0})
    assert words((await edited.lines())["lines"][1]) == [word[2] for word in THANKS["words"]]


async def test_the_second_of_two_people_is_told_who_was_first_and_gets_all_changes(edited: Edited) -> None:
    await edited.edit(MEND)
    refused = await edited.edit({"op": "delete", "seen": THANKS}, base=0, status=409)
    assert refused["author"] == "Alice"
    assert refused["at"] == pytest.approx(time.time(), abs=60)
    # Another line is no conflict; the answer brings what the other person changed, too.
    made = await edited.edit({"op": "split", "seen": FIRST, "at": 1}, base=0)
    assert made["revision"] == 2
    assert {placed["line"]["id"] for placed in made["put"]} == {"L1", "L1.1", "L2"}


async def test_the_way_back_is_one_edit_however_many_it_undoes(edited: Edited) -> None:
    before = (await edited.lines())["lines"]
    await edited.edit(MEND, TO_NEW, {"op": "split", "seen": FIRST, "at": 1})
    back = await edited.post("back", {"base": 3, "revision": 0})
    assert back["revision"] == 4
    after = await edited.lines()
    assert after["lines"] == before
    assert [speaker["id"] for speaker in after["speakers"]] == ["S1", "S2"]
    await edited.edit(*back["undo"], base=4)
    assert words((await edited.lines())["lines"][2]) == MEND["words"]


async def test_the_answer_to_an_edit_has_the_tag_of_the_transcript(edited: Edited) -> None:
    answer = await edited.browser.post(f"{edited.page}/edits", json={"base": 0, "edits": [TO_NEW]})
    tag = answer.headers["ETag"]
    again = await edited.browser.get(edited.page + "/lines.json", headers={"If-None-Match": tag})
    assert again.status == 304


async def test_a_reader_is_told_when_nothing_changed(edited: Edited) -> None:
    answer = await edited.browser.get(edited.page + "/lines.json")
    tag = answer.headers["ETag"]
    again = await edited.browser.get(edited.page + "/lines.json", headers={"If-None-Match": tag})
    assert again.status == 304
    await edited.edit(MEND)
    changed = await edited.browser.get(edited.page + "/lines.json", headers={"If-None-Match": tag})
    assert changed.status == 200


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param({**MEND, "words": ["x" * 10_000]}, id="ten thousand characters in a word"),
        pytest.param({**MEND, "words": ["a\u0007b"]}, id="a control character"),
        pytest.param({**MEND, "words": []}, id="no words"),
        pytest.param(
            {**MEND, "seen": {**THANKS, "line": "L99", "words": [[1.0, 2.0, "no"]]}}, id="a line that is gone"
        ),
        pytest.param({"op": "give", "seen": THANKS, "speaker": "S9"}, id="a speaker who is not there"),
        pytest.param({"op": "split", "seen": THANKS, "at": 99}, id="a split outside of the line"),
    ],
)
async def test_what_cannot_be_done_is_said_and_changes_nothing(edited: Edited, edit: dict[str, Any]) -> None:
    refused = await edited.edit(edit, status=400)
    assert refused["message"]
    assert refused["hint"]
    assert (await edited.lines())["revision"] == 0
    assert not edited.desk.rewritten


async def test_bodies_that_are_no_edits_are_refused(edited: Edited) -> None:
    await edited.post("edits", {"base": 0, "edits": [{"op": "explode"}]}, 400)
    await edited.post("edits", ["no"], 400)
    await edited.post("edits", {"base": 7, "edits": [MEND]}, 400)
    await edited.post("back", {"base": 0, "revision": 3}, 400)
    large = io.BytesIO(msgspec.json.encode({"base": 0, "edits": [], "padding": "x" * (9 << 20)}))
    headers = {"Content-Type": "application/json"}
    assert (await edited.browser.post(f"{edited.page}/edits", data=large, headers=headers)).status == 413
    foreign = await edited.browser.post(
        f"{edited.page}/edits", json={"base": 0, "edits": [MEND]}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert foreign.status == 403
    plain = await edited.browser.post(f"{edited.page}/edits", data=msgspec.json.encode({"base": 0, "edits": [MEND]}))
    assert plain.status == 403
    assert (await edited.lines())["revision"] == 0


async def test_who_may_only_look_changes_nothing(edited: Edited) -> None:
    edited.desk.allowed = PageRights(see=True, edit=False)
    assert (await edited.lines())["edit"] is False
    await edited.edit(MEND, status=403)
    assert (await edited.lines())["revision"] == 0


async def test_a_restart_writes_what_was_not(edited: Edited, tmp_path: Path, store: Store) -> None:
    edited.desk.away = True
    await edited.edit(MEND)
    async with Database.open(f"sqlite:///{tmp_path / 'bot.sqlite3'}") as database:
        later = Writing(repository=edited.repository, store=store, folder=tmp_path)
        transcripts = Transcripts.build(TranscriptEdits(database), edited.repository, store, later.rewrite)
        await transcripts.rewriter.resume()
        record = await edited.repository.newest_of_message(edited.job.id)
        assert record is not None
        await transcripts.rewriter.settle(record, 10)
        assert len(later.rewritten) == 1
        await transcripts.rewriter.resume()
        await transcripts.rewriter.settle(record, 10)
        assert len(later.rewritten) == 1
