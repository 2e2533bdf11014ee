"""UVR's RoFormer and MDX23C networks through audio-separator; the largest engine, for a graphics card.

The library holds all it works on in memory; a long clip is therefore given to it in windows
of three minutes, cross-faded. Inside a window it joins the network's chunks, of about eight
seconds, under a window function. A chunk that is shorter than the network was trained on is
filled up with silence rather than changed in length, as the library would.
"""

from collections.abc import Callable, Iterator

import numpy as np

from pipeline.audio import io as sound
from pipeline.audio.io import Samples
from pipeline.errors import AudioProcessingError, UVRError
from pipeline.graph.stage import ProgressCallback
from pipeline.models.checkpoints import checkpoints_folder
from pipeline.models.loader import Models, own_model_digest
from pipeline.separation.base import Recording
from pipeline.separation.engines.uvr import library
from pipeline.separation.engines.uvr.checkpoints import Loaded, load
from pipeline.separation.streaming import overlap_add, window_lengths
from pipeline.types import StemName

WINDOW_SECONDS = 180
OVERLAP_SECONDS = 8


class UVR:
    """The engine; its network is loaded once per process."""

    def __init__(self, loaded: Loaded) -> None:
        self.sample_rate = int(loaded.network.sample_rate)
        self.stems: tuple[StemName, ...] = (StemName.VOCALS,)
        self.notes: list[str] = []
        self.digest = loaded.digest
        self._loaded = loaded

    @classmethod
    def open(cls, models: Models, name: str) -> "UVR":
        """The model from `<home>/checkpoints/uvr`, fetched there first if need be.

        Raises `UVRError`, or what `Models.fetched` raises.
        """
        models.fetched(name)
        folder = checkpoints_folder(models.home) / "uvr"
        key = f"uvr {name} {own_model_digest(models.home, name)}"
        loaded = models.loaded(key, lambda: load(folder, name, models.device))
        # A card that was short of memory once may have it again.
        library.move(loaded.network, models.device)
        return cls(loaded)

    def separate(self, recording: Recording, report: ProgressCallback) -> Iterator[Samples]:
        """Vocals of shape (frames, channels); see `Engine.separate`."""
        window, overlap = WINDOW_SECONDS * self.sample_rate, OVERLAP_SECONDS * self.sample_rate
        total = sum(self._steps(length) for length in window_lengths(recording.frames, window, overlap))
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            report(min(1.0, done / total))

        report(0.0)
        return overlap_add(recording.blocks(), lambda block: self._window(block, step), window=window, overlap=overlap)

    def _window(self, block: Samples, step: Callable[[], None]) -> Samples:
        """The vocals of one window, shape (frames, channels)."""
        stereo = np.repeat(block, 2, axis=1) if block.shape[1] == 1 else block
        missing = max(0, self._loaded.chunk - len(stereo))
        voice = self._apply(np.pad(stereo, ((0, missing), (0, 0))).T, step).T[: len(block)]
        return voice if block.shape[1] == 2 else sound.to_mono(voice)

    def _apply(self, mixture: Samples, step: Callable[[], None]) -> Samples:
        """Vocals of a mixture, (2, frames); short of memory, the card leaves it to the processor."""
        network = self._loaded.network
        try:
            try:
                made = library.separate(network, mixture, done=step)
            except library.OutOfMemoryError:
                library.move(network, "cpu")
                self.notes.append("The graphics card had too little memory, so the processor took the sound apart.")
                made = library.separate(network, mixture, done=step)
            return np.asarray(made[self._loaded.voice], np.float32)
        except AudioProcessingError:
            raise
        # The library raises what it likes, and ends the process (SystemExit) over some errors.
        except (Exception, SystemExit) as error:
            raise UVRError(
                "The UVR model could not take this sound apart.",
                hint="Choose another route, or use `--preset pocket`.",
                detail=repr(error),
            ) from error

    def _steps(self, frames: int) -> int:
        return library.count_steps(self._loaded.network, max(frames, self._loaded.chunk), self._loaded.chunk)
