"""Typed wrapper around onnxruntime for UVR's MDX-Net networks.

A network turns the complex spectrum of a stereo mixture into that of one source (Kim et al.,
"KUIELab-MDX-Net: A Two-Stream Neural Network for Music Demixing", 2021). audio-separator's
class for them is not used: its module needs torchvision, it holds a whole sound with all its
chunks in memory, and it reports no progress.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.models.onnx_session import open_session
from pipeline.separation.base import OutOfMemoryError

HOP_FRAMES = 1024
UNTRAINED_BINS = 3
"""Lowest bins, below 20 Hz, that the networks were trained without; they stay in the background."""

_torch = cast("Any", torch)


@dataclass(frozen=True, slots=True, kw_only=True)
class MDXNetSettings:
    """Settings that are not in the file of a network; UVR keeps them in a table beside its models."""

    n_fft: int
    frequencies: int
    """Bins that the network knows, from the lowest (`mdx_dim_f_set`)."""
    steps: int
    """Spectra in a chunk (two to the power of `mdx_dim_t_set`)."""
    compensate: float
    """Linear gain that makes up for what the network loses of its source."""
    primary: Literal["vocals", "instrumental"]
    """The source it makes."""


class MDXNetNetwork:
    """A loaded network.

    Raises:
        ValueError: The network does not fit the settings. For a file that it cannot read, onnxruntime raises errors
            of any type.
    """

    def __init__(self, path: Path, settings: MDXNetSettings, device: str) -> None:
        self.chunk_frames = HOP_FRAMES * (settings.steps - 1)
        """Frames that `vocals` takes at a time."""
        self.edge_frames = settings.n_fft // 2
        """Frames at both ends of a chunk whose spectra lack half of their sound."""
        self._path, self._settings = path, settings
        self._device: str = device
        self._window = _torch.hann_window(settings.n_fft)
        self._session = _open_session(path, device)
        self._input = _input_name(self._session, settings)

    @property
    def on_gpu(self) -> bool:
        """Whether the graphics card runs the network; an onnxruntime without CUDA runs it on the processor."""
        return str(self._session.get_providers()[0]).startswith("CUDA")

    def move(self, device: str) -> None:
        """Move the network to a torch device."""
        if device != self._device:
            self._session, self._device = _open_session(self._path, device), device

    def vocals(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Find the vocals of a chunk.

        Above the bins that the network knows there are no vocals. For a network that makes the
        instruments, the vocals are what is left.

        Args:
            samples: Shape (chunk_frames, 2).

        Returns:
            The same shape.

        Raises:
            OutOfMemoryError: The device has too little memory. Other errors of onnxruntime come through.
        """
        kept = self._settings.frequencies
        sound = _torch.from_numpy(np.ascontiguousarray(samples.T))
        spectrum = _torch.stft(sound, self._settings.n_fft, HOP_FRAMES, window=self._window, return_complex=True)
        spectrum[:, :UNTRAINED_BINS] = 0
        spectrum[:, kept:] = 0
        known = spectrum[:, :kept]
        made = self._settings.compensate * self._run(known)
        known.copy_(made if self._settings.primary == "vocals" else known - made)
        voice = _torch.istft(spectrum, self._settings.n_fft, HOP_FRAMES, window=self._window, length=len(samples))
        return cast("NDArray[np.float32]", voice.numpy().T)

    def _run(self, spectrum: Any) -> Any:  # noqa: ANN401 - torch's complex tensors have no type of their own
        """Run the network on the mixture's spectrum, shape (2, frequencies, steps); gives the source's."""
        parts = _torch.view_as_real(spectrum).permute(0, 3, 1, 2).reshape(1, 4, *spectrum.shape[1:])
        try:
            made = self._session.run(None, {self._input: np.ascontiguousarray(parts.numpy())})[0]
        except Exception as error:  # onnxruntime's errors differ by their text only
            if any(word in str(error).lower() for word in ("out of memory", "alloc")):
                raise OutOfMemoryError(str(error)) from error
            raise
        pairs = _torch.from_numpy(made).reshape(2, 2, *spectrum.shape[1:]).permute(0, 2, 3, 1)
        return _torch.view_as_complex(pairs.contiguous())


def _open_session(path: Path, device: str) -> Any:  # noqa: ANN401 - onnxruntime has no types
    # A chunk takes much memory, which a run that kept it would let grow to twice of it.
    return open_session(path, threads=_torch.get_num_threads(), device=device, keeps_memory=False)


def _input_name(session: Any, settings: MDXNetSettings) -> str:  # noqa: ANN401
    """Return the name of the one input; raise `ValueError` unless chunks have the settings' shape in and out."""
    shape = [4, settings.frequencies, settings.steps]
    (taken,), made = session.get_inputs(), session.get_outputs()[0]
    for tensor in (taken, made):
        if len(tensor.shape) != 4 or any(
            isinstance(size, int) and size != expected for size, expected in zip(tensor.shape[1:], shape, strict=True)
        ):
            raise ValueError(f"{tensor.name} has the shape {tensor.shape}, expected {shape} for each chunk")
    return str(taken.name)
