"""Measures how much of a clip is audible, speech and music.

Speech is told by its syllables: they come about four times a second, so the level of every
band swings at 2.5 to 8 Hz (Scheirer and Slaney 1997). Notes can come as fast, but to a beat,
which gives a few strong swings of exact rates; the median over all rates leaves them out.
Blows, steps, drums and birdsong come as irregularly, so the loud parts must also have a pitch
of 70 to 400 Hz (autocorrelation, Boersma 1993) that glides: a voice that speaks never holds its
pitch, an instrument does from one stroke to the next, and a blow has no lasting pitch.
Music is told by notes that hold their pitch: straight lines in the spectrogram, which voices
and noise do not leave, and which stay when a voice is on top ("continuous frequency
activation", Seyerlehner et al. 2007). The thresholds lie between what was measured on read,
acted and telephone speech, alone and over music and scenes, and on music and scenes alone.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.audio.polarity import Polarity, PolarityMeter, mix_heard
from pipeline.graph.stage import ProgressCallback

SAMPLE_RATE = 16_000
FFT_FRAMES = 1024
HOP_FRAMES = 256
WINDOW_SPECTRA = 160
"""Spectra in a window: 2.56 s."""
_WINDOW_FRAMES = WINDOW_SPECTRA * HOP_FRAMES
_PADDED_WINDOW_FRAMES = (WINDOW_SPECTRA - 1) * HOP_FRAMES + FFT_FRAMES
"""Frames that the spectra of one window touch."""
_MIN_AUDIBLE_RMS = 10 ** (-60 / 20)
"""Linear RMS from which a window counts, ..."""
_SOFT_RMS = 10 ** (-55 / 20)
"""... unless no window is louder than this; then one counts that is not much softer than the loudest, ..."""
_SOFT_RANGE = 10 ** (-30 / 20)
_MIN_SOUND_RMS = 10 ** (-90 / 20)
"""... and louder than this: the dither of 16 bit has -96 dBFS."""
_GROUP_WINDOWS = 4
"""Windows over which swings are measured: 10.24 s, long enough to tell a beat."""
MIN_SPEECH_SYLLABLE_SWING = 0.26
"""Irregular swing at 2.5 to 8 Hz of a group with speech; music has 0.05 to 0.25, speech 0.3 to 0.8."""
MIN_SPEECH_GLIDE_SHARE = 0.17
"""Share of a group's loud spectra with a gliding pitch; music and effects have 0.01 to 0.2, speech 0.2 to 0.65."""
_GLIDE_OCTAVES = (0.008, 0.12)
"""Range by which a voice's pitch moves from one spectrum to the next, 16 ms later; more is another sound."""
_MIN_PITCH_CORRELATION = 0.5
"""Autocorrelation at the period, of 1, from which there is a pitch."""
_VOICE_LAGS = slice(SAMPLE_RATE // 400, SAMPLE_RATE // 70)
"""Lags, in frames, of a voice's pitch."""
_HIGH_LAGS = slice(8, SAMPLE_RATE // 400 + 1)
"""Lags of tones too high for a voice, which return at every multiple."""
_MIN_MUSIC_LINES = 2.7
"""Sum of the five steadiest frequencies, 0 to 5, of a window with music; speech has 1.6 to 2.4."""
_MIN_LINE_LEVEL_DB = 6.0
"""Level by which a line stands out from its neighbourhood in frequency."""
_LINE_NEIGHBOUR_BINS = 10
"""Bins of that neighbourhood on either side, 156 Hz."""
_LINE_BINS = slice(4, 320)
"""Bins where lines are looked for, 62 Hz to 5 kHz."""

Spectra = NDArray[np.float32]
"""Magnitudes, shape (WINDOW_SPECTRA, FFT_FRAMES / 2 + 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentShares:
    """Shares from 0 to 1 of a clip."""

    audible: float
    """Share of the whole clip."""
    speech: float
    """Share of what is audible; speech and music may be heard at the same time."""
    music: float
    """Share of what is audible."""
    is_soft: bool = False
    """Nothing in the clip is loud, but something is heard."""
    is_inverted: bool = False
    """A channel is inverted against another, at least now and then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFeatures:
    """Features of consecutive audible windows, about ten seconds."""

    syllable_swing: float
    """See `MIN_SPEECH_SYLLABLE_SWING`."""
    glide_share: float
    """See `MIN_SPEECH_GLIDE_SHARE`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFeatures:
    """What the shares of a clip are computed from."""

    windows: int
    audible_windows: int
    music_windows: int
    groups: tuple[GroupFeatures, ...]
    """One for each audible window from the fourth on, over it and the three before it."""
    loudest_rms: float = 0.0
    """Of a window, linear."""
    is_inverted: bool = False
    """See `ContentShares`."""

    @property
    def is_soft(self) -> bool:
        """Return whether nothing in the clip is loud, though something may be heard."""
        return self.loudest_rms < _SOFT_RMS


def measure_shares(path: Path, report: ProgressCallback | None = None) -> ContentShares:
    """Measure how much of a sound file is audible, speech and music; the file is read once, in blocks.

    Raises:
        MediaError: The file cannot be read.
    """
    features = measure_features(path, report)
    speech = sum(
        group.syllable_swing >= MIN_SPEECH_SYLLABLE_SWING and group.glide_share >= MIN_SPEECH_GLIDE_SHARE
        for group in features.groups
    )
    return ContentShares(
        audible=round(features.audible_windows / max(1, features.windows), 3),
        speech=round(speech / max(1, len(features.groups)), 3),
        music=round(features.music_windows / max(1, features.audible_windows), 3),
        is_soft=features.is_soft and features.audible_windows > 0,
        is_inverted=features.is_inverted,
    )


def measure_features(path: Path, report: ProgressCallback | None = None) -> ClipFeatures:
    """Measure the features of a sound file; see `measure_shares`.

    The file is read again where a channel is inverted, and where nothing in it is loud.
    """
    meter = PolarityMeter(audio_io.read_layout(path), audio_io.info(path).sample_rate)
    features = _measure_features(_windows(path, report, meter=meter), _MIN_AUDIBLE_RMS)
    polarity = meter.find()
    if polarity is not None:
        features = _measure_features(_windows(path, report, polarity=polarity), _MIN_AUDIBLE_RMS)
    if features.is_soft and features.loudest_rms > _MIN_SOUND_RMS:
        least = max(_MIN_SOUND_RMS, min(_MIN_AUDIBLE_RMS, _SOFT_RANGE * features.loudest_rms))
        features = _measure_features(_windows(path, report, polarity=polarity), least)
    return replace(features, is_inverted=polarity is not None)


def _measure_features(found: Iterable[tuple[NDArray[np.float32], int]], min_rms: float) -> ClipFeatures:
    """Measure windows, of which so many frames are of the clip; those below an RMS do not count.

    A short rest counts only where nothing else does, since it says little.
    """
    bands = _band_edges()
    windows = audible = music = 0
    loudest = 0.0
    groups: list[GroupFeatures] = []
    levels: deque[NDArray[np.float32]] = deque(maxlen=_GROUP_WINDOWS)
    glides: deque[tuple[int, int]] = deque(maxlen=_GROUP_WINDOWS)
    for window, frames in found:
        is_short = frames <= _WINDOW_FRAMES // 2
        rms = float(np.sqrt(np.mean(np.square(window[:frames] if is_short else window))))
        if is_short and audible:
            continue
        loudest = max(loudest, rms)
        windows += not is_short or windows == 0
        if rms < min_rms:
            continue
        audible += 1
        windows = max(windows, audible)
        spectra = _spectra(window)
        music += int(_line_steadiness(spectra) >= _MIN_MUSIC_LINES)
        levels.append(_band_levels(spectra, bands))
        glides.append(_count_glides(spectra))
        if audible >= _GROUP_WINDOWS:
            groups.append(_group_features(levels, glides))
    if 0 < audible < _GROUP_WINDOWS:
        groups.append(_group_features(levels, glides))
    return ClipFeatures(
        windows=windows,
        audible_windows=audible,
        music_windows=music,
        groups=tuple(groups),
        loudest_rms=loudest,
    )


def _windows(
    path: Path,
    report: ProgressCallback | None,
    *,
    meter: PolarityMeter | None = None,
    polarity: Polarity | None = None,
) -> Iterator[tuple[NDArray[np.float32], int]]:
    """Read windows of `_PADDED_WINDOW_FRAMES` mono frames every `_WINDOW_FRAMES`; a short last one is padded.

    With each comes the number of its frames that are of the clip.
    """
    info = audio_io.info(path)
    weights = audio_io.read_layout(path).dialogue_weights

    def mono() -> audio_io.Blocks:
        read = 0
        for block in audio_io.read_blocks(path):
            if report is not None:
                report(read / max(1, info.frames), "Measuring the sound")
            if meter is not None:
                meter.add(block)
            yield mix_heard(block, weights, polarity, read)
            read += len(block)

    held = np.zeros(0, np.float32)
    for block in audio_io.resample_blocks(mono(), info.sample_rate, SAMPLE_RATE, channels=1, quality="LQ"):
        held = np.concatenate((held, block[:, 0]))
        while len(held) >= _PADDED_WINDOW_FRAMES:
            yield held[:_PADDED_WINDOW_FRAMES], _PADDED_WINDOW_FRAMES
            held = held[_WINDOW_FRAMES:]
    if len(held):
        yield np.pad(held, (0, _PADDED_WINDOW_FRAMES - len(held))), len(held)


def _spectra(window: NDArray[np.float32]) -> Spectra:
    """Compute the magnitudes of a window of `_PADDED_WINDOW_FRAMES` frames."""
    frames = np.lib.stride_tricks.sliding_window_view(window, FFT_FRAMES)[::HOP_FRAMES]
    return np.abs(np.fft.rfft(frames * np.hanning(FFT_FRAMES).astype(np.float32), axis=1))


def _band_edges() -> NDArray[np.intp]:
    """Return the bins between which 16 bands lie, 200 Hz to 4 kHz, equally wide in pitch; shape (17,)."""
    return np.round(np.geomspace(200, 4000, 17) * FFT_FRAMES / SAMPLE_RATE).astype(np.intp)


def _band_levels(spectra: Spectra, edges: NDArray[np.intp]) -> NDArray[np.float32]:
    """Compute the magnitudes of the bands, shape (WINDOW_SPECTRA, 16)."""
    power = np.square(spectra[:, edges[0] : edges[-1]])
    return np.sqrt(np.add.reduceat(power, edges[:-1] - edges[0], axis=1))


def _group_features(levels: Iterable[NDArray[np.float32]], glides: Sequence[tuple[int, int]]) -> GroupFeatures:
    gliding, loud = (sum(counts) for counts in zip(*glides, strict=True))
    return GroupFeatures(syllable_swing=_syllable_swing(levels), glide_share=gliding / max(1, loud))


def _count_glides(spectra: Spectra) -> tuple[int, int]:
    """Count the spectra of a window that follow a gliding pitch of 70 to 400 Hz with none above, and the loud ones."""
    power = np.square(spectra)
    energy = power.sum(axis=1)
    loud = energy > 0.1 * energy.mean()
    correlation = np.fft.irfft(power, axis=1)
    correlation /= np.maximum(correlation[:, :1], 1e-12)
    high_tones = correlation[:, _HIGH_LAGS]
    peaks = (high_tones[:, 1:-1] > high_tones[:, :-2]) & (high_tones[:, 1:-1] >= high_tones[:, 2:])
    high = np.where(peaks, high_tones[:, 1:-1], 0).max(axis=1)
    voice = correlation[:, _VOICE_LAGS]
    pitch = voice.max(axis=1)
    pitched = loud & (pitch > _MIN_PITCH_CORRELATION) & (pitch > 0.97 * high)
    octaves = np.abs(np.diff(np.log2(voice.argmax(axis=1) + _VOICE_LAGS.start)))
    gliding = pitched[1:] & pitched[:-1] & (octaves > _GLIDE_OCTAVES[0]) & (octaves < _GLIDE_OCTAVES[1])
    return int(gliding.sum()), int(loud.sum())


def _syllable_swing(levels: Iterable[NDArray[np.float32]]) -> float:
    """Measure how deep the bands swing (mean relative deviation), times the share of irregular 2.5 to 8 Hz in it.

    Args:
        levels: Band levels of consecutive windows, each of shape (WINDOW_SPECTRA, bands).
    """
    swing = np.concatenate(list(levels))
    swing = swing / (swing.mean(axis=0) + 1e-9) - 1
    power = np.square(np.abs(np.fft.rfft(swing * np.hanning(len(swing))[:, None], axis=0)))
    rate = np.fft.rfftfreq(len(swing), HOP_FRAMES / SAMPLE_RATE)
    syllabic = power[(rate >= 2.5) & (rate < 8)]
    # The median of a noise-like power spectrum is ln 2 of its mean, so speech keeps all of its power here.
    irregular = (np.median(syllabic, axis=0) * len(syllabic) / np.log(2)).sum()
    return float(swing.std(axis=0).mean() * irregular / (power[rate >= 0.3].sum() + 1e-9))


def _line_steadiness(spectra: Spectra) -> float:
    """Sum up, for the five steadiest frequencies, the share of the window in which each stands out; 0 to 5."""
    levels = 20 * np.log10(spectra[:, _LINE_BINS] + 1e-6)
    reach = _LINE_NEIGHBOUR_BINS
    sums = np.cumsum(np.pad(levels, ((0, 0), (reach + 1, reach)), mode="edge"), axis=1)
    width = 2 * reach + 1
    neighbourhood = (sums[:, width:] - sums[:, :-width]) / width
    standing_out = (levels - neighbourhood > _MIN_LINE_LEVEL_DB) & (levels > levels.max() - 60)
    steadiness = standing_out.mean(axis=0)
    peaks = steadiness[1:-1][(steadiness[1:-1] >= steadiness[:-2]) & (steadiness[1:-1] >= steadiness[2:])]
    return float(np.sort(peaks)[-5:].sum())
