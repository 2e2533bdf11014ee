"""Runs ffmpeg: arguments as a list, allowed containers and decoders only, a time timeout, progress."""

import os
import queue
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

import imageio_ffmpeg  # pyright: ignore[reportMissingTypeStubs]

from pipeline.errors import FFmpegError, MediaError
from pipeline.graph.stage import ProgressCallback

CONTAINERS = (
    *("mov", "mp4", "matroska", "webm", "avi", "mpegts"),
    *("mp3", "wav", "w64", "flac", "ogg", "aac", "loas", "aiff"),
    *("flv", "mpeg", "caf", "amr", "ac3", "eac3", "dts", "wv", "tta", "au"),
)
"""Demuxers that read one file and nothing else: no playlists, no scripts, no network."""

SOUND_DECODERS = (
    *("aac", "aac_latm", "ac3", "eac3", "alac", "amrnb", "amrwb", "flac", "mp2", "mp2float", "mp3", "mp3float"),
    *("dca", "libopus", "opus", "libvorbis", "vorbis", "adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms"),
    *("adpcm_swf", "nellymoser", "speex", "truehd", "tta", "wavpack", "pcm_bluray", "pcm_dvd"),
    *("pcm_alaw", "pcm_mulaw", "pcm_s8", "pcm_u8", "pcm_s16be", "pcm_s16le", "pcm_s24be", "pcm_s24le"),
    *("pcm_s32be", "pcm_s32le", "pcm_f32be", "pcm_f32le", "pcm_f64be", "pcm_f64le"),
)

PASSED_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ", "TMPDIR")
"""What ffmpeg may know of the environment, in which there are tokens and keys."""
_POLL_SECONDS = 0.25
"""Seconds between two looks at the clock and at the wish to cancel."""
_DAMAGED_INPUT_CODES = (69, 183)
"""Exit codes of ffmpeg for "too many decoding errors" and "invalid data found"."""
_MAX_LOG_LINES = 60
"""Lines of the log that are kept."""
_MAX_LOG_LINE_CHARS = 4096
"""Characters of a log line that are kept; a hostile file can make long ones."""


def executable() -> Path:
    """Find the ffmpeg that imageio-ffmpeg installed.

    Raises:
        FFmpegError: It is not there.
    """
    find = cast("Callable[[], str]", imageio_ffmpeg.get_ffmpeg_exe)
    try:
        return Path(find())
    except RuntimeError as error:
        raise FFmpegError("ffmpeg was not found.", hint="Install imageio-ffmpeg again.", detail=str(error)) from error


def ffmpeg_environment() -> dict[str, str]:
    """Return the environment variables for ffmpeg."""
    return {name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ}


def input_arguments(path: Path, *, offset: float = 0.0, decoders: Iterable[str] = ()) -> list[str]:
    """Build the arguments for an input file, with the allowed containers and decoders only.

    Args:
        path: The file.
        offset: Seconds by which its time stamps are moved.
        decoders: Decoders that are allowed beside those for sound.
    """
    return [
        *("-protocol_whitelist", "file,pipe", "-format_whitelist", ",".join(CONTAINERS)),
        *("-codec_whitelist", ",".join((*SOUND_DECODERS, *decoders)), "-itsoffset", f"{offset:.6f}"),
        *("-i", str(path.absolute())),
    ]


def run_ffmpeg(
    arguments: Sequence[str],
    *,
    timeout: float,
    report: ProgressCallback | None = None,
    total: float = 0.0,
    doing: str = "",
    take_line: Callable[[str], bool] | None = None,
    folder: Path | None = None,
) -> None:
    """Run ffmpeg to its end; it never outlives the call.

    Args:
        arguments: Beside those for logging and progress.
        timeout: Seconds.
        report: Called with the fraction of `total` that is done; what it raises ends ffmpeg.
        total: Seconds of output.
        doing: The message that is reported.
        take_line: Called with each line of a full log; lines for which it is true are not part of an error.
        folder: The working folder, from which filters name files.

    Raises:
        MediaError: The input is damaged.
        FFmpegError: ffmpeg failed otherwise or took too long.
    """
    level = "error" if take_line is None else "info"
    _run(
        arguments,
        level,
        timeout=timeout,
        report=report,
        total=total,
        doing=doing,
        take_line=take_line,
        folder=folder,
    )


