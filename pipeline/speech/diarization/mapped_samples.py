"""Speech in a scratch file that is mapped to memory, so that the length of a clip costs none."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.errors import DiarizationError
from pipeline.speech.diarization.pyannote_pipeline import SAMPLE_RATE


def map_samples(path: Path, blocks: Iterable[NDArray[np.float32]], scratch: Path) -> NDArray[np.float32]:
    """Write blocks of mono samples, as many as the file at `path` has, to a scratch file and map it to memory.

    Returns:
        The samples, shape (samples,).

    Raises:
        DiarizationError: The file has another sample rate than the voice models.
    """
    info = audio_io.info(path)
    if info.sample_rate != SAMPLE_RATE:
        raise DiarizationError("Sound for the voice models must have 16 kHz.", detail=str(path))
    samples = np.memmap(scratch, dtype=np.float32, mode="w+", shape=(info.frames,))
    written = 0
    for block in blocks:
        samples[written : written + len(block)] = block
        written += len(block)
    return samples[:written]
