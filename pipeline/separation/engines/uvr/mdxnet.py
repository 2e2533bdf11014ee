"""UVR's MDX-Net networks, 44.1 kHz stereo: voices in front of music, without a graphics card too.

Their chunks of six seconds are the windows of the cross-fade, so that memory stays the same for
any length. Silence is put around the clip, as there a chunk hears its sound mirrored.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import msgspec
import numpy as np

from pipeline.audio.io import Blocks, Samples
from pipeline.errors import UVRError
from pipeline.graph.stage import ProgressCallback
from pipeline.models.entries import Model
from pipeline.models.loader import Models
from pipeline.separation.base import NO_CARD, Recording
from pipeline.separation.engines.uvr.mdxnet_network import MDXNetSettings, Network, ShortOfMemoryError
from pipeline.separation.streaming import fit, in_stereo, overlap_add
from pipeline.types import StemName

SAMPLE_RATE = 44_100
OVERLAP = 4
"""A quarter of each chunk is cross-faded with the next, as UVR does by default."""
NO_CUDA = "The processor took the sound apart: this onnxruntime cannot use the graphics card."


class MDXNet:
    """The engine; its network is loaded once per process."""

    def __init__(self, network: Network, device: str) -> None:
        self.sample_rate = SAMPLE_RATE
        self.stems: tuple[StemName, ...] = (StemName.VOCALS,)
        self.notes: list[str] = [NO_CUDA] if device.startswith("cuda") and not network.on_card else []
        self.digest = ""
        self._network = network

    @classmethod
    def open(cls, models: Models, name: str) -> "MDXNet":
        """The model from `<home>/checkpoints/uvr`, fetched there first if need be.

        Raises `UVRError` or a `ModelError`.
        """
        entry = models.entry(name)
        (path,) = models.fetched(name).values()
        network = models.loaded(f"mdxnet {name}", lambda: load(path, entry, models.device))
        # A card that was short of memory once may have it again.
        network.move(models.device)
        return cls(network, models.device)

    def separate(self, recording: Recording, report: ProgressCallback) -> Iterator[Samples]:
        """Vocals of shape (frames, channels); see `Engine.separate`."""
        chunk, lead, channels = self._network.chunk, self._network.lead, recording.channels
        silence = np.zeros((lead, channels), np.float32)
        padded = chain([silence], recording.blocks(), [silence])
        faded = overlap_add(padded, self._chunk, window=chunk, overlap=chunk // OVERLAP)
        report(0.0)
        made = 0
        for block in fit(_without(lead, faded), recording.frames, channels):
            made += len(block)
            report(made / recording.frames)
            yield block

    def _chunk(self, block: Samples) -> Samples:
        """The vocals of one chunk, shape (frames, channels)."""
        return in_stereo(block, self._network.chunk, self._vocals)

    def _vocals(self, stereo: Samples) -> Samples:
        """Vocals of a chunk; short of memory, the card leaves it to the processor."""
        try:
            try:
                return self._network.vocals(stereo)
            except ShortOfMemoryError:
                if not self._network.on_card:
                    raise
                self._network.move("cpu")
                self.notes.append(NO_CARD)
                return self._network.vocals(stereo)
        # onnxruntime raises what it likes.
        except Exception as error:
            raise UVRError(
                "The MDX-Net model could not take this sound apart.",
                hint="Choose another route, or use `--preset pocket`.",
                detail=repr(error),
            ) from error


def load(path: Path, entry: Model, device: str) -> Network:
    """A network with the settings of its catalogue entry; raises `UVRError`. An ONNX file holds no code."""
    try:
        return Network(path, msgspec.convert(dict(entry.settings), MDXNetSettings), device)
    # onnxruntime's errors share no type of their own.
    except Exception as error:
        raise UVRError(
            f"The model {path.name} is not an MDX-Net network of the shape that the catalogue gives.",
            hint="Delete it and fetch it again with `stemcord models fetch`.",
            detail=repr(error),
        ) from error


def _without(lead: int, blocks: Blocks) -> Iterator[Samples]:
    """A stream that begins `lead` frames later."""
    for block in blocks:
        yield block[lead:]
        lead = max(0, lead - len(block))
