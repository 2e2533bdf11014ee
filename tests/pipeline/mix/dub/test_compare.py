"""A dub that is one whole track beside the turns of the original."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.mix.contracts import RenderDubComparisonInputs, RenderDubComparisonParams
from pipeline.mix.dub.compare import render_dub_comparison_stage
from pipeline.mix.dub.plan import Slot
from pipeline.mix.dub.turn_times import match_turns
from tests.pipeline.clips import make_context
from tests.pipeline.mix.voices import RATE, save, silence, spread, transcript, voice

LENGTH = 9.0
TURNS = ((1.0, 2.0, "S1"), (3.0, 4.5, "S2"), (6.0, 7.0, "S1"))


def compare(
    folder: Path,
    track: audio_io.Samples,
    turns: Sequence[tuple[float, float, str]] = TURNS,
    *,
    rate: int = RATE,
) -> tuple[list[str], Any]:
    """Notes and the report on a track; the voices of the original are at -26 dBFS in all of its turns."""
    said = [(start, voice(end - start, 0.05, seed=7)) for start, end, _ in turns]
    path = folder / "transcript.json"
    path.write_bytes(msgspec.json.encode(transcript(turns, LENGTH)))
    inputs = RenderDubComparisonInputs(
        vocals=save(folder / "vocals.flac", spread(LENGTH, said)),
        transcript=path,
        dub=save(folder / "dub.flac", track, rate=rate),
    )
    context = make_context(folder / "out")
    params = RenderDubComparisonParams(name="new voice.wav")
    made = render_dub_comparison_stage(context, inputs, params)
    report = context.out / "dub-report.json"
    assert {*made.reports} == {*context.out.iterdir()}
    assert {item.name for item in made.reports} <= {"dub-report.json", "dub-report.txt"}
    said = msgspec.json.decode(report.read_bytes()) if report.exists() else None
    return [*made.notes], said


def test_each_turn_is_told_the_worst_on_top(tmp_path: Path) -> None:
    lines = [(1.0, voice(1.0, 0.05)), (3.2, voice(1.6, 0.05, seed=2)), (6.0, voice(0.8, 0.0125, seed=3))]
    notes, report = compare(tmp_path, spread(LENGTH, lines))
    assert [line["turn"] for line in report["lines"]] == [2, 3, 1]
    worst, quiet, good = report["lines"]
    assert worst["start_error_ms"] == pytest.approx(200, abs=12)
    assert worst["overrun"] == pytest.approx(0.3, abs=0.012)
    assert (quiet["short"], quiet["overrun"]) == (pytest.approx(0.2, abs=0.012), 0.0)
    assert quiet["loudness_difference"] == pytest.approx(-12, abs=0.8)
    assert good["loudness_difference"] == pytest.approx(0, abs=0.8)
    assert good["start_error_ms"] == pytest.approx(0, abs=12)
    assert (worst["file"], worst["speaker"], worst["text"]) == ("new voice.wav", "Speaker 2", "Line 2.")
    (note,) = notes
    assert note.startswith("The worst of 3 dubbed lines is turn 2 (Speaker 2: “Line 2.”): it goes on 0.3")
    table = (tmp_path / "out" / "dub-report.txt").read_text().splitlines()
    assert table[1].startswith("2     Speaker 2")


def test_turns_without_a_voice_and_a_voice_without_a_turn_are_told(tmp_path: Path) -> None:
    lines = [(1.0, voice(1.0, 0.05)), (6.0, voice(1.0, 0.05)), (8.0, voice(0.6, 0.05))]
    notes, report = compare(tmp_path, spread(LENGTH, lines))
    assert [line["turn"] for line in report["lines"]] == [2, None, 3, 1]
    silent, stray = report["lines"][:2]
    assert (silent["start_error_ms"], silent["loudness_difference"]) == (None, None)
    assert silent["notes"] == ["no voice is heard here in the dub"]
    assert (stray["start"], stray["overrun"]) == (pytest.approx(8.0, abs=0.03), pytest.approx(0.6, abs=0.06))
    assert stray["notes"] == ["speaks where no turn is"]
    assert notes[0] == "1 of 3 turns have no voice in the dub: 2."
    assert notes[1].startswith("The dub speaks for 0.6 s where no turn is, from 8.0 s on")
    assert notes[2].endswith("turn 2 (Speaker 2: “Line 2.”): it is silent.")


def test_lines_without_a_pause_are_parted_where_they_are_quietest(tmp_path: Path) -> None:
    turns = ((1.0, 2.0, "S1"), (2.2, 3.2, "S2"), (5.0, 6.0, "S1"))
    lines = [(1.0, voice(1.4, 0.05)), (2.55, voice(1.0, 0.05, seed=2)), (5.0, voice(1.0, 0.05))]
    _, report = compare(tmp_path, spread(LENGTH, lines), turns)
    found = {line["turn"]: line for line in report["lines"]}
    assert found[1]["overrun"] == pytest.approx(0.4, abs=0.03)
    assert found[2]["start_error_ms"] == pytest.approx(350, abs=30)
    assert found[2]["overrun"] == pytest.approx(0.35, abs=0.03)
    assert all(line["notes"] == [] for line in found.values())


def test_a_border_without_a_pause_is_told_to_be_a_guess(tmp_path: Path) -> None:
    turns = ((1.0, 2.0, "S1"), (2.1, 3.2, "S2"), (5.0, 6.0, "S1"))
    _, report = compare(tmp_path, spread(LENGTH, [(1.0, voice(2.2, 0.05)), (5.0, voice(1.0, 0.05))]), turns)
    notes = {line["turn"]: line["notes"] for line in report["lines"]}
    assert notes[1] == ["no pause parts it from the turn beside it, so its end may be wrong"]
    assert notes[2] == ["no pause parts it from the turn beside it, so its start may be wrong"]
    assert notes[3] == []


def test_two_who_speak_at_once_are_taken_as_on_time(tmp_path: Path) -> None:
    turns = ((1.0, 2.5, "S1"), (2.0, 3.5, "S2"))
    _, report = compare(tmp_path, spread(LENGTH, [(1.1, voice(2.6, 0.05))]), turns)
    found = {line["turn"]: line for line in report["lines"]}
    assert found[1]["start_error_ms"] == pytest.approx(100, abs=12)
    assert (found[1]["overrun"], found[2]["start_error_ms"]) == (0.0, 0.0)
    assert found[2]["overrun"] == pytest.approx(0.2, abs=0.012)
    assert all("cannot be told apart" in line["notes"][0] for line in found.values())


@pytest.mark.parametrize("kind", ["silent", "shorter", "longer", "clipped"])
def test_a_poor_track_is_compared_as_far_as_it_goes(tmp_path: Path, kind: str) -> None:
    said = [(start, voice(end - start, 0.05, rate=48_000)) for start, end, _ in TURNS]
    whole = spread(12.0, [*said, (10.0, voice(1.0, 0.05, rate=48_000))], rate=48_000)
    tracks = {
        "silent": silence(LENGTH, rate=48_000),
        "shorter": whole[: round(5.0 * 48_000)],
        "longer": whole,
        "clipped": np.clip(40 * whole, -0.99, 0.99),
    }
    notes, report = compare(tmp_path, tracks[kind], rate=48_000)
    silent = {line["turn"] for line in report["lines"] if line["start_error_ms"] is None}
    assert silent == {"silent": {1, 2, 3}, "shorter": {3}}.get(kind, set())
    assert all(line["turn"] is not None for line in report["lines"])
    assert len(notes) == 1 + bool(silent)
    assert ("LU louder" in notes[-1]) == (kind == "clipped")


def test_a_clip_without_turns_has_no_report_of_a_silent_track(tmp_path: Path) -> None:
    assert compare(tmp_path, silence(LENGTH), ()) == ([], None)


def test_stretches_go_to_the_turns_they_cover() -> None:
    def part(_before: Slot, after: Slot, _stretch: tuple[float, float]) -> float:
        return after.start

    slots = [Slot(start=start, end=start + 1.0, turn=number) for number, start in enumerate((1.0, 2.0, 5.0), start=1)]
    lines, astray = match_turns([(0.9, 1.4), (1.5, 3.1), (3.45, 3.9), (5.8, 6.9), (7.0, 8.0)], slots, part)
    assert [None if line is None else (line.start, line.end) for line in lines] == [(0.9, 2.0), (2.0, 3.9), (5.8, 6.9)]
    assert astray == [(7.0, 8.0)]
    assert match_turns([(1.0, 2.0)], [], part) == ([], [(1.0, 2.0)])
    over, _ = match_turns([(1.0, 2.3)], slots, lambda _before, _after, stretch: stretch[1])
    assert over[0] is not None
    assert (over[0].end, over[1]) == (2.3, None)
