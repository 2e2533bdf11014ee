"""Whose word is it, where does a turn end, and what reaches the file."""

from pathlib import Path

import msgspec
import pytest

from pipeline.export.subtitles.cues import MIN_CUE_SECONDS, cut_cues
from pipeline.export.subtitles.style import SubtitleStyle
from pipeline.graph.stage import StageContext
from pipeline.models.loader import Models
from pipeline.speech.alignment.sentences import ends_sentence
from pipeline.speech.alignment.speaker_attribution import attribute_words
from pipeline.speech.alignment.stage import align_stage, build_transcript
from pipeline.speech.alignment.text import attach_punctuation, join_words
from pipeline.speech.contracts import AlignInputs, AlignParams
from pipeline.types import Diarization, Recognition, Speaker, SpeakerSegment, Transcript, Word


def words(text: str, start: float, *, each: float = 0.3) -> list[Word]:
    """Words of equal length, one after the other."""
    return [
        Word(start=start + index * each, end=start + (index + 1) * each, text=part, confidence=0.9)
        for index, part in enumerate(text.split())
    ]


def voices(*spans: tuple[float, float, str], exclusive: tuple[tuple[float, float, str], ...] = ()) -> Diarization:
    segments = tuple(SpeakerSegment(start=start, end=end, speaker=name) for start, end, name in spans)
    alone = tuple(SpeakerSegment(start=start, end=end, speaker=name) for start, end, name in exclusive)
    names = tuple(dict.fromkeys(name for _, _, name in spans))
    return Diarization(speakers=names, segments=segments, exclusive=alone or segments)


def transcribe(heard: list[Word], diarization: Diarization, *, language: str = "en") -> Transcript:
    recognition = Recognition(language=language, words=tuple(heard))
    return build_transcript(recognition, diarization, duration=100.0)[0]


def said(transcript: Transcript) -> list[tuple[str, str]]:
    return [(turn.speaker, turn.text) for turn in transcript.turns]


def test_words_go_to_the_voice_that_covers_them() -> None:
    heard = [*words("Hello there.", 0.0), *words("Good morning.", 2.0)]
    transcript = transcribe(heard, voices((0, 0.6, "S1"), (2, 2.6, "S2")))
    assert said(transcript) == [("S1", "Hello there."), ("S2", "Good morning.")]
    assert [speaker.name for speaker in transcript.speakers] == ["Speaker 1", "Speaker 2"]


def test_a_word_in_silence_goes_to_the_nearest_voice_else_to_the_one_before() -> None:
    diarization = voices((0, 1, "S1"), (10, 11, "S2"))
    heard = [*words("First.", 0.2), *words("near", 9.4), *words("lost", 5.0)]
    assert [item.speaker for item in attribute_words(heard, diarization)] == ["S1", "S2", "S2"]


def test_a_blurred_word_at_the_edge_of_a_sentence_stays_with_it() -> None:
    # "That" is heard 0.2 s too early, inside the end of the voice before.
    heard = [*words("It happens at all.", 0.0), *words("That is exactly the problem.", 1.1)]
    diarization = voices((0, 1.4, "S1"), (1.3, 2.8, "S2"), exclusive=((0, 1.4, "S1"), (1.4, 2.8, "S2")))
    assert said(transcribe(heard, diarization)) == [
        ("S1", "It happens at all."),
        ("S2", "That is exactly the problem."),
    ]


def test_a_clear_answer_inside_a_sentence_is_kept() -> None:
    heard = [*words("So we went", 0.0), *words("yes", 3.0), *words("to the harbour that night.", 4.0)]
    diarization = voices((0, 0.9, "S1"), (3, 3.3, "S2"), (4, 5.5, "S1"))
    assert [speaker for speaker, _ in said(transcribe(heard, diarization))] == ["S1", "S2", "S1"]


def test_turns_end_at_pauses_after_a_sentence_and_not_inside_one() -> None:
    diarization = voices((0, 30, "S1"))
    heard = [*words("One two.", 0.0), *words("Three four", 2.4), *words("five.", 5.0), *words("Six", 5.5)]
    assert said(transcribe(heard, diarization)) == [("S1", "One two."), ("S1", "Three four five. Six")]


def test_a_long_speech_gets_paragraphs() -> None:
    diarization = voices((0, 200, "S1"))
    transcript = transcribe(words("So a b c d e f g h it. " * 40, 0.0), diarization)
    assert len(transcript.turns) == 2
    assert all(turn.end - turn.start < 65 for turn in transcript.turns)


def test_overlap_is_marked_on_both_turns_and_on_no_other() -> None:
    heard = [*words("Why was it ignored?", 0.0), *words("Because we hear one each month.", 1.0), *words("Right.", 5.0)]
    diarization = voices((0, 1.2, "S1"), (1, 2.8, "S2"), (5, 5.3, "S1"))
    assert [turn.overlap for turn in transcribe(heard, diarization).turns] == [True, True, False]


def test_word_times_are_fitted_to_the_edges_of_speech() -> None:
    heard = words("One two three.", 0.8, each=0.5)
    transcript = transcribe(heard, voices((1.0, 2.2, "S1")))
    assert (transcript.turns[0].start, transcript.turns[0].end) == (1.0, 2.2)
    late = transcribe(words("One two.", 1.2), voices((1.0, 2.0, "S1")))
    assert (late.turns[0].start, late.turns[0].end) == (1.0, 2.0)
    # The diarization begins a little before the sound, so an edge nearby is no better than the word's own time.
    near = transcribe(words("One two.", 1.06), voices((1.0, 1.7, "S1")))
    assert (near.turns[0].start, near.turns[0].end) == (1.06, 1.66)


