"""When words begin and end, against the phoneme times of the synthesiser that says them.

    .venv/bin/python -m tests.bench.recognition_times [--set quick|speech] [--half tune|held] [--again]
        [--fresh diarize transcribe]

Clips and stages are those of `speech_seams`. Judged are the words of the transcript whose text is right and whose
place in their line is known exactly. A word stands after a pause when nobody is heard in the `PAUSE_SECONDS`
before it, and before one likewise. A line's last word ends where its sound falls 34 dB below the line's peak.
`--again` needs no truth: each word is cut out of the clip by its times, a second of silence stands between two,
and the recogniser hears them again. Words cut by the true times say how many it loses in any case.
"""

import argparse
import difflib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline.audio import io as audio_io
from pipeline.types import Diarization, SpeakerSegment, Transcript
from tests.bench import speech_set
from tests.bench.speech_cached import CachedStages, cached_stages
from tests.bench.speech_scores import normalise
from tests.bench.speech_seams import PlacedWord, SeamCase, cases, heard_words, match_words
from tests.bench.speech_stages import align

PAUSE_SECONDS = 0.25
MAX_MEDIAN_ERROR_S, MAX_P95_ERROR_S = 0.035, 0.150
RATE = 16_000
SILENCE_SECONDS = 1.0
"""Between two words that are heard again."""


@dataclass(slots=True)
class TimeErrors:
    """Seconds by which words begin or end too late."""

    starts: list[float] = field(default_factory=list[float])
    ends: list[float] = field(default_factory=list[float])
    starts_after_pause: list[float] = field(default_factory=list[float])
    ends_before_pause: list[float] = field(default_factory=list[float])

    def rows(self) -> dict[str, list[float]]:
        """The errors by kind of edge."""
        return {
            "starts": self.starts,
            "  after a pause": self.starts_after_pause,
            "ends": self.ends,
            "  before a pause": self.ends_before_pause,
        }


def collect_errors(truth: Sequence[PlacedWord], heard: Sequence[PlacedWord], errors: TimeErrors) -> None:
    """Add the errors of one clip."""
    edges = np.array([(word.start, word.end) for word in truth])
    for row, column in match_words(truth, heard):
        true, found = truth[row], heard[column]
        if not true.exact or true.text != found.text:
            continue
        others = np.delete(edges, row, axis=0)
        start, end = found.start - true.start, found.end - true.end
        errors.starts.append(start)
        errors.ends.append(end)
        if not ((others[:, 1] > true.start - PAUSE_SECONDS) & (others[:, 0] < true.start)).any():
            errors.starts_after_pause.append(start)
        if not ((others[:, 0] < true.end + PAUSE_SECONDS) & (others[:, 1] > true.end)).any():
            errors.ends_before_pause.append(end)


def show(errors: TimeErrors, console: Console) -> None:
    """Print medians and what 95 % stay below."""
    table = Table("edge", "words", "median", "median |error|", "95 %", "bars", box=None)
    for name, values in errors.rows().items():
        if not values:
            continue
        size = np.abs(values)
        middle, most = float(np.median(size)), float(np.quantile(size, 0.95))
        met = middle <= MAX_MEDIAN_ERROR_S and most <= MAX_P95_ERROR_S
        table.add_row(
            name,
            str(len(values)),
            f"{1000 * np.median(values):+.0f} ms",
            f"{1000 * middle:.0f} ms",
            f"{1000 * most:.0f} ms",
            "" if name.startswith(" ") else "met" if met else "missed",
        )
    console.print(table)


def lost_again(speech: Path, words: Sequence[PlacedWord], stages: CachedStages) -> int:
    """Cut the words out, hear them again, and count those that are not recognised any more."""
    samples = audio_io.read(speech)[:, 0]
    silence = np.zeros(round(SILENCE_SECONDS * RATE), np.float32)
    parts, spans, at = [silence], list[tuple[float, float]](), SILENCE_SECONDS
    for word in words:
        part = samples[max(0, round(word.start * RATE)) : round(word.end * RATE)]
        parts += [part, silence]
        spans.append((at, at + len(part) / RATE))
        at += len(part) / RATE + SILENCE_SECONDS
    segments = tuple(SpeakerSegment(start=start, end=end, speaker="S1") for start, end in spans)
    with tempfile.TemporaryDirectory(prefix="stemcord-") as folder:
        cut, diarization = Path(folder) / "cut.flac", Path(folder) / "diarization.json"
        audio_io.write(cut, np.concatenate(parts)[:, None], RATE, subtype="PCM_16")
        diarization.write_bytes(
            msgspec.json.encode(Diarization(speakers=("S1",), segments=segments, exclusive=segments))
        )
        found = msgspec.json.decode(stages.transcribe(cut, diarization).read_bytes())
    again = [text for word in found["words"] for text in normalise(word["text"]).split()]
    blocks = difflib.SequenceMatcher(None, [word.text for word in words], again, autojunk=False).get_matching_blocks()
    return len(words) - sum(block.size for block in blocks)


def judge(case: SeamCase, stages: CachedStages, out: Path, errors: TimeErrors) -> tuple[Path, list[PlacedWord]]:
    """Run a clip through the stages, and add its errors; the words that were heard."""
    speech = stages.prepare(case.sound)
    diarization = stages.diarize(speech)
    aligned = align(speech, diarization, stages.transcribe(speech, diarization), out, stages.models)
    heard = heard_words(msgspec.json.decode(aligned.transcript.read_bytes(), type=Transcript))
    collect_errors(case.words(), heard, errors)
    return speech, heard


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=("quick", "speech"), default="speech", dest="kind")
    parser.add_argument("--half", choices=("tune", "held"), default="held")
    parser.add_argument("--clips", nargs="+", default=None)
    parser.add_argument("--again", action="store_true", help="cut each word out and recognise it again")
    parser.add_argument("--fresh", nargs="+", default=(), choices=("diarize", "transcribe"))
    parser.add_argument("--results", type=Path, default=speech_set.cache() / "bench-stages")
    asked = parser.parse_args()
    console = Console(width=120)
    errors, words, lost = TimeErrors(), 0, np.zeros(2, int)
    with cached_stages(asked.results, asked.fresh) as stages:
        for case in cases(asked.kind, asked.half):
            if asked.clips is not None and case.name not in asked.clips:
                continue
            speech, heard = judge(case, stages, asked.results / "align" / case.name, errors)
            if asked.again:
                truth = case.words()
                pairs = [
                    (row, column) for row, column in match_words(truth, heard) if truth[row].text == heard[column].text
                ]
                words += len(pairs)
                lost += [
                    lost_again(speech, [heard[column] for _, column in pairs], stages),
                    lost_again(speech, [truth[row] for row, _ in pairs], stages),
                ]
    show(errors, console)
    if asked.again:
        rates = f"{lost[0] / words:.1%} are lost, cut by the true times {lost[1] / words:.1%}"
        console.print(f"of {words} words heard again alone {rates}", highlight=False)


if __name__ == "__main__":
    main()
