"""The UVR engine: RoFormer and MDX23C networks through audio-separator; the largest engine, for a graphics card.

The library holds its whole input in memory, so a long sound is given to it in cross-faded
windows of three minutes. Inside a window it overlap-adds the network's chunks of about eight
seconds. A chunk that is shorter than the network was trained on is padded with silence; the
library would change the length of the chunk.
"""

from collections.abc import Callable, Iterator

import numpy as np

from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples
from pipeline.errors import AudioProcessingError, UVRError
from pipeline.graph.stage import ProgressCallback
from pipeline.models.checkpoints import checkpoints_folder
from pipeline.models.loader import Models, own_model_digest
from pipeline.separation.base import CPU_FALLBACK_NOTE, Mixture, SeparationEngine
from pipeline.separation.engines.uvr import library
from pipeline.separation.engines.uvr.checkpoints import UVRCheckpoint, load_checkpoint
from pipeline.separation.streaming import overlap_add, window_lengths

WINDOW_SECONDS = 180
OVERLAP_SECONDS = 8


class UVR(SeparationEngine):
    """The engine; its network is loaded once per process."""

    def __init__(self, loaded: UVRCheckpoint) -> None:
        super().__init__(int(loaded.network.sample_rate), weights_digest=loaded.digest)
        self._loaded = loaded

    @classmethod
    def open(cls, models: Models, name: str) -> "UVR":
        """Open a model of `<home>/checkpoints/uvr`, fetched first if need be; see `SeparationEngine.open`."""
        models.fetched(name)
        folder = checkpoints_folder(models.home) / "uvr"
        key = f"uvr {name} {own_model_digest(models.home, name)}"
        loaded = models.loaded(key, lambda: load_checkpoint(folder, name, models.device))
        # A graphics card that was short of memory for an earlier sound may have enough now.
        library.move(loaded.network, models.device)
        return cls(loaded)

    def separate(self, mixture: Mixture, report: ProgressCallback) -> Iterator[Samples]:
        """Find the vocals, blocks of shape (frames, channels); see `SeparationEngine.separate`."""
        window, overlap = WINDOW_SECONDS * self.sample_rate, OVERLAP_SECONDS * self.sample_rate
        total = sum(self._steps(length) for length in window_lengths(mixture.frames, window, overlap))
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            report(min(1.0, done / total))

        report(0.0)
        return overlap_add(mixture.blocks(), lambda block: self._window(block, step), window=window, overlap=overlap)

    def _window(self, block: Samples, step: Callable[[], None]) -> Samples:
        """Find the vocals of one window, shape (frames, channels)."""
        stereo = np.repeat(block, 2, axis=1) if block.shape[1] == 1 else block
        missing = max(0, self._loaded.chunk_frames - len(stereo))
        voice = self._apply(np.pad(stereo, ((0, missing), (0, 0))).T, step).T[: len(block)]
        return voice if block.shape[1] == 2 else audio_io.to_mono(voice)

    def _apply(self, mixture: Samples, step: Callable[[], None]) -> Samples:
        """Find the vocals, shape (2, frames); on the processor when the graphics card is short of memory."""
        network = self._loaded.network
        try:
            try:
                made = library.separate(network, mixture, done=step)
            except library.OutOfMemoryError:
                library.move(network, "cpu")
                self.notes.append(CPU_FALLBACK_NOTE)
                made = library.separate(network, mixture, done=step)
            return np.asarray(made[self._loaded.voice], np.float32)
        except AudioProcessingError:
            raise
        # The library raises errors of any type and exits the process (SystemExit) on some.
        except (Exception, SystemExit) as error:
            raise UVRError(
                "The UVR model could not take this sound apart.",
                hint="Choose another route, or use `--preset pocket`.",
                detail=repr(error),
            ) from error

    def _steps(self, frames: int) -> int:
        return library.count_steps(
            self._loaded.network, max(frames, self._loaded.chunk_frames), self._loaded.chunk_frames
        )
