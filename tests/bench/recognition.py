"""Recognition: speed against the library's own method, invented words, word times, memory.

    .venv/bin/python -m tests.bench.recognition [speed] [nonspeech] [times] [memory] [--runs 3] [--minutes 10 60]
        [--seconds 600] [--kinds silence rain music …]

Every part by default. speed: whole files, both methods in turn on warm models, with the words in which they differ.
nonspeech: ten minutes of each kind of `tests.bench.nonspeech`, through the whole chain and by the recogniser
alone when told that somebody speaks all the time; no word may come out. times: word starts on the sample
against `tests/data/sample.words.json`. memory: the peak of the recogniser's process on long speech, and
whether the last words are late.
Times are of this machine at this moment: read the ratios.
"""

import argparse
import difflib
import json
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import platformdirs
from rich.console import Console
from rich.table import Table

from deploy.local.worker_process import worker_python
from pipeline.audio import io as audio_io
from pipeline.models.loader import Models
from pipeline.types import Diarization
from tests.bench.nonspeech import NOISES, write_music, write_noise
from tests.bench.route_set import fetch, voices
from tests.bench.speech_scores import normalise
from tests.bench.speech_stages import diarize, prepare_speech
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
SAMPLE, WORDS = ROOT / "tests/data/sample.speech.flac", ROOT / "tests/data/sample.words.json"
HEARD_RATE = 16_000
PARTS = ("speed", "nonspeech", "times", "memory")
MAX_SPEED_RATIO, MAX_RTF = 0.6, 0.6 * 0.32
"""Of the library's seconds; seconds for a second of sound on two cores."""
MAX_MEDIAN_ERROR_S, MAX_P95_ERROR_S = 0.060, 0.200
MAX_PEAK_MIB = 3 * 1024
MAX_DRIFT_S = 0.040
NON_SPEECH_SECONDS = 600
KINDS = (*NOISES, "music")
PART, CYCLE = 40, 160
"""Seconds of each recording in the long speech, and after which it comes again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run of `tests.bench.recogniser_runs` tells."""

    seconds: float
    busy: float
    """Seconds of processor time."""
    peak: float
    """MiB."""
    text: str
    words: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class RecogniserProcess:
    """A running child that recognises the same file again and again."""

    process: "subprocess.Popen[str]"

    def run(self) -> Run:
        """Once more."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("The recogniser's process ended without an answer: run tests/bench/recogniser_runs.py.")
        return msgspec.json.decode(line, type=Run)


@contextmanager
def started(method: str, home: Path, speech: Path, *options: str | Path) -> Generator[RecogniserProcess]:
    """A child in the recogniser's environment; what it logs is dropped."""
    python = worker_python("asr", WorkerSettings())
    command = [str(part) for part in (python, ROOT / "tests/bench/recogniser_runs.py", method, home, speech, *options)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield RecogniserProcess(process)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


@dataclass(slots=True)
class Bench:
    """A scratch folder, a home for converted weights, and where to print."""

    folder: Path
    console: Console
    sounds: Path
    _number: int = 0

    @property
    def home(self) -> Path:
        """Converted weights, made once."""
        return self.folder / "home"

    def new_folder(self) -> Path:
        """A folder for a stage of its own."""
        self._number += 1
        return self.folder / f"stage{self._number}"

    def prepare_speech(self, path: Path) -> Path:
        """What the speech models hear of a sound."""
        return prepare_speech(path, self.new_folder(), Models(self.home, "cpu"))

    def diarize(self, speech: Path) -> Path:
        """Who is heard when."""
        return diarize(speech, self.new_folder(), Models(self.home, "cpu")).diarization

    def long_speech(self, seconds: float) -> Path:
        """Speech of several people and rooms in turn, as what the speech models hear."""
        path = self.folder / f"speech-{seconds:.0f}.flac"
        parts = list(voices(self.sounds).values())
        with audio_io.SoundWriter(path, sample_rate=44_100, channels=1, subtype="PCM_16") as writer:
            for index in range(int(np.ceil(seconds / PART))):
                writer.write(parts[index % len(parts)])
        return self.prepare_speech(path)

    def verdict(self, name: str, figure: str, *, met: bool) -> None:
        """One line for a bar."""
        self.console.print(f"{name:<32}{figure:<36}{'pass' if met else 'MISS'}", highlight=False)


def bench_speed(bench: Bench, runs: int) -> None:
    """Both methods in turn on the sample and on three minutes of other speech."""
    for name, speech in (("sample", bench.prepare_speech(SAMPLE)), ("3 min", bench.long_speech(180))):
        duration = audio_io.info(speech).duration
        options = ("--language", "en")
        diarization = bench.diarize(speech)
        with (
            started("ours", bench.home, speech, "--diarization", diarization, *options) as ours,
            started("library", bench.home, speech, *options) as library,
        ):
            pairs = [(ours.run(), library.run()) for _ in range(runs)]
        ratio = float(np.median([ours.seconds / library.seconds for ours, library in pairs]))
        busy = float(np.median([ours.busy / library.busy for ours, library in pairs]))
        factors = [float(np.median([pair[method].seconds for pair in pairs])) / duration for method in (0, 1)]
        bench.console.print(f"{name}: ours {factors[0]:.3f}, library {factors[1]:.3f} s for a second of sound")
        bench.verdict(
            f"{name}: ours / library", f"{ratio:.2f} (processor time {busy:.2f})", met=ratio <= MAX_SPEED_RATIO
        )
        bench.verdict(f"{name}: real-time factor", f"{factors[0]:.3f}", met=factors[0] <= MAX_RTF)
        differences = differing(pairs[-1][1].text, pairs[-1][0].text)
        bench.console.print(f"{name}: library → ours: {differences or 'the same words'}", highlight=False)


def differing(before: str, after: str) -> str:
    """Where two texts differ, as `these words → those words`."""
    first, second = normalise(before).split(), normalise(after).split()
    edits = difflib.SequenceMatcher(None, first, second, autojunk=False).get_opcodes()
    return "; ".join(
        f"{' '.join(first[a:b]) or '-'} → {' '.join(second[c:d]) or '-'}" for tag, a, b, c, d in edits if tag != "equal"
    )


def bench_nonspeech(bench: Bench, seconds: float, kinds: Sequence[str]) -> None:
    """Words in sound where nobody speaks."""
    table = Table("sound", "words, whole chain", "speech found, s", "words, told that somebody speaks", box=None)
    total = 0
    for name in kinds:
        path = bench.folder / "nothing.flac"
        write_music(bench.sounds, path, seconds) if name == "music" else write_noise(name, path, seconds)
        speech = bench.prepare_speech(path)
        diarization = bench.diarize(speech)
        with started("ours", bench.home, speech, "--diarization", diarization) as chain:
            whole = chain.run()
        with started("ours", bench.home, speech) as alone:
            forced = alone.run()
        segments = msgspec.json.decode(diarization.read_bytes(), type=Diarization).segments
        found = sum(segment.end - segment.start for segment in segments)
        table.add_row(name, show(whole), f"{found:.1f}", show(forced))
        total += len(whole.words) + len(forced.words)
        bench.console.print(f"{name}: {len(whole.words)}, {len(forced.words)} words")
    bench.console.print(table)
    bench.verdict(f"words in {seconds:.0f} s of each", str(total), met=total == 0)


def show(run: Run) -> str:
    """How many words, and the first of them."""
    return f"{len(run.words)} {run.text[:60]}".strip()


def bench_times(bench: Bench) -> None:
    """Word starts on the sample."""
    speech = bench.prepare_speech(SAMPLE)
    with started("ours", bench.home, speech, "--diarization", bench.diarize(speech), "--language", "en") as ours:
        words = ours.run().words
    errors = start_errors(words, json.loads(WORDS.read_text(encoding="utf-8")))
    median, most = (float(np.quantile(np.abs(errors), part)) for part in (0.5, 0.95))
    bench.console.print(f"{len(errors)} words found, bias {np.median(errors) * 1000:+.0f} ms")
    bench.verdict("word starts: median error", f"{median * 1000:.0f} ms", met=median <= MAX_MEDIAN_ERROR_S)
    bench.verdict("word starts: 95 %", f"{most * 1000:.0f} ms", met=most <= MAX_P95_ERROR_S)


def start_errors(words: Sequence[dict[str, Any]], truth: Sequence[dict[str, Any]]) -> list[float]:
    """Seconds by which each word that both have begins too late."""
    said, true = ([normalise(word["text"]) for word in side] for side in (words, truth))
    blocks = difflib.SequenceMatcher(None, said, true, autojunk=False).get_matching_blocks()
    pairs = [(words[block.a + n], truth[block.b + n]) for block in blocks for n in range(block.size)]
    return [found["start"] - right["start"] for found, right in pairs]


def bench_memory(bench: Bench, minutes: Sequence[float]) -> None:
    """The peak of the recogniser's process on long speech, all of it taken for speech."""
    for length in minutes:
        with started("ours", bench.home, bench.long_speech(60 * length), "--language", "en") as ours:
            run = ours.run()
        last = run.words[-1]["end"] if run.words else 0.0
        bench.console.print(f"{length:g} min: {len(run.words)} words, the last at {last:.0f} s, {run.seconds:.0f} s")
        bench.verdict(f"peak on {length:g} min", f"{run.peak:.0f} MiB", met=run.peak <= MAX_PEAK_MIB)
        offset = CYCLE * int((60 * length - PART) // CYCLE)
        shift = late_shift(run.words, offset)
        bench.verdict(
            f"words after {offset / 60:.0f} min", f"{shift * 1000:+.1f} ms late", met=abs(shift) <= MAX_DRIFT_S
        )


def late_shift(words: Sequence[dict[str, Any]], offset: float) -> float:
    """Median seconds by which the words of the first part come too late where it is heard again after `offset`."""
    first = [word for word in words if word["end"] < PART]
    again = [word for word in words if offset <= word["start"] < offset + PART]
    return float(np.median(start_errors(again, first))) - offset


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=NON_SPEECH_SECONDS, help="length of each sound without speech")
    parser.add_argument(
        "--kinds", nargs="+", choices=KINDS, default=KINDS, help="sounds without speech, all by default"
    )
    parser.add_argument("--minutes", type=float, nargs="+", default=[10, 60])
    parser.add_argument("--sounds", type=Path, default=platformdirs.user_cache_path("stemcord") / "bench-sounds")
    asked = parser.parse_args()
    parts = asked.parts or PARTS
    if not set(parts) <= set(PARTS):
        parser.error(f"parts are {', '.join(PARTS)}")
    fetch(asked.sounds)
    with tempfile.TemporaryDirectory(prefix="stemcord-") as scratch:
        bench = Bench(Path(scratch), Console(), asked.sounds)
        if "times" in parts:
            bench_times(bench)
        if "speed" in parts:
            bench_speed(bench, asked.runs)
        if "nonspeech" in parts:
            bench_nonspeech(bench, asked.seconds, asked.kinds)
        if "memory" in parts:
            bench_memory(bench, asked.minutes)


if __name__ == "__main__":
    main()
