"""One method of recognising speech, run in the recogniser's own environment; one run for each line of its input.

    .venv-asr/bin/python tests/bench/recogniser_runs.py ours|library HOME SPEECH [--diarization FILE] [--language en]

`ours` is the stage as a job runs it. `library` is PaddleSpeech's own `transcribe` over the whole file, with
no more than it needs to work at all on paddlepaddle 3: a log_softmax that does not take a second a call, an
output projection that is not transposed for every token, sums that reach their caller. That is the method whose
real-time factor was 0.32 on two cores. Without a diarization `ours` takes all of the file for speech.
"""

import argparse
import contextlib
import json
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from pipeline.audio import io as audio_io
from pipeline.graph.stage import StageContext
from pipeline.models.loader import Models, model_digest
from pipeline.speech.compat import paddlespeech
from pipeline.speech.contracts import TranscribeInputs, TranscribeParams
from pipeline.speech.recognition.stage import load_recogniser, transcribe_stage
from pipeline.speech.recognition.whisper.weights import DEFAULT_MODEL, load_converted
from pipeline.types import Diarization, Recognition, SpeakerSegment

TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""PaddleSpeech's own; it goes up when a text looks made up."""

Spoken = tuple[str, list[dict[str, Any]]]
"""The text, and the words with their times where the method gives them."""


def prepare_ours(home: Path, speech: Path, diarization: Path | None, language: str | None) -> Callable[[], Spoken]:
    """The stage, on a warm model."""
    folder = Path(tempfile.mkdtemp(prefix="stemcord-"))
    if diarization is None:
        whole = (SpeakerSegment(start=0.0, end=audio_io.info(speech).duration, speaker="S1"),)
        diarization = folder / "diarization.json"
        diarization.write_bytes(msgspec.json.encode(Diarization(speakers=("S1",), segments=whole, exclusive=whole)))
    context = StageContext(out=folder, report=lambda fraction, message="": None, models=Models(home, "cpu"))
    inputs = TranscribeInputs(speech=speech, diarization=diarization)
    params = TranscribeParams(model=DEFAULT_MODEL, weights=model_digest(DEFAULT_MODEL), language=language)
    load_recogniser(context.models, DEFAULT_MODEL)

    def recognise() -> Spoken:
        output = transcribe_stage(context, inputs, params)
        found = msgspec.json.decode(output.recognition.read_bytes(), type=Recognition)
        return " ".join(word.text for word in found.words), [msgspec.to_builtins(word) for word in found.words]

    return recognise


def prepare_library(home: Path, speech: Path, _: Path | None, language: str | None) -> Callable[[], Spoken]:
    """PaddleSpeech's own transcription of the whole file, on a warm model."""
    converted = load_converted(home)
    paddle, whisper = load_unpatched()
    model = whisper.Whisper(whisper.ModelDimensions(**converted.manifest.dimensions))
    model.set_state_dict({name: paddle.to_tensor(array) for name, array in converted.weights().items()})
    model.eval()
    folder = str(converted.folder)

    def recognise() -> Spoken:
        with paddle.no_grad():
            found = model.transcribe(
                whisper.log_mel_spectrogram(audio_io.read(speech)[:, 0], resource_path=folder),
                resource_path=folder,
                temperature=TEMPERATURES,
                best_of=5,
                condition_on_previous_text=False,
                language=language,
            )
        return str(found["text"]).strip(), []

    return recognise


def load_unpatched() -> tuple[Any, Any]:
    """paddle and PaddleSpeech's Whisper with three patches only."""
    sys.modules.setdefault("paddlespeech.s2t.utils.log", paddlespeech._log_module())
    with paddlespeech._without_paddlenlp():
        paddle, whisper, tokenizer = map(
            import_module,
            ("paddle", "paddlespeech.s2t.models.whisper.whisper", "paddlespeech.s2t.models.whisper.tokenizer"),
        )
    functional = ModuleType("functional")
    vars(functional).update(vars(whisper.F), log_softmax=paddlespeech._log_softmax(paddle))
    setattr(whisper, "F", functional)  # noqa: B010 - no static module has such a name

    def forward(decoder: Any, x: Any, xa: Any, kv_cache: Any = None) -> Any:
        offset = next(iter(kv_cache.values())).shape[1] if kv_cache else 0
        x = decoder.token_embedding(x) + decoder.positional_embedding[offset : offset + x.shape[-1]]
        for block in decoder.blocks:
            x = block(x, xa, mask=decoder.mask, kv_cache=kv_cache)
        return paddle.matmul(decoder.ln(x), decoder.token_embedding.weight, transpose_y=True)

    whisper.TextDecoder.forward = forward
    whisper.GreedyDecoder.update = paddlespeech._greedy_update(paddle, whisper)
    whisper.MaximumLikelihoodRanker.rank = paddlespeech._rank
    decode = tokenizer.Tokenizer.decode
    tokenizer.Tokenizer.decode = lambda self, ids, **rest: decode(self, ids, **rest) if len(ids) else ""
    return paddle, whisper


METHODS = {"ours": prepare_ours, "library": prepare_library}


def main() -> None:
    """Load, then recognise once for every line that comes in."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("home", type=Path)
    parser.add_argument("speech", type=Path)
    parser.add_argument("--diarization", type=Path)
    parser.add_argument("--language")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    with contextlib.redirect_stdout(sys.stderr):
        recognise = METHODS[asked.method](asked.home, asked.speech, asked.diarization, asked.language)
    for _ in sys.stdin:
        wall, busy = time.perf_counter(), time.process_time()
        with contextlib.redirect_stdout(sys.stderr):
            text, words = recognise()
        found = {
            "seconds": time.perf_counter() - wall,
            "busy": time.process_time() - busy,
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "text": text,
            "words": words,
        }
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
