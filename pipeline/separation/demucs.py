"""Demucs: any checkpoint of one's own or of the hub, 44.1 kHz stereo as a rule.

The library holds all it works on, and every source of it, in memory; a long clip is
therefore given to it in windows of three minutes, cross-faded. A clip that fits into one
window gets exactly what the library alone would make. Mean and deviation for the
normalisation are those of the whole clip, as the networks were trained.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pipeline import sound
from pipeline.errors import DemucsError
from pipeline.models import Models
from pipeline.separation import demucs_library as library
from pipeline.separation.blocks import overlap_add
from pipeline.separation.checkpoints import Checkpoint, has_checkpoint, load_hub, load_local
from pipeline.separation.engine import Recording
from pipeline.separation.stems import finished_folder
from pipeline.sound import Samples
from pipeline.stages import Report
from pipeline.types import StemName

SEGMENT_OVERLAP = 0.25
WINDOW_SECONDS = 180
OVERLAP_SECONDS = 8
KINDS: Mapping[str, StemName] = MappingProxyType(
    {
        **dict.fromkeys(("vocals", "speech", "dialog", "dialogue", "voice"), StemName.VOCALS),
        **dict.fromkeys(("sfx", "effects", "effect"), StemName.SFX),
        **dict.fromkeys(("ambient", "ambience"), StemName.AMBIENT),
    }
)
"""What a network calls its sources; any other (drums, bass, other, music) is music."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Normal:
    """Mean and deviation of a whole clip's mono mix."""

    mean: float
    deviation: float


class Demucs:
    """The engine; its network is loaded once per process."""

    def __init__(self, checkpoint: Checkpoint, device: str) -> None:
        self._network = checkpoint.network
        self._device = device
        kinds = [KINDS.get(source, StemName.MUSIC) for source in self._network.sources]
        if StemName.VOCALS not in kinds:
            raise DemucsError(
                f"The model has no vocals among its sources ({', '.join(self._network.sources)}).",
                mend="Choose another model.",
            )
        self._kinds = kinds
        self.sample_rate = int(self._network.samplerate)
        order = (StemName.VOCALS, StemName.MUSIC, StemName.SFX, StemName.AMBIENT)
        self.stems = tuple(stem for stem in order if stem in kinds)
        self.notes: list[str] = []
        self.digest = checkpoint.digest

    @classmethod
    def open(cls, models: Models, name: str) -> "Demucs":
        """The model from `<home>/checkpoints` when it is there, else from the hub. Raises `DemucsError`."""
        folder = models.home / "checkpoints"
        repo = folder if has_checkpoint(folder, name) else None
        return cls(models.loaded(f"demucs {name}", lambda: _load(name, repo)), models.device)

    def separate(self, recording: Recording, report: Report) -> Iterator[Samples]:
        """Stems side by side, shape (frames, len(stems) * channels); see `Engine.separate`."""
        normal = _measure(recording)
        window, overlap = WINDOW_SECONDS * self.sample_rate, OVERLAP_SECONDS * self.sample_rate
        total = sum(
            library.segments(self._network, length, SEGMENT_OVERLAP)
            for length in _window_lengths(recording.frames, window, overlap)
        )
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            report(min(1.0, done / total))

        report(0.0)
        return overlap_add(
            recording.blocks(), lambda block: self._window(block, normal, step), window=window, overlap=overlap
        )

    def _window(self, block: Samples, normal: _Normal, step: Callable[[], None]) -> Samples:
        """The stems of one window, shape (frames, len(stems) * channels)."""
        mixture = (_with_channels(block, int(self._network.audio_channels)) - normal.mean) / normal.deviation
        sources = self._apply(mixture.T, step) * normal.deviation + normal.mean
        stems = [
            sum(source for source, kind in zip(sources, self._kinds, strict=True) if kind is stem)
            for stem in self.stems
        ]
        return np.hstack([_with_channels(np.asarray(stem, np.float32).T, block.shape[1]) for stem in stems])

    def _apply(self, mixture: Samples, step: Callable[[], None]) -> NDArray[np.float32]:
        """All sources of a mixture, (channels, frames); short of memory, the card leaves it to the processor."""
        try:
            try:
                return library.separate(self._network, mixture, overlap=SEGMENT_OVERLAP, device=self._device, done=step)
            except library.OutOfMemoryError:
                if self._device == "cpu":
                    raise
                library.free_memory(self._network)
                self._device = "cpu"
                self.notes.append("The graphics card had too little memory, so the processor took the sound apart.")
                return library.separate(self._network, mixture, overlap=SEGMENT_OVERLAP, device="cpu", done=step)
        except RuntimeError as error:
            raise DemucsError("Demucs could not take this sound apart.", detail=repr(error)) from error


def run_demucs_separation(
    source: Path, out: Path, model: str, *, repo: Path | None, device: str, report: Report
) -> dict[StemName, Path]:
    """Take a sound file apart into `<stem>.wav` files in `out`, float at the model's own rate.

    The background is the sum of all sources but the vocals. `repo` is a folder of checkpoints, or None for the
    hub. Nothing is left in `out` when `report` raises or the work fails. Raises `DemucsError`, `ModelDigestError`
    or `MediaError`.
    """
    engine = Demucs(_load(model, repo), device)
    recording = Recording.open(source, engine.sample_rate)
    names = (*engine.stems, StemName.BACKGROUND)
    with finished_folder(out) as folder, ExitStack() as stack:
        writers = [
            stack.enter_context(
                sound.SoundWriter(
                    folder / f"{name.value}.wav",
                    sample_rate=engine.sample_rate,
                    channels=recording.channels,
                    subtype="FLOAT",
                )
            )
            for name in names
        ]
        for block in engine.separate(recording, report):
            parts = np.split(block, len(engine.stems), axis=1)
            rest = np.asarray(sum(parts[1:], np.zeros_like(parts[0])), np.float32)
            for writer, part in zip(writers, (*parts, rest), strict=True):
                writer.write(part)
    return {name: out / f"{name.value}.wav" for name in names}


def _load(name: str, repo: Path | None) -> Checkpoint:
    return load_hub(name) if repo is None else load_local(repo, name)


def _measure(recording: Recording) -> _Normal:
    """First pass: the moments of the mono mix at the network's rate."""
    total = squares = 0.0
    for block in recording.blocks():
        mono = block.mean(axis=1, dtype=np.float64)
        total += float(mono.sum())
        squares += float(np.square(mono).sum())
    mean = total / recording.frames
    variance = (squares - recording.frames * mean**2) / max(1, recording.frames - 1)
    return _Normal(mean=mean, deviation=float(np.sqrt(max(0.0, variance))) + 1e-8)


def _window_lengths(frames: int, window: int, overlap: int) -> list[int]:
    """The windows that `overlap_add` makes of so many frames."""
    lengths: list[int] = []
    while frames >= window:
        lengths.append(window)
        frames -= window - overlap
    return lengths if lengths and frames == overlap else [*lengths, frames]


def _with_channels(samples: Samples, channels: int) -> Samples:
    """Shape (frames, channels): a mono sound is doubled, a stereo one is brought to its mean."""
    if samples.shape[1] == channels:
        return samples
    return np.repeat(sound.to_mono(samples), channels, axis=1)
