"""The segmentation network as `segmentation` runs it; loads torch."""

from typing import Any, cast

import numpy as np
import torch

from pipeline.errors import ModelError
from pipeline.models.loader import Models
from pipeline.models.onnx_network import OnnxNetwork, ensure_exported
from pipeline.speech.diarization.pyannote_pipeline import SAMPLE_RATE, load_segmentation_network
from pipeline.speech.diarization.segmentation import (
    FRAME_SECONDS,
    FRAME_STEP_SECONDS,
    POWERSET,
    WINDOW_FRAMES,
    WINDOW_SAMPLES,
    WINDOW_SECONDS,
    RunNetwork,
)

_torch = cast("Any", torch)


def load_network(models: Models, name: str) -> RunNetwork:
    """Load the network: by onnxruntime on a processor, by torch on a card.

    Raises:
        ModelError: The weights are missing or changed, or are of another kind of network.
    """
    checkpoint, device = models.files(name)["checkpoint"], models.device

    def load() -> Any:  # noqa: ANN401 - pyannote.audio has no types that hold
        return _require_shape(load_segmentation_network(checkpoint))

    if device == "cpu":
        return OnnxNetwork(ensure_exported(models, name, load, _torch.zeros(2, 1, WINDOW_SAMPLES), free_axes=(0,)))
    network = load().to(device)

    def run(windows: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
        with _torch.inference_mode():
            return np.asarray(network(_torch.from_numpy(windows).to(device)).cpu().numpy(), np.float32)

    return run


def _require_shape(network: Any) -> Any:  # noqa: ANN401
    """Give the network back; raise `ModelError` unless windows, frames and classes are those of `segmentation`."""
    field, specifications = network.receptive_field, network.specifications
    shape = (specifications.duration, field.duration, field.step, network.num_frames(WINDOW_SAMPLES))
    expected = (WINDOW_SECONDS, FRAME_SECONDS, FRAME_STEP_SECONDS, WINDOW_FRAMES)
    classes = specifications.num_powerset_classes if specifications.powerset else 0
    if network.hparams.sample_rate != SAMPLE_RATE or shape != expected or classes != len(POWERSET):
        raise ModelError(
            "The segmentation network is of another kind than Stemcord knows.",
            hint="Run `make env` to install its weights again.",
            detail=f"{shape} {classes}, expected {expected} {len(POWERSET)}",
        )
    return network