def test_speakers_are_those_who_say_something_in_order() -> None:
    diarization = voices((0, 0.5, "S1"), (1, 2, "S2"), (3, 4, "S3"))
    transcript, heard = build_transcript(
        Recognition(language="en", words=(*words("Hi.", 1.0), *words("Ho.", 3.0))), diarization, duration=5.0
    )
    assert [speaker.id for speaker in transcript.speakers] == ["S1", "S2"]
    assert heard.speakers == ("S1", "S2")
    assert [(segment.start, segment.speaker) for segment in heard.segments] == [(1, "S1"), (3, "S2")]


def test_an_abbreviation_does_not_end_a_turn_or_a_sentence() -> None:
    # After a full stop 1.5 s of silence end a turn, inside a sentence they do not.
    told = [*words("I know Mr.", 0.0), *words("Smith well.", 3.5)]
    assert said(transcribe(told, voices((0, 6, "S1")))) == [("S1", "I know Mr. Smith well.")]
    stray = [*words("We saw Mr.", 0.0, each=0.5), *words("Smith in the old town.", 1.5, each=0.5)]
    heard = voices((0, 1.5, "S1"), (1.5, 1.95, "S2"), (1.75, 4, "S1"))
    assert {speaker for speaker, _ in said(transcribe(stray, heard))} == {"S1"}


@pytest.mark.parametrize("duration", [0.62, 0.6199, 0.3, 0.01, 1 / 48_000])
def test_nothing_ends_after_the_clip(duration: float) -> None:
    transcript, heard = build_transcript(
        Recognition(language="en", words=tuple(words("Thank you both.", 0.0, each=0.25))),
        voices((0.031, 0.689, "S1")),
        duration=duration,
    )
    times = [*transcript.turns, *transcript.turns[0].words, *heard.segments, *heard.exclusive]
    assert all(0 <= one.start <= one.end <= duration for one in times)
    assert duration < 0.1 or all(one.end - one.start >= 0.019 for one in times)
    for cue in cut_cues(transcript, SubtitleStyle()):
        assert cue.end <= max(duration, MIN_CUE_SECONDS) + 1e-9


def test_words_without_any_voice_have_one_speaker() -> None:
    assert said(transcribe(words("Hello.", 0.0), voices())) == [("S1", "Hello.")]


def test_no_words_give_no_turns() -> None:
    transcript = transcribe([], voices((0, 1, "S1")))
    assert transcript.turns == ()
    assert transcript.speakers == ()


@pytest.mark.parametrize(
    ("language", "parts", "line"),
    [
        ("en", ["Hello,", "world."], "Hello, world."),
        ("zh", ["你好", "世界。"], "你好世界。"),
        ("zh", ["我", "用", "Discord", "Bot", "。"], "我用Discord Bot。"),
        ("ja", ["今日", "は", "2", "回"], "今日は2回"),
        ("th", ["สวัสดี", "ครับ"], "สวัสดีครับ"),
        ("ko", ["안녕", "하세요"], "안녕 하세요"),
    ],
)
def test_words_are_joined_as_the_script_does(language: str, parts: list[str], line: str) -> None:
    assert join_words(parts, language) == line


def test_marks_that_stand_alone_join_their_word() -> None:
    heard = words("« Hello » , you ! ¿ Qué ?", 0.0)
    assert [word.text for word in attach_punctuation(heard)] == ["«Hello»,", "you!", "¿Qué?"]
    assert attach_punctuation(words("♪", 0.0))[0].text == "♪"
    assert attach_punctuation(words("… Well", 0.0))[0].text == "Well"


def test_sentence_ends_are_seen_behind_quotes() -> None:
    assert ends_sentence("gone.”")
    assert ends_sentence("了。")
    assert not ends_sentence("well,")
    assert not ends_sentence("")


def test_the_stage_writes_transcript_and_voices(tmp_path: Path) -> None:
    diarization, recognition = tmp_path / "d.json", tmp_path / "r.json"
    diarization.write_bytes(msgspec.json.encode(voices((0, 0.6, "S1"))))
    recognition.write_bytes(msgspec.json.encode(Recognition(language="en", words=tuple(words("Hello there.", 0.0)))))
    out = tmp_path / "out"
    out.mkdir()
    output = align_stage(
        StageContext(out=out, report=lambda fraction, message="": None, models=Models(tmp_path, "cpu")),
        AlignInputs(diarization=diarization, recognition=recognition),
        AlignParams(duration=3.0),
    )
    transcript = msgspec.json.decode((out / "transcript.json").read_bytes(), type=Transcript)
    heard = msgspec.json.decode((out / "voices.json").read_bytes(), type=Diarization)
    assert (output.transcript, output.voices) == (out / "transcript.json", out / "voices.json")
    assert (output.language, output.speakers, output.turns) == ("en", (Speaker(id="S1", name="Speaker 1"),), 1)
    assert transcript.turns[0].start == heard.segments[0].start == 0.0
    assert [word.text for word in transcript.turns[0].words] == ["Hello", "there."]
