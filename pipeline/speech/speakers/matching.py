"""Matching of speakers to known voices by their embeddings, and enrolment in a voice-book.

An embedding is biometric data: it is kept in the store and in voice-books, and goes into no message and no transcript.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ValidationError

MIN_ENROLMENT_SECONDS: Final = 5.0
"""Of a voice alone, before it can be enrolled."""
CALIBRATION_SLOPE, CALIBRATION_OFFSET = 21.0, -15.2
"""Of the logistic calibration: log odds = slope x cosine + offset, fitted by `make bench-voices` on the voices of its
part `tune`: books of a dozen voices, half of those who are met strangers to the book, in lines of some seconds that are
clean, noisy or from a telephone."""
MIN_NAMING_PROBABILITY: Final = 0.8
"""Probability from which a speaker gets the name of a known voice. On `tune` nobody got another's name, and 2.4 %
of the strangers one; on voices that chose nothing none of 594 did (`docs/figures.md`)."""
VOICE_BOOK_VERSION: Final = 1
MAX_NAME_CHARS: Final = 100
MAX_VOICES: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """The embedding of one voice."""

    name: str
    """The person's in a voice-book; the speaker's id among those of a clip."""
    vector: tuple[float, ...]
    """Of length 1."""
    seconds: float
    """Of this voice alone from which the embedding was computed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceBook:
    """Known voices, or those of a clip; embeddings of different models cannot be compared."""

    version: int = VOICE_BOOK_VERSION
    model: str = ""
    """Catalogue name of the embedding model; empty until the first voice is enrolled."""
    digest: str = ""
    """`pipeline.models.loader.model_digest` of that model."""
    voices: tuple[Voice, ...] = ()

    def find(self, name: str) -> Voice | None:
        """Return the voice of that name."""
        return next((voice for voice in self.voices if voice.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The known voice that a speaker is most likely to be."""

    name: str | None
    """None where no known voice is likely enough."""
    confidence: float
    """Probability, 0 to 1, of the nearest known voice."""
    nearest: str | None
    """The known voice that is most similar; None for an empty voice-book."""


def mean_voice(name: str, vectors: Sequence[NDArray[np.float32]], seconds: Sequence[float]) -> Voice | None:
    """Average the embeddings of several spans of one voice, weighted by their length.

    Args:
        name: Of the voice.
        vectors: Embeddings of any length, each of shape (dimensions,).
        seconds: Length of each span.

    Returns:
        The voice; None when all embeddings are zero or not finite.
    """
    total, heard = np.zeros(0), 0.0
    for vector, length in zip(vectors, seconds, strict=True):
        norm = float(np.linalg.norm(vector))
        if norm > 0.0 and math.isfinite(norm):
            unit = vector.astype(np.float64) * (length / norm)
            total = unit if not total.size else total + unit
            heard += length
    norm = float(np.linalg.norm(total))
    if norm == 0.0:
        return None
    return Voice(name=name, vector=tuple(round(float(x), 6) for x in total / norm), seconds=round(heard, 2))


def cosine_similarity(one: Voice, other: Voice) -> float:
    """Compute the cosine between two voices, -1 to 1."""
    return float(np.dot(one.vector, other.vector))


def same_speaker_probability(cosine: float) -> float:
    """Compute the probability that a speaker is the most similar voice of a book.

    Logistic calibration (Platt 2000), for even odds that the person is in the book.
    """
    odds = CALIBRATION_SLOPE * cosine + CALIBRATION_OFFSET
    return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, odds))))


def match_voice(voice: Voice, known: Sequence[Voice]) -> Match:
    """Find the most similar known voice, and name it when it is likely enough."""
    sure = [(same_speaker_probability(cosine_similarity(voice, each)), each.name) for each in known]
    if not sure:
        return Match(name=None, confidence=0.0, nearest=None)
    confidence, nearest = max(sure)
    return Match(
        name=nearest if confidence >= MIN_NAMING_PROBABILITY else None, confidence=round(confidence, 4), nearest=nearest
    )


def match_speakers(clip: VoiceBook, known: VoiceBook) -> Mapping[str, Match]:
    """Match each speaker of a clip; no name is given twice, and the most likely speaker gets it.

    Raises:
        ValidationError: The voice-book was made with another model, or its vectors are of another length.
    """
    check_model(known, clip.model, clip.digest)
    for voice in clip.voices:
        _check_length(known, voice)
    matches: dict[str, Match] = {}
    taken: set[str] = set()
    for voice in sorted(clip.voices, key=lambda voice: match_voice(voice, known.voices).confidence, reverse=True):
        found = match_voice(voice, known.voices)
        if found.name in taken:
            found = match_voice(voice, [each for each in known.voices if each.name not in taken])
        matches[voice.name] = found
        taken |= {found.name} if found.name is not None else set()
    return matches


def enrol(book: VoiceBook, name: str, voice: Voice, *, model: str, digest: str) -> VoiceBook:
    """Return the book with one more voice, or with more of one that it has.

    Args:
        book: The voice-book, which stays as it is.
        name: The person's name.
        voice: The voice.
        model: Catalogue name of the embedding model.
        digest: Of that model.

    Raises:
        ValidationError: There is too little speech, the name cannot be used, or the book is of another model.
    """
    cleaned = check_name(name)
    check_model(book, model, digest)
    _check_length(book, voice)
    if voice.seconds < MIN_ENROLMENT_SECONDS:
        heard = math.floor(10 * voice.seconds) / 10
        raise ValidationError(
            f"Only {heard:.1f} s of {cleaned}'s voice are heard alone; {MIN_ENROLMENT_SECONDS:.0f} s are needed.",
            hint="Enrol from a clip in which the person speaks longer.",
        )
    old = book.find(cleaned)
    if old is None and len(book.voices) >= MAX_VOICES:
        raise ValidationError(f"The voice-book is full: it has {MAX_VOICES} voices.", hint="Forget some of them first.")
    both = [voice] if old is None else [old, voice]
    vectors = [np.asarray(each.vector, np.float32) for each in both]
    joined = mean_voice(cleaned, vectors, [each.seconds for each in both])
    if joined is None:
        raise ValidationError(f"{cleaned}'s voice cannot be told from silence.", hint="Enrol from another clip.")
    return replace(book, model=model, digest=digest, voices=(*_others(book, cleaned), joined))


def remove_voice(book: VoiceBook, name: str) -> VoiceBook:
    """Return the book without that voice.

    Raises:
        ValidationError: The book has no voice of that name.
    """
    if book.find(name) is None:
        known = ", ".join(voice.name for voice in book.voices) or "nobody"
        raise ValidationError(f"The voice-book does not know {check_name(name)!r}.", hint=f"It knows {known}.")
    return replace(book, voices=tuple(_others(book, name)))


def check_model(book: VoiceBook, model: str, digest: str) -> None:
    """Check that the book's voices were made with the model.

    Raises:
        ValidationError: They were made with another one.
    """
    if book.voices and (book.model, book.digest) != (model, digest):
        other = book.model if book.model != model else f"another version of {model}"
        raise ValidationError(
            f"The voice-book was made with {other} and says nothing about voices heard with {model}.",
            hint="Use the preset it was made with, or enrol its voices again in a new one.",
        )


def _check_length(book: VoiceBook, voice: Voice) -> None:
    lengths = {len(each.vector) for each in (*book.voices, voice)}
    if len(lengths) > 1:
        raise ValidationError(
            "The voice-book was changed: its vectors are not as long as those of its model.",
            hint="Enrol its voices again in a new one.",
        )


def check_name(name: str) -> str:
    """Return the name as one line.

    Raises:
        ValidationError: The name is empty or too long.
    """
    cleaned = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    if not cleaned or len(cleaned) > MAX_NAME_CHARS:
        raise ValidationError("The name of a voice cannot be used.", hint=f"Give it 1 to {MAX_NAME_CHARS} characters.")
    return cleaned


def _others(book: VoiceBook, name: str) -> Iterator[Voice]:
    return (voice for voice in book.voices if voice.name != name)
