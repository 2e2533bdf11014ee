"""Words at the seams: how many of the words near a change of speaker go to the wrong one.

    .venv/bin/python -m tests.bench.speech_seams [--set quick|speech] [--half tune|held] [--clips NAME ...]
        [--fresh diarize transcribe]

`quick` is the set of `speech_exchanges`, `speech` the labelled set of `speech_set`. A change is where the word that
begins next, of whatever voice, is another voice's; a word is near it within `SEAM_SECONDS`. Heard words are matched to
true ones by text and time, each to one at most; speakers are those that give the most right words. Words that
nobody heard are no seam errors: WER counts them. WER is of all words in order of time, whoever said them; cpWER - WER
is what wrong speakers cost. Diarization hears the whole mix. Results of the stages before the alignment are
kept (`speech_cached`).
"""

import argparse
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import jiwer
import msgspec
import numpy as np
from pyannote.core import Annotation, Segment
from rich.console import Console
from rich.table import Table
from scipy import optimize

from pipeline.audio import io as audio_io
from pipeline.types import Diarization, Transcript
from tests.bench import speech_exchanges, speech_set
from tests.bench.speech_cached import CachedStages, cached_stages
from tests.bench.speech_scores import normalise, read_rttm, score_diarization, score_words
from tests.bench.speech_stages import align

