"""The render_dub_comparison stage: how a dub that is one whole track fits the turns of the original."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from pipeline.audio import io as audio_io
from pipeline.audio.bs1770 import integrated_loudness
from pipeline.audio.channels import Layout
from pipeline.audio.intervals import Interval
from pipeline.graph.stage import ProgressCallback, StageContext
from pipeline.media.probe import probe
from pipeline.media.sound.extract import convert
from pipeline.media.sound.loudness_meter import measure
from pipeline.mix.contracts import (
    RenderDubComparisonInputs,
    RenderDubComparisonOutput,
    RenderDubComparisonParams,
)
from pipeline.mix.dub.edges import find_edges, hop_powers
from pipeline.mix.dub.line_fitting import LineFit
from pipeline.mix.dub.plan import Slot, turn_slots
from pipeline.mix.dub.report import describe_worst, write_report
from pipeline.mix.dub.stage import MAX_EXCESS_SECONDS
from pipeline.mix.dub.turn_times import TurnLine, match_turns, slot_end
from pipeline.mix.speech_activity import find_speech
from pipeline.types import Transcript

_SEARCH_MARGIN_SECONDS = 0.14
"""Seconds outside a stretch of speech in which soft sounds of it are looked for; half of the shortest pause."""
_MAX_EDGE_SEARCH_SECONDS = 2.0
"""Seconds of a line by which each of its ends is found."""
_MAX_LOUDNESS_SECONDS = 60.0
"""Seconds of a line, at the most, by which its loudness is told; keeps memory flat."""
_BORDER_SEARCH_SECONDS = 1.0
"""Seconds into either turn in which the point between two lines is looked for."""
_HOP_SECONDS, _SMOOTHING_HOPS = 0.005, 12
"""Seconds of one level there, and levels that are averaged."""
_STRETCH_MARGIN_SECONDS = 0.06
"""Seconds beyond the ends of a stretch that are looked at, so that its pauses are seen."""
_DISTANCE_DB_PER_SECOND = 20.0
"""dB by which a point there must be quieter for each second that it is away from the turns' own border."""
_PAUSE_RANGE_DB = 30.0
"""dB under the loudness of the dub below which all is equally quiet."""
_SPEECH_RANGE_DB = 20.0
"""dB under it from which a point between two lines is heard, so that it may be within one of them."""
_MAX_LISTED = 8
"""Turns or places that a note lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    """A whole track beside the original voices; both are on the sound's clock and have one rate and layout."""

    name: str
    track: Path
    vocals: Path
    rate: int
    layout: Layout
    loudness: float
    """LUFS of the dub, as a whole."""

    def fit(self, slot: Slot, line: TurnLine | None) -> LineFit:
        """Measure how a line fits its turn."""
        fit = LineFit(file=self.name, slot=slot)
        if line is None:
            fit.notes.append("no voice is heard here in the dub")
            fit.loudness_difference = self._loudness_difference(slot, (slot.start, slot_end(slot)))
            return fit
        fit.start, fit.end = self._find_ends(line)
        fit.length = fit.end - fit.start
        fit.loudness_difference = self._loudness_difference(slot, (fit.start, fit.end))
        if line.overlapped:
            fit.notes.append("overlaps another turn, from which its voice cannot be told apart in one track")
        guessed = [
            word
            for word, cut, at in (("start", line.cut_start, line.start), ("end", line.cut_end, line.end))
            if cut and not line.overlapped and self._is_speech(at)
        ]
        if guessed:
            fit.notes.append(f"no pause parts it from the turn beside it, so its {' and '.join(guessed)} may be wrong")
        return fit

    def stray_fit(self, stretch: Interval) -> LineFit:
        """Describe speech that is in no turn."""
        start, end = stretch
        fit = LineFit(file=self.name, slot=Slot(start=start, end=start), length=end - start, start=start, end=end)
        fit.notes.append("speaks where no turn is")
        return fit

    def split_point(self, before: Slot, after: Slot, stretch: Interval) -> float:
        """Find the quietest point of a stretch near the border of two turns, in seconds."""
        borders = sorted((slot_end(before), after.start))
        first = max(0.0, stretch[0] - _STRETCH_MARGIN_SECONDS, before.start, borders[0] - _BORDER_SEARCH_SECONDS)
        last = min(stretch[1] + _STRETCH_MARGIN_SECONDS, slot_end(after), borders[1] + _BORDER_SEARCH_SECONDS)
        hop = max(1, round(_HOP_SECONDS * self.rate))
        # The mean of levels is too low within half its length of either end, which is therefore not looked at.
        levels = hop_powers(self._read(self.track, first, last), hop, _SMOOTHING_HOPS)[
            _SMOOTHING_HOPS // 2 : -_SMOOTHING_HOPS // 2
        ]
        if not len(levels):
            return min(max(borders[0], stretch[0]), stretch[1])
        times = first + hop / self.rate * (np.arange(len(levels)) + _SMOOTHING_HOPS // 2 + 0.5)
        away = np.maximum(0.0, np.maximum(borders[0] - times, times - borders[1]))
        quiet = 10 * np.log10(np.maximum(levels, 10 ** ((self.loudness - _PAUSE_RANGE_DB) / 10)))
        return min(max(float(times[np.argmin(quiet + _DISTANCE_DB_PER_SECOND * away)]), stretch[0]), stretch[1])

    def _is_speech(self, at: float) -> bool:
        """Tell whether a point between two lines is no pause."""
        half = _HOP_SECONDS * _SMOOTHING_HOPS / 2
        around = self._read(self.track, max(0.0, at - half), at + half)
        power = float(np.square(around, dtype=np.float64).mean(axis=0).max()) if len(around) else 0.0
        return power > 10 ** ((self.loudness - _SPEECH_RANGE_DB) / 10)

    def _find_ends(self, line: TurnLine) -> Interval:
        """Find where a line is heard, to 5 ms, unless it was cut out of a stretch."""
        first = max(0.0, line.start - (0.0 if line.cut_start else _SEARCH_MARGIN_SECONDS))
        last = line.end + (0.0 if line.cut_end else _SEARCH_MARGIN_SECONDS)
        start, end = line.start, line.end
        tail = max(first, last - _MAX_EDGE_SEARCH_SECONDS)
        heads = find_edges(self._read(self.track, first, min(last, first + _MAX_EDGE_SEARCH_SECONDS)), self.rate)
        tails = find_edges(self._read(self.track, tail, last), self.rate)
        if heads is not None and not (line.cut_start and line.overlapped):
            start = first + heads.start / self.rate
        if tails is not None and not (line.cut_end and line.overlapped):
            end = tail + tails.end / self.rate
        return start, max(start, end)

    def _loudness_difference(self, slot: Slot, span: Interval) -> float | None:
        """Measure the loudness of the dub less that of the original in the turn, LU."""
        spans = ((self.track, span), (self.vocals, (slot.start, slot_end(slot))))
        own, original = (
            integrated_loudness(
                self._read(path, start, min(end, start + _MAX_LOUDNESS_SECONDS)), self.rate, self.layout
            )
            for path, (start, end) in spans
        )
        return None if own is None or original is None else own - original

    def _read(self, path: Path, start: float, end: float) -> audio_io.Samples:
        first = round(start * self.rate)
        return audio_io.read(path, start=first, frames=max(0, round(end * self.rate) - first))


def render_dub_comparison_stage(
    context: StageContext, inputs: RenderDubComparisonInputs[Path], params: RenderDubComparisonParams
) -> RenderDubComparisonOutput[Path]:
    """Write `dub-report.json` and `dub-report.txt` on a whole track: each turn, and speech where no turn is.

    Raises:
        MediaError: A sound cannot be read.
        FFmpegError: ffmpeg failed or took too long.
    """
    transcript = msgspec.json.decode(inputs.transcript.read_bytes(), type=Transcript)
    clip_info, layout = audio_io.info(inputs.vocals), audio_io.read_layout(inputs.vocals)
    rate = clip_info.sample_rate
    with tempfile.TemporaryDirectory(prefix="compare-") as folder:
        track = Path(folder) / "whole.flac"
        dub, longest = probe(inputs.dub), clip_info.duration + MAX_EXCESS_SECONDS
        convert(
            inputs.dub,
            dub,
            track,
            sample_rate=rate,
            channels=clip_info.channels,
            layout=layout,
            end=longest if dub.media.duration > longest else None,
        )
        context.report(0.3, "Comparing the dub")
        loudness = measure(track).integrated
        context.report(0.5, "Comparing the dub")
        found = find_speech(track, loudness, whole=loudness)
        speech = [
            (start / rate, min(end / rate, clip_info.duration)) for start, end in found if start < clip_info.frames
        ]
        comparison = _Comparison(
            name=params.name,
            track=track,
            vocals=inputs.vocals,
            rate=rate,
            layout=layout,
            loudness=-_PAUSE_RANGE_DB if loudness is None else loudness,
        )
        fits, stray = _compare(comparison, turn_slots(transcript), speech, context.report)
    notes, reports = _notes(fits, stray), ()
    lines = [*fits, *stray]
    if lines:
        reports = write_report(lines, notes, 0.0, context.out)
        notes.append(describe_worst(lines))
    context.report(1.0)
    return RenderDubComparisonOutput(
        reports=reports, lines=sum(fit.start is not None for fit in fits), notes=tuple(notes)
    )


def _compare(
    comparison: _Comparison, slots: Sequence[Slot], speech: Sequence[Interval], report: ProgressCallback
) -> tuple[list[LineFit], list[LineFit]]:
    """Measure the fit of each turn, and describe what is in no turn."""
    matched, stray = match_turns(speech, slots, comparison.split_point)
    fits = list[LineFit]()
    for number, (slot, line) in enumerate(zip(slots, matched, strict=True)):
        report(0.5 + 0.5 * number / len(matched), "Comparing the dub")
        fits.append(comparison.fit(slot, line))
    return fits, [comparison.stray_fit(stretch) for stretch in stray]


def _notes(fits: Sequence[LineFit], stray: Sequence[LineFit]) -> list[str]:
    notes = list[str]()
    silent = [str(fit.slot.turn) for fit in fits if fit.start is None]
    if silent:
        notes.append(f"{len(silent)} of {len(fits)} turns have no voice in the dub: {_list_some(silent)}.")
    if stray:
        seconds = sum(fit.length for fit in stray)
        places = [f"{fit.slot.start:.1f} s" for fit in stray]
        notes.append(f"The dub speaks for {seconds:.1f} s where no turn is, from {_list_some(places)} on.")
    return notes


def _list_some(words: Sequence[str]) -> str:
    more = len(words) - _MAX_LISTED
    return ", ".join(words[:_MAX_LISTED]) + (f" and {more} more" if more > 0 else "")
