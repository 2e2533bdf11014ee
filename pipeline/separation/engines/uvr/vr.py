"""The VR engine: UVR's oldest networks through audio-separator, 44.1 kHz stereo; they mask the mixture's spectrum.

The library computes the spectrum of its whole input, at four rates, before the network runs, so a
long sound is given to it in cross-faded windows of a minute.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from pipeline.audio.io import Samples
from pipeline.errors import AudioProcessingError, UVRError
from pipeline.graph.stage import ProgressCallback
from pipeline.models.entries import Model
from pipeline.models.loader import Models
from pipeline.separation.base import CPU_FALLBACK_NOTE, Mixture, SeparationEngine
from pipeline.separation.engines.uvr import vr_library as library
from pipeline.separation.engines.uvr.library import OutOfMemoryError, UnsafeCheckpointError
from pipeline.separation.streaming import overlap_add, run_in_stereo, window_lengths

WINDOW_SECONDS = 60
OVERLAP_SECONDS = 4
MIN_FRAMES = library.SAMPLE_RATE // 2
"""Shortest input; the library's spectra need some sound around them."""


class VR(SeparationEngine):
    """The engine; its network is loaded once per process."""

    def __init__(self, network: library.VRNetwork) -> None:
        super().__init__(library.SAMPLE_RATE)
        self._network = network

    @classmethod
    def open(cls, models: Models, name: str) -> "VR":
        """Open a model of `<home>/checkpoints/uvr`, fetched first if need be; see `SeparationEngine.open`."""
        entry = models.entry(name)
        (path,) = models.fetched(name).values()
        network = models.loaded(f"vr {name}", lambda: load_network(path, entry, models.device))
        # A graphics card that was short of memory for an earlier sound may have enough now.
        library.move(network, models.device)
        return cls(network)

    def separate(self, mixture: Mixture, report: ProgressCallback) -> Iterator[Samples]:
        """Find the vocals, blocks of shape (frames, channels); see `SeparationEngine.separate`."""
        window, overlap = WINDOW_SECONDS * self.sample_rate, OVERLAP_SECONDS * self.sample_rate
        lengths = window_lengths(mixture.frames, window, overlap)
        total = sum(library.count_steps(self._network, self._padded(length)) for length in lengths)
        done = 0

        def step(count: int = 1) -> None:
            nonlocal done
            done += count
            report(min(1.0, done / total))

        report(0.0)
        return overlap_add(mixture.blocks(), lambda block: self._window(block, step), window=window, overlap=overlap)

    def _window(self, block: Samples, step: Callable[..., None]) -> Samples:
        """Find the vocals of one window, shape (frames, channels); the library cannot take silence."""
        frames = self._padded(len(block))
        if not block.any():
            step(library.count_steps(self._network, frames))
            return np.zeros_like(block)
        return run_in_stereo(block, frames, lambda stereo: self._vocals(stereo, step))

    def _vocals(self, stereo: Samples, step: Callable[[], None]) -> Samples:
        """Find the vocals of a window; on the processor when the graphics card is short of memory."""
        try:
            try:
                return library.vocals(self._network, stereo, done=step)
            except OutOfMemoryError:
                library.move(self._network, "cpu")
                self.notes.append(CPU_FALLBACK_NOTE)
                return library.vocals(self._network, stereo, done=step)
        except AudioProcessingError:
            raise
        # The library raises errors of any type and exits the process (SystemExit) on some.
        except (Exception, SystemExit) as error:
            raise UVRError(
                "The VR model could not take this sound apart.",
                hint="Choose another route, or use `--preset pocket`.",
                detail=repr(error),
            ) from error

    def _padded(self, frames: int) -> int:
        """Round a length up to a whole number of hops."""
        hop = library.hop(self._network)
        return -(-max(frames, MIN_FRAMES) // hop) * hop


def load_network(path: Path, entry: Model, device: str) -> library.VRNetwork:
    """Load a network with the settings of its catalogue entry; no file can run code.

    Raises:
        UVRError: The file is unsafe or no such network.
    """
    try:
        return library.load_network(path, msgspec.convert(dict(entry.settings), library.VRSettings), device)
    except UnsafeCheckpointError as error:
        raise UVRError(
            f"The checkpoint {path.name} is not one that can be loaded safely.",
            hint="Delete it and fetch it again with `stemcord models fetch`.",
            detail=str(error),
        ) from error
    # The library raises errors of any type and exits the process (SystemExit) on some.
    except (Exception, SystemExit) as error:
        raise UVRError(
            f"The checkpoint {path.name} is not a VR network of the kind that the catalogue gives.",
            hint="Delete it and fetch it again with `stemcord models fetch`.",
            detail=repr(error),
        ) from error
