"""Is all written that is said, once, in its own language: changes of language, and repeats.

    .venv/bin/python -m tests.bench.speech_verbatim [--set languages|repeats] [--half tune|held] [--clips NAME ...]
        [--fresh diarize transcribe] [--told] [--texts]

The sets are those of `speech_languages` and `speech_repeats`; the language is detected. Heard words are aligned with
the true ones in order of time. A phrase, which is a line or one of its repeats, is lost where half of its words or more
are missing. Words are written twice where they stand between those that are aligned and say what their neighbours say,
or are `MIN_EXCESS_WORDS` or more, as a translation beside the words is. A part, which is what is said in one language
until another comes, is in the right language where most of its heard words are. Controls have no truth after their
last word. With `--told` the recogniser is told when everybody speaks, which costs a third of the time.
"""

import argparse
import difflib
import itertools
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import jiwer
import msgspec
from rich.console import Console
from rich.table import Table

from pipeline.audio import io as audio_io
from pipeline.speech.alignment.stage import build_transcript
from pipeline.types import Diarization, Recognition, SpeakerSegment, Transcript
from tests.bench import speech_languages, speech_repeats, speech_set
from tests.bench.speech_cached import CachedStages, cached_stages
from tests.bench.speech_scores import normalise, read_rttm
from tests.bench.speech_seams import PlacedWord, heard_words, score_seams
from tests.bench.speech_stages import align

