"""The private list of lines: its pages, what is marked in it, and lines that a form cannot hold."""

from typing import Any

import msgspec
import pytest

from bot.components.line_fixing.forms import read_time
from bot.components.line_fixing.places import LinePlace, SavedEdits
from bot.exceptions import RefusedError
from pipeline.types import Speaker, Transcript, Turn, Word
from tests.bot.components.test_result_actions import FILES, Place, answer_of, labels, place

__all__ = ["place"]
COUNT = 60


def turn_of(number: int, text: str, confidence: float = 0.9) -> Turn:
    start = 10.0 * number
    texts = text.split()
    words = tuple(
        Word(start=start + index * 0.001, end=start + index * 0.001 + 0.001, text=each, confidence=confidence)
        for index, each in enumerate(texts)
    )
    return Turn(start=start, end=start + 5, speaker="AB"[number % 2], text=text, overlap=False, words=words)


def files_of(*turns: Turn) -> dict[str, bytes]:
    speakers = (Speaker(id="A", name="Speaker 1"), Speaker(id="B", name="Speaker 2"))
    transcript = Transcript(language="en", duration=3600.0, speakers=speakers, turns=turns)
    return {**FILES, "transcript.json": msgspec.json.encode(transcript)}


def menu_of(message: Any) -> dict[str, Any]:
    return next(item for row in message.components for item in row["components"] if item["type"] == 3)


def options_of(message: Any) -> list[dict[str, Any]]:
    return menu_of(message)["options"]


@pytest.fixture
async def long(place: Place) -> Place:
    turns = [turn_of(number, f"This is line {number} of many.") for number in range(COUNT)]
    turns[2] = turn_of(2, "four halving", confidence=0.3)
    turns[3] = turn_of(3, "word " * 900)
    return await place.bring(files_of(*turns))


async def listed(place: Place) -> Any:
    return answer_of(await place.press("Fix a line"))


async def test_lines_are_listed_with_time_and_speaker_and_what_was_hard_to_hear(long: Place) -> None:
    shown = await listed(long)
    assert shown.content.startswith("Choose the line to fix.")
    assert labels(shown) == ["Choose a line (1 to 25 of 60)", "Later", "Go to a time"]
    options = options_of(shown)
    assert [option["label"] for option in options[:2]] == [
        "0:00 Speaker 1: This is line 0 of many.",
        "0:10 Speaker 2: This is line 1 of many.",
    ]
    assert [option.get("description") for option in options[1:3]] == [None, "Hard to hear: four, halving"]
    assert all(len(option["label"]) <= 100 for option in options)


async def test_other_lines_are_paged_to_and_found_by_time(long: Place) -> None:
    shown = await listed(long)
    await long.alice.click(shown.message, label="Later")
    await long.alice.click(shown.message, label="Later")
    assert labels(shown) == ["Choose a line (51 to 60 of 60)", "Earlier", "Go to a time"]
    await long.alice.click(shown.message, label="Earlier")
    assert labels(shown) == ["Choose a line (26 to 50 of 60)", "Earlier", "Later", "Go to a time"]
    asked = await long.alice.click(shown.message, label="Go to a time")
    await long.alice.submit_modal(asked, {"time": "9:01"})
    assert labels(shown)[0] == "Choose a line (51 to 60 of 60)"
    assert "This is line 54 of many." in shown.content
    asked = await long.alice.click(shown.message, label="Go to a time")
    refused = await long.alice.submit_modal(asked, {"time": "soon"})
    assert answer_of(refused).content.startswith("soon is not a time.")


async def test_a_line_can_be_chosen_again_after_its_form_was_closed(place: Place) -> None:
    await place.bring(files_of(turn_of(0, "Only this.")))
    shown = await listed(place)
    assert labels(shown) == ["Choose a line (1 to 1 of 1)", "Refresh"]
    before = menu_of(shown)["custom_id"]
    await place.alice.click(shown.message, label="Refresh")
    assert menu_of(shown)["custom_id"] != before, "a client does not choose twice in one menu"
    assert (await place.alice.select(shown.message, [options_of(shown)[0]["value"]])).modal is not None


async def test_the_form_shows_the_line_and_offers_what_can_be_done(long: Place) -> None:
    shown = await listed(long)
    form = (await long.alice.select(shown.message, [options_of(shown)[1]["value"]])).modal
    assert form is not None
    text, speaker, then = [label["component"] for label in form["components"]]
    assert form["title"] == "Line at 0:10"
    assert (text["value"], text["max_length"]) == ("This is line 1 of many.", 4000)
    assert [each["label"] for each in speaker["options"] if each["default"]] == ["Speaker 2"]
    assert [each["label"] for each in speaker["options"]] == ["Speaker 1", "Speaker 2", "A new speaker"]
    assert then["options"][1]["description"] == "0:20 Speaker 1: four halving"


async def test_a_line_that_a_form_cannot_hold_is_split_first(long: Place) -> None:
    shown = await listed(long)
    await long.alice.select(shown.message, [options_of(shown)[3]["value"]])
    assert shown.content.startswith("This line has 4,500 characters")
    assert labels(shown) == ["Split it in two", "Back to the lines"]
    await long.alice.click(shown.message, label="Back to the lines")
    assert labels(shown)[0] == "Choose a line (1 to 25 of 60)"


def test_what_a_custom_id_names_is_read_as_it_was_written() -> None:
    saved = SavedEdits(before=2, after=5, index=70, undone=True)
    assert SavedEdits.parse(str(saved)) == saved
    place = LinePlace(revision=20_000, index=99_999, digest="0123abcd")
    assert LinePlace.parse(str(place)) == place
    for wrong in ("", "1-2", "1-2-xyz", "-1-2-3"):
        with pytest.raises(RefusedError):
            LinePlace.parse(wrong)
        with pytest.raises(RefusedError):
            SavedEdits.parse(wrong)


@pytest.mark.parametrize(("text", "seconds"), [("83", 83), ("1:23", 83), (" 1:02:03 ", 3723), ("90:00", 5400)])
def test_a_time_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert read_time(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1", "1:2:3:4", "1.5", "nan"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        read_time(text)
