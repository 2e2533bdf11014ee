"""The loudness of files by ffmpeg's `ebur128`: ITU-R BS.1770 with EBU R 128's gates, range and true peak.

A file is measured in one pass and in constant memory. Sounds in memory are measured by `pipeline.audio.bs1770`.
"""

import re
from pathlib import Path

from pipeline.audio import io as audio_io
from pipeline.audio.bs1770 import ABSOLUTE_GATE_LUFS
from pipeline.audio.channels import Layout
from pipeline.errors import FFmpegError
from pipeline.graph.stage import ProgressCallback
from pipeline.media.ffmpeg import input_arguments, read_log
from pipeline.types import Loudness

PEAK_METER_FILTER = "ebur128=framelog=quiet:peak=sample+true"
"""The filter; its summary is in the log when ffmpeg ends."""
METER_FILTER = "ebur128=framelog=quiet"
"""The filter without peaks, which take three quarters of its time."""

_CHANNEL_BITS = (
    *((0, "FL"), (1, "FR"), (2, "FC"), (3, "LFE"), (4, "BL"), (5, "BR"), (6, "FLC"), (7, "FRC"), (9, "SL")),
    *((10, "SR"), (11, "TC"), (12, "TFL"), (13, "TFC"), (14, "TFR"), (15, "TBL"), (16, "TBC"), (17, "TBR")),
)
"""ffmpeg's speakers by the bits of its channel mask."""
_WEIGHTED_CHANNELS = ("BL", "BR", "SL", "SR", "TBL", "TBC", "TBR")
"""Channels that ffmpeg's meter always weights by 1.41."""


def metering_layout(layout: Layout) -> str:
    """Choose names for the channels under which ffmpeg's meter gives each its weight of BS.1770-5.

    The meter gives every channel behind or beside the listener 1.41; the standard does not, where there are both.
    """
    if len(layout.channels) <= 2:
        return layout.name
    names = list[str]()
    last = -1
    for weight in layout.loudness_weights:
        kind = "LFE" if weight == 0.0 else "heavy" if weight > 1.0 else "light"
        last, name = next(pair for pair in _CHANNEL_BITS if pair[0] > last and _weight_class(pair[1]) == kind)
        names.append(name)
    return "+".join(names)


def rename_channels_filter(layout: str, channels: int) -> str:
    """Build the ffmpeg filter that gives channels the names of another layout, none moved or mixed."""
    return f"channelmap=map={'|'.join(map(str, range(channels)))}:channel_layout={layout}"


def measure(path: Path, *, report: ProgressCallback | None = None) -> Loudness:
    """Measure the loudness of a sound file that this project wrote.

    Raises:
        MediaError: The file cannot be read.
        FFmpegError: ffmpeg failed or took too long.
    """
    return measure_encoded(path, audio_io.read_layout(path), audio_io.info(path).duration, report=report)


def measure_encoded(path: Path, layout: Layout, duration: float, *, report: ProgressCallback | None = None) -> Loudness:
    """Measure the loudness of any file that ffmpeg reads.

    Args:
        path: The file.
        layout: Its channel layout.
        duration: Seconds.
        report: Called with the fraction that is done.

    Raises:
        MediaError: The file is damaged.
        FFmpegError: ffmpeg failed or took too long.
    """
    channels = len(layout.channels)
    filters = (
        f"{rename_channels_filter(metering_layout(layout), channels)},{PEAK_METER_FILTER}"
        if channels > 2
        else PEAK_METER_FILTER
    )
    log = read_log(
        [*input_arguments(path), "-vn", "-af", filters, "-f", "null", "-"],
        timeout=60.0 + duration,
        report=report,
        total=duration,
        doing="Measuring the loudness",
    )
    return parse_summary(log)


def parse_summary(log: str) -> Loudness:
    """Parse what the meter prints at its end.

    Raises:
        FFmpegError: There is no summary in the log.
    """
    _, found, summary = log.rpartition("Summary:")
    if not found:
        raise FFmpegError("The loudness could not be measured.", detail=log)
    integrated = _parse_number(r"I:\s+(\S+) LUFS", summary)
    if integrated is not None and integrated <= ABSOLUTE_GATE_LUFS:
        integrated = None
    return Loudness(
        integrated=integrated,
        peak=_parse_number(r"Sample peak:\s+Peak:\s+(\S+) dBFS", summary),
        range=None if integrated is None else _parse_number(r"LRA:\s+(\S+) LU", summary),
        true_peak=_parse_number(r"True peak:\s+Peak:\s+(\S+) dBFS", summary),
    )


def _weight_class(name: str) -> str:
    return "LFE" if name == "LFE" else "heavy" if name in _WEIGHTED_CHANNELS else "light"


def _parse_number(pattern: str, text: str) -> float | None:
    found = re.search(pattern, text)
    if found is None or found[1] in ("-inf", "nan", "inf"):
        return None
    return float(found[1])
