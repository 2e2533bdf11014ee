"""Every format is opened again by another reader and says the same."""

import itertools
from pathlib import Path

import msgspec
import pysubs2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from praatio import textgrid
from pyannote.database.util import load_rttm

from pipeline.export.cues import LINE, LINES, LONGEST, cut_cues
from pipeline.export.subtitles import NO_SPEECH, subtitles_stage
from pipeline.models import Models
from pipeline.stages import Report, Work
from pipeline.types import Diarization, Speaker, SpeakerSegment, Transcript, Turn, Word

TEXT = "Good evening everyone, and welcome back to the show. Tonight we are talking about the storm on the coast."


def turn(text: str, start: float, speaker: str, *, each: float = 0.4) -> Turn:
    words = tuple(
        Word(start=start + index * each, end=start + (index + 0.9) * each, text=word, confidence=0.9)
        for index, word in enumerate(text.split())
    )
    end = words[-1].end if words else start
    return Turn(start=start, end=end, speaker=speaker, text=text, overlap=False, words=words)


def transcript(*turns: Turn, names: tuple[str, ...] = ("Alice", "Brian")) -> Transcript:
    speakers = tuple(Speaker(id=f"S{index}", name=name) for index, name in enumerate(names, 1))
    end = max((item.end for item in turns), default=3.0)
    return Transcript(language="en", duration=end + 1, speakers=speakers if turns else (), turns=turns)


def export(content: Transcript, tmp_path: Path) -> Path:
    source = tmp_path / "transcript.json"
    source.write_bytes(msgspec.json.encode(content))
    segments = tuple(SpeakerSegment(start=item.start, end=item.end, speaker=item.speaker) for item in content.turns)
    voices = Diarization(speakers=tuple(item.id for item in content.speakers), segments=segments, exclusive=())
    (tmp_path / "voices.json").write_bytes(msgspec.json.encode(voices))
    out = tmp_path / "out"
    out.mkdir()
    models = Models(tmp_path, "cpu")
    inputs = {"transcript": source, "voices": tmp_path / "voices.json"}
    report: Report = lambda fraction, message="": None  # noqa: E731
    subtitles_stage(Work(inputs=inputs, params={}, out=out, report=report, models=models))
    return out


def spoken(path: Path) -> list[str]:
    return " ".join(event.plaintext for event in pysubs2.load(str(path))).split()


@pytest.fixture
def dialogue() -> Transcript:
    return transcript(turn(TEXT, 0.5, "S1"), turn("Thanks for having me.", 9.0, "S2"), turn("So why?", 12.0, "S1"))


def test_all_formats_are_written(dialogue: Transcript, tmp_path: Path) -> None:
    assert {path.suffix for path in export(dialogue, tmp_path).iterdir()} == {
        *(".txt", ".srt", ".vtt", ".ass", ".rttm", ".TextGrid")
    }


def test_subtitles_carry_every_word_in_its_time(dialogue: Transcript, tmp_path: Path) -> None:
    out = export(dialogue, tmp_path)
    words = [word.text for item in dialogue.turns for word in item.words]
    assert spoken(out / "transcript.ass") == words
    assert [word for word in spoken(out / "transcript.srt") if word not in ("Alice:", "Brian:")] == words
    events = pysubs2.load(str(out / "transcript.srt"))
    assert events[0].start == 500
    assert abs(events[-1].start - 12_000) <= 1
    for event in events:
        assert event.duration <= LONGEST * 1000 + 1
        assert len(event.plaintext.splitlines()) <= LINES


def test_webvtt_names_the_voice(dialogue: Transcript, tmp_path: Path) -> None:
    lines = (export(dialogue, tmp_path) / "transcript.vtt").read_text().splitlines()
    assert lines[0] == "WEBVTT"
    assert any(line.startswith("<v Alice>Good evening") for line in lines)
    assert "<v Brian>Thanks for having me." in lines


