"""What one channel hears of a sound of several, where a channel is inverted against its partner.

A mean of two channels loses what is inverted in one of them: a wire that was turned round, a widened stereo. Where
that is so, for the whole clip or a part of it, the right channel of the pair is turned round again before they are
added. The two channels are compared every 20 ms by their correlation; a sound whose channels are merely different
is left alone, bit for bit. Of 500 pieces of music, speech and effects in stereo none is taken for inverted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.audio.channels import Layout
from pipeline.audio.voice_activity import find_runs

INVERTED_NOTE = "A channel is inverted against the other one; where both are heard as one, it is turned round."
"""For people."""
_HOPS_PER_SECOND = 50
_SMOOTHED_HOPS = 5
"""Hops over which the channels are compared: 0.1 s."""
_BOUNDARY_HOPS = 3
"""The same for where an inverted stretch begins and ends."""
_MIN_POWER = 1e-11
"""Mean power below which nothing is compared, -110 dBFS: less than the rounding of 16 bit."""
_MIN_RELATIVE_POWER = 1e-5
"""The same against the loud parts of the clip."""
_MIN_BALANCE = 0.0025
"""Power of the quieter channel against the louder one (-26 dB) below which they are not compared."""
_LOUD_PERCENTILE = 95.0
_CERTAIN_CORRELATION = -0.85
"""Where it stays below this for `_MIN_CERTAIN_HOPS`, something is inverted; in stereo it does for 0.06 s."""
_MIN_CERTAIN_HOPS = 12
_LIKELY_CORRELATION = -0.4
_MIN_LIKELY_SHARE = 0.35
"""Share of the clip below the one before from which something is inverted; in stereo it is up to 0.23."""
_INVERT_BELOW, _RESTORE_ABOVE = -0.2, 0.0
"""Correlations from which a stretch of such a clip counts as inverted, and again as not."""
_MIN_HEARD_POWER = 10**-0.2
"""Power of an inverted stretch against its louder channel, -2 dB, up to which it is raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """The factors of the weights of two channels at the middle of each hop, shape (hops,)."""

    left: int
    right: int
    gain: NDArray[np.float32]
    sign: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Polarity:
    """Where channels of a clip are inverted against their partners."""

    hop: int
    """Frames."""
    pairs: tuple[_Pair, ...]

    def mix_to_mono(self, samples: audio_io.Samples, weights: Sequence[float], start: int) -> audio_io.Samples:
        """Add channels by their weights with what is inverted turned round.

        Args:
            samples: Shape (frames, channels).
            weights: Of the channels, linear.
            start: The frame of the clip at which the samples begin.

        Returns:
            Shape (frames, 1).
        """
        turned = samples.copy()
        at = (np.arange(start, start + len(samples)) + 0.5) / self.hop - 0.5
        hops = np.arange(len(self.pairs[0].gain)) if self.pairs else np.zeros(1)
        for pair in self.pairs:
            gain = np.interp(at, hops, pair.gain).astype(np.float32)
            turned[:, pair.left] *= gain
            turned[:, pair.right] *= gain * np.interp(at, hops, pair.sign).astype(np.float32)
        return audio_io.mix_to_mono(turned, weights)


