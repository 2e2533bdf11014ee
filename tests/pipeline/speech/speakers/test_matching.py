"""Voices that are known: enrolled, found again, forgotten; and what a voice-book refuses."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from pipeline.audio import io as audio_io
from pipeline.errors import ValidationError
from pipeline.graph.stage import NoParams, ProgressCallback, StageContext
from pipeline.models.loader import Models, model_digest
from pipeline.speech.speakers.contracts import (
    EmbedSpeakersInputs,
    EmbedSpeakersOutput,
    EmbedSpeakersParams,
    MatchSpeakersInputs,
)
from pipeline.speech.speakers.embedding_model import (
    MAX_SPAN_SECONDS,
    MAX_SPEAKER_SECONDS,
    select_spans,
)
from pipeline.speech.speakers.matching import (
    MIN_ENROLMENT_SECONDS,
    MIN_NAMING_PROBABILITY,
    Voice,
    VoiceBook,
    cosine_similarity,
    enrol,
    match_speakers,
    match_voice,
    mean_voice,
    remove_voice,
    same_speaker_probability,
)
from pipeline.speech.speakers.stage import embed_speakers_stage, match_speakers_stage
from pipeline.speech.speakers.voice_book import read_book, write_book
from pipeline.types import Diarization, SpeakerSegment

DATA = Path(__file__).parents[3] / "data"
MODEL = "campplus-zh-en"
QUIET: ProgressCallback = lambda fraction, message="": None  # noqa: E731


def voice(name: str, *numbers: float, seconds: float = 20.0) -> Voice:
    found = mean_voice(name, [np.array(numbers, np.float32)], [seconds])
    assert found is not None
    return found


ANNA, BEN = voice("Anna", 1, 0, 0), voice("Ben", 0, 1, 0)
BOOK = VoiceBook(model="m", digest="d", voices=(ANNA, BEN))


def clip(*voices: Voice, model: str = "m", digest: str = "d") -> VoiceBook:
    return VoiceBook(model=model, digest=digest, voices=voices)


def test_a_voice_is_named_when_it_is_surely_known() -> None:
    found = match_voice(voice("S1", 10, 1, 0), BOOK.voices)
    assert found.name == found.nearest == "Anna"
    assert MIN_NAMING_PROBABILITY <= found.confidence <= 1.0


def test_a_stranger_gets_no_name_but_how_sure_it_is_is_told() -> None:
    found = match_voice(voice("S1", 1, 1, 2), BOOK.voices)
    assert found.name is None
    assert 0.0 <= found.confidence < 0.5
    assert match_voice(ANNA, ()).nearest is None


def test_the_probability_grows_with_the_likeness() -> None:
    chances = [same_speaker_probability(cosine / 100) for cosine in range(-100, 101)]
    assert chances == sorted(chances)
    assert 0.0 < chances[0] < 1e-6
    assert chances[-1] > 0.99


def test_nobody_is_named_twice_in_a_clip_and_the_surest_has_the_name() -> None:
    found = match_speakers(clip(voice("S1", 10, 2, 1), voice("S2", 10, 1, 0)), BOOK)
    assert found["S2"].name == "Anna"
    assert found["S1"].name is None
    assert found["S1"].nearest == "Ben"


def test_long_stretches_count_more() -> None:
    vectors = [np.array([2.0, 0.0], np.float32), np.array([0.0, 1.0], np.float32), np.full(2, np.nan, np.float32)]
    found = mean_voice("S1", vectors, [9.0, 1.0, 5.0])
    assert found is not None
    assert found.vector == pytest.approx((9 / 82**0.5, 1 / 82**0.5), abs=1e-5)
    assert found.seconds == 10.0
    assert mean_voice("S1", vectors[2:], [5.0]) is None


def test_a_voice_is_enrolled_learnt_further_and_forgotten() -> None:
    book = enrol(VoiceBook(), " Anna\n", voice("S1", 1, 0), model="m", digest="d")
    assert [each.name for each in book.voices] == ["Anna"]
    more = enrol(book, "Anna", voice("S7", 1, 1), model="m", digest="d")
    assert [each.seconds for each in more.voices] == [40.0]
    assert cosine_similarity(more.voices[0], voice("", 1, 0)) == pytest.approx(np.cos(np.pi / 8), abs=1e-4)
    assert remove_voice(more, "Anna").voices == ()
    with pytest.raises(ValidationError, match="does not know 'Ben'"):
        remove_voice(more, "Ben")


def test_too_little_speech_is_refused_with_how_much_is_needed() -> None:
    with pytest.raises(ValidationError, match=rf"Only 3\.2 s .* {MIN_ENROLMENT_SECONDS:.0f} s are needed"):
        enrol(BOOK, "Cem", voice("S1", 0, 0, 1, seconds=3.2), model="m", digest="d")


@pytest.mark.parametrize("name", ["", " \n", "x" * 101, "\x00"])
def test_a_name_that_cannot_be_used_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        enrol(BOOK, name, ANNA, model="m", digest="d")


@pytest.mark.parametrize(("model", "digest"), [("other", "d"), ("m", "new")])
def test_voices_of_another_model_are_never_compared(model: str, digest: str) -> None:
    with pytest.raises(ValidationError, match="was made with"):
        match_speakers(clip(ANNA, model=model, digest=digest), BOOK)
    with pytest.raises(ValidationError, match="was made with"):
        enrol(BOOK, "Cem", ANNA, model=model, digest=digest)


def test_a_book_whose_vectors_have_another_length_is_refused() -> None:
    known = VoiceBook(model=MODEL, digest="d", voices=(voice("Anna", 1.0, 0.0),))
    heard = VoiceBook(model=MODEL, digest="d", voices=(voice("S1", 1.0, 0.0, 0.0),))
    with pytest.raises(ValidationError, match="not as long"):
        match_speakers(heard, known)
    for name in ("Anna", "Bo"):
        with pytest.raises(ValidationError, match="not as long"):
            enrol(known, name, heard.voices[0], model=MODEL, digest="d")


def test_a_book_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "voices.json"
    write_book(BOOK, path)
    assert read_book(path) == BOOK
    assert path.stat().st_mode & 0o077 == 0
    assert [each.name for each in path.parent.iterdir()] == ["voices.json"]


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"voices": 3},
        {"voices": [{"name": "A", "vector": [1.0], "seconds": 9}, {"name": "B", "vector": [1.0, 0.0], "seconds": 9}]},
        {"voices": [{"name": "A", "vector": [], "seconds": 9}]},
        {"voices": [{"name": "A", "vector": [5.0], "seconds": 9}]},
        {"voices": [{"name": "A\n", "vector": [1.0], "seconds": 9}]},
        {"voices": [{"name": "A", "vector": [1.0], "seconds": -1}]},
    ],
)
def test_a_broken_book_is_named(change: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "book.json"
    path.write_text(json.dumps(json.loads(msgspec.json.encode(BOOK)) | change))
    with pytest.raises(ValidationError, match=r"book\.json is no voice-book"):
        read_book(path)


def test_a_missing_book_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="cannot be read"):
        read_book(tmp_path / "none.json")


def test_identifying_says_how_sure_it_is(tmp_path: Path) -> None:
    write_book(BOOK, tmp_path / "book")
    write_book(clip(voice("S1", 10, 1, 0), voice("S2", 0, 1, 1.1)), tmp_path / "clip")
    output = match_speakers_stage(
        StageContext(out=tmp_path, report=QUIET, models=Models(tmp_path, "cpu")),
        MatchSpeakersInputs(embeddings=tmp_path / "clip", book=tmp_path / "book"),
        NoParams(),
    )
    assert output.names == {"S1": "Anna"}
    assert output.notes[0].startswith("S1 is Anna (")


def segment(start: float, end: float, speaker: str) -> SpeakerSegment:
    return SpeakerSegment(start=start, end=end, speaker=speaker)


def test_the_longest_stretches_are_heard_in_short_parts() -> None:
    spans = select_spans([(0.0, 1.1), (10.0, 30.0), (40.0, 43.0), (100.0, 160.0)])
    assert sum(end - start for start, end in spans) == pytest.approx(MAX_SPEAKER_SECONDS)
    assert max(end - start for start, end in spans) <= MAX_SPAN_SECONDS + 1e-9
    assert select_spans([(0.0, 1.1)]) == []


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Models(tmp_path_factory.mktemp("home"), "cpu")
    torch.set_num_threads(threads)


def truth() -> list[SpeakerSegment]:
    rows = [line.split() for line in (DATA / "sample.rttm").read_text(encoding="utf-8").splitlines()]
    return [segment(float(row[3]), float(row[3]) + float(row[4]), row[7]) for row in rows if row]


def hear(segments: list[SpeakerSegment], folder: Path, models: Models) -> tuple[VoiceBook, EmbedSpeakersOutput[Path]]:
    folder.mkdir()
    names = tuple(dict.fromkeys(each.speaker for each in segments))
    heard = Diarization(speakers=names, segments=tuple(segments), exclusive=())
    (folder / "voices.json").write_bytes(msgspec.json.encode(heard))
    speech = folder / "speech.flac"
    samples = audio_io.to_mono(audio_io.read(DATA / "sample.speech.flac"))
    audio_io.write(
        speech, audio_io.resample(samples, audio_io.info(DATA / "sample.speech.flac").sample_rate, 16_000), 16_000
    )
    out = folder / "out"
    out.mkdir()
    output = embed_speakers_stage(
        StageContext(out=out, report=QUIET, models=models),
        EmbedSpeakersInputs(speech=speech, voices=folder / "voices.json"),
        EmbedSpeakersParams(embedding=MODEL, weights=model_digest(MODEL)),
    )
    return read_book(output.embeddings), output


def test_the_samples_speakers_are_known_again(models: Models, tmp_path: Path) -> None:
    said = truth()
    first, output = hear(said[::2], tmp_path / "first", models)
    again, _ = hear(said[1::2], tmp_path / "again", models)
    book = VoiceBook(model=MODEL, digest=model_digest(MODEL), voices=first.voices)
    assert output.voices == len(first.voices) >= 2
    assert (first.model, first.digest) == (MODEL, model_digest(MODEL))
    found = match_speakers(again, book)
    shared = {each.name for each in first.voices} & {each.name for each in again.voices}
    assert len(shared) >= 2
    assert all(found[name].nearest == name for name in shared)


def test_silence_and_short_words_make_no_voice(models: Models, tmp_path: Path) -> None:
    book, output = hear([segment(0.5, 1.2, "S1")], tmp_path / "short", models)
    assert book.voices == ()
    assert output.voices == 0
