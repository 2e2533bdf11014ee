"""How surely a known voice is found again: EER, the calibration of naming, and what naming by it gets right.

    .venv/bin/python -m tests.bench.voices

Voices of `voice_bank` and real readers of `speech_set`, in parts without a synthetic voice in common; the part
`test` also has the two people of the phone call that pyannote.audio ships. Each is enrolled from some
lines and met again in others: clean, behind noise at 10 dB, through a telephone, and for a second and a half only; once
with everybody in the voice-book and once as a stranger, without the person who is met. "similar" are the people, half
of them, whose enrolled voice is most like another one of the book. The calibration is fitted on the part `tune`; the
figures that count are those of `test`, and of `held`, whose voices have an accent that no other has. A false accept
is a stranger who is named, a false reject a person of the book who is not or by another's name. Intervals are Wilson's,
95 %, as if all meetings were of different people, so they are somewhat too narrow.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pyannote.database.util import load_rttm
from rich.console import Console
from rich.table import Table
from scipy import optimize, signal, stats

from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples
from pipeline.catalog import PRESETS
from pipeline.models.loader import Models
from pipeline.speech.diarization.segments import spans_alone
from pipeline.speech.speakers.embedding_model import SAMPLE_RATE, SpeakerEncoder, load_speaker_encoder
from pipeline.speech.speakers.matching import (
    CALIBRATION_OFFSET,
    CALIBRATION_SLOPE,
    MIN_NAMING_PROBABILITY,
    Voice,
    cosine_similarity,
    match_voice,
    mean_voice,
    same_speaker_probability,
)
from pipeline.types import Preset, SpeakerSegment
from tests.bench import route_set, speech_set, voice_bank

Numbers: TypeAlias = NDArray[np.float64]
Truth: TypeAlias = NDArray[np.bool_]
CONDITIONS = ("clean", "noise", "phone", "short")
SHORT_SECONDS = 1.5
ENROLLED_LINES = 5
"""Lines from which each voice is enrolled; it is met again in the others."""
NOISE_RATIO_DB = 10.0
"""dB by which the noise is quieter than the voice."""
MEETING_LINES = (1, 3)
"""Lines in which a voice is met at a time."""
PARTS = ("tune", "test", "held")
"""The first to fit on, the others to report."""
THRESHOLDS = (0.5, 0.7, 0.8, 0.85, 0.9, 0.95)
CALIBRATION_BINS = 10
"""Of the calibration error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A voice met again."""

    person: str
    condition: str
    voice: Voice


def lines_of(half: str) -> dict[str, list[Samples]]:
    """What each person of a half says, as mono sound at 16 kHz."""
    cache = speech_set.cache()
    route_set.fetch(cache / "bench-sounds")
    voice_bank.build(cache / "bench-voices")
    bank = voice_bank.load(cache / "bench-voices", half)
    bank |= speech_set._recorded(cache / "bench-sounds", speech_set.READERS[half])
    spoken = {
        name: [audio_io.resample(line.samples, voice_bank.RATE, SAMPLE_RATE) for line in lines]
        for name, lines in bank.items()
    }
    return spoken | (phone_call() if half == "test" else {})


def phone_call() -> dict[str, list[Samples]]:
    """The two people of pyannote.audio's sample, each in segments of their own."""
    package = find_spec("pyannote.audio")
    assert package is not None
    assert package.origin is not None
    folder = Path(package.origin).parent / "sample"
    annotation = next(iter(load_rttm(folder / "sample.rttm").values()))
    segments = [
        SpeakerSegment(start=part.start, end=part.end, speaker=str(label))
        for part, _, label in annotation.itertracks(yield_label=True)
    ]
    samples = audio_io.to_mono(audio_io.read(folder / "sample.wav"))
    spoken: dict[str, list[Samples]] = {}
    for segment in segments:
        spoken.setdefault(f"phone {segment.speaker}", [])
    for name in spoken:
        for start, end in spans_alone(segments, name.removeprefix("phone ")):
            if end - start >= 1.0:
                spoken[name].append(samples[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)])
    return spoken


