"""The Demucs engine: any checkpoint of the hub or of a person's own, 44.1 kHz stereo as a rule.

The library holds a whole sound and all of its sources in memory; here the sound is streamed
through `segment_inference` with the same result. Mean and deviation for the normalization are
those of the whole sound, as the networks were trained.

Rouard et al., "Hybrid Transformers for Music Source Separation", 2023.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import numpy as np
from platformdirs import user_data_path

from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples
from pipeline.errors import DemucsError
from pipeline.graph.stage import ProgressCallback
from pipeline.models.loader import Models, own_model_digest
from pipeline.separation.base import CPU_FALLBACK_NOTE, Mixture, OutOfMemoryError, SeparationEngine
from pipeline.separation.engines.demucs import library
from pipeline.separation.engines.demucs.checkpoints import DemucsCheckpoint, load_local, load_model
from pipeline.separation.engines.demucs.fast_attention import optimise, reuse_freed_memory
from pipeline.separation.segment_inference import (
    InferenceSettings,
    PlanarSamples,
    count_segments,
    run_segments,
)
from pipeline.separation.stem_files import atomic_folder
from pipeline.separation.survey import measure_normalization
from pipeline.types import StemName

SEGMENT_OVERLAP = Fraction(1, 4)
SMALLER_BATCH_NOTE = "Memory was short, so fewer pieces of the sound were taken apart at a time."
STEM_BY_SOURCE: Mapping[str, StemName] = MappingProxyType(
    {
        **dict.fromkeys(("vocals", "speech", "dialog", "dialogue", "voice"), StemName.VOCALS),
        **dict.fromkeys(("sfx", "effects", "effect"), StemName.SFX),
        **dict.fromkeys(("ambient", "ambience"), StemName.AMBIENT),
    }
)
"""The stem of a source by the network's name for it; any other (drums, bass, other, music) is music. Networks trained
on Divide and Remaster have music, sfx and speech; their effects hold ambience too, which `stem_files` splits off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Normalization:
    """As the networks are given it: single floats."""

    mean: np.float32
    deviation: np.float32


