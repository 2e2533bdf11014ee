"""A transcript changed on its page."""

import io
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.database.engine import Database
from bot.database.transcript_edits import TranscriptEdits
from bot.transcripts.transcripts import Transcripts
from bot.web.sources.stored import PageRights
from pipeline.types import Transcript
from pipeline.types.edited import EditedTranscript
from tests.bot.web.edited_page import DOES, FIRST, MEND, TALK, THANKS, TO_NEW, Edited, Writing, words
from tests.pipeline.export.dialogue import talk
from worker.store import Store


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