def read_log(
    arguments: Sequence[str],
    *,
    timeout: float,
    report: ProgressCallback | None = None,
    total: float = 0.0,
    doing: str = "",
) -> str:
    """Run ffmpeg as `run_ffmpeg` does and return the end of its log, where measuring filters print their result."""
    return _run(arguments, "info", timeout=timeout, report=report, total=total, doing=doing)


def _run(
    arguments: Sequence[str],
    loglevel: str,
    *,
    timeout: float,
    report: ProgressCallback | None,
    total: float,
    doing: str,
    take_line: Callable[[str], bool] | None = None,
    folder: Path | None = None,
) -> str:
    command = [str(executable()), "-nostdin", "-hide_banner", "-loglevel", loglevel, "-y"]
    command += ["-progress", "pipe:1", "-nostats", *arguments]
    process = _start(command, folder)
    log: deque[str] = deque(maxlen=_MAX_LOG_LINES)

    def keep_line(line: str) -> None:
        if take_line is None or not take_line(line):
            log.append(line)

    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    readers = (
        threading.Thread(target=_drain, args=(process.stderr, keep_line), daemon=True),
        threading.Thread(target=_drain, args=(process.stdout, lines.put), daemon=True),
    )
    try:
        for reader in readers:
            reader.start()
        _watch(
            process, lines, time.monotonic() + timeout, lambda seconds: _report_progress(report, seconds, total, doing)
        )
    finally:
        process.kill()
        process.wait()
        for reader in readers:
            reader.join()
    if process.returncode:
        raise error_of_exit(process.returncode, "\n".join(log))
    return "\n".join(log)


def _start(command: Sequence[str], folder: Path | None) -> "subprocess.Popen[str]":
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=ffmpeg_environment(),
            cwd=folder,
        )
    except OSError as error:
        raise FFmpegError("ffmpeg could not be started.", detail=str(error)) from error


def _drain(stream: IO[str] | None, keep: Callable[[str], object]) -> None:
    """Read a pipe to its end, so that ffmpeg never waits for a reader."""
    assert stream is not None
    with stream:
        while line := stream.readline(_MAX_LOG_LINE_CHARS):
            keep(line.rstrip())


def _watch(
    process: "subprocess.Popen[str]",
    lines: "queue.SimpleQueue[str]",
    deadline: float,
    on_progress: Callable[[float], None],
) -> None:
    """Wait for ffmpeg, passing on the seconds of output that are made."""
    made = 0.0
    on_progress(made)
    while process.poll() is None:
        if time.monotonic() > deadline:
            raise FFmpegError("ffmpeg took longer than allowed.", hint="Send a shorter clip.")
        try:
            name, _, value = lines.get(timeout=_POLL_SECONDS).partition("=")
        except queue.Empty:
            on_progress(made)
            continue
        if name == "out_time_us" and value.isdigit():
            made = max(made, int(value) / 1e6)
            on_progress(made)
        elif (name, value) == ("progress", "end"):
            _wait_for_exit(process, deadline)


def _wait_for_exit(process: "subprocess.Popen[str]", deadline: float) -> None:
    """Wait without polling for an ffmpeg that has reported its end."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=max(0.0, min(5.0, deadline - time.monotonic())))


def _report_progress(report: ProgressCallback | None, seconds: float, total: float, doing: str) -> None:
    if report is not None:
        report(min(1.0, seconds / total) if total > 0 else 0.0, doing)


def error_of_exit(code: int, log: str) -> FFmpegError | MediaError:
    """Choose the error for an exit code other than 0; the log of ffmpeg becomes its detail."""
    if code in _DAMAGED_INPUT_CODES:
        return MediaError(
            "The sound of this clip is damaged and cannot be decoded.",
            hint="Re-export the clip with another program and try again.",
            detail=log,
        )
    if "No space left on device" in log:
        return FFmpegError("There is no space left to work on this clip.", hint="Free some space.", detail=log)
    return FFmpegError("ffmpeg could not work on this clip.", detail=f"exit code {code}\n{log}")
