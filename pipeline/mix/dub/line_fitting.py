"""One line of a dub made to fit its turn: trimmed, stretched within a cap, as loud as what it replaces."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.audio import io as audio_io
from pipeline.audio.channels import Layout
from pipeline.media.time_stretch import stretch
from pipeline.mix.dub.edges import Cut, Edges, find_edges
from pipeline.mix.dub.loudness import loudness_of
from pipeline.mix.dub.plan import Slot

LEAD, TAIL = 0.05, 0.12
"""Seconds before and after what is heard of a line that stay with it: soft sounds and the room."""
FADE = 0.01
"""Seconds of the fades at its ends."""
HEAD = 0.1
"""Seconds of a line's beginning by which it is found again after it was stretched."""
CEILING = 10 ** (-1 / 20)
"""The highest sample of a line, linear."""
MOST_GAIN = 30.0
"""dB; more would bring up little but noise."""
FITS = 0.01
"""Change of length, as a fraction, below which a line is left as it is."""
CLIPPED_PEAK, NEAR_PEAK, CLIPPED_SHARE = 0.5, 0.85, 0.02
"""A sound is clipped when it has this peak and at least this share of its samples near it; speech has 0.0001."""


@dataclass(slots=True, kw_only=True)
class Fit:
    """How well a line fits; times are seconds, those of the clip's sound."""

    file: str
    slot: Slot
    length: float = 0.0
    """Of what is heard of the piece, as it came."""
    start: float | None = None
    """Where the line is first heard; None for a silent one."""
    end: float = 0.0
    stretch: float = 0.0
    """Change of its length, per cent."""
    difference: float | None = None
    """LU, its loudness less that of what it replaces; None where one of them is silent."""
    notes: list[str] = field(default_factory=list[str])

    @property
    def start_error(self) -> float:
        """Seconds from the start of the turn to the start of the line."""
        return 0.0 if self.start is None else self.start - self.slot.start

    @property
    def overrun(self) -> float:
        """Seconds that the line goes on after its turn."""
        return 0.0 if self.slot.end is None else max(0.0, self.end - self.slot.end)

    @property
    def short(self) -> float:
        """Seconds of the turn that are left without a voice at its end."""
        return 0.0 if self.slot.end is None or self.start is None else max(0.0, self.slot.end - self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A sound file in the dub: its first frame there, which may be before the clip's, and its linear gain."""

    path: Path
    start: int
    frames: int
    gain: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Booth:
    """Where lines are made to fit, and what all of them have in common."""

    vocals: Path
    """The original voices."""
    layout: Layout
    folder: Path
    stretch: float
    """Per cent."""

    def place(self, name: str, track: Path, cut: Cut, number: int) -> tuple[Fit, Placed | None]:
        """Fit one line, which is a part of a track in the clip's rate and channels."""
        fit = Fit(file=name, slot=cut.slot)
        rate = audio_io.info(track).sample_rate
        first, samples = _read(track, cut, rate)
        edges = find_edges(samples, rate)
        if edges is None:
            fit.notes.append("silent")
            return fit, None
        if is_clipped(samples):
            fit.notes.append("clipped in the file")
        fit.length = (edges.end - edges.start) / rate
        factor = 1.0 if cut.fixed else choose_factor(fit.length, cut.slot, self.stretch)
        path = self.folder / f"line-{number}.flac"
        line, heard = self._shape(samples, edges, factor, path, rate)
        at = first + edges.start if cut.fixed else round(cut.slot.start * rate)
        start = at - heard.start
        fit.start, fit.end = at / rate, (at + heard.end - heard.start) / rate
        fit.stretch = 0.0 if factor == 1.0 else 100 * ((heard.end - heard.start) / (edges.end - edges.start) - 1)
        gain = self._match(line, heard, cut.slot, fit, rate)
        return fit, Placed(path=path, start=start, frames=len(line), gain=gain)

    def _shape(
        self, samples: audio_io.Samples, edges: Edges, factor: float, path: Path, rate: int
    ) -> tuple[audio_io.Samples, Edges]:
        """The trimmed and stretched line, which is at `path` too, and where in it the voice is."""
        start, end = max(0, edges.start - round(LEAD * rate)), edges.end + round(TAIL * rate)
        line = _faded(samples[start:end], round(FADE * rate))
        if factor == 1.0:
            audio_io.write(path, line, rate)
            return line, Edges(start=edges.start - start, end=edges.end - start, threshold=edges.threshold)
        loose = path.with_name(f"loose-{path.name}")
        audio_io.write(loose, line, rate)
        stretch(loose, path, factor, duration=len(line) / rate)
        loose.unlink()
        line = audio_io.read(path)
        heard = find_edges(line, rate, edges.threshold)
        if heard is None:
            return line, Edges(start=0, end=len(line), threshold=edges.threshold)
        begin = find_head(
            samples[edges.start : edges.start + round(HEAD * rate)], line, heard.start, round(LEAD * rate)
        )
        return line, Edges(start=begin, end=heard.end, threshold=edges.threshold)

    def _match(self, line: audio_io.Samples, heard: Edges, slot: Slot, fit: Fit, rate: int) -> float:
        """The gain that makes a line as loud as what it replaces, without passing the ceiling."""
        own = loudness_of(line[heard.start : heard.end], rate, self.layout)
        end = fit.end if slot.end is None else slot.end
        frames = max(1, round((end - slot.start) * rate))
        replaced = audio_io.read(self.vocals, start=round(slot.start * rate), frames=frames)
        wanted = loudness_of(replaced, rate, self.layout)
        peak = float(np.abs(line).max(initial=0.0))
        most = min(10 ** (MOST_GAIN / 20), CEILING / peak if peak > 0 else 1.0)
        if own is None or wanted is None:
            fit.notes.append("as loud as in its file, since no voice was heard here before")
            return min(1.0, most)
        gain = min(10 ** ((wanted - own) / 20), most)
        fit.difference = own + 20 * float(np.log10(gain)) - wanted
        return gain


def find_head(head: audio_io.Samples, line: audio_io.Samples, guess: int, reach: int) -> int:
    """The frame of a stretched line at which its beginning is most like that of the line as it was.

    It is looked for within `reach` frames of the guess; stretching smears the first sound by some milliseconds.
    """
    first = max(0, guess - reach)
    window = line[first : guess + reach + len(head)].mean(axis=1, dtype=np.float64)
    if len(window) <= len(head) or not len(head):
        return guess
    power = np.convolve(window**2, np.ones(len(head)), "valid")
    likeness = np.correlate(window, head.mean(axis=1, dtype=np.float64), "valid") / np.sqrt(power + 1e-9)
    return first + int(np.argmax(likeness))


def choose_factor(length: float, slot: Slot, cap: float) -> float:
    """How many times longer a line is made, within `cap` per cent.

    A line that is too long is made shorter as far as may be; one that is too short is made longer only when
    it then fits, since being stretched for nothing would not help it.
    """
    if slot.end is None or length <= 0:
        return 1.0
    wanted, most = (slot.end - slot.start) / length, cap / 100
    if abs(wanted - 1) < FITS or wanted > 1 + most:
        return 1.0
    return max(wanted, 1 - most)


def _read(track: Path, cut: Cut, rate: int) -> tuple[int, audio_io.Samples]:
    """A line with a little around it, and the frame at which it begins."""
    if cut.end is None:
        return 0, audio_io.read(track)
    around = LEAD + TAIL if cut.fixed and cut.end > cut.start else 0.0
    first = max(0, round((cut.start - around) * rate))
    return first, audio_io.read(track, start=first, frames=max(0, round((cut.end + around) * rate) - first))


def _faded(samples: audio_io.Samples, fade: int) -> audio_io.Samples:
    fade = max(1, min(fade, len(samples) // 2))
    ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)[:, None]
    faded = samples.copy()
    faded[:fade] *= ramp
    faded[-fade:] *= ramp[::-1]
    return faded


def is_clipped(samples: audio_io.Samples) -> bool:
    """Whether so much of a sound lies near its highest sample that its peaks must have been cut off.

    Tops need not be quite flat, since a change of rate bends them.
    """
    levels = np.abs(samples).max(axis=1, initial=0.0)
    peak = float(levels.max(initial=0.0))
    return peak >= CLIPPED_PEAK and int(np.count_nonzero(levels >= NEAR_PEAK * peak)) >= CLIPPED_SHARE * len(levels)
