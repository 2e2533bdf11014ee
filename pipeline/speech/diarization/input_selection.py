"""What the voice models hear: the whole sound, or the separated voices with a part of the rest.

Separation takes from the voices too: it harms speech that is heard well and helps where the rest is as loud
as the voices. The constants were chosen on the part `tune` of `tests.bench.speech_set`, with and without more
noise: from 20 down to 5 dB the whole sound was better than voices and than blends, in DER and in the number
of speakers. Words are always heard in the whole sound, since a recogniser is used to noise.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.errors import DiarizationError

MIN_CLEAR_RATIO_DB = 2.0
"""dB of the voices over the rest, from which the whole sound is heard."""
BACKGROUND_GAIN = 0.3
"""Of the rest, linear, where it is loud; without any of it separated speech is full of holes."""
FRAME_SAMPLES = 1600
"""Samples, 0.1 s, over which loudness is taken."""
MIN_SPEECH_POWER_RATIO = 1e-3
"""Part of the loudest frames' power above which somebody is speaking: 30 dB below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiarizationInput:
    """The choice for one clip."""

    background_gain: float
    """Of what is not voice; 1 is the whole sound."""
    reason: str
    """One sentence for the person."""


def select_input(mix: Path, voices: Path) -> DiarizationInput:
    """By how much the voices are louder than the rest while somebody speaks, in files alike in form."""
    frames = [_powers(whole, own) for whole, own in _pairs(mix, voices)]
    spoken, rest = np.concatenate(frames, axis=1) if frames else np.zeros((2, 0))
    speaking = spoken > MIN_SPEECH_POWER_RATIO * np.percentile(spoken, 95) if spoken.size else np.zeros(0, np.bool_)
    if not speaking.any():
        return DiarizationInput(
            background_gain=1.0, reason="Speakers were told apart in the whole sound, as no voices were separated."
        )
    ratio = float(10 * np.log10(spoken[speaking].mean() / max(rest[speaking].mean(), 1e-12)))
    level = f"the voices are {abs(ratio):.0f} dB {'louder' if ratio >= 0 else 'quieter'} than the rest"
    if ratio >= MIN_CLEAR_RATIO_DB:
        return DiarizationInput(background_gain=1.0, reason=f"Speakers were told apart in the whole sound: {level}.")
    return DiarizationInput(
        background_gain=BACKGROUND_GAIN, reason=f"Speakers were told apart with the background turned down: {level}."
    )


def blend_background(mix: Path, voices: Path, gain: float) -> Iterator[NDArray[np.float32]]:
    """The voices with `gain` of the rest, block by block, shape (frames,)."""
    for whole, own in _pairs(mix, voices):
        yield (own + gain * (whole - own)).astype(np.float32)


def _pairs(mix: Path, voices: Path) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    first, second = audio_io.info(mix), audio_io.info(voices)
    if (first.sample_rate, first.frames) != (second.sample_rate, second.frames):
        raise DiarizationError("The separated voices do not fit the sound.", detail=f"{first} {second}")
    size = 600 * FRAME_SAMPLES
    blocks = zip(audio_io.read_blocks(mix, block=size), audio_io.read_blocks(voices, block=size), strict=True)
    return ((audio_io.to_mono(whole)[:, 0], audio_io.to_mono(own)[:, 0]) for whole, own in blocks)


def _powers(whole: NDArray[np.float32], own: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean powers of the voices and of the rest in each frame, shape (2, frames)."""
    both = np.stack([own, whole - own]).astype(np.float64)
    return np.square(both[:, : both.shape[1] // FRAME_SAMPLES * FRAME_SAMPLES].reshape(2, -1, FRAME_SAMPLES)).mean(
        axis=2
    )