class Demucs(SeparationEngine):
    """The engine; its network is loaded once per process."""

    def __init__(self, checkpoint: DemucsCheckpoint, device: str, *, batch: int | None = None) -> None:
        """Prepare the engine for one sound.

        Args:
            checkpoint: The loaded network.
            device: Torch device.
            batch: Segments to run at a time; by default what suits the device.

        Raises:
            DemucsError: The network has no vocals, or a source without weight.
        """
        network = checkpoint.network
        kinds = [STEM_BY_SOURCE.get(source, StemName.MUSIC) for source in network.sources]
        if StemName.VOCALS not in kinds:
            raise DemucsError(
                f"The model has no vocals among its sources ({', '.join(network.sources)}).",
                hint="Choose another model.",
            )
        order = (StemName.VOCALS, StemName.MUSIC, StemName.SFX, StemName.AMBIENT)
        super().__init__(
            int(network.samplerate),
            tuple(stem for stem in order if stem in kinds),
            weights_digest=checkpoint.digest,
        )
        sources = [[index for index, kind in enumerate(kinds) if kind is stem] for stem in self.stems]
        try:
            self._members = library.open_members(network, sources)
        except ValueError as error:
            raise DemucsError(
                "The model's description gives no weight to one of its sources.",
                hint="Correct its NAME.yaml, or choose another model.",
                detail=repr(error),
            ) from error
        self._counts = np.asarray([len(row) for row in sources], np.float32)[:, None, None]
        self._channels = int(network.audio_channels)
        self._device = device
        self._batch = batch or library.default_batch(device)

    @classmethod
    def open(cls, models: Models, name: str) -> "Demucs":
        """Open a model of `<home>/checkpoints`, fetched first if need be; see `SeparationEngine.open`."""
        key = f"demucs {name} {own_model_digest(models.home, name)}"
        return cls(models.loaded(key, lambda: _with_fast_attention(load_model(models, name))), models.device)

    def separate(self, mixture: Mixture, report: ProgressCallback) -> Iterator[Samples]:
        """Find the stems in two passes over the sound; see `SeparationEngine.separate`."""
        report(0.0)
        normal = _find_normalization(mixture, report)
        offset = self._counts * normal.mean
        try:
            settings = self._inference_settings(mixture.frames, report)
            with reuse_freed_memory() if self._device == "cpu" else nullcontext():
                for made in run_segments(
                    self._members, self._normalized_blocks(mixture, normal), mixture.frames, settings
                ):
                    stems = made * normal.deviation + offset
                    yield np.hstack([_with_channels(stem.T, mixture.channels) for stem in stems])
        except (RuntimeError, ValueError, AssertionError, OutOfMemoryError) as error:
            raise DemucsError("Demucs could not take this sound apart.", detail=repr(error)) from error

    def close(self) -> None:
        """Return memory of the graphics card that torch keeps."""
        library.free_memory()

    def _normalized_blocks(self, mixture: Mixture, normal: _Normalization) -> Iterator[PlanarSamples]:
        """Read the sound for the networks: normalized blocks of shape (channels, frames)."""
        for block in mixture.blocks():
            yield ((_with_channels(block, self._channels) - normal.mean) / normal.deviation).T

    def _inference_settings(self, frames: int, report: ProgressCallback) -> InferenceSettings:
        total, finished = count_segments(self._members, frames, SEGMENT_OVERLAP), 0

        def on_finished(count: int) -> None:
            nonlocal finished
            finished += count
            report(finished / total)

        return InferenceSettings(
            batch_size=self._first_batch(),
            overlap=SEGMENT_OVERLAP,
            reduce_batch=self._reduce_batch,
            on_finished=on_finished,
        )

    def _first_batch(self) -> int:
        """Move the networks to the device; returns how many segments to begin with there."""
        try:
            self._move(self._device)
        except OutOfMemoryError:
            return self._reduce_batch(1)
        return self._batch

    def _reduce_batch(self, batch: int) -> int:
        """Return a smaller batch; when one segment is too large for the graphics card, move to the processor."""
        if batch > 1:
            library.free_memory()
            self._note(SMALLER_BATCH_NOTE)
            return batch // 2
        if self._device == "cpu":
            raise DemucsError(
                "There is too little memory for this model.", hint="Free some memory, or choose a smaller model."
            )
        self._move("cpu")
        library.free_memory()
        self._note(CPU_FALLBACK_NOTE)
        return 1

    def _move(self, device: str) -> None:
        self._device = device
        for member in self._members:
            member.move(device)

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def run_demucs_separation(
    source: Path, out: Path, model: str, *, repo: Path | None, device: str, report: ProgressCallback
) -> dict[StemName, Path]:
    """Separate a sound file into `<stem>.wav` files, float at the model's own rate.

    The background is the sum of all sources but the vocals.

    Args:
        source: The sound, one or two channels.
        out: Folder of the results; it stays empty when the work fails or is cancelled.
        model: Name of a published model, of a bag or of a checkpoint.
        repo: Folder of checkpoints; None for a published model, which is fetched into the user's data folder.
        device: Torch device.
        report: Called with the progress.

    Returns:
        The files by stem.

    Raises:
        DemucsError: The network cannot be loaded or run.
        ModelError: The weights are not here or not the known ones.
        MediaError: The sound cannot be read.
    """
    if repo is None:
        engine = Demucs.open(Models(user_data_path("stemcord"), device), model)
    else:
        engine = Demucs(_with_fast_attention(load_local(repo, model)), device)
    mixture = Mixture.open(source, engine.sample_rate)
    names = (*engine.stems, StemName.BACKGROUND)
    with atomic_folder(out) as folder, ExitStack() as stack:
        stack.enter_context(closing(engine))
        writers = [
            stack.enter_context(
                audio_io.SoundWriter(
                    folder / f"{name.value}.wav",
                    sample_rate=engine.sample_rate,
                    channels=mixture.channels,
                    subtype="FLOAT",
                )
            )
            for name in names
        ]
        for block in engine.separate(mixture, report):
            parts = np.split(block, len(engine.stems), axis=1)
            rest = np.asarray(sum(parts[1:], np.zeros_like(parts[0])), np.float32)
            for writer, part in zip(writers, (*parts, rest), strict=True):
                writer.write(part)
    return {name: out / f"{name.value}.wav" for name in names}


def _with_fast_attention(checkpoint: DemucsCheckpoint) -> DemucsCheckpoint:
    optimise(checkpoint.network)
    return checkpoint


def _find_normalization(mixture: Mixture, report: ProgressCallback) -> _Normalization:
    """Measure the mono mix at the network's rate, unless that of the whole sound is known."""
    normal = mixture.survey.normal if mixture.survey else measure_normalization(mixture.blocks(), lambda: report(0.0))
    return _Normalization(mean=np.float32(normal.mean), deviation=np.float32(normal.deviation + 1e-8))


def _with_channels(samples: Samples, channels: int) -> Samples:
    """Convert to shape (frames, channels) by repeating mono or by averaging stereo."""
    if samples.shape[1] == channels:
        return samples
    return np.repeat(audio_io.to_mono(samples), channels, axis=1)
