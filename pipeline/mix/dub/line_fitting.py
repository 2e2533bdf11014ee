"""One line of a dub made to fit its turn: trimmed, stretched within a cap, as loud as what it replaces."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.audio import io as audio_io
from pipeline.audio.bs1770 import integrated_loudness
from pipeline.audio.channels import Layout
from pipeline.audio.true_peak import highest_sample
from pipeline.media.sound.time_stretch import time_stretch
from pipeline.mix.dub.edges import LineCut, SpeechEdges, find_edges
from pipeline.mix.dub.plan import Slot

LEAD_SECONDS, TAIL_SECONDS = 0.05, 0.12
"""Seconds before and after what is heard of a line that stay with it: soft sounds and the room."""
FADE_SECONDS = 0.01
"""Seconds of the fades at its ends."""
HEAD_SECONDS = 0.1
"""Seconds of a line's beginning by which it is found again after it was stretched."""
MAX_LINE_PEAK = 10 ** (-1 / 20)
"""The highest sample of a line, linear."""
MAX_GAIN_DB = 30.0
"""dB; more would bring up little but noise."""
LOUDNESS_BLOCK_SECONDS = 0.4
"""Seconds of the shortest sound that has a loudness (ITU-R BS.1770-5)."""
_MIN_MEAN_POWER_SHARE = 0.1
"""Power of the mean of all channels in that of the loudest, below which the channels cancel each other out."""
MIN_LENGTH_CHANGE = 0.01
"""Change of length, as a fraction, below which a line is left as it is."""
MIN_CLIPPED_PEAK, NEAR_PEAK_RATIO, MIN_CLIPPED_SHARE = 0.5, 0.85, 0.02
"""A sound is clipped when it has this peak and at least this share of its samples near it; speech has 0.0001."""


