"""Every format is opened by another library than the one that wrote it, and says the same."""

import html
import re
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import srt
import textgrid
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st
from imageio_ffmpeg import get_ffmpeg_exe
from markdown_it import MarkdownIt
from pyannote.database.util import load_rttm

from pipeline.export.documents import NO_SPEECH
from pipeline.export.escaping import clean, escape_subtitle
from pipeline.export.stage import write_exports
from pipeline.export.subtitles.cues import cut_cues
from pipeline.export.subtitles.style import SubtitleStyle
from pipeline.export.transcripts import rttm_labels
from pipeline.types import Transcript, Turn, Word
from tests.pipeline.export.dialogue import bits, export, heard, names, spoken, talk, transcript, turn

Shown = tuple[float, float, str, str]
"""Start, end, speaker's name, text."""
SUFFIXES = {".txt", ".md", ".srt", ".vtt", ".ass", ".rttm", ".TextGrid", ".docx", ".csv", ".xlsx", ".edl"}


def read_srt(path: Path) -> list[Shown]:
    """With Python's srt; a cue without a name is by the last one named."""
    shown: list[Shown] = []
    name = ""
    for cue in srt.parse(path.read_text(encoding="utf-8")):
        found = re.match(r"(Alice|Brian): ", cue.content)
        name = found[1] if found else name
        text = cue.content.removeprefix(f"{name}: ")
        shown.append((cue.start.total_seconds(), cue.end.total_seconds(), name, text))
    return shown


def read_vtt(path: Path) -> list[Shown]:
    """With webvtt-py."""
    return [
        (
            cue.start_in_seconds + cue.start_time.milliseconds / 1000,
            cue.end_in_seconds + cue.end_time.milliseconds / 1000,
            html.unescape(cue.voice or ""),
            html.unescape(cue.text),
        )
        for cue in webvtt.read(str(path)).captions
    ]


