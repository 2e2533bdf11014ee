"""The stage `split_background`: a background in, its music, SFX and ambience out."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples
from pipeline.graph.stage import StageContext
from pipeline.separation.background_parts import explain_silent
from pipeline.separation.base import BLOCK_FRAMES, Mixture, SeparationEngine, open_engine
from pipeline.separation.contracts import (
    SplitBackgroundInputs,
    SplitBackgroundOutput,
    SplitBackgroundParams,
    StemFiles,
)
from pipeline.separation.stem_files import atomic_folder, quantize_24_bit, split_exactly
from pipeline.separation.streaming import BlockReader, fit_length
from pipeline.types import StemName

PROGRESS_MESSAGE = "Parting the background"
SILENCE_POWER = 10 ** (-70 / 10)
"""Mean power, of full scale, below which a second of a part is silent (-70 dBFS) ..."""
LEAKAGE_POWER_RATIO = 10 ** (-25 / 10)
"""... or if it is this far below the background in the same second: the network leaves about -34 dB of what it takes
for another part."""


def split_background_stage(
    context: StageContext, inputs: SplitBackgroundInputs[Path], params: SplitBackgroundParams
) -> SplitBackgroundOutput[Path]:
    """Part a background.

    A part that is silent all through is not given; what little it holds goes to the loudest of the others, so that
    the parts still add up to the background where all were wanted.

    Raises:
        MediaError: The sound cannot be read.
        ModelError: The network's weights are not here.
        SeparationError: The network failed. What `context.report` raises comes through too.
    """
    context.report(0.0, "Loading the model")
    with (
        closing(open_engine(context.models.entry(params.model).engine, context.models, params.model)) as engine,
        atomic_folder(context.out) as folder,
    ):
        mixture = Mixture.open_any(inputs.background)
        levels = _write_parts(context, engine, mixture, params.parts, folder)
        silent = [part for part in params.parts if not levels.is_heard(part)]
        heard = [part for part in params.parts if part not in silent]
        if heard and len(params.parts) == len(engine.stems):
            silent = [part for part in silent if _merge(folder, part, max(heard, key=levels.energy))]
        for part in silent:
            _part_file(folder, part).unlink()
    given = [part for part in params.parts if part not in silent]
    return SplitBackgroundOutput(
        stems=StemFiles(**{part.value: _part_file(context.out, part) for part in given}),
        notes=tuple(explain_silent(silent)),
        models=(context.models.use("split_background", params.model),),
    )


class PartLevels:
    """Levels of the parts in each second, beside those of the background."""

    def __init__(self, parts: Sequence[StemName]) -> None:
        self._powers: Mapping[StemName, list[float]] = {part: [] for part in parts}
        self._background: list[float] = []

    def add(self, background: Samples, parts: Mapping[StemName, Samples]) -> None:
        """Add a block of about a second."""
        self._background.append(_power(background))
        for part, powers in self._powers.items():
            powers.append(_power(parts[part]))

    def energy(self, part: StemName) -> float:
        """Return the energy of a part over all blocks."""
        return sum(self._powers[part])

    def is_heard(self, part: StemName) -> bool:
        """Return whether a part is more than silence and leakage in any block."""
        powers, background = np.array(self._powers[part]), np.array(self._background)
        return bool(np.any((powers > SILENCE_POWER) & (powers > LEAKAGE_POWER_RATIO * background)))


def _write_parts(
    context: StageContext, engine: SeparationEngine, mixture: Mixture, parts: Sequence[StemName], folder: Path
) -> PartLevels:
    """Write `<part>.flac` for each part, at the background's rate, length and channels."""
    info, levels = mixture.original, PartLevels(parts)
    layout = audio_io.read_layout(mixture.path)
    with ExitStack() as stack:
        writers = {
            part: stack.enter_context(
                audio_io.SoundWriter(
                    _part_file(folder, part), sample_rate=info.sample_rate, channels=info.channels, layout=layout
                )
            )
            for part in parts
        }
        for background, found in _exact_parts(context, engine, mixture):
            levels.add(background, found)
            for part, writer in writers.items():
                writer.write(found[part])
    return levels


def _exact_parts(
    context: StageContext, engine: SeparationEngine, mixture: Mixture
) -> Iterator[tuple[Samples, Mapping[StemName, Samples]]]:
    """Give blocks of the background, and of its parts, which add up to it in 24-bit values."""
    columns = mixture.channels * len(engine.stems)
    made = engine.separate(mixture, lambda fraction, message="": context.report(fraction, message or PROGRESS_MESSAGE))
    network = BlockReader(fit_length(made, mixture.frames, columns), columns)
    for background in audio_io.read_blocks(mixture.path, block=BLOCK_FRAMES):
        rest = quantize_24_bit(background)
        found: dict[StemName, Samples] = {}
        for stem, estimate in zip(
            engine.stems, np.split(network.read(len(background)), len(engine.stems), axis=1), strict=True
        ):
            found[stem], rest = (rest, rest) if stem is engine.stems[-1] else split_exactly(rest, estimate)
        yield background, found


def _merge(folder: Path, part: StemName, target: StemName) -> bool:
    """Add a part to another one; False where the sum would exceed full scale, and then nothing is changed."""
    merged = folder / ".merged.flac"
    path = _part_file(folder, target)
    info = audio_io.info(path)
    others = audio_io.read_blocks(_part_file(folder, part), block=BLOCK_FRAMES)
    with audio_io.SoundWriter(
        merged, sample_rate=info.sample_rate, channels=info.channels, layout=audio_io.read_layout(path)
    ) as writer:
        for block, other in zip(audio_io.read_blocks(path, block=BLOCK_FRAMES), others, strict=True):
            total: Samples = block + other
            if not np.array_equal(quantize_24_bit(total), total):
                break
            writer.write(total)
    if writer.frames < info.frames:
        merged.unlink()
        return False
    merged.replace(path)
    return True


def _power(samples: Samples) -> float:
    values: NDArray[np.float64] = samples.astype(np.float64)
    return float(np.square(values).mean())


def _part_file(folder: Path, part: StemName) -> Path:
    return folder / f"{part.value}.flac"
