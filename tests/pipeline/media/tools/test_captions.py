"""Captions in the picture: what is said, when and where, and nothing that is read as markup."""

from pathlib import Path

import av
import msgspec
import numpy as np
import pysubs2
import pytest

from pipeline.errors import FFmpegError, MediaError, ValidationError
from pipeline.graph.stage import StageContext
from pipeline.media.tools.captions import burn_captions_stage, check_letters, gather_fonts, write_document
from pipeline.media.tools.contracts import BurnCaptionsInputs, BurnCaptionsParams
from pipeline.models.loader import Models
from pipeline.types import BurnCaptions, CaptionPlace, CaptionSize, Speaker, Transcript, Turn, Word
from tests.pipeline.clips import ffmpeg, make_clip

EVIL = r"{\pos(0,0)} \N <b>x</b> ,:' [a];"


def turn(speaker: str, start: float, end: float, text: str) -> Turn:
    said = text.split()
    step = (end - start) / len(said)
    words = tuple(
        Word(start=start + step * index, end=start + step * (index + 1), text=word, confidence=0.9)
        for index, word in enumerate(said)
    )
    return Turn(start=start, end=end, speaker=speaker, text=text, words=words, overlap=False)


def transcript(*turns: Turn, language: str = "en") -> Transcript:
    speakers = tuple(Speaker(id=name, name=EVIL) for name in dict.fromkeys(each.speaker for each in turns))
    return Transcript(language=language, duration=4.0, speakers=speakers, turns=turns)


def document(tool: BurnCaptions, said: Transcript, path: Path, size: tuple[int, int] = (640, 360)) -> pysubs2.SSAFile:
    assert write_document(said, tool, size, path)
    return pysubs2.load(str(path))


def test_each_word_has_its_time(tmp_path: Path) -> None:
    said = transcript(turn("S1", 0.5, 2.5, "one two three four"))
    events = document(BurnCaptions(highlight=True), said, tmp_path / "a.ass").events
    assert [(event.start, event.end) for event in events] == [(500, 1000), (1000, 1500), (1500, 2000), (2000, 2500)]
    for event, word in zip(events, ("one", "two", "three", "four"), strict=True):
        assert event.plaintext == "one two three four"
        assert f"\\1c&H3DD9FF&}}{word}" in event.text
        assert event.text.count("\\1c") == 1


def test_without_highlight_a_cue_is_one_event(tmp_path: Path) -> None:
    said = transcript(turn("S1", 0.5, 2.5, "one two three four"))
    (event,) = document(BurnCaptions(), said, tmp_path / "a.ass").events
    assert event.text == "one two three four"


@pytest.mark.parametrize("highlight", [False, True])
def test_nothing_that_is_said_is_markup(tmp_path: Path, highlight: bool) -> None:
    said = transcript(turn("S1", 0.5, 2.5, EVIL))
    file = document(BurnCaptions(highlight=highlight), said, tmp_path / "a.ass")
    for event in file.events:
        plain = event.text.replace("{\\r}", "").replace("{\\r\\1c&H3DD9FF&}", "").replace("\\N", "")
        assert not set("{}\\") & set(plain)
    assert all(len(style) == 6 for style in file.styles)


def test_lines_from_right_to_left_stay_whole(tmp_path: Path) -> None:
    said = transcript(turn("S1", 0.5, 2.5, "مرحبا بكم في هذا"), language="ar")
    (event,) = document(BurnCaptions(highlight=True), said, tmp_path / "a.ass").events
    assert "\\1c" not in event.text


def test_speakers_have_colours_and_captions_a_place_and_a_size(tmp_path: Path) -> None:
    said = transcript(turn("S1", 0.0, 1.0, "hello there"), turn("S2", 1.5, 2.5, "hi"))
    low = document(BurnCaptions(), said, tmp_path / "a.ass")
    assert len({event.style for event in low.events}) == 2
    top = document(BurnCaptions(place=CaptionPlace.TOP, size=CaptionSize.LARGE), said, tmp_path / "b.ass")
    assert {style.alignment for style in low.styles.values()} == {pysubs2.Alignment.BOTTOM_CENTER}
    assert {style.alignment for style in top.styles.values()} == {pysubs2.Alignment.TOP_CENTER}
    assert top.styles["FFFFFF"].fontsize > low.styles["FFFFFF"].fontsize


def test_lines_fit_into_a_narrow_picture(tmp_path: Path) -> None:
    said = transcript(turn("S1", 0.0, 4.0, "a sentence that is far too long for one line of a phone held upright"))
    for event in document(BurnCaptions(size=CaptionSize.LARGE), said, tmp_path / "a.ass", (360, 640)).events:
        assert all(len(line) <= 22 for line in event.plaintext.split("\n"))


def burn(clip: Path, said: Transcript, out: Path, tool: BurnCaptions) -> Path:
    out.mkdir()
    (out.parent / "said.json").write_bytes(msgspec.json.encode(said))
    context = StageContext(out=out, report=lambda fraction, message="": None, models=Models(out))
    inputs = BurnCaptionsInputs(source=clip, transcript=out.parent / "said.json")
    return burn_captions_stage(context, inputs, BurnCaptionsParams(tool=tool)).made


def test_captions_are_drawn_while_they_are_said(tmp_path: Path) -> None:
    picture = ("-f", "lavfi", "-i", "color=black:s=320x180:r=10:d=4", "-f", "lavfi", "-i", "sine=d=4")
    ffmpeg(*picture, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", tmp_path / "a.mp4")
    said = transcript(turn("S1", 1.0, 3.0, "one two three four"))
    made = burn(tmp_path / "a.mp4", said, tmp_path / "out", BurnCaptions(highlight=True))
    with av.open(str(made)) as container:
        shown = {
            round(float(frame.time or 0), 1): frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)
        }
    assert shown[0.5].max() < 40
    assert shown[3.9].max() < 40
    assert shown[1.5][:90].max() < 40
    assert shown[1.5][90:].max() > 220
    yellow = {time: np.argwhere((frame[..., 0] > 200) & (frame[..., 2] < 110))[:, 1] for time, frame in shown.items()}
    assert yellow[1.2].mean() < yellow[1.7].mean() < yellow[2.2].mean() < yellow[2.7].mean()


UNKNOWN = "\U00030030\U00030031\U00030032\U00030033"
"""Letters of CJK Extension G, which hardly any font has."""


def test_letters_without_a_font_are_named(tmp_path: Path) -> None:
    gather_fonts(tmp_path / "fonts")
    assert check_letters(transcript(turn("S1", 0.0, 1.0, "hello there, ça va?")), tmp_path) == ()
    (note,) = check_letters(transcript(turn("S1", 0.0, 1.0, f"hello {UNKNOWN}")), tmp_path)
    assert note.endswith(f": {UNKNOWN}")
    with pytest.raises(FFmpegError, match="no font") as caught:
        check_letters(transcript(turn("S1", 0.0, 1.0, UNKNOWN)), tmp_path)
    assert caught.value.text is not None
    assert caught.value.text.key == "tool-no-font"


def test_where_nobody_speaks_there_is_nothing_to_write(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac")
    silent = Transcript(language="en", duration=1.0, speakers=(), turns=())
    with pytest.raises(ValidationError, match="Nobody speaks"):
        burn(clip, silent, tmp_path / "out", BurnCaptions())
    assert list((tmp_path / "out").iterdir()) == []


def test_a_sound_alone_takes_no_captions(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.wav", picture=False)
    with pytest.raises(MediaError, match="no picture"):
        burn(clip, transcript(turn("S1", 0.0, 0.5, "hello")), tmp_path / "out", BurnCaptions())
