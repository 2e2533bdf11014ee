"""How often a repeated phrase is written, and whether loops of the recogniser are cut.

    .venv/bin/python -m tests.bench.repetition [tune] [test] [held] [--loops] [--folder DIR]

Each clip of `tests.bench.repetition_set` is recognised as a job does it, and the times that its phrase is written are
compared with the times that it is said. Words that were misheard count as the phrase when they are repeated like it.
`--loops` forges what a decoder in a loop writes, over noise and over speech that repeats nothing, and counts the loops
of which more than one phrase is left.
"""

import argparse
import json
import re
import statistics
from pathlib import Path

from pipeline.audio import io as audio_io
from pipeline.speech.recognition.whisper.repetition import count_repeats, find_loops
from tests.bench import repetition_set, speech_set
from tests.bench.recognition import started
from tests.bench.repetition_set import RepetitionClip

RATE = 16_000
FORGED_TIMES = (3, 5, 8, 15, 30)
"""Of a forged loop."""
FORGED_SECONDS = (1.5, 3.0, 6.0, 12.0)
"""Of the stretch of sound that it is written over."""


def count_written(text: str, clip: RepetitionClip) -> int:
    """Count the phrase in a text; where it was misheard, the longest row of any one phrase."""
    spoken, phrase = (_plain(each) for each in (text, clip.phrase))
    found = sum(spoken[at : at + len(phrase)] == phrase for at in range(len(spoken)))
    if len(set(phrase)) == 1:
        found = spoken.count(phrase[0]) // len(phrase)
    if found:
        return found
    names = list(dict.fromkeys(spoken))
    loops = find_loops([names.index(word) for word in spoken])
    return max((loop.times for loop in loops), default=int(bool(spoken)))


def _plain(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def measure_part(folder: Path, home: Path, part: str) -> None:
    """Print what is written of each clip of a part, and the sum."""
    exact, errors = 0, list[int]()
    for clip in repetition_set.clips(part):
        with started("ours", home, folder / f"{clip.name}.wav", "--language", "en") as process:
            text = process.run().text
        written = count_written(text, clip)
        exact += written == clip.count
        errors.append(abs(written - clip.count))
        print(json.dumps({"clip": clip.name, "said": clip.count, "written": written, "text": text}), flush=True)
    print(f"{part}: {exact} of {len(errors)} exact, mean error {statistics.mean(errors):.2f} repeats", flush=True)


def measure_loops(folder: Path) -> None:
    """Print how many forged loops are left."""
    for part in ("noise", "plain"):
        left, total = list[str](), 0
        for clip in repetition_set.clips(part):
            samples = audio_io.read(folder / f"{clip.name}.wav")[:, 0]
            for seconds in FORGED_SECONDS:
                for times in FORGED_TIMES:
                    stretch = samples[: round(seconds * RATE)]
                    total += 1
                    if (counted := count_repeats(stretch, RATE, times, trusted=False)) > 1:
                        left.append(f"{clip.name} {seconds} s {times} -> {counted}")
        print(f"{part}: {len(left)} of {total} forged loops left", *left, sep="\n  ", flush=True)


def main() -> None:
    """Build the clips that are asked for, and measure them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*repetition_set.VOICES, []])
    parser.add_argument("--loops", action="store_true")
    parser.add_argument("--folder", type=Path, default=speech_set.cache() / "bench-repetition")
    parser.add_argument("--voices", type=Path, default=speech_set.cache() / "bench-voices")
    asked = parser.parse_args()
    for part in [*asked.parts, *(["noise", "plain"] if asked.loops else [])]:
        repetition_set.build(asked.folder, asked.voices, part)
    for part in asked.parts:
        measure_part(asked.folder, asked.folder / "home", part)
    if asked.loops:
        measure_loops(asked.folder)


if __name__ == "__main__":
    main()
