"""Transcripts for the tests of exports."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import msgspec
from hypothesis import strategies as st

from pipeline.export.contracts import SubtitlesInputs, SubtitlesOutput, SubtitlesParams
from pipeline.export.escaping import clean
from pipeline.export.stage import subtitles_stage
from pipeline.types import Diarization, Speaker, SpeakerSegment, Transcript, Turn, Word
from tests.pipeline.clips import make_context

TEXT = "Good evening everyone, and welcome back to the show. Tonight we are talking about the storm on the coast."
NASTY = (
    "a",
    "<b>",
    "-->",
    "R&B",
    "&lt;",
    r"{\pos(0,0)}",
    r"\N",
    '"say"',
    "<v Eve>",
    "00:00:01.000",
    "# 1.",
    "*a*_b_",
    "[x](http://a.b)",
    "@everyone",
    "www.a.b",
    "<NA>",
    "1",
    "说",
    "e\u0301",
    "\u202egnp",
    "a\nb",
    "a\r\n\r\nb",
    "x\x00y",
    "Dialogue:,",
    "intervals",
)

bits = st.one_of(st.sampled_from(NASTY), st.text(min_size=1, max_size=12)).filter(lambda text: bool(clean(text)))
names = st.lists(st.one_of(bits, st.just("Same")), min_size=2, max_size=2)
spoken = st.lists(
    st.tuples(st.lists(bits, min_size=1, max_size=20), st.floats(0, 30), st.sampled_from(["S1", "S2"])), max_size=5
)


def turn(words: str | list[str], start: float, speaker: str, *, each: float = 0.4) -> Turn:
    texts = words.split() if isinstance(words, str) else words
    said = tuple(
        Word(
            start=round(start + index * each, 3),
            end=round(start + (index + 0.9) * each, 3),
            text=text,
            confidence=0.9,
        )
        for index, text in enumerate(texts)
    )
    return Turn(start=said[0].start, end=said[-1].end, speaker=speaker, text=" ".join(texts), overlap=False, words=said)


def transcript(*turns: Turn, names: tuple[str, ...] = ("Alice", "Brian"), language: str = "en") -> Transcript:
    speakers = tuple(Speaker(id=f"S{index}", name=name) for index, name in enumerate(names, 1))
    end = max((item.end for item in turns), default=3.0)
    return Transcript(language=language, duration=end + 1, speakers=speakers if turns else (), turns=turns)


def talk() -> Transcript:
    """Two speakers; Brian begins before Alice has ended, and speaks a second time while she does."""
    return transcript(
        turn(TEXT, 0.5, "S1"),
        turn("Thanks for having me.", 7.9, "S2"),
        turn("So why, after all these years of quiet, does it still happen?", 12.0, "S1"),
        turn("It does.", 13.1, "S2"),
    )


def heard(content: Transcript) -> Diarization:
    segments = tuple(SpeakerSegment(start=item.start, end=item.end, speaker=item.speaker) for item in content.turns)
    return Diarization(speakers=tuple(item.id for item in content.speakers), segments=segments, exclusive=())


def text_of(path: Path) -> str:
    """The text of an export; of an office file, that of all its parts."""
    if not zipfile.is_zipfile(path):
        return path.read_text(encoding="utf-8")
    with zipfile.ZipFile(path) as archive:
        return "\n".join(archive.read(name).decode(errors="replace") for name in archive.namelist())


def export(
    content: Transcript, folder: Path, *, names: Mapping[str, str] | None = None
) -> tuple[Path, SubtitlesOutput[Path]]:
    """The folder that the stage fills, and what it gives."""
    (folder / "transcript.json").write_bytes(msgspec.json.encode(content))
    (folder / "voices.json").write_bytes(msgspec.json.encode(heard(content)))
    inputs = SubtitlesInputs(transcript=folder / "transcript.json", voices=folder / "voices.json")
    context = make_context(folder / "out")
    made = subtitles_stage(context, inputs, SubtitlesParams(names=names or {}))
    assert {*made.exports} | ({made.transcript} - {None}) == {*context.out.iterdir()}
    return context.out, made
