"""The Spleeter engine with two stems: a music separator, 44.1 kHz stereo, for songs and clips full of music.

It works in tiles of 512 spectra, cross-faded over a second, so that memory stays the same
for any length. In stereo a Wiener filter over both channels follows (+0.4 dB).

Hennequin et al., "Spleeter: a fast and efficient music source separation tool", 2020.
"""

from collections.abc import Iterator

import numpy as np

from pipeline.audio.io import Samples
from pipeline.graph.stage import ProgressCallback
from pipeline.models.loader import Models
from pipeline.separation.base import Mixture, SeparationEngine
from pipeline.separation.engines.spleeter.network import HOP_FRAMES, TILE_SPECTRA, SpleeterNetworks
from pipeline.separation.streaming import overlap_add
from pipeline.separation.wiener_filter import wiener_filter

SAMPLE_RATE = 44_100
WINDOW_FRAMES = (TILE_SPECTRA - 1) * HOP_FRAMES
"""Frames whose centred spectra fill one tile."""
OVERLAP_FRAMES = SAMPLE_RATE


class Spleeter(SeparationEngine):
    """The engine; its networks are loaded once per process."""

    def __init__(self, networks: SpleeterNetworks) -> None:
        super().__init__(SAMPLE_RATE)
        self._networks = networks

    @classmethod
    def open(cls, models: Models, name: str) -> "Spleeter":
        """Open the engine; see `SeparationEngine.open`."""
        files = models.files(name)
        key = f"{name} {models.device}"
        return cls(
            models.loaded(
                key, lambda: SpleeterNetworks(files["network"], files["vocals"], files["accompaniment"], models.device)
            )
        )

    def separate(self, mixture: Mixture, report: ProgressCallback) -> Iterator[Samples]:
        """Find the vocals, blocks of shape (frames, channels); see `SeparationEngine.separate`."""
        made = 0
        for block in overlap_add(mixture.blocks(), self._window, window=WINDOW_FRAMES, overlap=OVERLAP_FRAMES):
            made += len(block)
            report(made / mixture.frames)
            yield block

    def _window(self, samples: Samples) -> Samples:
        if samples.shape[1] == 1:
            return self._networks.vocals(np.repeat(samples, 2, axis=1)).mean(axis=1, keepdims=True, dtype=np.float32)
        return wiener_filter(samples, self._networks.vocals(samples))
