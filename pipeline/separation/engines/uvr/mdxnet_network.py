"""The one typed door to onnxruntime, which runs UVR's MDX-Net networks.

A network turns the complex spectrum of a stereo mixture into that of one source (Kim et al.,
"KUIELab-MDX-Net: A Two-Stream Neural Network for Music Demixing", 2021). audio-separator's
class for them is not used: its module needs torchvision, it holds a whole clip with all its
chunks, and tells nothing of its progress.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import onnxruntime  # pyright: ignore[reportMissingTypeStubs]
import torch
from numpy.typing import NDArray

HOP = 1024
UNHEARD = 3
"""Lowest frequencies that the networks were trained without, below 20 Hz; they stay in the background."""

_torch = cast("Any", torch)
_onnxruntime = cast("Any", onnxruntime)


@dataclass(frozen=True, slots=True, kw_only=True)
class MDXNetSettings:
    """What is not in the file of a network; UVR keeps it in a table beside its models."""

    n_fft: int
    frequencies: int
    """How many of the spectrum, from the lowest, the network knows (`mdx_dim_f_set`)."""
    steps: int
    """Short-time spectra in a chunk (two to the power of `mdx_dim_t_set`)."""
    compensate: float
    """Gain for what the network takes off its source."""
    primary: Literal["vocals", "instrumental"]
    """The source it makes."""


class ShortOfMemoryError(Exception):
    """The device had too little memory for a chunk."""


class Network:
    """A network that is ready to work."""

    def __init__(self, path: Path, settings: MDXNetSettings, device: str) -> None:
        """Raises what onnxruntime raises for a file it cannot use, `ValueError` when it does not fit the settings."""
        self.chunk = HOP * (settings.steps - 1)
        """Frames that `vocals` takes at a time."""
        self.lead = settings.n_fft // 2
        """Frames at both ends of a chunk whose spectra lack half of their sound."""
        self._path, self._settings = path, settings
        self._wanted: str = device
        self._window = _torch.hann_window(settings.n_fft)
        self._session = _open(path, device)
        self._input = _input_name(self._session, settings)

    @property
    def on_card(self) -> bool:
        """Whether a graphics card does the work; an onnxruntime built without CUDA leaves it to the processor."""
        return str(self._session.get_providers()[0]).startswith("CUDA")

    def move(self, device: str) -> None:
        """Bring the network to a device."""
        if device != self._wanted:
            self._session, self._wanted = _open(self._path, device), device

    def vocals(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The vocals of `chunk` frames, shape (frames, 2).

        Above the frequencies that the network knows nothing is taken for vocals. One that makes
        the instruments gives what is left of the rest. Raises `ShortOfMemoryError`, or what onnxruntime raises.
        """
        kept = self._settings.frequencies
        sound = _torch.from_numpy(np.ascontiguousarray(samples.T))
        spectrum = _torch.stft(sound, self._settings.n_fft, HOP, window=self._window, return_complex=True)
        spectrum[:, :UNHEARD] = 0
        spectrum[:, kept:] = 0
        known = spectrum[:, :kept]
        made = self._settings.compensate * self._run(known)
        known.copy_(made if self._settings.primary == "vocals" else known - made)
        voice = _torch.istft(spectrum, self._settings.n_fft, HOP, window=self._window, length=len(samples))
        return cast("NDArray[np.float32]", voice.numpy().T)

    def _run(self, spectrum: Any) -> Any:  # noqa: ANN401 - torch's complex tensors have no type of their own
        """The source's spectrum of the mixture's, shape (2, frequencies, steps)."""
        parts = _torch.view_as_real(spectrum).permute(0, 3, 1, 2).reshape(1, 4, *spectrum.shape[1:])
        try:
            made = self._session.run(None, {self._input: np.ascontiguousarray(parts.numpy())})[0]
        except Exception as error:  # onnxruntime's errors are told apart by their text alone
            if any(word in str(error).lower() for word in ("out of memory", "alloc")):
                raise ShortOfMemoryError(str(error)) from error
            raise
        pairs = _torch.from_numpy(made).reshape(2, 2, *spectrum.shape[1:]).permute(0, 2, 3, 1)
        return _torch.view_as_complex(pairs.contiguous())


def _open(path: Path, device: str) -> Any:  # noqa: ANN401 - onnxruntime has no types
    options = _onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = _torch.get_num_threads()
    # Its arena keeps what a chunk took and grows to twice of it.
    options.enable_cpu_mem_arena = False
    wanted = ["CUDAExecutionProvider"] if device.startswith("cuda") else []
    here = _onnxruntime.get_available_providers()
    providers = [*(name for name in wanted if name in here), "CPUExecutionProvider"]
    return _onnxruntime.InferenceSession(str(path), options, providers=providers)


def _input_name(session: Any, settings: MDXNetSettings) -> str:  # noqa: ANN401
    """The network's one input; raises `ValueError` unless it takes and makes chunks of the settings' shape."""
    shape = [4, settings.frequencies, settings.steps]
    (taken,), made = session.get_inputs(), session.get_outputs()[0]
    for tensor in (taken, made):
        if len(tensor.shape) != 4 or any(
            isinstance(size, int) and size != expected for size, expected in zip(tensor.shape[1:], shape, strict=True)
        ):
            raise ValueError(f"{tensor.name} has the shape {tensor.shape}, expected {shape} for each chunk")
    return str(taken.name)
