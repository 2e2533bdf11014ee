"""Seconds and operations of the calls of Whisper's network while a clip is recognised on a warm model.

    .venv-asr/bin/python tests/bench/recogniser_profile.py HOME SPEECH DIARIZATION OUT

Prints a line of JSON; `tests.bench.stage_profile` makes a table of it.
"""

import argparse
import contextlib
import json
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from pipeline.graph.stage import StageContext
from pipeline.models.loader import Models, model_digest
from pipeline.speech.contracts import TranscribeInputs, TranscribeParams
from pipeline.speech.recognition.stage import load_recogniser, transcribe_stage
from pipeline.speech.recognition.whisper.executor import Executor
from pipeline.speech.recognition.whisper.networks.decoder_graphs import FEATURES, TOKENS
from pipeline.speech.recognition.whisper.networks.encoder_graph import MEL
from pipeline.speech.recognition.whisper.networks.onnx_network import OnnxNetwork
from pipeline.speech.recognition.whisper.recogniser import WhisperRecogniser
from pipeline.speech.recognition.whisper.weights import DEFAULT_MODEL

FRAMES, CROSS_FRAMES = 3000, 1500
"""Frames of a window as the encoder gets and gives them."""


class Calls:
    """Times the network's parts."""

    def __init__(self, executor: Executor) -> None:
        self.found: dict[str, dict[str, float]] = {}
        network = cast("OnnxNetwork", executor.network)
        self._sizes = network.outline.dims
        encoder, step, sound = network.encoder, network.decoder.step, network.decoder.sound
        encoder.run = self._timed("encoder", encoder.run, lambda given: given[MEL].shape)
        step.run_with_ort_values = self._timed("decoder", step.run_with_ort_values, lambda given: given[TOKENS].shape())
        sound.run_with_ort_values = self._timed(
            "keys and values", sound.run_with_ort_values, lambda given: given[FEATURES].shape()
        )

    def clear(self) -> None:
        """Forget what was counted."""
        self.found.clear()

    def _timed(self, name: str, forward: Callable[..., Any], shape: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return forward(*given, **named)
            finally:
                entry = self.found.setdefault(name, {"calls": 0, "seconds": 0.0, "flops": 0.0})
                entry["calls"] += 1
                entry["seconds"] += time.perf_counter() - started
                entry["flops"] += self._flops(name, shape(given[1]))

        return call

    def _flops(self, name: str, given: Sequence[int]) -> float:
        """Return the operations of matrix products and convolutions; attention over earlier tokens is left out."""
        size = self._sizes
        batch = given[0]
        if name == "encoder":
            width, layers = size.n_audio_state, size.n_audio_layer
            stem = 2 * 3 * FRAMES * size.n_mels * width + 2 * 3 * CROSS_FRAMES * width * width
            layer = 2 * CROSS_FRAMES * 12 * width * width + 4 * CROSS_FRAMES * CROSS_FRAMES * width
            return float(batch * (stem + layers * layer))
        width = size.n_text_state
        if name == "keys and values":
            return float(batch * size.n_text_layer * 2 * CROSS_FRAMES * 2 * width * width)
        tokens = given[1]
        layer = 2 * tokens * 14 * width * width + 4 * tokens * CROSS_FRAMES * width
        return float(batch * (size.n_text_layer * layer + 2 * tokens * width * size.n_vocab))


def main() -> None:
    """Recognise twice, and count the second time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("home", "speech", "diarization", "out"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    models = Models(arguments.home, "cpu")
    warnings.simplefilter("ignore")
    with contextlib.redirect_stdout(sys.stderr):
        recogniser = cast("WhisperRecogniser", load_recogniser(models, DEFAULT_MODEL))
        calls = Calls(recogniser._executor)  # pyright: ignore[reportPrivateUsage]
        params = TranscribeParams(model=DEFAULT_MODEL, weights=model_digest(DEFAULT_MODEL), language=None)
        inputs = TranscribeInputs(speech=arguments.speech, diarization=arguments.diarization)
        seconds = processor = 0.0
        for out in (arguments.out / "warm", arguments.out):
            calls.clear()
            out.mkdir(parents=True, exist_ok=True)
            context = StageContext(out=out, report=lambda fraction, message="": None, models=models)
            started, used = time.perf_counter(), time.process_time()
            transcribe_stage(context, inputs, params)
            seconds, processor = time.perf_counter() - started, time.process_time() - used
    print(json.dumps({"seconds": seconds, "processor": processor, "calls": calls.found}))


if __name__ == "__main__":
    main()
