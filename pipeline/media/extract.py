"""The sound of clips as files that stages work on."""

from pathlib import Path

from pipeline.audio.channels import Layout, default_layout
from pipeline.errors import FFmpegError, MediaError
from pipeline.graph.stage import ProgressCallback
from pipeline.media.channel_folding import map_channels, place_channels
from pipeline.media.ffmpeg import input_arguments, run_ffmpeg
from pipeline.media.probe import Probe

MAX_SAMPLE_RATE = 192_000
"""Higher rates are brought down to this."""

_FILL_GAPS_FILTER = "aresample=async=1"
"""Silence where packets are missing for more than 0.1 s, so that sound and picture stay together."""
_FRAME_SIZE_FILTER = "asetnsamples=n=4096:p=0"
"""ffmpeg's FLAC encoder does not open on a first frame of under 16 samples, which clips cut without encoding have."""
_BASE_TIMEOUT_S = 60.0
"""Seconds allowed for any run beside those that the length of the clip gives."""


def ffmpeg_timeout(duration: float) -> float:
    """Return the seconds after which ffmpeg is stopped, for a clip of `duration` seconds."""
    return _BASE_TIMEOUT_S + 2 * duration


def extract_mono(source: Path, clip: Probe, target: Path, report: ProgressCallback | None = None) -> None:
    """Extract the sound for the basic route: mono, 44.1 kHz, 16-bit WAV."""
    _extract(source, clip, target, ["-vn", "-ac", "1", "-ar", "44100", "-c:a", "pcm_s16le", "-f", "wav"], report)


def extract_master(source: Path, clip: Probe, target: Path, report: ProgressCallback | None = None) -> None:
    """Extract the sound at full quality: 24-bit FLAC at its own rate, channels by `map_channels`."""
    passage = map_channels(clip.media.audio.layout, clip.speakers)
    rate = min(MAX_SAMPLE_RATE, clip.media.audio.sample_rate)
    filters = f"{_FILL_GAPS_FILTER},{passage.filter},{_FRAME_SIZE_FILTER}"
    _extract(source, clip, target, ["-vn", "-af", filters, "-ar", str(rate), *_flac_arguments()], report)


def convert(
    source: Path,
    clip: Probe,
    target: Path,
    *,
    sample_rate: int,
    channels: int,
    layout: Layout | None = None,
    report: ProgressCallback | None = None,
) -> None:
    """Convert the sound of any clip to 24-bit FLAC.

    Args:
        source: The clip.
        clip: What `probe` found.
        target: The FLAC to write.
        sample_rate: Hz.
        channels: Number of channels.
        layout: Their layout; None: the one that FLAC means by the number.
        report: Called with the fraction that is done.

    Raises:
        MediaError: The clip is damaged.
        FFmpegError: ffmpeg failed or took too long.
    """
    passage = map_channels(clip.media.audio.layout, clip.speakers)
    placed = place_channels(passage.layout, layout or default_layout(channels))
    filters = f"{_FILL_GAPS_FILTER},{passage.filter},{placed},{_FRAME_SIZE_FILTER}"
    _extract(source, clip, target, ["-vn", "-af", filters, "-ar", str(sample_rate), *_flac_arguments()], report)


def _extract(source: Path, clip: Probe, target: Path, coding: list[str], report: ProgressCallback | None) -> None:
    # A header can lie about the length: nothing beyond it is decoded.
    bound = ["-t", f"{clip.media.duration + 1:.3f}"]
    selection = ["-map", f"0:{clip.sound_index}", *bound, "-map_metadata", "-1", "-bitexact"]
    try:
        run_ffmpeg(
            [*input_arguments(source), *selection, *coding, str(target.absolute())],
            timeout=ffmpeg_timeout(clip.media.duration),
            report=report,
            total=clip.media.duration,
            doing="Extracting the sound",
        )
    except (FFmpegError, MediaError):
        target.unlink(missing_ok=True)
        raise


def _flac_arguments() -> list[str]:
    return ["-c:a", "flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24", "-f", "flac"]
