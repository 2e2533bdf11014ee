"""Who said what, scored on the labelled set of `speech_set`, on the sample and on a real phone call.

    .venv/bin/python -m tests.bench.speech [--set FOLDER] [--half tuning|held|all|none] [--diarization]
        [--input chosen|mix|vocals] [--clips NAME ...]

Every clip goes through the project's own queue, workers and stages (`--task transcribe`), so DER, the
number of speakers, WER, cpWER and the times of words are those that a person gets. `--diarization`
runs `prepare_speech` and `diarize` alone, in this process, which is quicker; it hears what a job chooses.
DER has no collar and counts overlaps. Word times are judged where the truth knows them: at the first
and the last word of a turn.
What the diarization goes by was chosen on the tuning half; the figures that count are those of what is held out.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import jiwer
import msgspec
from pyannote.core import Annotation, Segment
from rich.console import Console
from rich.table import Table

from deploy.cli.output import write_result
from pipeline.audio import io as audio_io
from pipeline.models.loader import Models
from pipeline.types import Diarization, SpeakerSegment, Task, Transcript
from tests.bench import speech_set
from tests.bench.speech_cases import Case, own_cases, set_cases
from tests.bench.speech_scores import normalise, read_rttm, score_diarization, score_words
from tests.bench.speech_stages import diarize, extract, prepare_speech, separate_vocals
from tests.bench.spine import run_job, running_system

BARS = {"sample": "DER ≤ 6 %, cpWER ≤ 3 %", "phone": "2 speakers, DER ≤ 6 %, WER ≤ 22 %"}
WORDS = ("WER", "cpWER", "95 % word")
MIN_COUNT_ACCURACY, MAX_MEAN_DER = 0.85, 0.10
HALVES = {"tuning": speech_set.TUNING, "held": ("held",)}
"""Parts of the set by half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What one clip scored; the counts of words are None without recognition."""

    case: Case
    speakers: int
    missed: float
    false_alarm: float
    confusion: float
    speech: float
    duration: float
    words: int = 0
    errors: int = 0
    speaker_errors: int = 0
    """Of cpWER."""
    offsets: tuple[float, ...] = ()
    """Seconds by which first and last words are off."""
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    """What each stage took in its engine."""

    @property
    def der(self) -> float:
        return (self.missed + self.false_alarm + self.confusion) / self.speech

    @property
    def right(self) -> bool:
        return self.speakers == self.case.speakers


@contextmanager
def timed(stage: str, seconds: dict[str, float]) -> Iterator[None]:
    """Note what a stage took."""
    began = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - began


def diarize_here(cases: Iterable[Case], source: str, tell: Callable[[Score], None]) -> list[Score]:
    """The diarization alone, in this process, on the mix, on the voices, or on what a job chooses."""
    scores: list[Score] = []
    with tempfile.TemporaryDirectory(prefix="stemcord-bench-") as scratch:
        models = Models(Path(scratch) / "home", "auto")
        for case in cases:
            place = Path(scratch) / case.name
            seconds: dict[str, float] = {}
            sounds = {"mix": extract(case.sound, place / "extract", models)}
            if source != "mix":
                with timed("separate", seconds):
                    sounds["vocals"] = separate_vocals(sounds["mix"], place / "separate", models)
            with timed("prepare_speech", seconds):
                heard = {name: prepare_speech(path, place / name, models) for name, path in sounds.items()}
            speech = heard["vocals" if source == "vocals" else "mix"]
            with timed("diarize", seconds):
                output = diarize(speech, place / "diarize", models, heard["vocals"] if source == "chosen" else None)
            found = msgspec.json.decode(output.diarization.read_bytes(), type=Diarization)
            scores.append(judge_voices(case, found.segments, audio_io.info(speech).duration, seconds))
            tell(scores[-1])
    return scores


def judge_voices(case: Case, segments: Iterable[SpeakerSegment], duration: float, seconds: dict[str, float]) -> Score:
    """DER and the number of speakers."""
    heard = Annotation()
    for track, part in enumerate(segments):
        heard[Segment(part.start, part.end), track] = part.speaker
    return _scored(case, heard, duration, seconds)


def _scored(case: Case, heard: Annotation, duration: float, seconds: dict[str, float]) -> Score:
    found = score_diarization(heard, read_rttm(case.rttm), duration)
    return Score(
        case=case,
        speakers=len(heard.labels()),
        missed=found.missed,
        false_alarm=found.false_alarm,
        confusion=found.confusion,
        speech=found.speech,
        duration=duration,
        seconds=seconds,
    )


async def transcribe_all(cases: Iterable[Case], tell: Callable[[Score], None]) -> list[Score]:
    """The whole `transcribe` job of each clip, through the queue."""
    scores: list[Score] = []
    with tempfile.TemporaryDirectory(prefix="stemcord-bench-") as folder:
        async with running_system(Path(folder)) as (queue, store):
            for case in cases:
                source = await store.put(case.sound, name=case.sound.name)
                result, _ = await run_job(queue, source, Task.TRANSCRIBE, fresh=True)
                out = Path(folder) / "out" / case.name
                await write_result(result, store, out)
                seconds: dict[str, float] = {}
                for timing in result.timings:
                    seconds[timing.stage] = seconds.get(timing.stage, 0.0) + timing.engine_seconds
                scores.append(judge_words(case, out, seconds))
                tell(scores[-1])
    return scores


def judge_words(case: Case, out: Path, seconds: dict[str, float]) -> Score:
    """Everything that a finished folder can be judged by."""
    transcript = msgspec.json.decode((out / "transcript.json").read_bytes(), type=Transcript)
    voices = _scored(case, read_rttm(out / "transcript.rttm"), transcript.duration, seconds)
    said = [(turn.speaker, turn.text) for turn in transcript.turns]
    speaker_errors, words = score_words(said, case.turns)
    truth, heard = (normalise(" ".join(text for _, text in turns)) for turns in (case.turns, said))
    counted = jiwer.process_words(truth, heard)
    return replace(
        voices,
        words=words,
        errors=counted.substitutions + counted.deletions + counted.insertions,
        speaker_errors=speaker_errors,
        offsets=_offsets(case, transcript),
    )


def _offsets(case: Case, transcript: Transcript) -> tuple[float, ...]:
    """How far the nearest heard word begins from each true turn's start, and ends from its end."""
    words = [word for turn in transcript.turns for word in turn.words]
    if not words:
        return ()
    starts = (min(abs(word.start - start) for word in words) for start, _ in case.edges)
    ends = (min(abs(word.end - end) for word in words) for _, end in case.edges)
    return (*starts, *ends)