def read_ass(path: Path) -> list[Shown]:
    """Text and times with ffmpeg, names from the fields of the lines, in the order of their times."""
    made = subprocess.run(
        [get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-f", "srt", "-"],
        check=True,
        capture_output=True,
        timeout=60,
    )
    rows = re.findall(r"^Dialogue: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    fields = sorted((row.split(",", 9) for row in rows), key=lambda field: field[1])
    cues = sorted(srt.parse(re.sub(r"</?font[^>]*>", "", made.stdout.decode())), key=lambda cue: cue.start)
    return [
        (cue.start.total_seconds(), cue.end.total_seconds(), field[4], cue.content)
        for cue, field in zip(cues, fields, strict=True)
    ]


def check(shown: Sequence[Shown], content: Transcript, resolution: float) -> None:
    """Every speaker's words in their order, each cue from its first word's start to its last word's end."""
    words: dict[str, list[Word]] = defaultdict(list)
    named = {speaker.id: speaker.name for speaker in content.speakers}
    for item in content.turns:
        words[named[item.speaker]] += item.words
    ends: dict[str, float] = defaultdict(float)
    for start, end, name, text in shown:
        own, words[name] = words[name][: len(text.split())], words[name][len(text.split()) :]
        assert [word.text for word in own] == text.split()
        assert abs(start - own[0].start) <= resolution
        assert end >= own[-1].end - SubtitleStyle().gap - resolution
        assert start >= ends[name] - resolution
        ends[name] = end
    assert not any(words.values())


def test_all_formats_are_written(tmp_path: Path) -> None:
    assert {path.suffix for path in export(talk(), tmp_path)[0].iterdir()} == SUFFIXES


@pytest.mark.parametrize(
    ("suffix", "read", "resolution"), [("srt", read_srt, 0.001), ("vtt", read_vtt, 0.001), ("ass", read_ass, 0.0101)]
)
def test_subtitles_carry_words_times_and_speakers(
    suffix: str, read: Callable[[Path], list[Shown]], resolution: float, tmp_path: Path
) -> None:
    shown = read(export(talk(), tmp_path)[0] / f"transcript.{suffix}")
    assert len(shown) >= 5
    check(shown, talk(), resolution)


def test_ass_has_a_colour_per_speaker(tmp_path: Path) -> None:
    text = (export(talk(), tmp_path)[0] / "transcript.ass").read_text()
    colours = dict(re.findall(r"^Style: (S\d),[^,]*,[^,]*,([^,]*),", text, re.MULTILINE))
    assert len(set(colours.values())) == 2
    assert set(re.findall(r"^Dialogue: [^,]*,[^,]*,[^,]*,(\w+),", text, re.MULTILINE)) == {"S1", "S2"}


def test_rttm_is_read_by_pyannote(tmp_path: Path) -> None:
    annotation = load_rttm(export(talk(), tmp_path)[0] / "transcript.rttm")["clip"]
    read = [(part.start, part.end, label) for part, _, label in annotation.itertracks(yield_label=True)]
    expected = [(item.start, item.end, {"S1": "Alice", "S2": "Brian"}[item.speaker]) for item in talk().turns]
    assert [label for *_, label in read] == [label for *_, label in expected]
    for (start, end, _), (first, last, _) in zip(read, expected, strict=True):
        assert (start, end) == pytest.approx((first, last), abs=2e-3)


@pytest.mark.parametrize("name", ["NaN", "NA", "None", "null"])
def test_a_name_that_readers_take_for_nothing_stays_a_name(tmp_path: Path, name: str) -> None:
    content = transcript(turn(["Hello."], 0.0, "S1"), names=(name,))
    write_exports(content, heard(content), SubtitleStyle(), tmp_path)
    (annotation,) = load_rttm(tmp_path / "transcript.rttm").values()
    assert annotation.labels() == [f"{name}_"]


def test_text_grid_carries_every_word_at_its_time(tmp_path: Path) -> None:
    grid = textgrid.TextGrid.fromFile(str(export(talk(), tmp_path)[0] / "transcript.TextGrid"))
    assert [tier.name for tier in grid] == ["1 Alice", "1 Alice words", "2 Brian", "2 Brian words"]
    for tier, speaker in ((grid[1], "S1"), (grid[3], "S2")):
        said = [word for item in talk().turns if item.speaker == speaker for word in item.words]
        read = [(each.minTime, each.maxTime, each.mark) for each in tier if each.mark]
        assert [label for *_, label in read] == [word.text for word in said]
        for (start, end, _), word in zip(read, said, strict=True):
            assert (start, end) == pytest.approx((word.start, word.end), abs=1e-5)
    assert [each.mark for each in grid[2] if each.mark] == ["Thanks for having me.", "It does."]


def read_markdown(path: Path) -> list[str]:
    """The plain text of each block, as CommonMark reads it."""
    blocks: list[str] = []
    for token in MarkdownIt("commonmark").parse(path.read_text(encoding="utf-8")):
        if token.type == "html_block":
            assert token.content.strip() in ('<div dir="rtl">', '<div dir="ltr">', "</div>")
            continue
        assert token.type not in ("fence", "code_block", "hr", "blockquote_open")
        parts = token.children or []
        assert {part.type for part in parts} <= {"text", "hardbreak", "strong_open", "strong_close"}
        if parts:
            blocks.append("".join("\n" if part.type == "hardbreak" else part.content for part in parts))
    return blocks


def test_markdown_is_a_page_with_everybodys_turns(tmp_path: Path) -> None:
    blocks = read_markdown(export(talk(), tmp_path)[0] / "transcript.md")
    assert blocks[:4] == ["Transcript", "Language: en", "Length: 0:00:17", "Speakers"]
    assert "Brian (0:00:07–0:00:09)\nThanks for having me." in blocks  # noqa: RUF001
    assert [block.split("\n")[1] for block in blocks[-4:]] == [item.text for item in talk().turns]


def test_the_text_names_who_spoke_when(tmp_path: Path) -> None:
    lines = (export(talk(), tmp_path)[0] / "transcript.txt").read_text().splitlines()
    assert lines[1] == "[0:00:07] Brian: Thanks for having me."
    assert len(lines) == len(talk().turns)


def test_no_speech_gives_files_that_say_so(tmp_path: Path) -> None:
    out, _ = export(transcript(), tmp_path)
    assert {path.suffix for path in out.iterdir()} == SUFFIXES
    assert (out / "transcript.txt").read_text() == NO_SPEECH + "\n"
    assert read_markdown(out / "transcript.md")[-1] == NO_SPEECH
    assert [text for *_, text in read_srt(out / "transcript.srt")] == [NO_SPEECH]
    assert [text for *_, text in read_vtt(out / "transcript.vtt")] == [NO_SPEECH]
    assert [text for *_, text in read_ass(out / "transcript.ass")] == [NO_SPEECH]
    assert (out / "transcript.rttm").read_text() == ""
    assert textgrid.TextGrid.fromFile(str(out / "transcript.TextGrid"))[0].name == f"1 {NO_SPEECH}"


def build(said: list[tuple[list[str], float, str]], called: list[str]) -> Transcript:
    turns: list[Turn] = sorted((turn(*each) for each in said), key=lambda item: item.start)
    return transcript(*turns, names=tuple(called))


@settings(max_examples=40, deadline=None)
@given(spoken, names)
def test_nasty_words_and_names_come_back_as_text(said: list[tuple[list[str], float, str]], called: list[str]) -> None:
    content = build(said, called)
    cues = cut_cues(content, SubtitleStyle())
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        write_exports(content, heard(content), SubtitleStyle(), out)
        read = read_vtt(out / "transcript.vtt")
        subrip = list(srt.parse((out / "transcript.srt").read_text(encoding="utf-8")))
        annotation = load_rttm(out / "transcript.rttm")
        grid = textgrid.TextGrid.fromFile(str(out / "transcript.TextGrid"))
        blocks = read_markdown(out / "transcript.md")
        ass = (out / "transcript.ass").read_text(encoding="utf-8")
    if not content.turns:
        return
    assert [clean(text).split() for *_, text in read] == [" ".join(cue.lines).split() for cue in cues]
    assert [name for *_, name, _ in read] == [clean(cue.speaker.name) for cue in cues]
    assert len(subrip) == len(cues)
    for cue, each in zip(cues, subrip, strict=True):
        assert clean(each.content).split()[-1] == escape_subtitle(cue.lines[-1]).split()[-1]
    assert len(re.findall(r"^Dialogue: ", ass, re.MULTILINE)) == len(cues)
    assert "{" not in ass.partition("[Events]")[2]
    speaking = {item.speaker for item in content.turns}
    labels = {label for key, label in rttm_labels(content).items() if key in speaking}
    assert {label for each in annotation.values() for label in each.labels()} == labels
    # This reader undoes Praat's doubled quotes in marks only.
    assert [tier.name.replace('""', '"') for tier in grid.tiers[::2]] == [
        f"{i} {clean(name)}" for i, name in enumerate(called, 1)
    ]
    marks = [each.mark for tier in grid.tiers[1::2] for each in tier if each.mark]
    assert sorted(marks) == sorted(clean(word.text) for item in content.turns for word in item.words)
    assert [block.partition("\n")[2] for block in blocks[-len(content.turns) :]] == [
        clean(item.text) for item in content.turns
    ]


@given(bits)
def test_cleaned_text_has_no_commands_left(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert not set(escape_subtitle(text)) & set("<>{}\\\n\r\u202e\x00")
    assert clean(text).isprintable() or any(ord(sign) > 127 for sign in text)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60))
def test_a_name_of_any_letters_is_one_field_of_rttm(name: str) -> None:
    content = transcript(turn("Hello.", 0.0, "S1"), names=(name, "B"))
    with tempfile.TemporaryDirectory() as folder:
        write_exports(content, heard(content), SubtitleStyle(), Path(folder))
        rows = (Path(folder) / "transcript.rttm").read_text(encoding="utf-8").split("\n")
    assert [len(row.split()) for row in rows if row] == [10]