@dataclass(slots=True, kw_only=True)
class LineFit:
    """How well a line fits; times are seconds on the sound's clock."""

    file: str
    slot: Slot
    length: float = 0.0
    """Seconds of the line in its file, from its first to its last sound."""
    start: float | None = None
    """Where the line is first heard; None for a silent one."""
    end: float = 0.0
    stretch: float = 0.0
    """Change of its length, per cent."""
    loudness_difference: float | None = None
    """LU, its loudness less that of what it replaces; None where one of them is silent."""
    notes: list[str] = field(default_factory=list[str])

    @property
    def start_error(self) -> float:
        """Return the seconds from the start of the turn to the start of the line."""
        return 0.0 if self.start is None else self.start - self.slot.start

    @property
    def overrun(self) -> float:
        """Return the seconds that the line goes on after its turn."""
        return 0.0 if self.slot.end is None else max(0.0, self.end - self.slot.end)

    @property
    def shortfall(self) -> float:
        """Return the seconds of the turn that are left without a voice at its end."""
        return 0.0 if self.slot.end is None or self.start is None else max(0.0, self.slot.end - self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class DubClip:
    """A sound file in the dub: its first frame there, which may be before the clip's, and its linear gain."""

    path: Path
    start: int
    frames: int
    gain: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFitter:
    """Makes lines of a dub fit their turns."""

    vocals: Path
    """The original voices."""
    layout: Layout
    folder: Path
    stretch: float
    """Per cent."""

    def fit(self, name: str, track: Path, cut: LineCut, number: int) -> tuple[LineFit, DubClip | None]:
        """Fit one line.

        Args:
            name: Of the file, for the report.
            track: A sound file with the rate and channels of the clip.
            cut: Where the line is in the track.
            number: Of the line, for the name of its file.

        Returns:
            How it fits, and where it is placed; None for a silent one.
        """
        fit = LineFit(file=name, slot=cut.slot)
        rate = audio_io.info(track).sample_rate
        first, samples = _read(track, cut, rate)
        edges = find_edges(samples, rate)
        if edges is None:
            fit.notes.append("silent")
            return fit, None
        if is_clipped(samples):
            fit.notes.append("clipped in the file")
        fit.length = (edges.end - edges.start) / rate
        factor = 1.0 if cut.on_clip_clock else stretch_factor(fit.length, cut.slot, self.stretch)
        path = self.folder / f"line-{number}.flac"
        line, speech = self._trim_and_stretch(samples, edges, factor, path, rate)
        at = first + edges.start if cut.on_clip_clock else round(cut.slot.start * rate)
        start = at - speech.start
        fit.start, fit.end = at / rate, (at + speech.end - speech.start) / rate
        fit.stretch = 0.0 if factor == 1.0 else 100 * ((speech.end - speech.start) / (edges.end - edges.start) - 1)
        gain = self._match_loudness(line, speech, cut.slot, fit, rate)
        return fit, DubClip(path=path, start=start, frames=len(line), gain=gain)

    def _trim_and_stretch(
        self, samples: audio_io.Samples, edges: SpeechEdges, factor: float, path: Path, rate: int
    ) -> tuple[audio_io.Samples, SpeechEdges]:
        """Write the trimmed and stretched line to `path`; return its samples and where in them the voice is."""
        start, end = max(0, edges.start - round(LEAD_SECONDS * rate)), edges.end + round(TAIL_SECONDS * rate)
        line = _fade_ends(samples[start:end], round(FADE_SECONDS * rate))
        if factor == 1.0:
            audio_io.write(path, line, rate)
            return line, SpeechEdges(start=edges.start - start, end=edges.end - start, threshold=edges.threshold)
        loose = path.with_name(f"loose-{path.name}")
        audio_io.write(loose, line, rate)
        time_stretch(loose, path, factor, duration=len(line) / rate)
        loose.unlink()
        line = audio_io.read(path)
        speech = find_edges(line, rate, edges.threshold)
        if speech is None:
            return line, SpeechEdges(start=0, end=len(line), threshold=edges.threshold)
        begin = find_onset(
            samples[edges.start : edges.start + round(HEAD_SECONDS * rate)],
            line,
            speech.start,
            round(LEAD_SECONDS * rate),
        )
        return line, SpeechEdges(start=begin, end=speech.end, threshold=edges.threshold)

    def _match_loudness(
        self, line: audio_io.Samples, speech: SpeechEdges, slot: Slot, fit: LineFit, rate: int
    ) -> float:
        """Choose the gain that makes a line as loud as what it replaces, without passing the ceiling."""
        own = integrated_loudness(line[speech.start : speech.end], rate, self.layout)
        end = fit.end if slot.end is None else slot.end
        frames = max(1, round((end - slot.start) * rate))
        replaced = audio_io.read(self.vocals, start=round(slot.start * rate), frames=frames)
        wanted = integrated_loudness(replaced, rate, self.layout)
        peak = highest_sample(line)
        most = min(10 ** (MAX_GAIN_DB / 20), MAX_LINE_PEAK / peak if peak > 0 else 1.0)
        if own is None or wanted is None:
            is_short = min(speech.end - speech.start, len(replaced)) < LOUDNESS_BLOCK_SECONDS * rate
            cause = "it is too short for its loudness to be told" if is_short else "no voice was heard here before"
            fit.notes.append(f"as loud as in its file, since {cause}")
            return min(1.0, most)
        gain = min(10 ** ((wanted - own) / 20), most)
        fit.loudness_difference = own + 20 * float(np.log10(gain)) - wanted
        return gain


def find_onset(head: audio_io.Samples, line: audio_io.Samples, guess: int, reach: int) -> int:
    """Find the frame of a stretched line where its beginning is most like that of the original.

    Stretching smears the first sound by some milliseconds.

    Args:
        head: The first samples of the original.
        line: The stretched line.
        guess: The frame near which the beginning is.
        reach: Frames around the guess in which it is searched for.
    """
    first = max(0, guess - reach)
    channels = _heard_channels(head)
    window = line[first : guess + reach + len(head), channels].mean(axis=1, dtype=np.float64)
    if len(window) <= len(head) or not len(head):
        return guess
    power = np.convolve(window**2, np.ones(len(head)), "valid")
    likeness = np.correlate(window, head[:, channels].mean(axis=1, dtype=np.float64), "valid") / np.sqrt(power + 1e-9)
    return first + int(np.argmax(likeness))


def _heard_channels(samples: audio_io.Samples) -> slice:
    """Choose all channels of a sound, or the loudest where little is left of them in their mean."""
    if not len(samples):
        return slice(None)
    powers = np.square(samples, dtype=np.float64).mean(axis=0)
    loudest = int(powers.argmax())
    left = float(np.square(samples.mean(axis=1, dtype=np.float64)).mean())
    return slice(None) if left >= _MIN_MEAN_POWER_SHARE * powers[loudest] else slice(loudest, loudest + 1)


def stretch_factor(length: float, slot: Slot, cap: float) -> float:
    """Choose how many times longer a line is made.

    A line that is too long is made shorter as far as is allowed; one that is too short is made longer only when
    it then fits, since being stretched in vain would not help it.

    Args:
        length: Seconds of the line.
        slot: The place of the line.
        cap: Per cent by which the length may change.
    """
    if slot.end is None or length <= 0:
        return 1.0
    wanted, most = (slot.end - slot.start) / length, cap / 100
    if abs(wanted - 1) < MIN_LENGTH_CHANGE or wanted > 1 + most:
        return 1.0
    return max(wanted, 1 - most)


def _read(track: Path, cut: LineCut, rate: int) -> tuple[int, audio_io.Samples]:
    """Read a line with a margin; also return the frame at which the samples begin."""
    if cut.end is None:
        return 0, audio_io.read(track)
    around = LEAD_SECONDS + TAIL_SECONDS if cut.on_clip_clock and cut.end > cut.start else 0.0
    first = max(0, round((cut.start - around) * rate))
    return first, audio_io.read(track, start=first, frames=max(0, round((cut.end + around) * rate) - first))


def _fade_ends(samples: audio_io.Samples, fade: int) -> audio_io.Samples:
    fade = max(1, min(fade, len(samples) // 2))
    ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)[:, None]
    faded = samples.copy()
    faded[:fade] *= ramp
    faded[-fade:] *= ramp[::-1]
    return faded


def is_clipped(samples: audio_io.Samples) -> bool:
    """Tell whether so much of a sound lies near its highest sample that its peaks must have been cut off.

    Tops need not be quite flat, since resampling bends them.
    """
    levels = np.abs(samples).max(axis=1, initial=0.0)
    peak = float(levels.max(initial=0.0))
    return peak >= MIN_CLIPPED_PEAK and int(
        np.count_nonzero(levels >= NEAR_PEAK_RATIO * peak)
    ) >= MIN_CLIPPED_SHARE * len(levels)