def show(scores: Sequence[Score], console: Console) -> None:
    """The set's figures by half, by number of speakers and by background, then the single clips."""
    table = Table(
        "clips", "of", "count right", "DER", "missed", "false", "confused", "WER", "cpWER", "95 % word", box=None
    )
    for half, parts in HALVES.items():
        own = [score for score in scores if score.case.group in parts]
        if not own:
            continue
        _row(table, half, own, style="bold")
        for speakers in sorted({score.case.speakers for score in own}):
            _row(table, f"  {speakers} speakers", [score for score in own if score.case.speakers == speakers])
        for background in dict.fromkeys(score.case.background for score in own):
            _row(table, f"  {background}", [score for score in own if score.case.background == background])
    for score in scores:
        if score.case.group in BARS:
            _row(table, score.case.group, [score], style="bold")
    console.print(table)
    length = sum(score.duration for score in scores)
    for stage in dict.fromkeys(stage for score in scores for stage in score.seconds):
        spent = sum(score.seconds.get(stage, 0.0) for score in scores)
        console.print(f"real-time factor of {stage:<12}{spent / length:.3f}")
    _judge(scores, console)


def _judge(scores: Sequence[Score], console: Console) -> None:
    """The bars, and what was reached of them."""
    for group, bar in BARS.items():
        if any(score.case.group == group for score in scores):
            console.print(f"bars of the {group}: {bar}", highlight=False)
    for half, parts in HALVES.items():
        _verdict(half, parts, [score for score in scores if score.case.group in parts], console)


def _row(table: Table, name: str, scores: Sequence[Score], style: str = "") -> None:
    speech = sum(score.speech for score in scores)
    words = sum(score.words for score in scores)
    offsets = sorted(offset for score in scores for offset in score.offsets)
    table.add_row(
        name,
        str(len(scores)),
        f"{sum(score.right for score in scores) / len(scores):.0%}",
        f"{statistics.mean(score.der for score in scores):.2%}",
        *(f"{part / speech:.2%}" for part in _parts(scores)),
        f"{sum(score.errors for score in scores) / words:.2%}" if words else "",
        f"{sum(score.speaker_errors for score in scores) / words:.2%}" if words else "",
        f"{1000 * offsets[int(0.95 * len(offsets))]:.0f} ms" if offsets else "",
        style=style,
    )


def _parts(scores: Sequence[Score]) -> tuple[float, float, float]:
    return (
        sum(score.missed for score in scores),
        sum(score.false_alarm for score in scores),
        sum(score.confusion for score in scores),
    )


def _verdict(half: str, parts: Sequence[str], scores: Sequence[Score], console: Console) -> None:
    if scores:
        seeds = ", ".join(f"({speech_set.HALVES.index(part)}, clip)" for part in parts)
        console.print(f"{half}: {len(scores)} clips, seeds {seeds}", highlight=False)
        right = sum(score.right for score in scores) / len(scores)
        der = statistics.mean(score.der for score in scores)
        for what, figure, met in (
            (f"speakers right on {right:.1%}", f"{MIN_COUNT_ACCURACY:.0%}", right >= MIN_COUNT_ACCURACY),
            (f"mean DER {der:.2%}", f"{MAX_MEAN_DER:.0%}", der <= MAX_MEAN_DER),
        ):
            console.print(f"{half}: {what} (bar {figure}: {'met' if met else 'missed'})", highlight=False)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, default=speech_set.cache() / "bench-speech", dest="folder")
    parser.add_argument("--half", choices=(*HALVES, "all", "none"), default="all")
    parser.add_argument("--diarization", action="store_true", help="no recognition")
    parser.add_argument(
        "--input", choices=("chosen", "mix", "vocals"), default="chosen", help="what --diarization hears"
    )
    parser.add_argument("--clips", nargs="+", help="only the clips of these names", default=None)
    asked = parser.parse_args()
    console = Console(width=130)
    parts = {**HALVES, "all": speech_set.HALVES, "none": ()}[asked.half]
    cases = own_cases() + (set_cases(asked.folder, parts) if parts else [])
    cases = [case for case in cases if asked.clips is None or case.name in asked.clips]

    def tell(score: Score) -> None:
        words = f"  WER {score.errors / score.words:.1%}" if score.words else ""
        line = f"{score.speakers} of {score.case.speakers} speakers  DER {score.der:.1%}{words}"
        console.print(f"{score.case.name:<10}{score.case.background:<10}{line}", highlight=False)

    here = asked.diarization
    scores = diarize_here(cases, asked.input, tell) if here else asyncio.run(transcribe_all(cases, tell))
    show(scores, console)


if __name__ == "__main__":
    main()
