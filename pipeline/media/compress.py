"""Compact copies of a sound that fit a size limit: Opus at the bit rate that the limit leaves."""

import tempfile
from pathlib import Path

from pipeline.errors import FFmpegError, ValidationError
from pipeline.graph.stage import ProgressCallback, StageContext
from pipeline.media.contracts import CompressInputs, CompressOutput, CompressParams
from pipeline.media.ffmpeg import input_arguments, run_ffmpeg
from pipeline.media.probe import probe
from pipeline.media.sound.encoding import OPUS_BIT_RATE
from pipeline.media.sound.extract import ffmpeg_timeout
from pipeline.media.sound.mono import find_polarity, write_heard
from pipeline.types import MediaInfo

MIN_STEREO_BIT_RATE = 48_000
"""Bits a second below which two channels are folded into one."""
MIN_BIT_RATE = 16_000
"""Bits a second below which it is not worth hearing."""
MAX_MONO_BIT_RATE = 96_000
SOUND_SHARE = 0.96
"""Part of the limit that sound may take; the rest is for the container (Ogg, 1 to 2 %) and the encoder's swings."""
OPUS_SAMPLE_RATE = 48_000
"""Hz."""
MAX_ATTEMPTS = 3
RETRY_RATE_FACTOR = 0.9
"""Factor of the bit rate for another attempt, when the file came out too large."""


def compress_stage(context: StageContext, inputs: CompressInputs[Path], params: CompressParams) -> CompressOutput[Path]:
    """Write `compact.opus` of at most `params.size` bytes, or no file where the sound is too long for that.

    Raises:
        ValidationError: The size is not positive.
        FFmpegError: ffmpeg failed or took too long.
    """
    if params.size <= 0:
        raise ValidationError("A compact copy needs a size.")
    target = context.out / "compact.opus"
    rate = encode_within(inputs.sound, target, size=params.size, report=context.report)
    context.report(1.0)
    return CompressOutput(sound=target if rate else None, rate=rate)


def opus_rate(size: int, duration: float, channels: int) -> tuple[int, int]:
    """Choose bit rate and channels so that a sound takes at most `size` bytes.

    Args:
        size: Bytes.
        duration: Seconds.
        channels: Of the sound.

    Returns:
        Bits a second and channels; (0, 0) where the rate would be too low to be worth hearing.
    """
    room = int(size * 8 * SOUND_SHARE / max(duration, 0.1))
    if channels > 1 and room >= MIN_STEREO_BIT_RATE:
        return min(room, OPUS_BIT_RATE), 2
    return (min(room, MAX_MONO_BIT_RATE), 1) if room >= MIN_BIT_RATE else (0, 0)


def encode_within(sound: Path, target: Path, *, size: int, report: ProgressCallback | None = None) -> int:
    """Write a sound as Opus of at most `size` bytes.

    Returns:
        The bit rate; 0, and no file, where the sound is too long for the size.

    Raises:
        FFmpegError: ffmpeg failed or took too long.
    """
    clip = probe(sound)
    media = clip.media
    rate, channels = opus_rate(size, media.duration, media.audio.channels)
    polarity = find_polarity(sound, clip) if channels == 1 else None
    if polarity is None:
        return _encode_within(sound, target, media, size=size, rate=rate, channels=channels, report=report)
    with tempfile.TemporaryDirectory(prefix="compact-") as folder:
        folded = Path(folder) / "folded.flac"
        write_heard(sound, clip, folded, polarity, sample_rate=OPUS_SAMPLE_RATE)
        return _encode_within(folded, target, media, size=size, rate=rate, channels=channels, report=report)


def _encode_within(
    sound: Path,
    target: Path,
    media: MediaInfo,
    *,
    size: int,
    rate: int,
    channels: int,
    report: ProgressCallback | None,
) -> int:
    for _ in range(MAX_ATTEMPTS):
        if rate < MIN_BIT_RATE:
            break
        arguments = [
            "-vn",
            "-map_metadata",
            "-1",
            "-bitexact",
            "-c:a",
            "libopus",
            "-b:a",
            str(rate),
            "-vbr",
            "constrained",
        ]
        run_ffmpeg(
            [*input_arguments(sound), *arguments, "-ac", str(channels), "-f", "opus", str(target.absolute())],
            timeout=ffmpeg_timeout(media.duration),
            report=report,
            total=media.duration,
            doing="Making a smaller copy",
        )
        if not target.is_file():
            raise FFmpegError("ffmpeg wrote no smaller copy of a sound.")
        if target.stat().st_size <= size:
            return rate
        rate = int(rate * RETRY_RATE_FACTOR)
    target.unlink(missing_ok=True)
    return 0
