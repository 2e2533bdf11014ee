"""Attribution of words to speakers, by time first and by the sentence that a word stands in second."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.speech.alignment.sentences import ends_sentence
from pipeline.speech.diarization.segments import Timeline, by_speaker
from pipeline.types import Diarization, Word

MAX_SPEAKER_DISTANCE_SECONDS = 1.0
"""A word in silence goes to the nearest speaker within this distance, else to the speaker before."""
WORD_TIME_ERROR_SECONDS = 0.25
"""By which a recogniser's word times may be off."""
MAX_REASSIGNED_WORDS = 2
"""A longer run inside a sentence is a real change of speaker."""
SENTENCE_PAUSE_SECONDS = 1.5
"""A longer pause ends a sentence that has no full stop."""
FALLBACK_SPEAKER = "S1"
"""The speaker when words were recognised and no voice was heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenWord:
    """A word and its speaker."""

    word: Word
    speaker: str


def attribute_words(words: Sequence[Word], diarization: Diarization) -> list[SpokenWord]:
    """Give each word to a speaker.

    Args:
        words: In order of time.
        diarization: When each speaker is heard.
    """
    exclusive = by_speaker(diarization.exclusive)
    placed: list[SpokenWord] = []
    for word in words:
        speaker = _speaker_by_time(word, exclusive)
        if speaker is None:
            speaker = placed[-1].speaker if placed else _first_speaker(diarization)
        placed.append(SpokenWord(word=word, speaker=speaker))
    timelines = by_speaker(diarization.segments)
    return [word for sentence in split_sentences(placed) for word in _reassign_short_runs(sentence, timelines)]


def split_sentences(words: Sequence[SpokenWord]) -> Iterator[list[SpokenWord]]:
    """Split words after each that ends a sentence, and at long pauses."""
    sentence: list[SpokenWord] = []
    for spoken in words:
        if sentence and _ends_before(sentence[-1], spoken):
            yield sentence
            sentence = []
        sentence.append(spoken)
    if sentence:
        yield sentence


def _ends_before(last: SpokenWord, following: SpokenWord) -> bool:
    paused = following.word.start - last.word.end > SENTENCE_PAUSE_SECONDS
    return paused or ends_sentence(last.word.text, following.word.text)


def _first_speaker(diarization: Diarization) -> str:
    return diarization.speakers[0] if diarization.speakers else FALLBACK_SPEAKER


def _speaker_by_time(word: Word, timelines: Mapping[str, Timeline]) -> str | None:
    """Find the speaker who covers most of the word, else the nearest one within reason."""
    covered = {name: timeline.covered_duration(word.start, word.end) for name, timeline in timelines.items()}
    best = max(covered, key=lambda speaker: covered[speaker], default=None)
    if best is not None and covered[best] > 0.0:
        return best
    distances = {name: timeline.distance(word.start, word.end) for name, timeline in timelines.items()}
    nearest = min(distances, key=lambda speaker: distances[speaker], default=None)
    return nearest if nearest is not None and distances[nearest] <= MAX_SPEAKER_DISTANCE_SECONDS else None


def _reassign_short_runs(sentence: list[SpokenWord], timelines: Mapping[str, Timeline]) -> Iterator[SpokenWord]:
    """Give short runs of a sentence to its main speaker where time allows it."""
    main, count = Counter(spoken.speaker for spoken in sentence).most_common(1)[0]
    for run in _split_runs(sentence):
        short = run[0].speaker != main and len(run) <= MAX_REASSIGNED_WORDS and 2 * len(run) <= count
        if short and all(_is_plausible(spoken.word, timelines.get(main)) for spoken in run):
            yield from (replace(spoken, speaker=main) for spoken in run)
        else:
            yield from run


def _is_plausible(word: Word, timeline: Timeline | None) -> bool:
    """Tell whether the speaker is heard during most of the word, word times being as inaccurate as they are."""
    if timeline is None:
        return word.end <= word.start
    covered = timeline.covered_duration(word.start, word.end, padding=WORD_TIME_ERROR_SECONDS)
    return covered >= 0.5 * (word.end - word.start)


def _split_runs(words: Sequence[SpokenWord]) -> Iterator[list[SpokenWord]]:
    """Split words at changes of speaker."""
    run: list[SpokenWord] = []
    for spoken in words:
        if run and spoken.speaker != run[-1].speaker:
            yield run
            run = []
        run.append(spoken)
    if run:
        yield run
