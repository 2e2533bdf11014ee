"""Speech made longer or shorter without a change of pitch: ffmpeg's `atempo`, a WSOLA (Verhelst and Roelands, 1993).

A steady sound comes out within 10 ms of the length that is asked. Where sound begins or ends after silence, that
moves by up to 40 ms: whoever needs an exact start looks for it again.
"""

from pathlib import Path

from pipeline.media.ffmpeg import input_arguments, run_ffmpeg


def time_stretch(source: Path, target: Path, factor: float, *, duration: float) -> None:
    """A sound file of ours of `duration` seconds as FLAC, `factor` (0.5 to 2) times as long; raises `FFmpegError`."""
    run_ffmpeg(
        [
            *(*input_arguments(source), "-vn", "-af", f"atempo={1 / factor:.6f}"),
            *("-c:a", "flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24", "-f", "flac"),
            str(target.absolute()),
        ],
        timeout=60.0 + 2 * duration,
    )
