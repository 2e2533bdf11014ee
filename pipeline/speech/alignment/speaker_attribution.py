"""Each word to its speaker, by time first and by the sentence it stands in second."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.speech.alignment.text import ends_sentence
from pipeline.speech.diarization.segments import Timeline, by_speaker
from pipeline.types import Diarization, Word

MAX_SPEAKER_DISTANCE_SECONDS = 1.0
"""Seconds; a word in silence goes to the nearest voice within this, else to the voice before."""
WORD_TIME_ERROR_SECONDS = 0.25
"""Seconds by which a recogniser's word times may be off."""
MAX_REASSIGNED_WORDS = 2
"""Words; a longer run inside a sentence is a real change of speaker."""
SENTENCE_PAUSE_SECONDS = 1.5
"""Seconds; a longer pause ends a sentence that has no full stop."""
FALLBACK_SPEAKER = "S1"
"""Who speaks when words were heard and no voice was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenWord:
    """A word and who says it."""

    word: Word
    speaker: str


def attribute_words(words: Sequence[Word], diarization: Diarization) -> list[SpokenWord]:
    """Words, in order of time, with their speakers."""
    exclusive = by_speaker(diarization.exclusive)
    placed: list[SpokenWord] = []
    for word in words:
        speaker = _speaker_by_time(word, exclusive)
        if speaker is None:
            speaker = placed[-1].speaker if placed else _first_speaker(diarization)
        placed.append(SpokenWord(word=word, speaker=speaker))
    heard = by_speaker(diarization.segments)
    return [word for sentence in split_sentences(placed) for word in _reassign_short_runs(sentence, heard)]


def split_sentences(words: Sequence[SpokenWord]) -> Iterator[list[SpokenWord]]:
    """Words up to and with one that ends a sentence, or up to a long pause."""
    sentence: list[SpokenWord] = []
    for spoken in words:
        if sentence and spoken.word.start - sentence[-1].word.end > SENTENCE_PAUSE_SECONDS:
            yield sentence
            sentence = []
        sentence.append(spoken)
        if ends_sentence(spoken.word.text):
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _first_speaker(diarization: Diarization) -> str:
    return diarization.speakers[0] if diarization.speakers else FALLBACK_SPEAKER


def _speaker_by_time(word: Word, voices: Mapping[str, Timeline]) -> str | None:
    """The voice that covers most of the word, else the nearest one within reason."""
    covers = {speaker: timeline.covered_duration(word.start, word.end) for speaker, timeline in voices.items()}
    best = max(covers, key=lambda speaker: covers[speaker], default=None)
    if best is not None and covers[best] > 0.0:
        return best
    distances = {speaker: timeline.distance(word.start, word.end) for speaker, timeline in voices.items()}
    near = min(distances, key=lambda speaker: distances[speaker], default=None)
    return near if near is not None and distances[near] <= MAX_SPEAKER_DISTANCE_SECONDS else None


def _reassign_short_runs(sentence: list[SpokenWord], heard: Mapping[str, Timeline]) -> Iterator[SpokenWord]:
    """The sentence with short runs given to its main speaker where time allows it."""
    main, count = Counter(spoken.speaker for spoken in sentence).most_common(1)[0]
    for run in _split_runs(sentence):
        short = run[0].speaker != main and len(run) <= MAX_REASSIGNED_WORDS and 2 * len(run) <= count
        if short and all(_is_plausible(spoken.word, heard.get(main)) for spoken in run):
            yield from (replace(spoken, speaker=main) for spoken in run)
        else:
            yield from run


def _is_plausible(word: Word, timeline: Timeline | None) -> bool:
    """True when the voice is heard during most of the word, word times being as blurred as they are."""
    covered = (
        0.0 if timeline is None else timeline.covered_duration(word.start, word.end, padding=WORD_TIME_ERROR_SECONDS)
    )
    return covered >= 0.5 * (word.end - word.start)


def _split_runs(words: Sequence[SpokenWord]) -> Iterator[list[SpokenWord]]:
    run: list[SpokenWord] = []
    for spoken in words:
        if run and spoken.speaker != run[-1].speaker:
            yield run
            run = []
        run.append(spoken)
    if run:
        yield run
