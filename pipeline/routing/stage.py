"""Measures a clip's sound and chooses its path through the engines, with the reason.

The rule:

    shorter than 5 minutes and the budget is low  → basic: the sound is extracted, nothing more
    else most of it is talk                       → dialogue
    else                                          → cinematic

Speech is told by its syllables: they come about four times a second, so the level of every
band swings at 2.5 to 8 Hz (E. Scheirer and M. Slaney, 1997). Notes can come as fast, but to a
beat, which gives a few strong swings of exact rates; the median over all rates leaves them out.
Blows, steps, drums and birdsong come as irregularly, so the loud parts must also have a pitch of
70 to 400 Hz (autocorrelation, P. Boersma, 1993) that glides: a voice that speaks never holds its
pitch, an instrument does from one stroke to the next, and a blow has none that goes on.
Music is told by notes that hold their pitch: straight lines in the spectrogram, which voices
and noise do not leave, and which stay when a voice is on top ("continuous frequency
activation", K. Seyerlehner et al., 2007). The thresholds lie between what was measured on read,
acted and telephone speech, alone and over music and scenes, and on music and scenes alone.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as sound
from pipeline.catalog import MODELS, PRESETS
from pipeline.graph.stage import ProgressCallback, StageContext, StageMetadata
from pipeline.types import Budget, Preset, Rejected, Route, RouteName

SHORT = 5 * 60.0
"""Seconds below which a low budget means the basic route."""
TALK_SHARE = 0.5
"""Part of the audible clip with speech from which the clip counts as dialogue."""
MUSIC_SHARE = 0.6
"""Part of the audible clip with music from which music may dominate ..."""
LITTLE_TALK_SHARE = 0.3
"""... if speech is heard in less than this part, or if the preset has a separator for music under talk."""

RATE = 16_000
FFT = 1024
HOP = 256
FRAMES = 160
"""Spectra in a window: 2.56 s."""
_WINDOW = FRAMES * HOP
_NEEDED = (FRAMES - 1) * HOP + FFT
"""Samples that the spectra of one window touch."""
_AUDIBLE = 10 ** (-60 / 20)
"""RMS of a window that counts, linear."""
_GROUP = 4
"""Windows over which swings are measured: 10.24 s, long enough to tell a beat."""
SYLLABLES = 0.26
"""Irregular swing at 2.5 to 8 Hz of a group with speech; music has 0.05 to 0.25, speech 0.3 to 0.8."""
GLIDING = 0.17
"""Part of a group's loud spectra with a gliding pitch; music and effects have 0.01 to 0.2, speech 0.2 to 0.65."""
_GLIDE = (0.008, 0.12)
"""Octaves by which a voice's pitch moves from one spectrum to the next, 16 ms later; more is another sound."""
_PITCH = 0.5
"""Autocorrelation at the period, of 1, from which there is a pitch."""
_PERIODS = slice(RATE // 400, RATE // 70)
_SHORTER = slice(8, RATE // 400 + 1)
"""Lags in samples: of a voice, and of tones too high for one, which come back at every multiple."""
_LINES = 2.7
"""Sum of the five steadiest frequencies, 0 to 5, of a window with music; speech has 1.6 to 2.4."""
_LINE_LEVEL = 6.0
"""dB by which a line stands out from its neighbourhood in frequency."""
_NEIGHBOURS = 10
"""Bins to either side, 156 Hz."""
_LINE_BINS = slice(4, 320)
"""62 Hz to 5 kHz."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Parts from 0 to 1: audible of the whole clip, speech and music (maybe at the same time) of what is audible."""

    audible: float
    speech: float
    music: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Windows of a clip, and of each group of audible ones its syllables and its share of gliding pitch."""

    windows: int
    audible: int
    music: int
    groups: tuple[tuple[float, float], ...]


class _Params(msgspec.Struct, frozen=True, kw_only=True):
    duration: float
    budget: Budget
    preset: Preset
    asked: RouteName | None = None


def route_stage(work: StageContext) -> StageMetadata:
    """Choose the route of a clip; facts are a `Route`."""
    params = msgspec.convert(dict(work.params), _Params)
    name = params.asked or (RouteName.BASIC if _is_cheap(params.duration, params.budget) else None)
    shares = None if name is RouteName.BASIC else measure(work.inputs["sound"], work.report)
    route = choose(
        duration=params.duration, budget=params.budget, preset=params.preset, asked=params.asked, shares=shares
    )
    work.report(1.0)
    return cast("StageMetadata", msgspec.to_builtins(route))


def choose(*, duration: float, budget: Budget, preset: Preset, asked: RouteName | None, shares: Shares | None) -> Route:
    """The route for what was measured; `shares` may be None when the basic route is certain."""
    name, reason = _decide(duration, budget, asked, shares)
    if shares is not None and name is not RouteName.BASIC and _is_for_music(name, preset, shares):
        model = PRESETS[preset].music_separation
        reason += f" Music is heard in {shares.music:.0%} of it, so a separator that knows music is used."
    else:
        model = PRESETS[preset].separation.get(name)
    measurements = {"duration": round(duration, 3)}
    if shares is not None:
        measurements |= {"audible": shares.audible, "speech": shares.speech, "music": shares.music}
    return Route(
        name=name,
        engine="ffmpeg" if model is None else MODELS[model].engine,
        model=model,
        reason=reason,
        asked=asked is not None,
        measurements=measurements,
        rejected=tuple(
            Rejected(name=other, reason=_against(other, name, asked is not None, budget, shares))
            for other in RouteName
            if other is not name
        ),
    )


def measure(path: Path, report: ProgressCallback | None = None) -> Shares:
    """How much of a sound is audible, speech, music; reads it once, in blocks."""
    heard = listen(path, report)
    speech = sum(syllables >= SYLLABLES and gliding >= GLIDING for syllables, gliding in heard.groups)
    return Shares(
        audible=round(heard.audible / max(1, heard.windows), 3),
        speech=round(speech / max(1, len(heard.groups)), 3),
        music=round(heard.music / max(1, heard.audible), 3),
    )


def listen(path: Path, report: ProgressCallback | None = None) -> Heard:
    """What the shares rest on."""
    bands = _band_edges()
    windows = audible = music = 0
    groups: list[tuple[float, float]] = []
    levels: deque[NDArray[np.float32]] = deque(maxlen=_GROUP)
    glides: deque[tuple[int, int]] = deque(maxlen=_GROUP)
    for window in _windows(path, report):
        windows += 1
        if np.sqrt(np.mean(np.square(window))) < _AUDIBLE:
            continue
        audible += 1
        spectra = _spectra(window)
        music += int(_lines(spectra) >= _LINES)
        levels.append(_band_levels(spectra, bands))
        glides.append(_glides(spectra))
        if audible >= _GROUP:
            groups.append((_syllables(levels), _share(glides)))
    if 0 < audible < _GROUP:
        groups.append((_syllables(levels), _share(glides)))
    return Heard(windows=windows, audible=audible, music=music, groups=tuple(groups))


def _decide(duration: float, budget: Budget, asked: RouteName | None, shares: Shares | None) -> tuple[RouteName, str]:
    if asked is not None:
        return asked, f"The {asked} route was asked for."
    if _is_cheap(duration, budget):
        return RouteName.BASIC, "The clip is shorter than 5 minutes and the budget is low."
    if shares is None or shares.audible == 0:
        return RouteName.BASIC, "The clip is silent, so there is nothing to take apart."
    heard = f"Speech is heard in {shares.speech:.0%} of the clip"
    if shares.speech >= TALK_SHARE:
        return RouteName.DIALOGUE, f"{heard}, so it is taken as dialogue."
    return RouteName.CINEMATIC, f"{heard}, so it is taken as film rather than dialogue."


def _against(other: RouteName, chosen: RouteName, asked: bool, budget: Budget, shares: Shares | None) -> str:
    """Why a route was not taken, as one sentence."""
    if asked:
        return f"The {chosen} route was asked for."
    if other is RouteName.BASIC:
        return "The budget is not low." if budget is not Budget.LOW else "The clip is longer than 5 minutes."
    if shares is None or chosen is RouteName.BASIC:
        return "The sound is not taken apart on the basic route."
    if other is RouteName.DIALOGUE:
        return f"Speech is heard in less than {TALK_SHARE:.0%} of the clip."
    return f"Speech is heard in {TALK_SHARE:.0%} of the clip or more."


def _is_cheap(duration: float, budget: Budget) -> bool:
    return budget is Budget.LOW and duration < SHORT


def _is_for_music(name: RouteName, preset: Preset, shares: Shares) -> bool:
    """Whether music dominates enough for the preset's music separator."""
    little_talk = name is RouteName.CINEMATIC and shares.speech < LITTLE_TALK_SHARE
    return shares.music >= MUSIC_SHARE and (little_talk or PRESETS[preset].music_under_talk)


def _windows(path: Path, report: ProgressCallback | None) -> Iterator[NDArray[np.float32]]:
    """Windows of `_NEEDED` samples every `_WINDOW` samples, shape (samples,); a short last one is padded."""
    of = sound.info(path)
    weights = sound.read_layout(path).dialogue_weights

    def mono() -> sound.Blocks:
        read = 0
        for block in sound.read_blocks(path):
            if report is not None:
                report(read / max(1, of.frames), "Measuring the sound")
            read += len(block)
            yield sound.mix_to_mono(block, weights)

    waiting = np.zeros(0, np.float32)
    for block in sound.resample_blocks(mono(), of.sample_rate, RATE, channels=1, quality="LQ"):
        waiting = np.concatenate((waiting, block[:, 0]))
        while len(waiting) >= _NEEDED:
            yield waiting[:_NEEDED]
            waiting = waiting[_WINDOW:]
    if len(waiting) > _WINDOW // 2:
        yield np.pad(waiting, (0, _NEEDED - len(waiting)))


def _spectra(window: NDArray[np.float32]) -> NDArray[np.float32]:
    """Magnitudes, shape (FRAMES, FFT / 2 + 1)."""
    frames = np.lib.stride_tricks.sliding_window_view(window, FFT)[::HOP]
    return np.abs(np.fft.rfft(frames * np.hanning(FFT).astype(np.float32), axis=1))


def _band_edges() -> NDArray[np.intp]:
    """The bins between which sixteen bands lie, from 200 Hz to 4 kHz, equally wide in pitch; shape (17,)."""
    return np.round(np.geomspace(200, 4000, 17) * FFT / RATE).astype(np.intp)


def _band_levels(spectra: NDArray[np.float32], edges: NDArray[np.intp]) -> NDArray[np.float32]:
    """Magnitudes of the bands, shape (FRAMES, 16)."""
    power = np.square(spectra[:, edges[0] : edges[-1]])
    return np.sqrt(np.add.reduceat(power, edges[:-1] - edges[0], axis=1))


def _share(glides: Sequence[tuple[int, int]]) -> float:
    gliding, loud = (sum(counts) for counts in zip(*glides, strict=True))
    return gliding / max(1, loud)


def _glides(spectra: NDArray[np.float32]) -> tuple[int, int]:
    """How many of a window's spectra follow a gliding pitch of 70 to 400 Hz with none above, and how many are loud."""
    power = np.square(spectra)
    energy = power.sum(axis=1)
    loud = energy > 0.1 * energy.mean()
    correlation = np.fft.irfft(power, axis=1)
    correlation /= np.maximum(correlation[:, :1], 1e-12)
    short = correlation[:, _SHORTER]
    tops = (short[:, 1:-1] > short[:, :-2]) & (short[:, 1:-1] >= short[:, 2:])
    high = np.where(tops, short[:, 1:-1], 0).max(axis=1)
    voice = correlation[:, _PERIODS]
    pitch = voice.max(axis=1)
    pitched = loud & (pitch > _PITCH) & (pitch > 0.97 * high)
    moved = np.abs(np.diff(np.log2(voice.argmax(axis=1) + _PERIODS.start)))
    gliding = pitched[1:] & pitched[:-1] & (moved > _GLIDE[0]) & (moved < _GLIDE[1])
    return int(gliding.sum()), int(loud.sum())


def _syllables(levels: Iterable[NDArray[np.float32]]) -> float:
    """How deep the bands swing (mean relative deviation), times the part of that at irregular 2.5 to 8 Hz.

    Takes the levels of consecutive windows, each of shape (FRAMES, bands).
    """
    swing = np.concatenate(list(levels))
    swing = swing / (swing.mean(axis=0) + 1e-9) - 1
    power = np.square(np.abs(np.fft.rfft(swing * np.hanning(len(swing))[:, None], axis=0)))
    rate = np.fft.rfftfreq(len(swing), HOP / RATE)
    syllabic = power[(rate >= 2.5) & (rate < 8)]
    # The median of a noise-like power spectrum is ln 2 of its mean, so speech keeps all of its power here.
    irregular = (np.median(syllabic, axis=0) * len(syllabic) / np.log(2)).sum()
    return float(swing.std(axis=0).mean() * irregular / (power[rate >= 0.3].sum() + 1e-9))


def _lines(spectra: NDArray[np.float32]) -> float:
    """How steady the five steadiest frequencies are, 0 to 5: the part of the window in which each stands out."""
    levels = 20 * np.log10(spectra[:, _LINE_BINS] + 1e-6)
    sums = np.cumsum(np.pad(levels, ((0, 0), (_NEIGHBOURS + 1, _NEIGHBOURS)), mode="edge"), axis=1)
    width = 2 * _NEIGHBOURS + 1
    around = (sums[:, width:] - sums[:, :-width]) / width
    standing = (levels - around > _LINE_LEVEL) & (levels > levels.max() - 60)
    steady = standing.mean(axis=0)
    tops = steady[1:-1][(steady[1:-1] >= steady[:-2]) & (steady[1:-1] >= steady[2:])]
    return float(np.sort(tops)[-5:].sum())
