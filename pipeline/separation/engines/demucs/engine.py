"""Demucs: any checkpoint of one's own or of the hub, 44.1 kHz stereo as a rule.

The library holds a whole clip, and every source of it, in memory; here the clip is streamed
through `overlap_add` with the same result. Mean and deviation for the normalisation are those
of the whole clip, as the networks were trained.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import numpy as np
from platformdirs import user_data_path

from pipeline.audio import io as sound
from pipeline.audio.io import Samples
from pipeline.errors import DemucsError
from pipeline.graph.stage import ProgressCallback
from pipeline.models.loader import Models, own_model_digest
from pipeline.separation.base import NO_CARD, Recording
from pipeline.separation.checkpoints import Checkpoint, load_local, load_model
from pipeline.separation.engines.demucs import library
from pipeline.separation.engines.demucs.fast_attention import kept_memory, optimise
from pipeline.separation.segment_inference import OutOfMemoryError, Pace, Planes, count_segments, run_segments
from pipeline.separation.stem_files import finished_folder
from pipeline.types import StemName

SEGMENT_OVERLAP = Fraction(1, 4)
FEWER = "Memory was short, so fewer pieces of the sound were taken apart at a time."
KINDS: Mapping[str, StemName] = MappingProxyType(
    {
        **dict.fromkeys(("vocals", "speech", "dialog", "dialogue", "voice"), StemName.VOCALS),
        **dict.fromkeys(("sfx", "effects", "effect"), StemName.SFX),
        **dict.fromkeys(("ambient", "ambience"), StemName.AMBIENT),
    }
)
"""What a network calls its sources; any other (drums, bass, other, music) is music. Those trained on Divide and
Remaster have music, sfx and speech; such effects hold events and ambience, which `stems` parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Normal:
    """Mean and deviation of a whole clip's mono mix."""

    mean: np.float32
    deviation: np.float32


class Demucs:
    """The engine; its network is loaded once per process."""

    def __init__(self, checkpoint: Checkpoint, device: str, *, batch: int | None = None) -> None:
        """`batch` is how many segments to run at a time; by default what suits the device."""
        network = checkpoint.network
        kinds = [KINDS.get(source, StemName.MUSIC) for source in network.sources]
        if StemName.VOCALS not in kinds:
            raise DemucsError(
                f"The model has no vocals among its sources ({', '.join(network.sources)}).",
                hint="Choose another model.",
            )
        order = (StemName.VOCALS, StemName.MUSIC, StemName.SFX, StemName.AMBIENT)
        self.stems = tuple(stem for stem in order if stem in kinds)
        sources = [[index for index, kind in enumerate(kinds) if kind is stem] for stem in self.stems]
        try:
            self._members = library.open_members(network, sources)
        except ValueError as error:
            raise DemucsError(
                "The model's description gives no weight to one of its sources.",
                hint="Mend its NAME.yaml, or choose another model.",
                detail=repr(error),
            ) from error
        self._counts = np.asarray([len(row) for row in sources], np.float32)[:, None, None]
        self._channels = int(network.audio_channels)
        self._device = device
        self._batch = batch or library.default_batch(device)
        self.sample_rate = int(network.samplerate)
        self.notes: list[str] = []
        self.digest = checkpoint.digest

    @classmethod
    def open(cls, models: Models, name: str) -> "Demucs":
        """The model from `<home>/checkpoints`, fetched there first if need be; see `load_model` for the errors."""
        key = f"demucs {name} {own_model_digest(models.home, name)}"
        return cls(models.loaded(key, lambda: _optimised(load_model(models, name))), models.device)

    def separate(self, recording: Recording, report: ProgressCallback) -> Iterator[Samples]:
        """Stems side by side, shape (frames, len(stems) * channels); see `Engine.separate`."""
        report(0.0)
        normal = _measure(recording, report)
        offset = self._counts * normal.mean
        try:
            pace = self._pace(recording.frames, report)
            with kept_memory() if self._device == "cpu" else nullcontext():
                for made in run_segments(self._members, self._mixture(recording, normal), recording.frames, pace):
                    stems = made * normal.deviation + offset
                    yield np.hstack([_with_channels(stem.T, recording.channels) for stem in stems])
        except (RuntimeError, ValueError, AssertionError, OutOfMemoryError) as error:
            raise DemucsError("Demucs could not take this sound apart.", detail=repr(error)) from error
        finally:
            library.free_memory()

    def _mixture(self, recording: Recording, normal: _Normal) -> Iterator[Planes]:
        """Second pass: the sound as the networks were trained to see it, blocks of shape (channels, frames)."""
        for block in recording.blocks():
            yield ((_with_channels(block, self._channels) - normal.mean) / normal.deviation).T

    def _pace(self, frames: int, report: ProgressCallback) -> Pace:
        total, finished = count_segments(self._members, frames, SEGMENT_OVERLAP), 0

        def tell(count: int) -> None:
            nonlocal finished
            finished += count
            report(finished / total)

        return Pace(batch=self._first_batch(), overlap=SEGMENT_OVERLAP, give_way=self._give_way, done=tell)

    def _first_batch(self) -> int:
        """Bring the networks to the device; returns how many segments to begin with there."""
        try:
            self._move(self._device)
        except OutOfMemoryError:
            return self._give_way(1)
        return self._batch

    def _give_way(self, batch: int) -> int:
        """A smaller batch; short of memory even for one segment, the card leaves the work to the processor."""
        if batch > 1:
            library.free_memory()
            self._note(FEWER)
            return batch // 2
        if self._device == "cpu":
            raise DemucsError(
                "There is too little memory for this model.", hint="Free some memory, or choose a smaller model."
            )
        self._move("cpu")
        library.free_memory()
        self._note(NO_CARD)
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
    """Take a sound file apart into `<stem>.wav` files in `out`, float at the model's own rate.

    The background is the sum of all sources but the vocals. `repo` is a folder of checkpoints, or None for a
    published model, which is fetched into the user's data folder first. Nothing is left in `out` when `report`
    raises or the work fails. Raises `DemucsError`, `ModelError` or `MediaError`.
    """
    if repo is None:
        engine = Demucs.open(Models(user_data_path("stemcord"), device), model)
    else:
        engine = Demucs(_optimised(load_local(repo, model)), device)
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


def _optimised(checkpoint: Checkpoint) -> Checkpoint:
    optimise(checkpoint.network)
    return checkpoint


def _measure(recording: Recording, report: ProgressCallback) -> _Normal:
    """First pass: the moments of the mono mix at the network's rate, merged block by block (Chan et al. 1979)."""
    count, mean, squares = 0, 0.0, 0.0
    for block in recording.blocks():
        mono = sound.to_mono(block).astype(np.float64)
        step, joined = float(mono.mean()) - mean, count + len(mono)
        squares += float(np.square(mono - mono.mean()).sum()) + step**2 * count * len(mono) / joined
        mean += step * len(mono) / joined
        count = joined
        report(0.0)
    deviation = np.sqrt(squares / max(1, count - 1)) + 1e-8
    return _Normal(mean=np.float32(mean), deviation=np.float32(deviation))


def _with_channels(samples: Samples, channels: int) -> Samples:
    """Shape (frames, channels): a mono sound is doubled, a stereo one is brought to its mean."""
    if samples.shape[1] == channels:
        return samples
    return np.repeat(sound.to_mono(samples), channels, axis=1)
