"""Energy-based voice activity: frame powers, a threshold between noise and speech, runs of active frames."""

import numpy as np
from numpy.typing import NDArray


def frame_powers(samples: NDArray[np.floating], frame: int, *, partial: bool = False) -> NDArray[np.float64]:
    """Measure the mean power of each frame, summed over channels as a loudness meter does.

    Args:
        samples: Shape (samples,) or (samples, channels); the powers are computed in their precision.
        frame: Length of a frame in samples.
        partial: Also measure the last frame where it is shorter than the others.

    Returns:
        Powers, full scale at 1, shape (frames,).
    """
    whole = len(samples) - len(samples) % frame
    frames = samples[:whole].reshape(whole // frame, frame * (samples.shape[1] if samples.ndim > 1 else 1))
    powers: NDArray[np.float64] = np.einsum("ij,ij->i", frames, frames).astype(np.float64) / frame
    if not partial or whole == len(samples):
        return powers
    rest = samples[whole:].astype(np.float64)
    return np.append(powers, np.square(rest).sum() / len(rest))


def speech_threshold(
    levels: NDArray[np.float64],
    *,
    floor_percentile: float,
    above_floor: float,
    below_loud: float,
    min_below_loud: float,
) -> float:
    """Choose the level from which a frame counts as speech, between the noise of the room and the voice.

    Args:
        levels: Levels of the frames in dB, shape (frames,); at least one.
        floor_percentile: Percentile of the levels that is taken for the noise floor; the loud frames are at the 95th.
        above_floor: dB over the noise floor from which a frame counts as speech.
        below_loud: dB under the loud frames below which nothing is speech.
        min_below_loud: dB under the loud frames above which everything is speech.

    Returns:
        The threshold in dB.
    """
    floor, loud = np.percentile(levels, (floor_percentile, 95.0))
    return float(max(loud - below_loud, min(loud - min_below_loud, floor + above_floor)))


def find_runs(active: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Find runs of active frames: the first frame and the one after the last, shape (runs, 2)."""
    padded = np.concatenate(([False], active, [False])).astype(np.int8)
    return np.flatnonzero(np.diff(padded)).reshape(-1, 2)


def drop_short_runs(active: NDArray[np.bool_], min_frames: int) -> NDArray[np.bool_]:
    """Clear runs of fewer than `min_frames` active frames."""
    kept = np.zeros(len(active), np.bool_)
    for start, end in find_runs(active):
        kept[start:end] = end - start >= min_frames
    return kept
