"""Spleeter, two stems: a music separator, 44.1 kHz stereo. For songs and clips full of music.

It works in tiles of 512 spectra, cross-faded over a second, so that memory stays the same
for any length. On stereo the two channels then clean each other up (`wiener`, +0.4 dB).
"""

from collections.abc import Iterator

import numpy as np

from pipeline.audio.io import Samples
from pipeline.graph.stage import ProgressCallback
from pipeline.models.loader import Models
from pipeline.separation.base import Recording
from pipeline.separation.engines.spleeter.network import HOP, STEPS, Networks
from pipeline.separation.streaming import overlap_add
from pipeline.separation.wiener_filter import sharpen
from pipeline.types import StemName

SAMPLE_RATE = 44_100
WINDOW = (STEPS - 1) * HOP
"""Frames whose spectra fill one tile, the windows being centred."""
OVERLAP = SAMPLE_RATE


class Spleeter:
    """The engine; its networks are loaded once per process."""

    def __init__(self, networks: Networks) -> None:
        self.sample_rate = SAMPLE_RATE
        self.stems: tuple[StemName, ...] = (StemName.VOCALS,)
        self.notes: list[str] = []
        self.digest = ""
        self._networks = networks

    @classmethod
    def open(cls, models: Models, name: str) -> "Spleeter":
        """Raises a `ModelError` when the files are not there or not the known ones."""
        files = models.files(name)
        key = f"{name} {models.device}"
        return cls(
            models.loaded(
                key, lambda: Networks(files["network"], files["vocals"], files["accompaniment"], models.device)
            )
        )

    def separate(self, recording: Recording, report: ProgressCallback) -> Iterator[Samples]:
        """Vocals of shape (frames, channels); see `Engine.separate`."""
        made = 0
        for block in overlap_add(recording.blocks(), self._window, window=WINDOW, overlap=OVERLAP):
            made += len(block)
            report(made / recording.frames)
            yield block

    def _window(self, samples: Samples) -> Samples:
        if samples.shape[1] == 1:
            return self._networks.vocals(np.repeat(samples, 2, axis=1)).mean(axis=1, keepdims=True, dtype=np.float32)
        return sharpen(samples, self._networks.vocals(samples))
