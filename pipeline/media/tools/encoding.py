"""Pictures of a clip that are encoded again, with the sound of the same stretch."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from pipeline.graph.stage import ProgressCallback
from pipeline.media.aac.segment_encoder import bit_rate
from pipeline.media.clip_tools import write_stretch
from pipeline.media.ffmpeg import input_arguments, run_ffmpeg
from pipeline.media.probe import Probe
from pipeline.media.sound.channel_folding import map_channels
from pipeline.media.tools.pictures import Pictures
from pipeline.media.tools.refusals import check_work

CONSTANT_RATE_FACTOR = 20
"""Of x264: the usual 23 is seen in gradients, 18 takes half as much room again."""
MAX_EASY_PIXELS = 4096 * 2304
"""Pixels up to which a picture is encoded the usual way."""
_THREADS = ("-threads", "4")
"""Fixed, since the bytes depend on it."""
_BASE_TIMEOUT_S = 120.0
_TIMEOUT_PER_SECOND = 28.0
"""Seconds that ffmpeg may take for each second of a stretch."""
MAX_HELD_SECONDS = 0.5
"""Seconds for which the last picture may be shown before it is repeated."""
_HELD_RATES = (30.0, 60.0)
"""Least and most pictures a second of a clip whose last picture is repeated."""
_TICK_S = 0.0005
_SOUND_SHARE = 0.1
"""Part of the progress that the sound takes."""
_BROADCAST_RATES = {round(whole * 1000 / 1001, 3): Fraction(whole * 1000, 1001) for whole in (24, 30, 60, 120)}
"""Rates that people call 23.976, 29.97, 59.94 and 119.88."""


def encoding_timeout(seconds: float) -> float:
    """Return the seconds after which ffmpeg is stopped that encodes a stretch of `seconds`."""
    return _BASE_TIMEOUT_S + _TIMEOUT_PER_SECOND * seconds


def exact_rate(rate: float) -> Fraction:
    """Return a rate as people mean it, in pictures a second."""
    for said, exact in _BROADCAST_RATES.items():
        if abs(rate - said) < 0.01:
            return exact
    return Fraction(rate).limit_denominator(1001)


def constant_rate(rate: Fraction, seconds: float, *, start: float | None = None) -> list[str]:
    """Build the filters for evenly spaced pictures up to the end; the last one stays as long as that takes.

    Args:
        rate: Pictures a second.
        seconds: Where the end is.
        start: Where the first picture is to be, seconds; None: where it is.
    """
    steps = f"fps=fps={rate.numerator}/{rate.denominator}" + ("" if start is None else f":start_time={start:.6f}")
    return [steps, "tpad=stop=-1:stop_mode=clone", f"trim=end={seconds - _TICK_S:.6f}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of a clip."""

    source: Path
    clip: Probe
    start: float
    """Seconds on the clip's clock, like `end`."""
    end: float

    @classmethod
    def whole(cls, source: Path, clip: Probe) -> "Stretch":
        """Return all of a clip."""
        return cls(source=source, clip=clip, start=0.0, end=clip.media.duration)

    @property
    def seconds(self) -> float:
        """Return its length."""
        return self.end - self.start


def write_video(
    stretch: Stretch,
    pictures: Pictures,
    target: Path,
    filters: Sequence[str],
    *,
    rate: float | None = None,
    pixels: int = 0,
    folder: Path | None = None,
    report: ProgressCallback | None = None,
) -> tuple[str, ...]:
    """Write a stretch as an mp4 that plays while it loads; each picture keeps the time at which it is shown.

    Args:
        stretch: Which part of which clip.
        pictures: Those of the clip.
        target: The file to write.
        filters: What is done to the pictures, after `Pictures.clock`.
        rate: Pictures a second, where that is changed.
        pixels: Of a picture that is written, where that is changed.
        folder: Where filters find files.
        report: Called with the fraction that is done.

    Returns:
        Sentences for people.

    Raises:
        LimitError: That is more than is encoded in one go.
        MediaError: The clip is damaged.
        FFmpegError: ffmpeg failed.
    """
    clip, seconds = stretch.clip, stretch.seconds
    usual = 0.0 if clip.media.video is None else clip.media.video.frame_rate
    pixels = max(pictures.look.width * pictures.look.height, pixels)
    check_work(pixels, max(usual, rate or 0.0), seconds)
    with tempfile.TemporaryDirectory(prefix="encode-") as scratch:
        sound, notes = _write_sound(stretch, Path(scratch) / "sound.flac", _scaled(report, 0.0, _SOUND_SHARE))
        inputs = pictures.arguments(stretch.start) + ([] if sound is None else input_arguments(sound))
        clock = [*pictures.clock(stretch.start, stretch.end), *_held(pictures, stretch, usual, rate)]
        chain = ["-vf", ",".join([*clock, *filters, "format=yuv420p"])]
        selection = ["-map", pictures.stream, *([] if sound is None else ["-map", "1:a:0"])]
        run_ffmpeg(
            [*inputs, *selection, *chain, *_coding(clip, seconds, pixels), str(target.absolute())],
            timeout=encoding_timeout(seconds),
            report=_scaled(report, 0.0 if sound is None else _SOUND_SHARE, 1.0, "Encoding the picture"),
            total=seconds,
            folder=folder,
        )
    return (*notes, *pictures.notes)


def _write_sound(
    stretch: Stretch, target: Path, report: ProgressCallback | None
) -> tuple[Path | None, tuple[str, ...]]:
    source, clip = stretch.source, stretch.clip
    return write_stretch(source, clip, target, start=stretch.start, end=stretch.end, report=report)


def _held(pictures: Pictures, stretch: Stretch, usual: float, rate: float | None) -> list[str]:
    """Build the filters that let the last picture stay to the end, where no other picture follows for long.

    A file says how long a picture is shown by that of the next one; the last one would be gone after a moment.
    """
    if rate is not None:
        return constant_rate(exact_rate(rate), stretch.seconds)
    shown = pictures.shown_at(stretch.end - 2 * _TICK_S)
    if shown is None or stretch.end - max(shown, stretch.start) <= MAX_HELD_SECONDS:
        return []
    return constant_rate(exact_rate(min(max(usual, _HELD_RATES[0]), _HELD_RATES[1])), stretch.seconds)


def _coding(clip: Probe, seconds: float, pixels: int) -> list[str]:
    # The process may have so much memory, and x264 keeps twenty pictures otherwise.
    large = pixels > MAX_EASY_PIXELS
    threads = ("-threads", "1", "-bf", "0", "-x264-params", "rc-lookahead=0:sync-lookahead=0") if large else _THREADS
    channels = len(map_channels(clip.media.audio.layout, clip.speakers).layout.channels) if clip.speakers else 0
    return [
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", str(CONSTANT_RATE_FACTOR)),
        *(*threads, "-fps_mode", "passthrough", "-enc_time_base", "filter"),
        *(("-c:a", "aac", "-b:a", str(bit_rate(channels))) if channels else ()),
        *("-t", f"{seconds:.6f}", "-map_metadata", "-1", "-map_chapters", "-1", "-bitexact"),
        *("-movflags", "+faststart", "-movie_timescale", "48000", "-f", "mp4"),
    ]


def _scaled(
    report: ProgressCallback | None, low: float, high: float, doing: str = "Extracting the sound"
) -> ProgressCallback | None:
    if report is None:
        return None

    def scaled(fraction: float, message: str = "") -> None:
        report(low + (high - low) * fraction, message or doing)

    return scaled