SEAM_SECONDS = 1.0
MAX_SHIFT_SECONDS = 1.0
"""Between a heard word and the true one of the same text."""
MAX_MISHEARD_SHIFT_SECONDS = 0.3
"""Between a heard word and the true one, where the text is another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedWord:
    """A word, when it is said and by whom."""

    text: str
    """Without case and punctuation."""
    start: float
    end: float
    speaker: str
    exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SeamScore:
    """Counts of one clip, or of several."""

    near: int = 0
    """Matched words near a change of speaker."""
    near_wrong: int = 0
    """Of these, those of the wrong speaker."""
    matched: int = 0
    wrong: int = 0
    words: int = 0
    errors: int = 0
    speaker_errors: int = 0
    """Of cpWER."""
    der_errors: float = 0.0
    speech: float = 0.0

    def __add__(self, other: "SeamScore") -> "SeamScore":
        return SeamScore(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class SeamCase:
    """A clip with its truth."""

    name: str
    speakers: int
    sound: Path

    def words(self) -> list[PlacedWord]:
        """All true words in order of their beginnings; those of a recording are spread over its speech."""
        turns = json.loads(self.sound.with_name(f"{self.name}.turns.json").read_text(encoding="utf-8"))
        words = [word for turn in turns for word in _turn_words(turn)]
        return sorted(words, key=lambda word: (word.start, word.end))


def _turn_words(turn: dict[str, object]) -> list[PlacedWord]:
    timed = turn["words"]
    assert isinstance(timed, list)
    if not timed:
        texts = str(turn["text"]).split()
        edges = np.cumsum([0, *(len(text) + 1 for text in texts)], dtype=float)
        edges = float(str(turn["start"])) + edges / edges[-1] * (float(str(turn["end"])) - float(str(turn["start"])))
        timed = [(text, first, last, False) for text, first, last in zip(texts, edges, edges[1:], strict=False)]
    return [
        PlacedWord(text=normalise(text), start=first, end=last, speaker=str(turn["speaker"]), exact=exact)
        for text, first, last, exact in timed
    ]


def cases(kind: str, half: str) -> list[SeamCase]:
    """The clips of a half of a set, which is built when it is not there."""
    folder = speech_set.cache() / f"bench-{kind}"
    if kind == "quick":
        clips = [(clip.name, clip.speakers) for clip in speech_exchanges.build(folder, [half])]
    else:
        clips = [(clip.name, clip.speakers) for clip in speech_set.build(folder, [half]) if clip.half == half]
    return [SeamCase(name=name, speakers=count, sound=folder / f"{name}.flac") for name, count in clips]


def heard_words(transcript: Transcript) -> list[PlacedWord]:
    """The words of a transcript in order of their beginnings."""
    words = [
        PlacedWord(text=normalise(word.text), start=word.start, end=word.end, speaker=turn.speaker)
        for turn in transcript.turns
        for word in turn.words
    ]
    return sorted((word for word in words if word.text), key=lambda word: (word.start, word.end))


def match_words(truth: Sequence[PlacedWord], heard: Sequence[PlacedWord]) -> list[tuple[int, int]]:
    """Match each true word to the heard one of its text nearby, or else to a misheard one at its place."""
    if not truth or not heard:
        return []
    middles = [np.array([(word.start + word.end) / 2 for word in side]) for side in (truth, heard)]
    shift = np.abs(middles[0][:, None] - middles[1][None])
    same = np.array([[true.text == word.text for word in heard] for true in truth])
    gain = np.where(same, 3.0 - shift / MAX_SHIFT_SECONDS, 1.0 - shift / MAX_MISHEARD_SHIFT_SECONDS)
    gain = np.where(shift <= np.where(same, MAX_SHIFT_SECONDS, MAX_MISHEARD_SHIFT_SECONDS), gain, 0.0)
    rows, columns = optimize.linear_sum_assignment(gain, maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if gain[row, column] > 0.0]


def near_changes(truth: Sequence[PlacedWord]) -> list[bool]:
    """Tell of each true word whether it is near a change of speaker."""
    changes = np.array(
        [
            (before.end + after.start) / 2
            for before, after in itertools.pairwise(truth)
            if before.speaker != after.speaker
        ]
    )
    return [
        bool(((changes >= word.start - SEAM_SECONDS) & (changes <= word.end + SEAM_SECONDS)).any()) for word in truth
    ]


def score_seams(truth: Sequence[PlacedWord], heard: Sequence[PlacedWord]) -> SeamScore:
    """Score the speakers of matched words, WER and cpWER."""
    pairs = match_words(truth, heard)
    right = _same_speaker(truth, heard, pairs)
    near = near_changes(truth)
    said, true = ([(word.speaker, word.text) for word in side] for side in (heard, truth))
    speaker_errors, words = score_words(said, true)
    counted = jiwer.process_words(" ".join(text for _, text in true), " ".join(text for _, text in said))
    return SeamScore(
        near=sum(near[row] for row, _ in pairs),
        near_wrong=sum(near[row] and not same for (row, _), same in zip(pairs, right, strict=True)),
        matched=len(pairs),
        wrong=sum(not same for same in right),
        words=words,
        errors=counted.substitutions + counted.deletions + counted.insertions,
        speaker_errors=speaker_errors,
    )


def _same_speaker(
    truth: Sequence[PlacedWord], heard: Sequence[PlacedWord], pairs: Sequence[tuple[int, int]]
) -> list[bool]:
    """Tell of each pair whether its speaker is right, with the names that make most of them right."""
    names = [list(dict.fromkeys(word.speaker for word in side)) for side in (truth, heard)]
    together = np.zeros((len(names[0]), len(names[1])))
    for row, column in pairs:
        together[names[0].index(truth[row].speaker), names[1].index(heard[column].speaker)] += 1
    rows, columns = optimize.linear_sum_assignment(together, maximize=True)
    named = {names[1][column]: names[0][row] for row, column in zip(rows, columns, strict=True)}
    return [named.get(heard[column].speaker) == truth[row].speaker for row, column in pairs]


def score_case(case: SeamCase, stages: CachedStages, out: Path) -> SeamScore:
    """Run a clip through the stages and score it."""
    speech = stages.prepare(case.sound)
    diarization = stages.diarize(speech)
    recognition = stages.transcribe(speech, diarization)
    duration = audio_io.info(speech).duration
    aligned = align(speech, diarization, recognition, out, stages.models)
    score = score_seams(
        case.words(), heard_words(msgspec.json.decode(aligned.transcript.read_bytes(), type=Transcript))
    )
    voices = Annotation()
    for track, part in enumerate(msgspec.json.decode(aligned.voices.read_bytes(), type=Diarization).segments):
        voices[Segment(part.start, part.end), track] = part.speaker
    found = score_diarization(voices, read_rttm(case.sound.with_suffix(".rttm")), duration)
    der = SeamScore(der_errors=found.missed + found.false_alarm + found.confusion, speech=found.speech)
    return score + der


def show(scores: Sequence[tuple[SeamCase, SeamScore]], console: Console) -> None:
    """Print the figures by number of speakers and together."""
    table = Table("clips", "of", "words", "near", "wrong near", "wrong", "WER", "cpWER", "cpWER-WER", "DER", box=None)
    for count in (*sorted({case.speakers for case, _ in scores}), None):
        own = [score for case, score in scores if count in (None, case.speakers)]
        total = sum(own, SeamScore())
        table.add_row(
            "all" if count is None else f"{count} voices",
            str(len(own)),
            str(total.words),
            str(total.near),
            f"{total.near_wrong / max(1, total.near):.2%}",
            f"{total.wrong / max(1, total.matched):.2%}",
            f"{total.errors / total.words:.2%}",
            f"{total.speaker_errors / total.words:.2%}",
            f"{(total.speaker_errors - total.errors) / total.words:.2%}",
            f"{total.der_errors / total.speech:.2%}",
        )
    console.print(table)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=("quick", "speech"), default="quick", dest="kind")
    parser.add_argument("--half", choices=("tune", "held"), default="held")
    parser.add_argument("--clips", nargs="+", default=None)
    parser.add_argument("--fresh", nargs="+", default=(), choices=("diarize", "transcribe"))
    parser.add_argument("--results", type=Path, default=speech_set.cache() / "bench-stages")
    asked = parser.parse_args()
    console = Console(width=120)
    scores: list[tuple[SeamCase, SeamScore]] = []
    with cached_stages(asked.results, asked.fresh) as stages:
        for case in cases(asked.kind, asked.half):
            if asked.clips is None or case.name in asked.clips:
                score = score_case(case, stages, asked.results / "align" / case.name)
                scores.append((case, score))
                console.print(
                    f"{case.name:<16}{score.near_wrong:>3} of {score.near:<4} near a change wrong", highlight=False
                )
    show(scores, console)


if __name__ == "__main__":
    main()
