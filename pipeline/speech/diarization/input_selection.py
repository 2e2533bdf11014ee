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


def read_input(mix: Path, vocals: Path | None, background_gain: float) -> Iterator[NDArray[np.float32]]:
    """Read the chosen sound as mono blocks of shape (samples,).

    Raises:
        DiarizationError: The files differ in rate or length.
    """
    if vocals is None or background_gain == 1.0:
        return (audio_io.to_mono(block)[:, 0] for block in audio_io.read_blocks(mix))
    return blend_background(mix, vocals, background_gain)


def read_span(
    mix: Path, vocals: Path | None, background_gain: float, *, first: int, frames: int
) -> NDArray[np.float32]:
    """Read a span of the chosen sound, shape (samples,): the same samples as `read_input` gives.

    Raises:
        DiarizationError: The files differ in rate or length.
    """

    def mono(path: Path) -> NDArray[np.float32]:
        return audio_io.to_mono(audio_io.read(path, start=first, frames=frames))[:, 0]

    if vocals is None or background_gain == 1.0:
        return mono(mix)
    _require_fit(mix, vocals)
    return _blend(mono(mix), mono(vocals), background_gain)


def blend_background(mix: Path, vocals: Path, gain: float) -> Iterator[NDArray[np.float32]]:
    """Read the voices with the background at a linear gain, in mono blocks of shape (samples,)."""
    for whole, voice in _read_pairs(mix, vocals):
        yield _blend(whole, voice, gain)


def _blend(whole: NDArray[np.float32], voice: NDArray[np.float32], gain: float) -> NDArray[np.float32]:
    return (voice + gain * (whole - voice)).astype(np.float32)


def _read_pairs(mix: Path, vocals: Path) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    _require_fit(mix, vocals)
    size = 600 * FRAME_SAMPLES
    blocks = zip(audio_io.read_blocks(mix, block=size), audio_io.read_blocks(vocals, block=size), strict=True)
    return ((audio_io.to_mono(whole)[:, 0], audio_io.to_mono(voice)[:, 0]) for whole, voice in blocks)


def _require_fit(mix: Path, vocals: Path) -> None:
    first, second = audio_io.info(mix), audio_io.info(vocals)
    if (first.sample_rate, first.frames) != (second.sample_rate, second.frames):
        raise DiarizationError("The separated voices do not fit the sound.", detail=f"{first} {second}")


def _frame_powers(whole: NDArray[np.float32], voice: NDArray[np.float32]) -> NDArray[np.float64]:
    """Measure the powers of the voices and of the background, shape (2, frames)."""
    return np.stack([frame_powers(part.astype(np.float64), FRAME_SAMPLES) for part in (voice, whole - voice)])
