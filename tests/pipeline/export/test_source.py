"""Uncertain words, marked where people read them and nowhere else."""

from dataclasses import replace
from pathlib import Path

from pipeline.export.source import mark_uncertain
from pipeline.export.stage import write_exports
from pipeline.export.subtitles.cues import cut_cues
from pipeline.export.subtitles.style import SubtitleStyle
from pipeline.types import Transcript, Turn, Word
from tests.pipeline.export.dialogue import heard, talk, text_of


def doubtful() -> Transcript:
    """The dialogue, in which "storm" may have been misheard."""
    content = talk()

    def lower(turn: Turn) -> Turn:
        words = tuple(replace(word, confidence=0.3 if word.text == "storm" else 0.9) for word in turn.words)
        return replace(turn, words=words)

    return replace(content, turns=tuple(lower(turn) for turn in content.turns))


def test_uncertain_words_are_marked_in_texts_and_subtitles(tmp_path: Path) -> None:
    made = write_exports(doubtful(), heard(talk()), SubtitleStyle(mark_uncertain=0.5), tmp_path)
    for suffix in ("txt", "srt", "vtt", "ass"):
        text = made[suffix].read_text()
        assert text.count("storm(?)") == text.count("storm") == 1, suffix
        assert text.count("(?)") == 1, suffix
    assert made["md"].read_text().count("?") == 2
    for suffix in ("TextGrid", "rttm"):
        assert "(?)" not in made[suffix].read_text()


def test_nothing_is_marked_unless_it_is_wished_for(tmp_path: Path) -> None:
    made = write_exports(doubtful(), heard(talk()), SubtitleStyle(), tmp_path)
    assert all("(?)" not in text_of(path) for path in made.values())
    assert mark_uncertain(talk(), 0.0) == talk()


def test_words_without_spaces_stay_so() -> None:
    content = replace(talk(), language="zh")
    turn = content.turns[1]
    words = tuple(replace(word, text=text, confidence=0.1) for word, text in zip(turn.words, "你好世界", strict=False))
    marked = mark_uncertain(replace(content, turns=(replace(turn, words=words),)), 0.5)
    assert marked.turns[0].text == "你(?)好(?)世(?)界(?)"


def test_a_mark_ends_no_sentence_and_hides_no_end() -> None:
    said = "We were on it when the first came over the wall, all of it. Then Dr. Brown saw that nobody had expected it"
    words = tuple(
        Word(start=0.4 * place, end=0.4 * place + 0.38, text=text, confidence=0.1)
        for place, text in enumerate(said.split())
    )
    turn = Turn(start=0.0, end=words[-1].end, speaker=talk().speakers[0].id, text=said, overlap=False, words=words)
    plain = replace(talk(), duration=20.0, turns=(turn,))
    wide = SubtitleStyle(line_length=80)
    cues, marked = cut_cues(plain, wide), cut_cues(mark_uncertain(plain, 0.5), wide)
    assert len(cues) > 1
    assert [(cue.start, " ".join(cue.lines).replace("(?)", "")) for cue in marked] == [
        (cue.start, " ".join(cue.lines)) for cue in cues
    ]
