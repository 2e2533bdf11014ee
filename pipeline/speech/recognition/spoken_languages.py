"""Which language a clip is in, and which of its words are in another."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from msgspec import UNSET

from pipeline.languages import language_name
from pipeline.speech.recognition.base import UNKNOWN_LANGUAGE
from pipeline.types import Word


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenWords:
    """Words, each of which says its language only where it is another than the clip's."""

    language: str
    words: tuple[Word, ...]


def settle_languages(words: Sequence[Word], asked: str | None) -> SpokenWords:
    """Find the language of a clip: the one that was asked for, or that of most words.

    Args:
        words: Each says its language.
        asked: ISO 639-1.
    """
    counts = Counter(str(word.language) for word in words)
    language = asked or next((code for code, _ in counts.most_common(1)), UNKNOWN_LANGUAGE)
    settled = (replace(word, language=UNSET) if word.language == language else word for word in words)
    return SpokenWords(language=language, words=tuple(settled))


def name_languages(words: Sequence[Word], language: str) -> Sequence[Word]:
    """Have each word say its language again; `language` is that of those that do not."""
    return [word if isinstance(word.language, str) else replace(word, language=language) for word in words]


def languages_notes(words: Sequence[Word], language: str) -> tuple[str, ...]:
    """Say for people that several languages are spoken, where they are."""
    spoken = dict.fromkeys(str(word.language) for word in name_languages(words, language))
    return (f"Several languages are spoken: {', '.join(map(language_name, spoken))}.",) if len(spoken) > 1 else ()
