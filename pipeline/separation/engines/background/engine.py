"""The engine of our own network: a background in, its music, SFX and ambience out.

It works at the sound's own rate, since the network's windows keep their length in seconds, and on any number of
channels, which share their masks. Windows of about twelve seconds are cross-faded over one, so that memory stays the
same for any length.
"""

from collections.abc import Iterator
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.audio.io import Samples
from pipeline.graph.stage import ProgressCallback
from pipeline.models.loader import Models
from pipeline.separation.base import Mixture, SeparationEngine
from pipeline.separation.engines.background import BACKGROUND_PARTS
from pipeline.separation.engines.background.network.base import MaskNetwork
from pipeline.separation.engines.background.network.tensors import tensor_of
from pipeline.separation.engines.background.network.weights import load_weights
from pipeline.separation.streaming import overlap_add

WINDOW_SPECTRA = 512
"""Spectra of one window of sound, a multiple of what the network's deepest level strides over."""
OVERLAP_SECONDS = 1.0


class BackgroundSeparator(SeparationEngine):
    """The engine; its network is loaded once per process."""

    def __init__(self, network: MaskNetwork, sample_rate: int, device: str) -> None:
        super().__init__(sample_rate, BACKGROUND_PARTS)
        self._network = network
        self._device = device

    @classmethod
    def open(cls, models: Models, name: str) -> "BackgroundSeparator":
        """Open the engine; see `SeparationEngine.open`."""
        files, device = models.files(name), models.device

        def load() -> MaskNetwork:
            network = load_weights(files["weights"]).to(device)
            network.hear_notes(files["notes"])
            return network

        return cls(models.loaded(f"{name} {device}", load), models.entry(name).sample_rate, device)

    def separate(self, mixture: Mixture, report: ProgressCallback) -> Iterator[Samples]:
        """Part a background at its own rate; see `SeparationEngine.separate`."""
        rate = mixture.sample_rate
        window = self._network.stft.at(rate).hop * (WINDOW_SPECTRA - 1)
        made = 0
        for block in overlap_add(
            mixture.blocks(),
            lambda samples: self._window(samples, rate),
            window=window,
            overlap=min(window // 2, round(OVERLAP_SECONDS * rate)),
        ):
            made += len(block)
            report(made / mixture.frames)
            yield block

    def _window(self, samples: Samples, sample_rate: int) -> Samples:
        if not samples.any():
            return np.zeros((len(samples), samples.shape[1] * len(BACKGROUND_PARTS)), np.float32)
        # The spectra reflect half a window at each end, so a shorter sound is filled up.
        least = self._network.stft.at(sample_rate).size
        sound = np.pad(samples, ((0, max(0, least - len(samples))), (0, 0)))
        with torch.inference_mode():
            waves = tensor_of(np.ascontiguousarray(sound.T))[None].to(self._device)
            parts = self._network.separate(waves, sample_rate)[0].cpu()
        made = cast("NDArray[np.float32]", parts.flatten(0, 1).numpy())
        return np.ascontiguousarray(made.T[: len(samples)])
