"""The MDX-Net engine: UVR's networks, 44.1 kHz stereo, for voices in front of music, without a graphics card too.

Their chunks of six seconds are the windows of a cross-fade, so that memory stays the same for
any length. The sound is padded with silence, because the spectra at the ends of a chunk see it mirrored.
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
from pipeline.separation.base import CPU_FALLBACK_NOTE, Mixture, OutOfMemoryError, SeparationEngine
from pipeline.separation.engines.uvr.mdxnet_network import MDXNetNetwork, MDXNetSettings
from pipeline.separation.streaming import fit_length, overlap_add, run_in_stereo

SAMPLE_RATE = 44_100
OVERLAPS_PER_CHUNK = 4
"""A quarter of each chunk is cross-faded with the next, as UVR does by default."""
NO_CUDA_NOTE = "The processor took the sound apart: this onnxruntime cannot use the graphics card."


class MDXNet(SeparationEngine):
    """The engine; its network is loaded once per process."""

    def __init__(self, network: MDXNetNetwork, device: str) -> None:
        super().__init__(SAMPLE_RATE)
        if device.startswith("cuda") and not network.on_gpu:
            self.notes.append(NO_CUDA_NOTE)
        self._network = network

    @classmethod
    def open(cls, models: Models, name: str) -> "MDXNet":
        """Open a model of `<home>/checkpoints/uvr`, fetched first if need be; see `SeparationEngine.open`."""
        entry = models.entry(name)
        (path,) = models.fetched(name).values()
        network = models.loaded(f"mdxnet {name}", lambda: load_network(path, entry, models.device))
        # A graphics card that was short of memory for an earlier sound may have enough now.
        network.move(models.device)
        return cls(network, models.device)

    def separate(self, mixture: Mixture, report: ProgressCallback) -> Iterator[Samples]:
        """Find the vocals, blocks of shape (frames, channels); see `SeparationEngine.separate`."""
        chunk, edge, channels = self._network.chunk_frames, self._network.edge_frames, mixture.channels
        silence = np.zeros((edge, channels), np.float32)
        padded = chain([silence], mixture.blocks(), [silence])
        faded = overlap_add(padded, self._chunk, window=chunk, overlap=chunk // OVERLAPS_PER_CHUNK)
        report(0.0)
        made = 0
        for block in fit_length(_skip_frames(faded, edge), mixture.frames, channels):
            made += len(block)
            report(made / mixture.frames)
            yield block

    def _chunk(self, block: Samples) -> Samples:
        """Find the vocals of one chunk, shape (frames, channels)."""
        return run_in_stereo(block, self._network.chunk_frames, self._vocals)

    def _vocals(self, stereo: Samples) -> Samples:
        """Find the vocals of a chunk; on the processor when the graphics card is short of memory."""
        try:
            try:
                return self._network.vocals(stereo)
            except OutOfMemoryError:
                if not self._network.on_gpu:
                    raise
                self._network.move("cpu")
                self.notes.append(CPU_FALLBACK_NOTE)
                return self._network.vocals(stereo)
        # onnxruntime raises errors of any type.
        except Exception as error:
            raise UVRError(
                "The MDX-Net model could not take this sound apart.",
                hint="Choose another route, or use `--preset pocket`.",
                detail=repr(error),
            ) from error


def load_network(path: Path, entry: Model, device: str) -> MDXNetNetwork:
    """Load a network with the settings of its catalogue entry; an ONNX file holds no code.

    Raises:
        UVRError: The file is no such network.
    """
    try:
        return MDXNetNetwork(path, msgspec.convert(dict(entry.settings), MDXNetSettings), device)
    # onnxruntime's errors share no type of their own.
    except Exception as error:
        raise UVRError(
            f"The model {path.name} is not an MDX-Net network of the shape that the catalogue gives.",
            hint="Delete it and fetch it again with `stemcord models fetch`.",
            detail=repr(error),
        ) from error


def _skip_frames(blocks: Blocks, frames: int) -> Iterator[Samples]:
    """Drop the first frames of a stream."""
    for block in blocks:
        yield block[frames:]
        frames = max(0, frames - len(block))
