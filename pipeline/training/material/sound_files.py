"""The one typed door to soundfile and soxr: sound in any format, at another rate."""

import io
from enum import StrEnum
from typing import Any, cast

import numpy as np
import soundfile  # pyright: ignore[reportMissingTypeStubs]
import soxr  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Shape (frames, channels)."""

_soundfile = cast("Any", soundfile)
_soxr = cast("Any", soxr)


class Codec(StrEnum):
    """A lossy format."""

    OPUS = "opus"
    VORBIS = "vorbis"
    MP3 = "mp3"


_FORMATS = {
    Codec.OPUS: ("OGG", "OPUS", 48_000),
    Codec.VORBIS: ("OGG", "VORBIS", None),
    Codec.MP3: ("MP3", "MPEG_LAYER_III", None),
}


def decode(content: bytes, sample_rate: int, max_seconds: float) -> Samples | None:
    """Read a sound file at a rate, from its beginning; nothing if it is none, is empty or holds no numbers."""
    try:
        with _soundfile.SoundFile(io.BytesIO(content)) as file:
            rate = int(file.samplerate)
            samples = cast("Samples", file.read(int(max_seconds * rate), dtype="float32", always_2d=True))
    except soundfile.LibsndfileError:
        return None
    if not len(samples) or not np.isfinite(samples).all():
        return None
    return resample(samples, rate, sample_rate)


def resample(samples: Samples, source_rate: int, target_rate: int) -> Samples:
    """Change the rate."""
    if source_rate == target_rate:
        return samples
    return np.asarray(_soxr.resample(samples, source_rate, target_rate, quality="HQ"), np.float32)


def round_trip(samples: Samples, sample_rate: int, codec: Codec, compression: float) -> Samples:
    """Encode and decode, in step with what went in.

    Args:
        samples: Shape (frames, channels).
        sample_rate: In Hz.
        codec: The format.
        compression: 0 (most bits) to 1.

    Returns:
        As many frames.

    """
    container, subtype, wanted = _FORMATS[codec]
    rate = wanted or sample_rate
    file = io.BytesIO()
    _soundfile.write(
        file,
        np.clip(resample(samples, sample_rate, rate), -1, 1),
        rate,
        format=container,
        subtype=subtype,
        compression_level=compression,
    )
    decoded = decode(file.getvalue(), sample_rate, max_seconds=len(samples))
    made = np.zeros_like(samples)
    if decoded is not None:
        made[: len(decoded)] = decoded[: len(made)]
    return made
