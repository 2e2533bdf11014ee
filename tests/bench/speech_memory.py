"""Peak memory of telling the speakers apart, for a short and a long talk.

    .venv/bin/python -m tests.bench.speech_memory [--minutes 10 60]

The sample's dialogue over and over, through the `diarize` stage as a job runs it, each length in a process
of its own; the peak is of the whole process with its models.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from pipeline.audio import io as audio_io
from pipeline.models.loader import Models
from tests.bench.speech_cases import DATA
from tests.bench.speech_stages import diarize

RATE = 16_000
MAX_PEAK_MB = 3000


def measure(minutes: float) -> dict[str, float]:
    """Diarize in this process; its peak in MB, the seconds it took and the number of speakers."""
    spoken = DATA / "sample.speech.flac"
    talk = audio_io.resample(audio_io.to_mono(audio_io.read(spoken)), audio_io.info(spoken).sample_rate, RATE)
    with tempfile.TemporaryDirectory(prefix="stemcord-bench-") as folder:
        speech = Path(folder) / "speech.flac"
        left = int(60 * minutes * RATE)
        with audio_io.SoundWriter(speech, sample_rate=RATE, channels=1, subtype="PCM_16") as writer:
            while left:
                block = np.ascontiguousarray(talk[:left])
                writer.write(block)
                left -= len(block)
        began = time.perf_counter()
        output = diarize(speech, Path(folder) / "out", Models(Path(folder) / "home", "cpu"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"peak": peak, "seconds": time.perf_counter() - began, "speakers": output.speakers}


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, nargs="+", default=[10, 60])
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        print(json.dumps(measure(asked.minutes[0])))
        return
    for minutes in asked.minutes:
        command = [sys.executable, "-m", "tests.bench.speech_memory", "--here", "--minutes", str(minutes)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=4 * 3600)
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        verdict = "pass" if found["peak"] < MAX_PEAK_MB else "miss"
        print(
            f"{minutes:g} minutes: {found['peak']:.0f} MB (bar {MAX_PEAK_MB}: {verdict}), "
            f"{found['seconds']:.0f} s, {found['speakers']:.0f} speakers",
            flush=True,
        )


if __name__ == "__main__":
    main()
