"""Scores who-said-what against the truth: DER without a collar and with overlaps, and cpWER.

    python tests/bench/speech_scores.py OUT_DIR tests/data/sample.rttm tests/data/sample.turns.json

reads `transcript.rttm` and `transcript.json`. DER is pyannote.metrics'; cpWER (Watanabe et al. 2020) is of text made
alike by jiwer.
"""

import argparse
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import jiwer
import msgspec
import numpy as np
from pyannote.core import Annotation, Segment, Timeline
from pyannote.database.util import load_rttm
from pyannote.metrics.diarization import DiarizationErrorRate
from rapidfuzz.distance import Levenshtein
from scipy.optimize import linear_sum_assignment

from pipeline.types import Transcript


@dataclass(frozen=True, slots=True, kw_only=True)
class DiarizationScore:
    """Seconds of each kind of error and of speech; `rate` is their quotient."""

    missed: float
    false_alarm: float
    confusion: float
    speech: float

    @property
    def rate(self) -> float:
        return (self.missed + self.false_alarm + self.confusion) / self.speech


def normalise(text: str) -> str:
    """Lower case, one space, no punctuation."""
    steps = [jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.RemoveMultipleSpaces(), jiwer.Strip()]
    return str(jiwer.Compose(steps)(text))


def read_rttm(path: Path) -> Annotation:
    """The only clip of an RTTM file; an empty file is one in which nobody is heard."""
    return next(iter(load_rttm(path).values())) if path.stat().st_size else Annotation()


def score_diarization(found: Annotation, reference: Annotation, duration: float) -> DiarizationScore:
    """DER over the whole clip of `duration` seconds."""
    end = max(duration, reference.get_timeline().extent().end)
    metric = DiarizationErrorRate(collar=0.0, skip_overlap=False)
    with warnings.catch_warnings():
        # Spans that only touch after rounding are told about; they are no error.
        warnings.simplefilter("ignore", UserWarning)
        parts = cast("Any", metric)(reference, found, uem=Timeline([Segment(0.0, end)]), detailed=True)
    return DiarizationScore(
        missed=parts["missed detection"],
        false_alarm=parts["false alarm"],
        confusion=parts["confusion"],
        speech=parts["total"],
    )


def score_words(said: Sequence[tuple[str, str]], truth: Sequence[tuple[str, str]]) -> tuple[int, int]:
    """cpWER as (errors, words of the truth) of (speaker, text) pairs in order of time.

    The words of each speaker are joined, and speakers are paired so that the edit distances have the least sum; whoever
    has no partner is paired with silence (Watanabe et al. 2020; the assignment as in Neumann et al. 2023).
    """
    known, found = _streams(truth), _streams(said)
    known += [[]] * (len(found) - len(known))
    found += [[]] * (len(known) - len(found))
    distances = np.array([[Levenshtein.distance(one, other) for other in found] for one in known]).reshape(
        len(known), len(found)
    )
    return int(distances[linear_sum_assignment(distances)].sum()), sum(map(len, known))


def _streams(turns: Sequence[tuple[str, str]]) -> list[list[str]]:
    streams: dict[str, list[str]] = {}
    for speaker, text in turns:
        streams.setdefault(speaker, []).extend(normalise(text).split())
    return list(streams.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderScore:
    """What a finished folder scores against the truth."""

    speakers: int
    true_speakers: int
    diarization: DiarizationScore
    word_errors: int
    words: int

    @property
    def der(self) -> float:
        return self.diarization.rate

    @property
    def cpwer(self) -> float:
        return self.word_errors / self.words


def score_folder(out: Path, rttm: Path, turns: Path) -> FolderScore:
    """Scores `transcript.json` and `transcript.rttm` of a folder."""
    transcript = msgspec.json.decode((out / "transcript.json").read_bytes(), type=Transcript)
    truth = json.loads(turns.read_text(encoding="utf-8"))
    errors, words = score_words(
        [(turn.speaker, turn.text) for turn in transcript.turns], [(turn["speaker"], turn["text"]) for turn in truth]
    )
    return FolderScore(
        speakers=len(transcript.speakers),
        true_speakers=len({turn["speaker"] for turn in truth}),
        diarization=score_diarization(
            read_rttm(out / "transcript.rttm"), read_rttm(rttm), duration=transcript.duration
        ),
        word_errors=errors,
        words=words,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder with transcript.json and transcript.rttm")
    parser.add_argument("rttm", type=Path, help="who is heard when, in truth")
    parser.add_argument("turns", type=Path, help="JSON list of turns with speaker and text, in truth")
    asked = parser.parse_args()
    score = score_folder(asked.out, asked.rttm, asked.turns)
    der = score.diarization
    print(f"speakers  {score.speakers} of {score.true_speakers}")
    print(
        f"DER       {score.der:.2%}  (missed {der.missed:.2f} s, false {der.false_alarm:.2f} s, "
        f"confused {der.confusion:.2f} s of {der.speech:.2f} s)"
    )
    print(f"cpWER     {score.cpwer:.2%}  ({score.word_errors} of {score.words} words)")


if __name__ == "__main__":
    main()
