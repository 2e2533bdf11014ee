"""UVR's VR networks through audio-separator, 44.1 kHz stereo: masks for the spectrum of a mixture.

The library works out the spectrum of all it is given, at four rates, before its network sees any
of it; a long clip is therefore given to it in windows of a minute, cross-faded.
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
from pipeline.separation.base import NO_CARD, Recording
from pipeline.separation.engines.uvr import vr_library as library
from pipeline.separation.engines.uvr.library import OutOfMemoryError, UnsafeCheckpointError
from pipeline.separation.streaming import in_stereo, overlap_add, window_lengths
from pipeline.types import StemName

WINDOW_SECONDS = 60
OVERLAP_SECONDS = 4
LEAST = library.SAMPLE_RATE // 2
"""Frames; the library's spectra need some sound around them."""


class VR:
    """The engine; its network is loaded once per process."""

    def __init__(self, network: library.Network) -> None:
        self.sample_rate = library.SAMPLE_RATE
        self.stems: tuple[StemName, ...] = (StemName.VOCALS,)
        self.notes: list[str] = []
        self.digest = ""
        self._network = network

    @classmethod
    def open(cls, models: Models, name: str) -> "VR":
        """The model from `<home>/checkpoints/uvr`, fetched there first if need be.

        Raises `UVRError` or a `ModelError`.
        """
        entry = models.entry(name)
        (path,) = models.fetched(name).values()
        network = models.loaded(f"vr {name}", lambda: load(path, entry, models.device))
        # A card that was short of memory once may have it again.
        library.move(network, models.device)
        return cls(network)

    def separate(self, recording: Recording, report: ProgressCallback) -> Iterator[Samples]:
        """Vocals of shape (frames, channels); see `Engine.separate`."""
        window, overlap = WINDOW_SECONDS * self.sample_rate, OVERLAP_SECONDS * self.sample_rate
        lengths = window_lengths(recording.frames, window, overlap)
        total = sum(library.count_steps(self._network, self._padded(length)) for length in lengths)
        done = 0

        def step(count: int = 1) -> None:
            nonlocal done
            done += count
            report(min(1.0, done / total))

        report(0.0)
        return overlap_add(recording.blocks(), lambda block: self._window(block, step), window=window, overlap=overlap)

    def _window(self, block: Samples, step: Callable[..., None]) -> Samples:
        """The vocals of one window, shape (frames, channels); silence has none, and the library divides by its peak."""
        frames = self._padded(len(block))
        if not block.any():
            step(library.count_steps(self._network, frames))
            return np.zeros_like(block)
        return in_stereo(block, frames, lambda stereo: self._vocals(stereo, step))

    def _vocals(self, stereo: Samples, step: Callable[[], None]) -> Samples:
        """Vocals of a window; short of memory, the card leaves it to the processor."""
        try:
            try:
                return library.vocals(self._network, stereo, done=step)
            except OutOfMemoryError:
                library.move(self._network, "cpu")
                self.notes.append(NO_CARD)
                return library.vocals(self._network, stereo, done=step)
        except AudioProcessingError:
            raise
        # The library raises what it likes, and ends the process (SystemExit) over some errors.
        except (Exception, SystemExit) as error:
            raise UVRError(
                "The VR model could not take this sound apart.",
                hint="Choose another route, or use `--preset pocket`.",
                detail=repr(error),
            ) from error

    def _padded(self, frames: int) -> int:
        """The next length that spectra fill without a rest."""
        hop = library.hop(self._network)
        return -(-max(frames, LEAST) // hop) * hop


def load(path: Path, entry: Model, device: str) -> library.Network:
    """A network with the settings of its catalogue entry; raises `UVRError`. No file can run code."""
    try:
        return library.load_network(path, msgspec.convert(dict(entry.settings), library.VRSettings), device)
    except UnsafeCheckpointError as error:
        raise UVRError(
            f"The checkpoint {path.name} is not one that can be loaded safely.",
            hint="Delete it and fetch it again with `stemcord models fetch`.",
            detail=str(error),
        ) from error
    # The library raises what it likes, and ends the process (SystemExit) over some errors.
    except (Exception, SystemExit) as error:
        raise UVRError(
            f"The checkpoint {path.name} is not a VR network of the kind that the catalogue gives.",
            hint="Delete it and fetch it again with `stemcord models fetch`.",
            detail=repr(error),
        ) from error
