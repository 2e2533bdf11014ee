"""The recogniser's stage over files that its input names, in the recogniser's own environment and on a warm model.

    .venv-asr/bin/python tests/bench/recognition_batch.py HOME

A line of the input is `{"speech": FILE, "diarization": FILE, "out": FOLDER, "language": "en"}`; when the folder holds
`recognition.json`, an empty line comes out.
"""

import argparse
import contextlib
import sys
import warnings
from pathlib import Path

import msgspec

from pipeline.graph.stage import StageContext
from pipeline.models.loader import Models, model_digest
from pipeline.speech.contracts import TranscribeInputs, TranscribeParams
from pipeline.speech.recognition.stage import load_recogniser, transcribe_stage
from pipeline.speech.recognition.whisper.weights import DEFAULT_MODEL


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One file to recognise."""

    speech: Path
    diarization: Path
    out: Path
    language: str | None = None


def main() -> None:
    """Recognise a file for each line that comes in."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    models = Models(parser.parse_args().home, "cpu")
    warnings.simplefilter("ignore")
    with contextlib.redirect_stdout(sys.stderr):
        load_recogniser(models, DEFAULT_MODEL)
    for line in sys.stdin:
        order = msgspec.json.decode(line, type=Order, dec_hook=lambda kind, value: kind(value))
        order.out.mkdir(parents=True, exist_ok=True)
        params = TranscribeParams(model=DEFAULT_MODEL, weights=model_digest(DEFAULT_MODEL), language=order.language)
        context = StageContext(out=order.out, report=lambda fraction, message="": None, models=models)
        with contextlib.redirect_stdout(sys.stderr):
            transcribe_stage(context, TranscribeInputs(speech=order.speech, diarization=order.diarization), params)
        print(flush=True)


if __name__ == "__main__":
    main()
