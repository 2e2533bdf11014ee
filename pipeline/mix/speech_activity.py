"""Where speech is in a clip, and the gains that follow it: ducking, and a gain for each speaker."""

import math
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.audio.intervals import Interval, merge
from pipeline.audio.voice_activity import find_runs, frame_powers
from pipeline.mix.gain_envelope import GainEnvelope, gain_envelope
from pipeline.mix.presets import Ducking
from pipeline.types import Transcript

SPEAKER_FADE_SECONDS = 0.02
"""Seconds from one speaker's gain to another's."""
_HOP_SECONDS = 0.01
"""Seconds of one level."""
_SMOOTHING_HOPS = 5
"""Levels that are averaged."""
_LOUDNESS_BLOCK_SECONDS = 0.4
"""Seconds of the shortest sound that has a loudness (ITU-R BS.1770-5)."""
_SPEECH_RANGE_DB = 16.0
"""dB under the vocals' loudness from which they count as speech."""
_MIN_SPEECH_DBFS = -60.0
"""dBFS under which nothing counts as speech, ..."""
_SOFT_LUFS, _SOFT_RANGE_DB = -50.0, 20.0
"""... unless the whole clip is softer than the first; then what is not so many dB under it may count."""
_MAX_PAUSE_SECONDS = 0.3
"""Seconds of a pause that does not part two stretches of speech."""
_MIN_SPEECH_SECONDS = 0.08
"""Seconds below which a stretch is no speech."""


def turn_intervals(transcript: Transcript, sample_rate: int) -> list[Interval]:
    """Return the turns in frames."""
    return [(turn.start * sample_rate, turn.end * sample_rate) for turn in transcript.turns]


def find_speech(vocals: Path, loudness: float | None, *, whole: float | None = None) -> list[Interval]:
    """Find where the vocals are as loud as speech.

    Args:
        vocals: A sound file.
        loudness: Integrated loudness of the file in LUFS; None for silence, and for less than 0.4 s, whose mean power
            is taken instead.
        whole: That of the clip that the vocals are of, where it is known.

    Returns:
        Intervals in frames, in order, without short pauses and clicks; none for silence.
    """
    info = audio_io.info(vocals)
    if not info.frames or (loudness is None and info.duration >= _LOUDNESS_BLOCK_SECONDS):
        return []
    rate = info.sample_rate
    hop = max(1, round(_HOP_SECONDS * rate))
    levels = hop_powers(vocals, info.frames, hop)
    loudness = 10 * math.log10(max(float(levels.mean()), 1e-20)) if loudness is None else loudness
    smooth = np.convolve(levels, np.full(_SMOOTHING_HOPS, 1 / _SMOOTHING_HOPS), "same")
    least = _MIN_SPEECH_DBFS if whole is None or whole >= _SOFT_LUFS else whole - _SOFT_RANGE_DB
    runs = find_runs(smooth > 10 ** (max(loudness - _SPEECH_RANGE_DB, least) / 10)) * hop
    stretches = merge(((start, end) for start, end in runs.tolist()), _MAX_PAUSE_SECONDS * rate)
    return [(start, end) for start, end in stretches if end - start >= _MIN_SPEECH_SECONDS * rate]


def ducking_envelope(intervals: Iterable[Interval], ducking: Ducking, sample_rate: int) -> GainEnvelope:
    """Build the gain that is down by the whole depth within each interval, with fades in dB before and after."""
    attack, release = ducking.attack * sample_rate, ducking.release * sample_rate
    points = list[tuple[float, float]]()
    for start, end in merge(intervals, attack + release):
        points += [(start - attack, 0.0), (start, -ducking.depth), (end, -ducking.depth), (end + release, 0.0)]
    return gain_envelope(points, decibels=True)


def speaker_envelope(
    transcript: Transcript, gains: Mapping[str, float], voice: float, sample_rate: int
) -> tuple[GainEnvelope, list[str]]:
    """Build the gain of the vocals by who speaks.

    Where turns overlap, the highest gain holds, so that nobody is lost.

    Args:
        transcript: Who speaks when.
        gains: Linear gains by a speaker's id or name, in any case.
        voice: Linear gain between turns and of speakers that are not named.
        sample_rate: Hz.

    Returns:
        The gain, and the names that the transcript does not know.
    """
    known = {word.casefold(): speaker.id for speaker in transcript.speakers for word in (speaker.name, speaker.id)}
    own = {known[name.casefold()]: gain for name, gain in gains.items() if name.casefold() in known}
    intervals = turn_intervals(transcript, sample_rate)
    turns = [(*at, own.get(turn.speaker, voice)) for at, turn in zip(intervals, transcript.turns, strict=True)]
    unknown = [name for name in gains if name.casefold() not in known]
    return gain_envelope(
        fade_points(_gain_steps(turns, voice), SPEAKER_FADE_SECONDS * sample_rate), decibels=False
    ), unknown


def _gain_steps(turns: Sequence[tuple[float, float, float]], between: float) -> list[tuple[float, float]]:
    """List where the gain changes, and to what."""
    events = sorted(
        [(start, True, gain) for start, end, gain in turns if end > start]
        + [(end, False, gain) for start, end, gain in turns if end > start]
    )
    active, steps = list[float](), [(-math.inf, between)]
    for at, begins, gain in events:
        if begins:
            active.append(gain)
        else:
            active.remove(gain)
        level = max(active, default=between)
        if at == steps[-1][0]:
            steps.pop()
        if not steps or level != steps[-1][1]:
            steps.append((at, level))
    return steps


def fade_points(steps: Sequence[tuple[float, float]], fade: float) -> list[tuple[float, float]]:
    """Build points that go from level to level within `fade` frames, or fewer where steps are close.

    Args:
        steps: Where the level changes and to what; the first one begins infinitely early.
        fade: Frames.
    """
    points = list[tuple[float, float]]()
    if len(steps) == 1:
        return [(0.0, steps[0][1])]
    for index in range(1, len(steps)):
        (before, old), (at, new) = steps[index - 1], steps[index]
        after = steps[index + 1][0] if index + 1 < len(steps) else math.inf
        half = min(fade, at - before, after - at) / 2
        points += [(at - half, old), (at + half, new)]
    return points


def hop_powers(vocals: Path, frames: int, hop: int) -> NDArray[np.float64]:
    """Measure the mean power of each hop; both halves of the file are read in parallel, since FLAC takes the most time.

    Args:
        vocals: A sound file.
        frames: Its length.
        hop: Frames.
    """
    block = audio_io.BLOCK_FRAMES - audio_io.BLOCK_FRAMES % hop
    half = frames // 2 - frames // 2 % hop

    def measure_part(start: int, length: int) -> list[NDArray[np.float64]]:
        blocks = audio_io.read_blocks(vocals, block=block, start=start, frames=length)
        return [frame_powers(samples, hop, partial=True) for samples in blocks]

    with ThreadPoolExecutor(2, thread_name_prefix="levels") as pool:
        parts = pool.map(measure_part, (0, half), (half, frames - half))
        return np.concatenate([powers for part in parts for powers in part])
