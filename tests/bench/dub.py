"""A dub of the sample: other voices and other words in place of its lines, by turn, by speaker and as one track.

    .venv/bin/python -m tests.bench.dub [--voices FOLDER] [--by turn|speaker|whole|all]

The voices are made by text-to-speech (`voice_bank`). Everything else goes through `stemcord run`: transcript,
dub, and the transcript of the dubbed `final.m4a`. Starts are measured twice, as the report says them and by
looking for each computed line in the final sound. The one track has each line at the start of its turn; nothing of
it is stretched or made louder, so that what its report says of length and loudness is only told.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import jiwer
import msgspec
import numpy as np
import platformdirs
from rich.console import Console
from rich.table import Table

from pipeline.audio import io as audio_io
from pipeline.types import Transcript
from tests.bench.speech_scores import normalise
from tests.bench.spine import decode
from tests.bench.voice_bank import LINES, RATE, TEST, Reader, fetch

SAMPLE = Path(__file__).parents[1] / "data" / "sample.mp4"
MAX_START_ERROR_MS, MAX_LOUDNESS_ERROR_LU = 50.0, 1.0
"""ms and LU."""
MISSING_LINE_ERROR_MS = 1000.0
"""ms that stand for a line of which nothing is heard."""
ONSET_SECONDS = 0.25
"""Seconds of a line's beginning that are looked for; more would differ too much once it is stretched."""
SEARCH_SECONDS = 0.3
"""Seconds before and after the turn's start in which it is looked for."""
DUB_KINDS = ("turn", "speaker", "whole")
PAUSE_SECONDS = 1.2
"""Seconds between two lines of a speaker's file."""