def through(samples: Samples, condition: str, chance: np.random.Generator) -> Samples:
    """The line as it is met."""
    if condition == "noise":
        noise = np.asarray(signal.lfilter([1.0], [1.0, -0.9], chance.standard_normal(len(samples))))
        level = np.sqrt(np.mean(samples**2) / np.mean(noise**2)) * 10 ** (-NOISE_RATIO_DB / 20)
        return (samples + level * noise[:, None]).astype(np.float32)
    if condition == "phone":
        band: Any = signal.butter(4, (300, 3400), "bandpass", fs=SAMPLE_RATE, output="sos")
        return np.asarray(signal.sosfilt(band, samples, axis=0), np.float32)
    if condition == "short":
        kept = min(len(samples), round(SHORT_SECONDS * SAMPLE_RATE))
        first = (len(samples) - kept) // 2
        return samples[first : first + kept]
    return samples


def voices_of(half: str, encode: SpeakerEncoder) -> tuple[list[Voice], list[Meeting]]:
    """Everybody enrolled, and everybody met again."""
    chance = np.random.default_rng(7)
    known, met = list[Voice](), list[Meeting]()
    for person, lines in lines_of(half).items():
        enrolled = join(person, lines[: min(ENROLLED_LINES, len(lines) // 2)], encode)
        known += [] if enrolled is None else [enrolled]
        for condition in CONDITIONS:
            heard = [
                (embed(line, encode), len(line) / SAMPLE_RATE)
                for line in (
                    through(line, condition, chance) for line in lines[min(ENROLLED_LINES, len(lines) // 2) :][:5]
                )
            ]
            for size in MEETING_LINES if condition != "short" else (1,):
                for start in range(0, len(heard) - size + 1, size):
                    part = heard[start : start + size]
                    voice = mean_voice(person, [vector for vector, _ in part], [length for _, length in part])
                    met += [] if voice is None else [Meeting(person=person, condition=condition, voice=voice)]
    return known, met


def join(person: str, lines: Sequence[Samples], encode: SpeakerEncoder) -> Voice | None:
    """One voice from several lines."""
    vectors = [embed(line, encode) for line in lines]
    return mean_voice(person, vectors, [len(line) / SAMPLE_RATE for line in lines])


def embed(line: Samples, encode: SpeakerEncoder) -> NDArray[np.float32]:
    """The embedding of a line, shape (samples, 1)."""
    return encode(np.ascontiguousarray(line.T))[0]


def trials(known: Sequence[Voice], met: Sequence[Meeting]) -> tuple[Numbers, Truth]:
    """Cosine and truth of every pair."""
    pairs = [(voice, each) for each in met for voice in known]
    cosines = np.array([cosine_similarity(voice, each.voice) for voice, each in pairs])
    return cosines, np.array([voice.name == each.person for voice, each in pairs])


def equal_error(scores: Numbers, same: Truth) -> tuple[float, float]:
    """The equal error rate and the score at which it lies."""
    points = np.sort(scores)
    missed = np.array([np.mean(scores[same] < point) for point in points])
    false = np.array([np.mean(scores[~same] >= point) for point in points])
    place = int(np.argmin(np.abs(missed - false)))
    return float((missed[place] + false[place]) / 2), float(points[place])


def nearest(known: Sequence[Voice], met: Sequence[Meeting]) -> tuple[Numbers, Truth]:
    """Likeness to the nearest voice of the book, and whether it is that person; two values for each meeting.

    First all meetings with everybody in the book, then all of them as strangers.
    """
    cosines = np.array([[cosine_similarity(voice, each.voice) for voice in known] for each in met])
    own = np.array([[voice.name == each.person for voice in known] for each in met])
    right = own[np.arange(len(met)), cosines.argmax(axis=1)]
    strangers = np.where(own, -1.0, cosines).max(axis=1)
    return np.concatenate((cosines.max(axis=1), strangers)), np.concatenate((right, np.zeros(len(met), np.bool_)))


def fit(cosines: Numbers, right: Truth) -> Numbers:
    """Slope and level of the likeliest logistic curve (Platt 2000)."""
    signs = np.where(right, 1.0, -1.0)

    def loss(x: Numbers) -> float:
        return float(np.mean(np.logaddexp(0, -signs * (x[0] * cosines + x[1]))))

    options = {"maxiter": 4000}
    return np.asarray(optimize.minimize(loss, np.array([10.0, -5.0]), method="Nelder-Mead", options=options).x)


def calibration_error(chance: Numbers, right: Truth) -> float:
    """Mean distance of how sure it was from how often it was right: the expected error (Naeini et al. 2015)."""
    places = np.minimum((chance * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    parts = [places == place for place in range(CALIBRATION_BINS)]
    return float(sum(abs(np.sum(chance[part] - right[part])) for part in parts) / len(chance))


def similar_people(known: Sequence[Voice]) -> set[str]:
    """The half of the people whose voice is most like another one of the book."""
    likeness = {
        voice.name: max(cosine_similarity(voice, other) for other in known if other.name != voice.name)
        for voice in known
    }
    return {*sorted(likeness, key=lambda name: likeness[name], reverse=True)[: len(known) // 2]}


def with_interval(count: int, whole: int) -> str:
    """A share with its interval of 95 % (Wilson 1927)."""
    interval = stats.binomtest(count, whole).proportion_ci(method="wilson")
    return f"{count / whole:.1%} ({interval.low:.1%} to {interval.high:.1%})"


def show_naming(known: Sequence[Voice], met: Sequence[Meeting], console: Console) -> None:
    """Who gets a name, once with everybody in the book and once without the person who is met."""
    table = Table("met", "meetings", "wrong", "false rejects", "false accepts", box=None)
    similar = similar_people(known)
    rows = {condition: [each for each in met if each.condition == condition] for condition in CONDITIONS}
    rows |= {"similar": [each for each in met if each.person in similar], "all": list(met)}
    for row, part in rows.items():
        found = [match_voice(each.voice, known).name for each in part]
        right = sum(name == each.person for name, each in zip(found, part, strict=True))
        named = sum(name is not None for name in found)
        others = [
            match_voice(each.voice, [voice for voice in known if voice.name != each.person]).name for each in part
        ]
        strangers = sum(name is not None for name in others)
        rejects = with_interval(len(part) - right, len(part))
        table.add_row(row, str(len(part)), str(named - right), rejects, with_interval(strangers, len(part)))
    console.print(table)


def show_thresholds(chance: Numbers, right: Truth, console: Console) -> None:
    """False accepts and rejects for other probabilities to name from."""
    half = len(chance) // 2
    for least in THRESHOLDS:
        accepted = int(np.sum(chance[half:] >= least))
        rejected = int(np.sum(~(right[:half] & (chance[:half] >= least))))
        console.print(
            f"  from {least:.2f}: false accepts {with_interval(accepted, half)}, "
            f"false rejects {with_interval(rejected, half)}"
        )


def main() -> None:
    """Print everything for all parts."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as home:
        encode = load_speaker_encoder(Models(Path(home), "cpu"), PRESETS[Preset.POCKET].embedding)
        for half in PARTS:
            known, met = voices_of(half, encode)
            cosines, same = trials(known, met)
            rate, place = equal_error(cosines, same)
            best, right = nearest(known, met)
            fitted = fit(best, right)
            chance = np.array([same_speaker_probability(cosine) for cosine in best])
            console.print(f"\n[bold]{half}[/bold]: {len(known)} voices, {same.sum()} + {(~same).sum()} trials")
            console.print(f"EER {rate:.2%} at cosine {place:.3f}")
            console.print(f"same  1, 5, 50 %:   {np.percentile(cosines[same], [1, 5, 50]).round(3)}")
            console.print(f"other 50, 95, 99 %: {np.percentile(cosines[~same], [50, 95, 99]).round(3)}")
            console.print(
                f"calibration error {calibration_error(chance, right):.3f}; fitted here: slope {fitted[0]:.1f}, "
                f"offset {fitted[1]:.1f}; used {CALIBRATION_SLOPE}, {CALIBRATION_OFFSET}"
            )
            console.print(f"names are given from {MIN_NAMING_PROBABILITY:g} sure:")
            show_naming(known, met, console)
            show_thresholds(chance, right, console)


if __name__ == "__main__":
    main()