LOST_SHARE = 0.5
"""Of the words of a phrase that are missing."""
MIN_EXCESS_WORDS = 3
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
MIN_LIKENESS = 0.7
"""Of words to their neighbours, from which on they are these once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TruePhrase:
    """What is said at one go."""

    texts: tuple[str, ...]
    start: float
    end: float
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerbatimScore:
    """Counts of one clip, or of several."""

    clips: int = 0
    clean: int = 0
    """Nothing twice, no phrase lost, every part in its language."""
    words: int = 0
    errors: int = 0
    twice: int = 0
    phrases: int = 0
    lost: int = 0
    parts: int = 0
    right_parts: int = 0
    matched: int = 0
    wrong_speaker: int = 0

    def __add__(self, other: "VerbatimScore") -> "VerbatimScore":
        return VerbatimScore(
            **{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VerbatimCase:
    """A clip with its truth."""

    name: str
    kind: str
    sound: Path
    is_control: bool
    repeats: tuple[int, ...] = ()
    """How many phrases each line has, where one line says several."""

    def turns(self) -> list[dict[str, object]]:
        """The lines, in order of time."""
        found: list[dict[str, object]] = json.loads(
            self.sound.with_name(f"{self.name}.turns.json").read_text(encoding="utf-8")
        )
        return sorted(found, key=lambda turn: float(str(turn["start"])))


def cases(kind: str, half: str, names: Collection[str] = ()) -> list[VerbatimCase]:
    """The clips of a half of a set, or those of these names, which are built when they are not there."""
    folder = speech_set.cache() / f"bench-{kind}"
    if kind == "languages":
        return [
            VerbatimCase(name=clip.name, kind=kind, sound=folder / f"{clip.name}.flac", is_control=False)
            for clip in speech_languages.build(folder, [half], names)
        ]
    return [
        VerbatimCase(
            name=clip.name,
            kind=kind,
            sound=folder / f"{clip.name}.flac",
            is_control=clip.is_control,
            repeats=tuple(count for _, times in clip.lines for count in ([times] if clip.at_once else [1] * times)),
        )
        for clip in speech_repeats.build(folder, [half], names)
    ]


def read_truth(case: VerbatimCase) -> tuple[list[PlacedWord], list[TruePhrase]]:
    """The words of a clip in order of time, and its phrases."""
    words: list[PlacedWord] = []
    phrases: list[TruePhrase] = []
    turns = case.turns()
    for turn, times in zip(turns, case.repeats or [1] * len(turns), strict=True):
        timed = turn["words"]
        assert isinstance(timed, list)
        own = [
            PlacedWord(text=each, start=start, end=end, speaker=str(turn["speaker"]), exact=exact)
            for text, start, end, exact in timed
            for each in spell(text)
        ]
        words += own
        for first in range(0, len(own), len(own) // times):
            part = own[first : first + len(own) // times]
            phrases.append(
                TruePhrase(
                    texts=tuple(word.text for word in part),
                    start=part[0].start,
                    end=part[-1].end,
                    language=str(turn["language"]),
                )
            )
    return words, phrases


def score_texts(phrases: Sequence[TruePhrase], heard: Sequence[str]) -> VerbatimScore:
    """Score heard words, in order, against what is said."""
    true = [text for phrase in phrases for text in phrase.texts]
    edges = list(itertools.accumulate((len(phrase.texts) for phrase in phrases), initial=0))
    found = jiwer.process_words(" ".join(true), " ".join(heard))
    missing, twice = [0] * len(phrases), 0
    for chunk in found.alignments[0]:
        if chunk.type == "delete":
            for place, (first, past) in enumerate(itertools.pairwise(edges)):
                missing[place] += max(0, min(past, chunk.ref_end_idx) - max(first, chunk.ref_start_idx))
        elif chunk.type == "insert" and _is_twice(heard, chunk.hyp_start_idx, chunk.hyp_end_idx):
            twice += chunk.hyp_end_idx - chunk.hyp_start_idx
    lost = sum(gone >= LOST_SHARE * len(phrase.texts) for gone, phrase in zip(missing, phrases, strict=True))
    return VerbatimScore(
        words=len(true),
        errors=found.substitutions + found.deletions + found.insertions,
        twice=twice,
        phrases=len(phrases),
        lost=lost,
    )


def spell(text: str) -> list[str]:
    """Part a text into plain words, with small numbers written out."""
    words = normalise(text.replace("-", " ")).split()
    return [NUMBERS[int(word)] if word.isdecimal() and int(word) < len(NUMBERS) else word for word in words]


def _is_twice(heard: Sequence[str], first: int, past: int) -> bool:
    """Tell whether words that nobody says are those before or after them once more, or very many."""
    count = past - first
    own = " ".join(heard[first:past])
    sides = (" ".join(heard[max(0, first - count) : first]), " ".join(heard[past : past + count]))
    return count >= MIN_EXCESS_WORDS or any(
        difflib.SequenceMatcher(None, own, side, autojunk=False).ratio() >= MIN_LIKENESS for side in sides
    )


def parts_of(phrases: Sequence[TruePhrase]) -> Iterator[tuple[str, float, float]]:
    """Language, beginning and end of each part."""
    for language, group in itertools.groupby(phrases, key=lambda phrase: phrase.language):
        own = list(group)
        yield language, own[0].start, own[-1].end


def score_languages(phrases: Sequence[TruePhrase], transcript: Transcript) -> VerbatimScore:
    """Count the parts whose words are in the right language for the most part."""
    parts = list(parts_of(phrases))
    placed = [
        ((word.start + word.end) / 2, word.language or transcript.language)
        for turn in transcript.turns
        for word in turn.words
    ]
    right = 0
    for language, start, end in parts:
        inside = [found == language for middle, found in placed if start <= middle <= end]
        right += 2 * sum(inside) > len(inside)
    return VerbatimScore(parts=len(parts), right_parts=right)


def transcribe(case: VerbatimCase, stages: CachedStages, out: Path, *, told: bool) -> Transcript:
    """Run a clip through the stages."""
    speech = stages.prepare(case.sound)
    if not (told or case.is_control):
        diarization = stages.diarize(speech)
        aligned = align(speech, diarization, stages.transcribe(speech, diarization), out, stages.models)
        return msgspec.json.decode(aligned.transcript.read_bytes(), type=Transcript)
    known = told_all_the_time(speech) if case.is_control else read_speakers(case.sound.with_suffix(".rttm"))
    out.mkdir(parents=True, exist_ok=True)
    diarization = out / "told.json"
    diarization.write_bytes(msgspec.json.encode(known))
    recognition = msgspec.json.decode(stages.transcribe(speech, diarization).read_bytes(), type=Recognition)
    return build_transcript(recognition, known, duration=audio_io.info(speech).duration)[0]


def score_case(case: VerbatimCase, transcript: Transcript) -> VerbatimScore:
    """Score what is written of a clip."""
    words, phrases = read_truth(case)
    heard = heard_words(transcript)
    seams = score_seams(words, heard)
    score = (
        score_texts(phrases, [text for turn in transcript.turns for text in spell(turn.text)])
        + score_languages(phrases, transcript)
        + VerbatimScore(matched=seams.matched, wrong_speaker=0 if case.is_control else seams.wrong)
    )
    clean = score.twice == 0 and score.lost == 0 and score.parts == score.right_parts
    return score + VerbatimScore(clips=1, clean=int(clean))


def told_all_the_time(speech: Path) -> Diarization:
    """One voice that is heard from the beginning to the end."""
    whole = (SpeakerSegment(start=0.0, end=audio_io.info(speech).duration, speaker="S1"),)
    return Diarization(speakers=("S1",), segments=whole, exclusive=whole)


def read_speakers(rttm: Path) -> Diarization:
    """When everybody speaks, in truth; nobody speaks while another does in these sets."""
    segments = tuple(
        SpeakerSegment(start=part.start, end=part.end, speaker=str(name))
        for part, _, name in cast("Any", read_rttm(rttm)).itertracks(yield_label=True)
    )
    names = tuple(dict.fromkeys(segment.speaker for segment in segments))
    return Diarization(speakers=names, segments=segments, exclusive=segments)


def show(scores: Sequence[tuple[str, VerbatimScore]], console: Console) -> None:
    """Print the figures of each clip, and of all."""
    table = Table(
        "clip", "words", "WER", "twice", "phrases lost", "parts in their language", "wrong voice", "clean", box=None
    )
    total = sum((score for _, score in scores), VerbatimScore())
    for name, score in (*scores, ("all", total)):
        table.add_row(
            name,
            str(score.words),
            f"{score.errors / max(1, score.words):.1%}",
            str(score.twice),
            f"{score.lost} of {score.phrases}",
            f"{score.right_parts} of {score.parts}",
            f"{score.wrong_speaker} of {score.matched}",
            f"{score.clean} of {score.clips}",
        )
    console.print(table)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=("languages", "repeats"), default="languages", dest="kind")
    parser.add_argument("--half", choices=("tune", "held"), default="held")
    parser.add_argument("--clips", nargs="+", default=())
    parser.add_argument("--fresh", nargs="+", default=(), choices=("diarize", "transcribe"))
    parser.add_argument("--told", action="store_true", help="tell the recogniser when everybody speaks")
    parser.add_argument("--texts", action="store_true", help="print what is written")
    parser.add_argument("--results", type=Path, default=speech_set.cache() / "bench-stages")
    asked = parser.parse_args()
    console = Console(width=140)
    scores: list[tuple[str, VerbatimScore]] = []
    with cached_stages(asked.results, asked.fresh, language=None) as stages:
        for case in cases(asked.kind, asked.half, asked.clips):
            transcript = transcribe(case, stages, asked.results / "align" / case.name, told=asked.told)
            scores.append((case.name, score_case(case, transcript)))
            if asked.texts:
                console.print(case.name, style="bold", highlight=False)
                for turn in transcript.turns:
                    console.print(f"  {turn.start:6.1f} {turn.speaker}: {turn.text}", highlight=False)
    show(scores, console)


if __name__ == "__main__":
    main()
