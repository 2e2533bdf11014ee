"""Makes `sample.words.json`: when each word of the sample begins and ends, by another recogniser.

    uv run --no-project --python 3.11 --with pocketsphinx==5.1.1,numpy,soundfile,soxr python tests/data/make_words.py

The text and the times of the turns are known, so pocketsphinx (BSD-2-Clause, its en-us model comes with
it) only has to align them: phones of hidden Markov models in frames of 10 ms, which have nothing in
common with the attention that Stemcord takes its times from.
"""

import json
import re
from pathlib import Path

import numpy as np
import soundfile
import soxr
from pocketsphinx import Decoder  # pyright: ignore[reportMissingImports]

FOLDER = Path(__file__).parent
RATE, FRAME = 16_000, 0.01
ROOM = 0.1
"""Seconds before and after a turn."""


def main() -> None:
    """Align every turn by itself."""
    samples, rate = soundfile.read(FOLDER / "sample.speech.flac", dtype="float32")
    heard = (soxr.resample(samples, rate, RATE) * 32767).astype(np.int16)
    decoder = Decoder(samprate=RATE, loglevel="FATAL", lm=None)
    words = []
    for turn in json.loads((FOLDER / "sample.turns.json").read_text(encoding="utf-8")):
        texts = turn["text"].split()
        begin = max(0.0, turn["start"] - ROOM)
        decoder.set_align_text(" ".join(re.sub(r"[^a-z']", "", text.lower()) for text in texts))
        decoder.start_utt()
        decoder.process_raw(heard[int(begin * RATE) : int((turn["end"] + ROOM) * RATE)].tobytes(), full_utt=True)
        decoder.end_utt()
        found = [part for part in decoder.seg() if part.word[0] not in "<["]
        words += [
            {
                "start": round(begin + part.start_frame * FRAME, 2),
                "end": round(begin + (part.end_frame + 1) * FRAME, 2),
                "text": text,
            }
            for part, text in zip(found, texts, strict=True)
        ]
    lines = ",\n".join(json.dumps(word) for word in words)
    (FOLDER / "sample.words.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
