"""Edit lists: time code is that of the standard, and there is an event for each turn."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.export.edit_list import TimeCode, write_edl
from pipeline.export.source import ExportSource
from pipeline.export.subtitles.style import SubtitleStyle
from pipeline.types import Transcript
from tests.pipeline.export.dialogue import heard, talk, transcript, turn

EVENT = re.compile(r"^(\d{3,})  AX       (B|AA)\s+C        (\S+) (\S+) (\S+) (\S+)$")


def edl(content: Transcript, rate: float | None, folder: Path) -> list[str]:
    source = ExportSource(transcript=content, voices=heard(content), style=SubtitleStyle(), frame_rate=rate)
    write_edl(source, folder / "list.edl")
    return (folder / "list.edl").read_bytes().decode().split("\r\n")


@pytest.mark.parametrize(
    ("rate", "frame", "label"),
    [
        (30_000 / 1001, 1799, "00:00:59;29"),
        (30_000 / 1001, 1800, "00:01:00;02"),
        (30_000 / 1001, 17_981, "00:09:59;29"),
        (30_000 / 1001, 17_982, "00:10:00;00"),
        (30_000 / 1001, 107_892, "01:00:00;00"),
        (60_000 / 1001, 3600, "00:01:00;04"),
        (60_000 / 1001, 215_784, "01:00:00;00"),
        (25.0, 1500, "00:01:00:00"),
        (24_000 / 1001, 1440, "00:01:00:00"),
        (30.0, 1800, "00:01:00:00"),
    ],
)
def test_time_code_is_that_of_the_standard(rate: float, frame: int, label: str) -> None:
    assert TimeCode.of(rate).label(frame) == label


@pytest.mark.parametrize("rate", [30_000 / 1001, 29.97, 60_000 / 1001])
def test_drop_frame_keeps_to_the_clock_and_skips_no_frame(rate: float) -> None:
    code = TimeCode.of(rate)
    labels = [code.label(frame) for frame in range(code.base * 60 * 21)]
    assert len(set(labels)) == len(labels)
    assert labels == sorted(labels)
    for minutes in (10, 20):
        assert code.label(code.frame(minutes * 60)).startswith(f"00:{minutes}:00;00")


def test_there_is_an_event_for_each_turn(tmp_path: Path) -> None:
    content = talk()
    lines = edl(content, 25.0, tmp_path)
    assert lines[:2] == ["TITLE: TRANSCRIPT", "FCM: NON-DROP FRAME"]
    events = [found for line in lines if (found := EVENT.match(line))]
    assert len(events) == len(content.turns)
    assert all(found[2] == "B" and found[3] < found[4] and found[3] == found[5] for found in events)
    for before, after in pairwise(events):
        assert before[4] <= after[3], "events of one track do not overlap"
    comments = [line for line in lines if line.startswith("* COMMENT: ")]
    for each in content.turns:
        assert any(each.text[:100] in line for line in comments)


def test_turns_that_begin_together_have_events_one_after_the_other(tmp_path: Path) -> None:
    together = transcript(*(turn(["one", "two"], 1.0, name) for name in ("S1", "S2", "S1")), names=("A", "B"))
    events = [found for line in edl(together, 25.0, tmp_path) if (found := EVENT.match(line))]
    assert [event[3] for event in events] == ["00:00:01:00", "00:00:01:01", "00:00:01:02"]
    assert all(before[4] == after[3] for before, after in pairwise(events))


@pytest.mark.parametrize(
    ("rate", "said"), [(30_000 / 1001, "DROP FRAME"), (23.976, "NON-DROP FRAME"), (None, "NON-DROP FRAME")]
)
def test_it_says_how_frames_are_counted(rate: float | None, said: str, tmp_path: Path) -> None:
    lines = edl(talk(), rate, tmp_path)
    assert f"FCM: {said}" in lines
    assert all(found[2] == ("AA" if rate is None else "B") for line in lines if (found := EVENT.match(line)))


def test_what_is_said_makes_no_line_of_its_own(tmp_path: Path) -> None:
    lines = edl(transcript(turn(["one\r\n002  AX       B     C"], 0.0, "S1"), names=("A\nB",)), 25.0, tmp_path)
    assert sum(EVENT.match(line) is not None for line in lines) == 1
    assert not [line for line in lines if line.startswith("002")]
