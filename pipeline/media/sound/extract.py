"""The sound of clips as files that stages work on, on the clip's clock."""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.audio.channels import Layout, default_layout
from pipeline.errors import FFmpegError, MediaError
from pipeline.graph.stage import ProgressCallback
from pipeline.media.containers.raw_frames import shift_filter, write_whole_frames
from pipeline.media.containers.strays import read_strays
from pipeline.media.ffmpeg import input_arguments, run_ffmpeg
from pipeline.media.probe import Probe
from pipeline.media.sound.channel_folding import ChannelMapping, map_channels, place_channels
from pipeline.media.sound.clock import MIN_GAP_S, FrameLog, clock_filter, note_gaps, note_places, steady_filter

MAX_SAMPLE_RATE = 192_000
"""Higher rates are brought down to this."""

_FRAME_SIZE_FILTER = "apad=whole_len=16,asetnsamples=n=4096:p=0"
"""ffmpeg's FLAC encoder does not open on a first frame of under 16 samples, which clips cut without encoding have."""
RESAMPLED_PAD_FILTER = "apad=whole_len=128"
"""ffmpeg's resampler gives nothing for a sound of under 18 samples; these become 2.7 ms long."""
_FLOAT_FILTER = "aformat=sample_fmts=flt|fltp"
"""Without it ffmpeg may clip before the peak is measured."""
_PEAK_FILTER = f"{_FLOAT_FILTER},astats=measure_perchannel=none:measure_overall=Peak_level"
_PEAK = re.compile(r"\[Parsed_astats\S* @ \S+\] Peak level dB: (\S+)")
_MAX_PEAK_DB = 200.0
"""dBFS from which a sample is damage: floats that count as integers of 32 bits go up to 187 dB."""
_FULL_SCALE = 1 - 2**-22
"""Highest sample of a sound that was brought down: no rounding to 24 bit goes beyond full scale."""
_NEW_FORM = "Reconfiguring filter graph"
"""What ffmpeg logs where rate or channels change within a track."""
_MAX_UNTOLD_REST_S = 0.5
"""Seconds of sound after the clip's end of which nothing is said."""
_MIN_TOLD_GAIN_DB = 0.1
_PREROLL_S = 1.0
"""Seconds that are decoded before a part, so that its first samples are what they are in the whole."""
_BASE_TIMEOUT_S = 60.0
"""Seconds allowed for any run beside those that the length of the clip gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """What was found while a sound was extracted."""

    gain_db: float = 0.0
    """By how much the sound was changed so that nothing goes over full scale; 0 or less."""
    notes: tuple[str, ...] = ()


def ffmpeg_timeout(duration: float) -> float:
    """Return the seconds after which ffmpeg is stopped, for a clip of `duration` seconds."""
    return _BASE_TIMEOUT_S + 2 * duration


def extract_master(source: Path, clip: Probe, target: Path, report: ProgressCallback | None = None) -> Extracted:
    """Extract the sound at full quality: 24-bit FLAC at its own rate, channels by `map_channels`.

    Silence stands where there is no sound, before the first sample too.

    Raises:
        MediaError: The clip is damaged.
        FFmpegError: ffmpeg failed or took too long.
    """
    passage = map_channels(clip.media.audio.layout, clip.speakers)
    rate = min(MAX_SAMPLE_RATE, clip.media.audio.sample_rate)
    return write_sound(source, clip, target, passage, _flac_arguments(rate), report=report)


def convert(
    source: Path,
    clip: Probe,
    target: Path,
    *,
    sample_rate: int,
    channels: int,
    layout: Layout | None = None,
    end: float | None = None,
    report: ProgressCallback | None = None,
) -> Extracted:
    """Convert the sound of any clip to 24-bit FLAC.

    Args:
        source: The clip.
        clip: What `probe` found.
        target: The FLAC to write.
        sample_rate: Hz.
        channels: Number of channels.
        layout: Their layout; None: the one that FLAC means by the number.
        end: Seconds of the clip after which nothing is decoded; None: all of it is.
        report: Called with the fraction that is done.

    Raises:
        MediaError: The clip is damaged.
        FFmpegError: ffmpeg failed or took too long.
    """
    passage = map_channels(clip.media.audio.layout, clip.speakers)
    placed = layout or default_layout(channels)
    filters = (passage.filter, place_channels(passage.layout, placed), RESAMPLED_PAD_FILTER)
    mapping = ChannelMapping(layout=placed, filter=",".join(filters))
    return write_sound(source, clip, target, mapping, _flac_arguments(sample_rate), end=end, report=report)


def write_sound(
    source: Path,
    clip: Probe,
    target: Path,
    mapping: ChannelMapping,
    coding: Sequence[str],
    *,
    start: float = 0.0,
    end: float | None = None,
    report: ProgressCallback | None = None,
) -> Extracted:
    """Write the sound of a clip, or a part of it, on the clip's clock.

    The sound is decoded again where samples were over full scale, its form changed on the way, or time stamps lie far
    off or go back and forth; the latter are then only followed as far as they go beyond that.

    Args:
        source: The clip.
        clip: What `probe` found.
        target: The file to write.
        mapping: What becomes of the channels.
        coding: Arguments for the encoder and the format.
        start: Seconds.
        end: Seconds; None: to the end.
        report: Called with the fraction that is done.

    Raises:
        MediaError: The clip is damaged.
        FFmpegError: ffmpeg failed or took too long.
    """
    decode = _Decoding(clip=clip, mapping=mapping, start=start, end=end, report=report)
    with tempfile.TemporaryDirectory(prefix="extract-") as folder:
        sound = decode.sound_of(source, Path(folder))
        log = decode.write(sound, target, coding)
        if log.frames.leaps and not clip.strays and (strays := read_strays(source, clip.sound_index)):
            decode = replace(decode, clip=replace(clip, strays=strays))
            sound = decode.sound_of(source, Path(folder))
            log = decode.write(sound, target, coding)
        if log.form_changed:
            sound = decode.write_steady(sound, Path(folder) / "steady.mkv")
            log = decode.write(sound, target, coding)
        if log.frames.wanted_tolerance > decode.tolerance:
            decode = replace(decode, tolerance=log.frames.wanted_tolerance)
            log = decode.write(sound, target, coding)
        gain_db = min(0.0, -log.peak_db) if log.peak_db < _MAX_PEAK_DB else 0.0
        if gain_db:
            decode.write(sound, target, coding, volume=10 ** (gain_db / 20) * _FULL_SCALE)
    return Extracted(gain_db=gain_db, notes=_notes(decode, log, gain_db))


class _SoundLog:
    """What ffmpeg's log says of a sound.

    Args:
        origin: Seconds on the clip's clock of the log's time 0.
        tolerance: That of the clock, seconds.
    """

    def __init__(self, origin: float, tolerance: float) -> None:
        self.frames = FrameLog(origin, tolerance)
        self.peak_db = float("-inf")
        self.form_changed = False

    def take_line(self, line: str) -> bool:
        """Take a line and tell whether it is of no use for an error."""
        peak = _PEAK.match(line)
        if peak is not None:
            self.peak_db = max(self.peak_db, float(peak[1]))
        self.form_changed = self.form_changed or _NEW_FORM in line
        return self.frames.take_line(line) or peak is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sound:
    """A sound track as an input of ffmpeg."""

    arguments: tuple[str, ...]
    track: str
    """For `-map`."""
    mapping: str
    """The filter for its channels."""
    filters: tuple[str, ...] = ()
    """What brings the time stamps to the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decoding:
    """The runs of ffmpeg for one sound."""

    clip: Probe
    mapping: ChannelMapping
    start: float
    end: float | None
    report: ProgressCallback | None
    tolerance: float = MIN_GAP_S
    """Of the clock, seconds."""

    @property
    def _origin(self) -> float:
        """Return the clip's time at which ffmpeg begins to decode: places can be sought where the clock is steady."""
        clip = self.clip
        return 0.0 if clip.restarts or clip.strays or clip.damage is not None else self.start

    def sound_of(self, source: Path, folder: Path) -> _Sound:
        """Build the arguments for the clip, time stamps on its clock or on one that begins at `_origin`.

        ffmpeg moves stamps to what it holds for the start, which is not always ours, so it has to leave them alone;
        but a transport stream whose clock starts again goes on only where it moves them.
        """
        clip, begin = self.clip, self.clip.zero + self._origin
        track, shifts = f"0:{clip.sound_index}", tuple[str, ...]()
        if clip.damage is not None:
            whole = folder / "whole"
            write_whole_frames(source, clip.damage, whole)
            source, shifts = whole, (shift_filter(clip.damage.holes),) if clip.damage.holes else ()
        if clip.restarts and clip.continued:
            inputs = tuple(input_arguments(source, offset=clip.media.audio.lead_in))
            return _Sound(arguments=inputs, track=track, mapping=self.mapping.filter)
        shifts += (steady_filter(clip.strays),) if clip.strays else ()
        place = max(min(0.0, clip.zero), begin - _PREROLL_S)
        sought = ("-seek_timestamp", "1", "-noaccurate_seek", "-ss", f"{place:.6f}")
        return _Sound(
            arguments=("-copyts", *(sought if self._origin else ()), *input_arguments(source)),
            track=track,
            mapping=self.mapping.filter,
            filters=(*shifts, f"asetpts=PTS-{begin:.6f}/TB", *(("atrim=start=0",) if self._origin else ())),
        )

    def write(self, sound: _Sound, target: Path, coding: Sequence[str], *, volume: float | None = None) -> _SoundLog:
        """Write the sound; a second run, with a volume, measures no peak."""
        log = _SoundLog(self._origin, self.tolerance)
        filters = [*sound.filters, clock_filter(self.tolerance), sound.mapping]
        if volume is not None:
            filters.append(f"{_FLOAT_FILTER},volume=volume={volume:.9f}:precision=float")
        elif self.clip.over_full_scale:
            filters.append(_PEAK_FILTER)
        if self.start > self._origin:
            filters.append(f"atrim=start={self.start:.6f},asetpts=PTS-STARTPTS")
        filters.append(_FRAME_SIZE_FILTER)
        # A header can lie about the length: nothing beyond it is decoded.
        length = (self.clip.media.duration + 1 if self.end is None else self.end) - self.start
        self._run(sound, filters, ["-t", f"{length:.6f}", *coding], target, log)
        return log

    def write_steady(self, sound: _Sound, target: Path) -> _Sound:
        """Write a sound whose form changes in one form, with its time stamps.

        ffmpeg builds its filters anew where the form changes, and the new ones would begin at the clip's first sample.
        """
        coding = ["-ar", str(self.clip.media.audio.sample_rate), "-c:a", "pcm_f32le", "-f", "matroska"]
        self._run(sound, (*sound.filters, sound.mapping), coding, target, _SoundLog(self._origin, self.tolerance))
        mapped = f"aformat=channel_layouts={self.mapping.layout.name}"
        return _Sound(arguments=("-copyts", *input_arguments(target)), track="0:a:0", mapping=mapped)

    def _run(self, sound: _Sound, filters: Sequence[str], coding: Sequence[str], target: Path, log: _SoundLog) -> None:
        selection = ["-map", sound.track, "-vn", "-map_metadata", "-1", "-bitexact"]
        try:
            run_ffmpeg(
                [*sound.arguments, *selection, "-af", ",".join(filters), *coding, str(target.absolute())],
                timeout=ffmpeg_timeout(self.clip.media.duration),
                report=self.report,
                total=(self.clip.media.duration if self.end is None else self.end) - self.start,
                doing="Extracting the sound",
                take_line=log.take_line,
            )
        except (FFmpegError, MediaError):
            target.unlink(missing_ok=True)
            raise


