"""Lines of Arabic, Hebrew, Persian and Urdu have their punctuation on the side where it is read."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from pipeline.export.direction import embed_line, end_label
from pipeline.languages import reads_right_to_left
from tests.pipeline.export.dialogue import export, transcript, turn

LINES = {
    "ar": "هل رأيت العاصفة؟ كان سعرها 1,250 دولار (تقريبا).",
    "iw": "האם ראית את ה-iPhone 15 החדש?",
    "fa": "سلام - در YouTube [نسخهٔ نو].",
    "ur": "جی ہاں، U.S. میں 25 لوگ تھے۔",  # noqa: RUF001 - the Urdu full stop
}
HEIGHT, WIDTH = 288, 640


@pytest.mark.parametrize(
    ("text", "language", "leftward"),
    [
        ("مرحبا Microsoft Office.", "ar", True),
        ("Hello, how are you?", "ar", False),
        ("1,250.", "fa", True),
        ("He said שלום!", "en", False),
        ("שלום!", "en", True),
        ("10:30", "en", False),
        ("", "he", True),
    ],
)
def test_a_line_reads_as_its_language_unless_all_letters_are_of_the_other_kind(
    text: str, language: str, leftward: bool
) -> None:
    assert reads_right_to_left(text, language) is leftward


@pytest.mark.parametrize("language", LINES)
@pytest.mark.parametrize("suffix", ["srt", "vtt", "ass", "txt"])
def test_each_line_is_embedded(language: str, suffix: str, tmp_path: Path) -> None:
    out, _ = export(transcript(turn(LINES[language], 0.0, "S1"), language=language), tmp_path)
    text = (out / f"transcript.{suffix}").read_text(encoding="utf-8")
    lines = [line for line in text.replace("\\N", "\n").splitlines() if "\u202b" in line]
    assert lines
    assert all(line.count("\u202b") == line.count("\u202c") == 1 and line.endswith("\u202c") for line in lines)
    said = " ".join(line.partition("\u202b")[2].strip("\u202c") for line in lines)
    assert said.replace("\u200e", "").endswith(LINES[language])


def test_a_number_after_a_latin_name_stays_on_the_side_of_the_sentence() -> None:
    assert end_label("Speaker 1: ", right_to_left=True) == "Speaker 1: \u200f"
    assert end_label("محمد: ", right_to_left=False) == "محمد: \u200e"
    assert end_label("Alice: ", right_to_left=False) == "Alice: "


def test_signs_of_a_latin_word_stay_with_it() -> None:
    assert embed_line("في U.S. أمس.", right_to_left=True) == "\u202bفي U.S.\u200e أمس.\u202c"
    assert embed_line("C++ جيد", right_to_left=True) == "\u202bC++\u200e جيد\u202c"


def test_what_has_one_direction_only_stays_as_it_was() -> None:
    assert embed_line("Good evening (all) - 10:30.", right_to_left=False) == "Good evening (all) - 10:30."


def test_a_markdown_page_has_the_direction_of_each_turn(tmp_path: Path) -> None:
    content = transcript(
        turn(LINES["ar"], 0.0, "S1"), turn("Hello there.", 6.0, "S2"), turn("نعم.", 9.0, "S1"), language="ar"
    )
    parts = (export(content, tmp_path)[0] / "transcript.md").read_text(encoding="utf-8").split("\n\n")
    turns = parts[parts.index("## Turns") + 1 :]
    assert [part.strip() for part in turns if part.startswith(("<", "**Brian"))] == [
        '<div dir="rtl">',
        "</div>",
        "**Brian** (0:00:06–0:00:06)\\\nHello there.",  # noqa: RUF001
        '<div dir="rtl">',
        "</div>",
    ]


def draw(path: Path) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """The picture that libass makes of a subtitle file's first second, white on black."""
    source = f"color=c=black:s={WIDTH}x{HEIGHT}:d=1:r=2"
    look = f"subtitles={path.name}:force_style='FontSize=96,Outline=0,Shadow=0,PrimaryColour=&Hffffff'"
    command = [get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", source, "-vf", look, "-frames:v", "1"]
    made = subprocess.run(
        [*command, "-f", "rawvideo", "-pix_fmt", "gray", "-"],
        check=True,
        capture_output=True,
        timeout=60,
        cwd=path.parent,
    )
    return np.frombuffer(made.stdout, np.uint8).reshape(HEIGHT, WIDTH)


@pytest.mark.integration
@pytest.mark.parametrize("suffix", ["srt", "vtt", "ass"])
@pytest.mark.parametrize(("word", "language"), [("שלום.", "iw"), ("مرحبا.", "ar"), ("Hello.", "en")])
def test_libass_draws_the_full_stop_where_the_sentence_ends(
    word: str, language: str, suffix: str, tmp_path: Path
) -> None:
    content = transcript(turn(word, 0.0, "S1", each=1.0), language=language, names=("", "Brian"))
    picture = draw(export(content, tmp_path)[0] / f"transcript.{suffix}") > 128
    columns = np.flatnonzero(picture.any(axis=0))
    if not len(columns):
        pytest.skip("no font is installed")
    tall = [np.ptp(np.flatnonzero(picture[:, column])) for column in columns]
    # The full stop is the flattest sign by far; a font that lacks the letters draws boxes, which are tall as well.
    edge = 8
    left, right = max(tall[:edge]), max(tall[-edge:])
    assert (left < right / 2) if language != "en" else (right < left / 2), (left, right)
