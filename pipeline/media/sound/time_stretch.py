"""Speech made longer or shorter without a change of pitch: ffmpeg's `atempo`, a WSOLA (Verhelst and Roelands, 1993).

A steady sound comes out within 10 ms of the length that is asked. Where sound begins or ends after silence, that
moves by up to 40 ms: callers that need an exact start search for it again.
"""

from pathlib import Path

from pipeline.media.ffmpeg import input_arguments, run_ffmpeg


def time_stretch(source: Path, target: Path, factor: float, *, duration: float) -> None:
    """Write a sound file as FLAC with another length.

    Args:
        source: A sound file that this project wrote.
        target: The FLAC to write.
        factor: 0.5 to 2 times as long.
        duration: Seconds of the source.

    Raises:
        FFmpegError: ffmpeg failed or took too long.
    """
    run_ffmpeg(
        [
            *(*input_arguments(source), "-vn", "-af", f"atempo={1 / factor:.6f}"),
            *("-c:a", "flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24", "-f", "flac"),
            str(target.absolute()),
        ],
        timeout=60.0 + 2 * duration,
    )
