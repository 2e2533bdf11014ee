"""Samples written to ffmpeg block by block: encoded and metered at once, without a file in between."""

import queue
import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import IO, Self

import numpy as np

from pipeline.audio.channels import Layout
from pipeline.audio.io import Samples
from pipeline.errors import FFmpegError
from pipeline.media.ffmpeg import error_of_exit, executable, ffmpeg_environment
from pipeline.media.sound.loudness_meter import METER_FILTER, metering_layout, parse_summary, rename_channels_filter
from pipeline.types import Loudness

_MAX_QUEUED_BLOCKS = 4
"""Blocks that wait for ffmpeg while the next one is made."""
_MAX_LOG_LINES = 60
NO_OUTPUTS: Mapping[Path, Sequence[str]] = MappingProxyType({})


class FFmpegPipe:
    """Encodes samples to files and measures their common loudness.

    Used as a context manager: an error inside it ends ffmpeg and removes the files. The loudness has no peaks,
    which `TruePeakMeter` finds more quickly.

    Args:
        layout: Channels of the samples.
        sample_rate: Hz.
        timeout: Seconds that ffmpeg may take in all.
        outputs: The ffmpeg arguments of each file.
    """

    def __init__(
        self,
        layout: Layout,
        sample_rate: int,
        *,
        timeout: float,
        outputs: Mapping[Path, Sequence[str]] = NO_OUTPUTS,
    ) -> None:
        self._outputs = outputs
        self._timed_out = False
        self._ended = False
        self._write_error: OSError | None = None
        self._log: deque[str] = deque(maxlen=_MAX_LOG_LINES)
        self._blocks: queue.Queue[Samples | None] = queue.Queue(_MAX_QUEUED_BLOCKS)
        try:
            self._process = subprocess.Popen(
                _command(layout, sample_rate, outputs),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=ffmpeg_environment(),
            )
        except OSError as error:
            raise FFmpegError("ffmpeg could not be started.", detail=str(error)) from error
        self._threads = (
            threading.Thread(target=self._write_blocks, name="feed", daemon=True),
            threading.Thread(target=self._read_log, name="feed log", daemon=True),
        )
        self._timer = threading.Timer(timeout, self._time_out)

    def write(self, samples: Samples) -> None:
        """Append samples of shape (frames, channels).

        Raises:
            FFmpegError: ffmpeg has ended.
        """
        if self._write_error is not None:
            raise self._error()
        self._blocks.put(np.ascontiguousarray(samples, np.float32))

    def finish(self) -> Loudness:
        """Wait for the files and return their loudness.

        Raises:
            FFmpegError: ffmpeg failed or took too long.
        """
        self._blocks.put(None)
        self._ended = True
        self._process.wait()
        for thread in self._threads:
            thread.join()
        if self._process.returncode or self._write_error is not None:
            raise self._error()
        return parse_summary("\n".join(self._log))

    def __enter__(self) -> Self:
        for thread in (*self._threads, self._timer):
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._process.kill()
        self._process.wait()
        if not self._ended:
            self._blocks.put(None)
        for thread in (*self._threads, self._timer):
            thread.join()
        if kind is not None:
            for path in self._outputs:
                path.unlink(missing_ok=True)

    def _write_blocks(self) -> None:
        stream = self._process.stdin
        assert stream is not None
        while (block := self._blocks.get()) is not None:
            if self._write_error is None:
                self._write_block(stream, block)
        try:
            stream.close()
        except OSError as error:
            self._write_error = self._write_error or error

    def _write_block(self, stream: IO[bytes], block: Samples) -> None:
        try:
            stream.write(block.data)
        except OSError as error:
            # Blocks are still taken, so that whoever feeds is not left waiting.
            self._write_error = error

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stream:
            for line in stream:
                self._log.append(line.decode(errors="replace").rstrip())

    def _time_out(self) -> None:
        self._timed_out = True
        self._process.kill()

    def _error(self) -> Exception:
        self._process.kill()
        code = self._process.wait()
        if self._timed_out:
            return FFmpegError("ffmpeg took longer than allowed.", hint="Send a shorter clip.")
        return error_of_exit(code, "\n".join(self._log))


def _command(layout: Layout, sample_rate: int, outputs: Mapping[Path, Sequence[str]]) -> list[str]:
    """Build the command line: one branch of the filter graph for each output, and one for the meter."""
    channels = len(layout.channels)
    names = [f"[s{index}]" for index in range(len(outputs) + 1)]
    graph = [f"[0:a]asplit={len(names)}{''.join(names)}", f"{names[0]}{METER_FILTER}[meter]"]
    ends = list[str]()
    for index, (path, coding) in enumerate(outputs.items(), start=1):
        back = rename_channels_filter(layout.name.removesuffix("(side)"), channels) if channels > 2 else "anull"
        graph.append(f"{names[index]}{back}[o{index}]")
        ends += ["-map", f"[o{index}]", *coding, str(path.absolute())]
    return [
        *(str(executable()), "-nostdin", "-hide_banner", "-nostats", "-loglevel", "info", "-y"),
        *("-protocol_whitelist", "file,pipe", "-f", "f32le", "-ar", str(sample_rate)),
        *("-ch_layout", metering_layout(layout), "-i", "pipe:0", "-filter_complex", ";".join(graph)),
        *ends,
        *("-map", "[meter]", "-f", "null", "-"),
    ]