def test_ass_has_a_colour_per_speaker(dialogue: Transcript, tmp_path: Path) -> None:
    styled = pysubs2.load(str(export(dialogue, tmp_path) / "transcript.ass"))
    assert styled.styles["S1"].primarycolor != styled.styles["S2"].primarycolor
    assert {event.style for event in styled} == {"S1", "S2"}


def test_rttm_is_read_by_pyannote(dialogue: Transcript, tmp_path: Path) -> None:
    annotation = load_rttm(export(dialogue, tmp_path) / "transcript.rttm")["clip"]
    read = [(segment.start, segment.end, label) for segment, _, label in annotation.itertracks(yield_label=True)]
    expected = [(item.start, item.end, item.speaker) for item in dialogue.turns]
    assert [label for _, _, label in read] == [label for _, _, label in expected]
    for (start, end, _), (first, last, _) in zip(read, expected, strict=True):
        assert (start, end) == pytest.approx((first, last), abs=2e-3)


def test_text_grid_is_read_by_praat(dialogue: Transcript, tmp_path: Path) -> None:
    grid = textgrid.openTextgrid(str(export(dialogue, tmp_path) / "transcript.TextGrid"), includeEmptyIntervals=False)
    assert grid.tierNames == ("1 Alice", "1 Alice words", "2 Brian", "2 Brian words")
    assert [entry.label for entry in grid.getTier("2 Brian words").entries] == ["Thanks", "for", "having", "me."]


def test_the_text_names_who_spoke_when(dialogue: Transcript, tmp_path: Path) -> None:
    lines = (export(dialogue, tmp_path) / "transcript.txt").read_text().splitlines()
    assert lines[1] == "[0:00:09] Brian: Thanks for having me."


def test_no_speech_gives_files_that_say_so(tmp_path: Path) -> None:
    out = export(transcript(), tmp_path)
    assert (out / "transcript.txt").read_text() == NO_SPEECH + "\n"
    for suffix in ("srt", "vtt", "ass"):
        assert spoken(out / f"transcript.{suffix}") == NO_SPEECH.split()
    assert (out / "transcript.rttm").read_text() == ""
    assert textgrid.openTextgrid(str(out / "transcript.TextGrid"), includeEmptyIntervals=False)


def test_speech_and_names_cannot_write_commands(tmp_path: Path) -> None:
    said = turn(r"{\pos(0,0)} <b>bold</b> --> 00:00:01.000 R&B \Nnext", 0.0, "S1")
    out = export(transcript(said, names=("<i>Eve</i>\n{x},", "B")), tmp_path)
    vtt = (out / "transcript.vtt").read_text()
    assert vtt.count("-->") == len(pysubs2.load(str(out / "transcript.vtt")))
    assert "<b>" not in vtt
    assert "R&amp;B" in vtt
    assert "{" not in (out / "transcript.ass").read_text()
    assert "<b>" not in (out / "transcript.srt").read_text()


@given(
    st.lists(
        st.tuples(st.text("abcdefgh .,", min_size=1, max_size=200), st.floats(0, 30), st.sampled_from(["S1", "S2"])),
        max_size=6,
    )
)
def test_cues_fit_the_screen_and_never_talk_over_themselves(said: list[tuple[str, float, str]]) -> None:
    turns = [turn(text, start, speaker) for text, start, speaker in said if text.split()]
    cues = cut_cues(transcript(*turns))
    words = [word.text for item in turns for word in item.words]
    assert sorted(" ".join(cue.text for cue in cues).split()) == sorted(words) or any(
        len(word) > LINE for word in words
    )
    for cue in cues:
        assert cue.end > cue.start
        assert len(cue.text.splitlines()) <= LINES or any(len(word) > LINE for word in cue.text.split())
    for speaker in ("S1", "S2"):
        own = [cue for cue in cues if cue.speaker.id == speaker]
        for before, after in itertools.pairwise(own):
            assert before.end <= max(after.start, before.start + 0.01) + 1e-6