class PolarityMeter:
    """Compares the channels of each pair of a sound that comes in blocks.

    Args:
        layout: Of the sound.
        sample_rate: Hz.
    """

    def __init__(self, layout: Layout, sample_rate: int) -> None:
        self._pairs = tuple(group for group in layout.groups if len(group) == 2)
        self.hop = max(1, sample_rate // _HOPS_PER_SECOND)
        self._rest = np.zeros((0, len(layout.channels)), np.float32)
        self._powers: list[NDArray[np.float32]] = []

    def add(self, samples: audio_io.Samples) -> audio_io.Samples:
        """Compare the channels of the next block, shape (frames, channels), and return the block."""
        if self._pairs:
            joined = np.concatenate((self._rest, samples)) if len(self._rest) else samples
            whole = len(joined) - len(joined) % self.hop
            self._measure(joined[:whole])
            self._rest = joined[whole:].copy()
        return samples

    def find(self) -> Polarity | None:
        """Find what is inverted in the sound so far; None where nothing is."""
        if self._pairs and len(self._rest):
            missing = self.hop - len(self._rest)
            self._measure(np.pad(self._rest, ((0, missing), (0, 0))))
            self._rest = self._rest[:0]
        if not self._powers:
            return None
        powers = np.concatenate(self._powers, axis=1)
        found = ((pair, part, _find_inverted(part)) for pair, part in zip(self._pairs, powers, strict=True))
        pairs = [_restore(pair, part, inverted) for pair, part, inverted in found if inverted is not None]
        return Polarity(hop=self.hop, pairs=tuple(pairs)) if pairs else None

    def _measure(self, samples: audio_io.Samples) -> None:
        if not len(samples):
            return
        hops = samples.reshape(-1, self.hop, samples.shape[1])
        products = [
            [np.einsum("ij,ij->i", hops[:, :, a], hops[:, :, b]) / self.hop for a, b in ((x, x), (y, y), (x, y))]
            for x, y in self._pairs
        ]
        self._powers.append(np.array(products, np.float32).transpose(0, 2, 1))


def _find_inverted(powers: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """Find the hops in which one channel of a pair is inverted; None where there are none.

    Args:
        powers: Of the left and the right channel, and of their product, shape (hops, 3).
    """
    correlation, compared = _correlate(powers, _SMOOTHED_HOPS)
    certain = find_runs(correlation[compared] < _CERTAIN_CORRELATION)
    is_certain = bool(len(certain)) and int((certain[:, 1] - certain[:, 0]).max()) >= _MIN_CERTAIN_HOPS
    likely = np.count_nonzero(correlation[compared] < _LIKELY_CORRELATION)
    if not is_certain and likely < max(1.0, _MIN_LIKELY_SHARE * np.count_nonzero(compared)):
        return None
    return _with_hysteresis(*_correlate(powers, _BOUNDARY_HOPS))


def _correlate(powers: NDArray[np.float32], hops: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Correlate the channels around each hop; also tell where both can be heard, so that it means something."""
    count = min(hops, len(powers))
    window = np.ones(count) / count
    left, right, product = (np.convolve(powers[:, index], window, "same") for index in range(3))
    louder = np.maximum(left, right)
    least = max(_MIN_POWER, _MIN_RELATIVE_POWER * float(np.percentile(louder, _LOUD_PERCENTILE)))
    compared = (louder > least) & (np.minimum(left, right) > _MIN_BALANCE * louder)
    return product / np.sqrt(np.maximum(left * right, 1e-30)), compared


def _with_hysteresis(correlation: NDArray[np.float64], compared: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Choose the state of each hop; one in which nothing can be told keeps that of the one before."""
    inverted, restored = compared & (correlation < _INVERT_BELOW), compared & (correlation > _RESTORE_ABOVE)
    decided = np.flatnonzero(inverted | restored)
    if not len(decided):
        return np.zeros(len(correlation), np.bool_)
    last = np.searchsorted(decided, np.arange(len(correlation)), side="right") - 1
    return inverted[decided[np.maximum(last, 0)]]


def _restore(pair: Sequence[int], powers: NDArray[np.float32], inverted: NDArray[np.bool_]) -> _Pair:
    """Choose sign and gain: each inverted stretch is heard no more than 2 dB below its louder channel."""
    gain = np.ones(len(inverted), np.float32)
    for start, end in find_runs(inverted):
        left, right, product = powers[start:end].mean(axis=0, dtype=np.float64)
        heard = (left + right - 2 * product) / 4
        if heard > 0:
            gain[start:end] = max(1.0, float(np.sqrt(_MIN_HEARD_POWER * max(left, right) / heard)))
    return _Pair(left=pair[0], right=pair[1], gain=gain, sign=np.where(inverted, -1, 1).astype(np.float32))


def mix_heard(
    samples: audio_io.Samples, weights: Sequence[float], polarity: Polarity | None, start: int
) -> audio_io.Samples:
    """Add the channels of a block by their weights, with what is inverted turned round; shape (frames, 1)."""
    if polarity is None:
        return audio_io.mix_to_mono(samples, weights)
    return polarity.mix_to_mono(samples, weights, start)
