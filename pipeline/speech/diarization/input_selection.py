"""Choice of the sound that the diarization hears: the whole mix, or the separated voices with some background.

Separation takes from the voices too: it harms speech that is heard well and helps where the background is as
loud as the voices. The constants were chosen on the part `tune` of `tests.bench.speech_set`, with and without
more noise: from 20 down to 5 dB the whole mix was better than voices and than blends, in DER and in the number
of speakers. Words are always recognised in the whole mix, since a recogniser is used to noise.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.audio.voice_activity import frame_powers
from pipeline.errors import DiarizationError

MIN_CLEAR_RATIO_DB = 2.0
"""Voices over background, from which the whole mix is heard."""
BACKGROUND_GAIN = 0.3
"""Linear gain of a loud background; without any of it separated speech is full of holes."""
FRAME_SAMPLES = 1600
"""Samples over which a power is measured; 0.1 s."""
MIN_SPEECH_POWER_RATIO = 1e-3
"""Power, relative to the loudest frames, above which somebody is speaking: 30 dB below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiarizationInput:
    """The sound that was chosen for one clip."""

    background_gain: float
    """Linear gain of what is not voice; 1 is the whole mix."""
    reason: str
    """One sentence for the person."""


def select_input(mix: Path, vocals: Path) -> DiarizationInput:
    """Choose by how much the voices are louder than the background while somebody speaks.

    Args:
        mix: The whole sound.
        vocals: The separated voices, of the same rate and length.

    Raises:
        DiarizationError: The files differ in rate or length.
    """
    ratio = measure_ratio(_read_pairs(mix, vocals))
    if ratio is None:
        return DiarizationInput(
            background_gain=1.0, reason="Speakers were told apart in the whole sound, as no voices were separated."
        )
    level = f"the voices are {abs(ratio):.0f} dB {'louder' if ratio >= 0 else 'quieter'} than the rest"
    if ratio >= MIN_CLEAR_RATIO_DB:
        return DiarizationInput(background_gain=1.0, reason=f"Speakers were told apart in the whole sound: {level}.")
    return DiarizationInput(
        background_gain=BACKGROUND_GAIN,
        reason=f"Speakers were told apart with the background turned down: {level}.",
    )


def measure_ratio(pairs: Iterable[tuple[NDArray[np.float32], NDArray[np.float32]]]) -> float | None:
    """Measure by how many dB the voices are louder than the background while somebody speaks.

    Args:
        pairs: Blocks of the whole sound and of its voices, each of shape (samples,).

    Returns:
        None where no voices are heard.
    """
    powers = [_frame_powers(whole, voice) for whole, voice in pairs]
    spoken, background = np.concatenate(powers, axis=1) if powers else np.zeros((2, 0))
    speaking = spoken > MIN_SPEECH_POWER_RATIO * np.percentile(spoken, 95) if spoken.size else np.zeros(0, np.bool_)
    if not speaking.any():
        return None
    return float(10 * np.log10(spoken[speaking].mean() / max(background[speaking].mean(), 1e-12)))


def read_input(
    mix: Path, vocals: Path | None, background_gain: float, *, first: int = 0, frames: int | None = None
) -> Iterator[NDArray[np.float32]]:
    """Read the chosen sound as mono blocks of shape (samples,).

    Args:
        mix: The whole sound.
        vocals: The separated voices; None: they are not needed.
        background_gain: Linear gain of what is not voice.
        first: First sample.
        frames: Samples to read; None: to the end.

    Raises:
        DiarizationError: The files differ in rate or length.
    """
    if vocals is None or background_gain == 1.0:
        return (audio_io.to_mono(block)[:, 0] for block in audio_io.read_blocks(mix, start=first, frames=frames))
    return _blend_pairs(_read_pairs(mix, vocals, first, frames), background_gain)


def blend_background(mix: Path, vocals: Path, gain: float) -> Iterator[NDArray[np.float32]]:
    """Read the voices with the background at a linear gain, in mono blocks of shape (samples,)."""
    return _blend_pairs(_read_pairs(mix, vocals), gain)


def _blend_pairs(
    pairs: Iterable[tuple[NDArray[np.float32], NDArray[np.float32]]], gain: float
) -> Iterator[NDArray[np.float32]]:
    for whole, voice in pairs:
        yield (voice + gain * (whole - voice)).astype(np.float32)


def _read_pairs(
    mix: Path, vocals: Path, first: int = 0, frames: int | None = None
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    one, other = audio_io.info(mix), audio_io.info(vocals)
    if (one.sample_rate, one.frames) != (other.sample_rate, other.frames):
        raise DiarizationError("The separated voices do not fit the sound.", detail=f"{one} {other}")
    blocks = (
        audio_io.read_blocks(path, block=600 * FRAME_SAMPLES, start=first, frames=frames) for path in (mix, vocals)
    )
    return (
        (audio_io.to_mono(whole)[:, 0], audio_io.to_mono(voice)[:, 0]) for whole, voice in zip(*blocks, strict=True)
    )


def _frame_powers(whole: NDArray[np.float32], voice: NDArray[np.float32]) -> NDArray[np.float64]:
    """Measure the powers of the voices and of the background, shape (2, frames)."""
    return np.stack([frame_powers(part.astype(np.float64), FRAME_SAMPLES) for part in (voice, whole - voice)])