def _notes(decode: _Decoding, log: _SoundLog, gain_db: float) -> tuple[str, ...]:
    """Tell what is missing of a sound, and what was changed."""
    clip, damage = decode.clip, decode.clip.damage
    span = decode.start, clip.sound_end if decode.end is None else min(decode.end, clip.sound_end)
    notes = ["Some time stamps of the sound lie far off; they are not followed."] if clip.strays else []
    notes += note_gaps(log.frames, *span, damaged=damage is not None)
    if damage is not None:
        notes += note_places([damage.place(hole) for hole in damage.doubtful], *span)
    if decode.end is None and log.frames.end > clip.media.duration + _MAX_UNTOLD_REST_S:
        notes.append("The sound goes on after the end that the file declares; the rest of it is left out.")
    if log.peak_db >= _MAX_PEAK_DB:
        notes.append("Some samples are no sound but damage, far beyond full scale; they are clipped.")
    if gain_db <= -_MIN_TOLD_GAIN_DB:
        over = f"{-gain_db:.1f} dB"
        notes.append(
            f"The sound goes {over} over full scale; all of it was made {over} quieter so that nothing is clipped."
        )
    return tuple(notes)


def _flac_arguments(sample_rate: int) -> list[str]:
    depth = ["-sample_fmt", "s32", "-bits_per_raw_sample", "24"]
    return ["-ar", str(sample_rate), "-c:a", "flac", *depth, "-f", "flac"]
