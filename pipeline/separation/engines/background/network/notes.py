"""Where notes sound, as a small network for transcription hears them: a hint of what is music.

Bittner et al., "A lightweight instrument-agnostic model for polyphonic note transcription and multipitch
estimation", ICASSP 2022. Its weights (17 thousand, Apache 2.0) come with the package basic-pitch.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.audio.io import resample
from pipeline.models.onnx_session import open_session
from pipeline.separation.engines.background.network.tensors import tensor_of

RATE: Final = 22_050
"""Of the sound that the network hears, in Hz."""
HOP: Final = 256
"""Frames of sound from one posterior to the next."""
WINDOW_FRAMES: Final = 43_844
"""Of sound, which the network hears at a time."""
EDGE: Final = 15
"""Posteriors at each end of a window that the next window knows better."""
WINDOW_HOP: Final = WINDOW_FRAMES - 2 * EDGE * HOP
NOTES: Final = 88
LOWEST_HZ: Final = 27.5
HARMONICS: Final = 8
HARMONIC_DECAY: Final = 0.9
"""Weight of each harmonic, of the one below it."""
RELATIVE_WIDTH, MIN_WIDTH_HZ = 0.03, 16.0
"""Distance from a harmonic at which a bin has nothing of it any more."""
LOUDEST: Final = 3
"""Notes whose mean says whether there is music at a moment."""
ONSET_SCALE: Final = 5.0
"""Brings the mean of all onsets to about 1."""
HINTS: Final = 3
NOTE_OUTPUT, ONSET_OUTPUT = "StatefulPartitionedCall:1", "StatefulPartitionedCall:2"
SILENCE: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Posteriors:
    """Probabilities of each note, shape (batch, posteriors, NOTES)."""

    notes: Tensor
    onsets: Tensor


class NoteListener:
    """The network, on the processor, and what it says of the bins of spectra.

    Args:
        path: Its file in ONNX.
        bin_hz: Distance of the bins.
        bins: How many are told about.
    """

    def __init__(self, path: Path, *, bin_hz: float, bins: int) -> None:
        self._session = open_session(path, threads=torch.get_num_threads())
        self._input = str(self._session.get_inputs()[0].name)
        self._nearest, self._weights = _harmonics_of_bins(bin_hz, bins)

    def hints(self, waves: Tensor, *, rate: int, hop: int, spectra: int) -> Tensor:
        """Tell each bin how likely a note's harmonic lies there, whether notes sound, and whether they begin.

        Args:
            waves: Shape (batch, frames).
            rate: Of the waves, in Hz.
            hop: Frames from one spectrum to the next.
            spectra: How many there are.

        Returns:
            Shape (batch, HINTS, spectra, bins), values of about 0 to 1.
        """
        heard = self.posteriors(waves, rate=rate)
        notes, onsets = (_at_spectra(values, hop / rate, spectra) for values in (heard.notes, heard.onsets))
        lines = (notes[..., self._nearest] * self._weights).amax(dim=-1)
        present = notes.topk(LOUDEST, dim=-1).values.mean(dim=-1, keepdim=True).expand_as(lines)
        begun = (onsets.mean(dim=-1, keepdim=True) * ONSET_SCALE).expand_as(lines)
        return torch.stack([lines, present, begun], dim=1)

    def posteriors(self, waves: Tensor, *, rate: int) -> Posteriors:
        """Hear the notes of waves of shape (batch, frames)."""
        sounds = [_prepared(wave, rate) for wave in cast("NDArray[np.float32]", waves.cpu().numpy())]
        windows = np.concatenate([_windows(sound) for sound in sounds])[..., None]
        count = math.ceil(len(sounds[0]) / HOP)
        made: list[Any] = self._session.run([NOTE_OUTPUT, ONSET_OUTPUT], {self._input: windows})
        notes, onsets = (tensor_of(values[:, EDGE:-EDGE]) for values in made)
        whole = (len(sounds), -1, NOTES)
        return Posteriors(notes=notes.reshape(whole)[:, :count], onsets=onsets.reshape(whole)[:, :count])


def _prepared(wave: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    sound = resample(wave[:, None], rate, RATE)[:, 0]
    return np.asarray(sound / (np.abs(sound).max(initial=0.0) + SILENCE), np.float32)


def _windows(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut a sound into windows whose posteriors without the edges follow each other."""
    count = math.ceil((len(sound) + EDGE * HOP) / WINDOW_HOP)
    padded = np.pad(sound, (EDGE * HOP, count * WINDOW_HOP + WINDOW_FRAMES - len(sound)))
    return np.stack([padded[index * WINDOW_HOP :][:WINDOW_FRAMES] for index in range(count)])


def _at_spectra(values: Tensor, spectrum_seconds: float, spectra: int) -> Tensor:
    """Take the mean of the two posteriors that lie at each spectrum or right after it."""
    places = (torch.arange(spectra) * (spectrum_seconds * RATE / HOP)).round().long()
    last = values.shape[1] - 1
    return (values[:, places.clamp(max=last)] + values[:, (places + 1).clamp(max=last)]) / 2


def _harmonics_of_bins(bin_hz: float, bins: int) -> tuple[Tensor, Tensor]:
    """List the notes that have a harmonic at each bin, and how much of it, both of shape (bins, most notes)."""
    frequencies = torch.arange(bins)[:, None, None] * bin_hz
    harmonics = LOWEST_HZ * 2 ** (torch.arange(NOTES)[:, None] / 12) * torch.arange(1, HARMONICS + 1)
    width = (RELATIVE_WIDTH * harmonics).clamp(min=MIN_WIDTH_HZ)
    near = (1 - (frequencies - harmonics).abs() / width).clamp(min=0)
    weights = (near * HARMONIC_DECAY ** torch.arange(HARMONICS)).amax(dim=-1)
    most = int((weights > 0).sum(dim=1).max())
    found = weights.topk(most, dim=1)
    return found.indices, found.values
