"""Where in a recording somebody speaks: the ends of one line, and the lines of one speaker."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.audio.intervals import Interval, overlap
from pipeline.audio.voice_activity import speech_threshold
from pipeline.errors import ValidationError
from pipeline.media.sound.loudness_meter import measure
from pipeline.mix.dub.plan import Slot
from pipeline.mix.speech_activity import find_speech

CLOCK_TOLERANCE = 0.02
"""Part of the clip's length by which a speaker's file may differ and still be on the clip's own clock."""
CLOCK_TOLERANCE_SECONDS = 0.5
"""Seconds by which it may differ, where that is more."""
_MAX_TURN_DISTANCE_SECONDS = 0.5
"""Seconds around a turn in which a stretch of speech still belongs to it."""
_MIN_PAUSE_RATIO = 1.3
"""How many times longer the pauses between lines must be than those within."""
_HOP_SECONDS = 0.005
"""Seconds of one level."""
_SMOOTHING_HOPS = 3
"""Levels that are averaged."""
_SPEECH_RANGE_DB, _ABOVE_NOISE_DB, _MIN_SPEECH_RANGE_DB = 35.0, 10.0, 20.0
"""dB: how far under its loud parts speech is still speech; over the quietest part; and at least so far under."""
_SILENCE_POWER = 1e-6
"""Power (-60 dBFS) below which nothing is heard, ..."""
_SOFT_POWER, _SOFT_RANGE, _MIN_SOUND_POWER = 1e-5, 1e-3, 1e-7
"""... unless nothing is louder than the first; then it is so much below the loudest, but no less than the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechEdges:
    """The first frame of a line and the one after the last, and the power from which a frame counts as heard."""

    start: int
    end: int
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCut:
    """A line within a file, in seconds from its start; an `end` of None means the file's end."""

    slot: Slot
    start: float = 0.0
    end: float | None = None
    on_clip_clock: bool = False
    """True when the file is on the clip's own clock, so that the line stays where it is."""


def find_edges(samples: audio_io.Samples, sample_rate: int, threshold: float | None = None) -> SpeechEdges | None:
    """Find where a line begins and ends, to 5 ms.

    Args:
        samples: Shape (frames, channels).
        sample_rate: Hz.
        threshold: Power from which a frame counts as heard; None: chosen from the samples.

    Returns:
        None for silence.
    """
    hop = max(1, round(_HOP_SECONDS * sample_rate))
    levels = hop_powers(samples, hop, _SMOOTHING_HOPS)
    if not len(levels):
        return None
    if threshold is None:
        threshold = _find_threshold(levels)
    loudest = float(levels.max())
    silence = _SILENCE_POWER if loudest >= _SOFT_POWER else max(_MIN_SOUND_POWER, _SOFT_RANGE * loudest)
    active = np.flatnonzero(levels > max(threshold, silence))
    if not len(active):
        return None
    return SpeechEdges(
        start=int(active[0]) * hop, end=min(len(samples), (int(active[-1]) + 1) * hop), threshold=threshold
    )


def split_track(name: str, track: Path, slots: Sequence[Slot], clip_duration: float) -> tuple[list[LineCut], list[str]]:
    """Split the file of one speaker into lines.

    A file about as long as the clip is on the clip's clock; any other holds the lines one after the other.

    Args:
        name: Of the file, for messages.
        track: A sound file.
        slots: The turns of the speaker.
        clip_duration: Seconds.

    Returns:
        The lines, and notes.

    Raises:
        ValidationError: The file is silent or its lines cannot be told apart.
    """
    info, loudness = audio_io.info(track), measure(track).integrated
    stretches = [
        (start / info.sample_rate, end / info.sample_rate)
        for start, end in find_speech(track, loudness, whole=loudness)
    ]
    if not stretches:
        raise ValidationError(f"{name} is silent.", hint="Record it again, or leave it out.")
    if abs(info.duration - clip_duration) <= max(CLOCK_TOLERANCE_SECONDS, CLOCK_TOLERANCE * clip_duration):
        return _assign_by_time(name, stretches, slots)
    return _split_by_pauses(name, stretches, slots, info.duration), []


def _assign_by_time(name: str, stretches: Sequence[Interval], slots: Sequence[Slot]) -> tuple[list[LineCut], list[str]]:
    """Assign stretches of speech to the turn that they overlap most, or that is next to them."""
    found = dict[int, list[Interval]]()
    notes = list[str]()
    for start, end in stretches:
        shared = [overlap((start, end), (slot.start, slot.start if slot.end is None else slot.end)) for slot in slots]
        best = int(np.argmax(shared))
        if shared[best] > -_MAX_TURN_DISTANCE_SECONDS:
            found.setdefault(best, []).append((start, end))
        else:
            notes.append(
                f"{name}: {end - start:.1f} s at {start:.1f} s are in no turn of the speaker and were left out."
            )
    cuts = list[LineCut]()
    for index, slot in enumerate(slots):
        if index in found:
            cuts.append(LineCut(slot=slot, start=found[index][0][0], end=found[index][-1][1], on_clip_clock=True))
        else:
            cuts.append(LineCut(slot=slot, end=0.0, on_clip_clock=True))
            notes.append(f"{name}: nothing is heard in turn {slot.turn}, so that line has no voice.")
    return cuts, notes


def _split_by_pauses(name: str, stretches: Sequence[Interval], slots: Sequence[Slot], duration: float) -> list[LineCut]:
    """Split into as many lines as turns, at the longest pauses when these are clearly longer than the others."""
    pauses = [after[0] - before[1] for before, after in pairwise(stretches)]
    wanted = len(slots) - 1
    by_length = sorted(range(len(pauses)), key=lambda index: -pauses[index])
    between, within = by_length[:wanted], by_length[wanted:]
    if len(between) < wanted or (between and within and pauses[between[-1]] < _MIN_PAUSE_RATIO * pauses[within[0]]):
        raise ValidationError(
            f"{name} cannot be parted into the {len(slots)} lines of {slots[0].speaker}.",
            hint=(
                "Make it as long as the clip, or leave a second of silence between the lines, "
                "or send one file per turn, named turn-001.wav and so on."
            ),
            detail=f"{len(stretches)} stretches of speech; pauses {[round(pause, 2) for pause in pauses]}",
        )
    edges = [0.0, *((stretches[index][1] + stretches[index + 1][0]) / 2 for index in sorted(between)), duration]
    return [LineCut(slot=slot, start=start, end=end) for slot, (start, end) in zip(slots, pairwise(edges), strict=True)]


def hop_powers(samples: audio_io.Samples, hop: int, smooth: int) -> NDArray[np.float64]:
    """Measure the power of each whole hop of the loudest channel.

    Args:
        samples: Shape (frames, channels).
        hop: Frames.
        smooth: Hops of a moving average.
    """
    power: NDArray[np.float64] = np.square(samples, dtype=np.float64).max(axis=1, initial=0.0)
    whole = len(power) - len(power) % hop
    means: NDArray[np.float64] = power[:whole].reshape(-1, hop).mean(axis=1)
    return np.convolve(means, np.full(smooth, 1 / smooth), "same") if len(means) >= smooth else means


def _find_threshold(powers: NDArray[np.float64]) -> float:
    """Choose the power between the noise of the room and the voice, as far as both can be told."""
    found = speech_threshold(
        10 * np.log10(np.maximum(powers, 1e-12)),
        floor_percentile=0.0,
        above_floor=_ABOVE_NOISE_DB,
        below_loud=_SPEECH_RANGE_DB,
        min_below_loud=_MIN_SPEECH_RANGE_DB,
    )
    return 10 ** (found / 10)