def stemcord(home: Path, *arguments: str | Path) -> None:
    """Run the command as a person does."""
    command = [str(Path(sys.executable).with_name("stemcord")), "run", *map(str, arguments)]
    done = subprocess.run(
        command, env={**os.environ, "STEMCORD_HOME": str(home)}, capture_output=True, text=True, timeout=900
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")


def choose_lines(transcript: Transcript) -> list[str]:
    """For each turn the line, not used yet, whose length is nearest to what the turn said."""
    left = LINES.read_text(encoding="utf-8").splitlines()
    chosen = list[str]()
    for turn in transcript.turns:
        line = min(left, key=lambda text: abs(len(text) - len(turn.text)))
        left.remove(line)
        chosen.append(line)
    return chosen


def speak(transcript: Transcript, lines: list[str], voices: Path) -> list[audio_io.Samples]:
    """The lines, each speaker with a voice of its own."""
    fetch(voices)
    reader = Reader(voices)
    voice = {speaker.id: TEST[4 * index % len(TEST)] for index, speaker in enumerate(transcript.speakers)}
    return [reader.say(line, voice[turn.speaker]) for turn, line in zip(transcript.turns, lines, strict=True)]


def save_turns(folder: Path, said: list[audio_io.Samples]) -> None:
    """One file per turn, with silence around it."""
    folder.mkdir()
    for number, samples in enumerate(said, start=1):
        padded = np.pad(samples, ((RATE // 3, RATE // 2), (0, 0)))
        audio_io.write(folder / f"turn-{number:03}.wav", padded, RATE, subtype="PCM_16")


def save_speakers(folder: Path, transcript: Transcript, said: list[audio_io.Samples]) -> None:
    """One file per speaker, the lines one after the other."""
    folder.mkdir()
    pause = np.zeros((round(PAUSE_SECONDS * RATE), 1), np.float32)
    for speaker in transcript.speakers:
        own = [samples for turn, samples in zip(transcript.turns, said, strict=True) if turn.speaker == speaker.id]
        whole = np.concatenate([part for samples in own for part in (samples, pause)])
        audio_io.write(folder / f"{speaker.name}.wav", whole, RATE, subtype="PCM_16")


def save_whole(path: Path, transcript: Transcript, said: list[audio_io.Samples]) -> None:
    """One track as long as the clip, each line at the start of its turn, over the end of the one before if need be."""
    whole = np.zeros((round(transcript.duration * RATE), 1), np.float32)
    for turn, samples in zip(transcript.turns, said, strict=True):
        part = whole[round(turn.start * RATE) :][: len(samples)]
        part += samples[: len(part)]
    audio_io.write(path, whole, RATE, subtype="PCM_16")


def find_starts(final: Path, transcript: Transcript, said: list[audio_io.Samples]) -> list[float]:
    """Milliseconds from each turn's start to where its line begins in the final sound, by correlation."""
    mixed = decode(final, RATE, 1)[:, 0]
    errors = list[float]()
    for turn, samples in zip(transcript.turns, said, strict=True):
        head = samples[: round(ONSET_SECONDS * RATE), 0].astype(np.float64)
        first = max(0, round((turn.start - SEARCH_SECONDS) * RATE))
        window = mixed[first : round((turn.start + SEARCH_SECONDS + ONSET_SECONDS) * RATE)]
        power = np.convolve(window**2, np.ones(len(head)), "valid")
        likeness = np.abs(np.correlate(window, head, "valid")) / np.sqrt(power + 1e-9)
        errors.append(1000 * ((first + int(np.argmax(likeness))) / RATE - turn.start))
    return errors


def word_errors(expected: list[str], transcript: Transcript) -> float:
    """Word error rate, per cent."""
    heard = " ".join(turn.text for turn in transcript.turns)
    return 100 * float(jiwer.wer(normalise(" ".join(expected)), normalise(heard)))


def show(console: Console, name: str, report: dict[str, Any], starts: list[float], *, matched: bool) -> bool:
    """One row per line, worst first; True when every bar is held, that of loudness where lines are matched in it."""
    table = Table(
        "turn", "slot s", "line s", "stretch %", "start ms", "found ms", "over s", "short s", "LU", title=name
    )
    for line in report["lines"]:
        numbers = [line[key] for key in ("turn_length", "line_length", "stretch_percent", "start_error_ms")]
        found_at = None if line["turn"] is None else starts[line["turn"] - 1]
        further = [found_at, line["overrun"], line["short"], line["loudness_difference"]]
        shown = ("-" if number is None else f"{number:.2f}" for number in (*numbers, *further))
        table.add_row("-" if line["turn"] is None else str(line["turn"]), *shown)
    console.print(table)
    told = max(
        MISSING_LINE_ERROR_MS if line["start_error_ms"] is None else abs(line["start_error_ms"])
        for line in report["lines"]
    )
    found = max(map(abs, starts))
    loudness = max(abs(line["loudness_difference"] or 0.0) for line in report["lines"])
    console.print(
        f"{name}: starts within {told:.1f} ms by the report and {found:.0f} ms by correlation "
        f"(bar {MAX_START_ERROR_MS:.0f}), "
        f"loudness within {loudness:.1f} LU ({f'bar {MAX_LOUDNESS_ERROR_LU:.0f}' if matched else 'as it came'}), "
        f"worst line: turn {report['lines'][0]['turn']}"
    )
    return max(told, found) <= MAX_START_ERROR_MS and (loudness <= MAX_LOUDNESS_ERROR_LU or not matched)


def read_transcript(folder: Path) -> Transcript:
    return msgspec.json.decode((folder / "transcript.json").read_bytes(), type=Transcript)


def main() -> None:
    """Dub the sample and print how each line fits and what is heard of the dub."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(platformdirs.user_cache_dir("stemcord")) / "bench-voices"
    parser.add_argument("--voices", type=Path, default=default, help="folder of the text-to-speech")
    parser.add_argument("--by", choices=(*DUB_KINDS, "all"), default="all")
    options = parser.parse_args()
    console = Console(width=120)
    with tempfile.TemporaryDirectory(prefix="dub-bench-") as folder:
        here = Path(folder)
        home = here / "home"
        stemcord(home, SAMPLE, "--task", "transcribe", "--out", here / "original")
        transcript = read_transcript(here / "original")
        lines = choose_lines(transcript)
        said = speak(transcript, lines, options.voices)
        held = True
        for by in DUB_KINDS if options.by == "all" else (options.by,):
            dub, out, again = (here / f"{by}-{name}" for name in ("voices", "out", "heard"))
            if by == "turn":
                save_turns(dub, said)
            elif by == "speaker":
                save_speakers(dub, transcript, said)
            else:
                dub = dub.with_suffix(".wav")
                save_whole(dub, transcript, said)
            task = "all" if by == "whole" else "remix"
            stemcord(home, SAMPLE, "--task", task, "--dub", dub, "--out", out)
            report = msgspec.json.decode((out / "dub-report.json").read_bytes())
            starts = find_starts(out / "final.m4a", transcript, said)
            name = "one whole track" if by == "whole" else f"one file per {by}"
            held = show(console, name, report, starts, matched=by != "whole") and held
            stemcord(home, out / "final.m4a", "--task", "transcribe", "--out", again)
            errors = word_errors(lines, read_transcript(again))
            before = word_errors(lines, transcript)
            console.print(
                f"WER of the dubbed final.m4a: {errors:.1f} % (the original against the same text: {before:.0f} %)"
            )
    raise SystemExit(0 if held else 1)


if __name__ == "__main__":
    main()
