"""Writes the files of one mix and measures their loudness at the same time."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.audio.channels import Layout
from pipeline.audio.io import Samples
from pipeline.audio.true_peak import SteepTruePeakMeter, TruePeakMeter, peak_decibels
from pipeline.media.aac.parallel_writer import AacWriter
from pipeline.media.aac.segment_encoder import AudioFormat, is_supported
from pipeline.media.ffmpeg_pipe import FFmpegPipe
from pipeline.media.sound.loudness_meter import measure_encoded
from pipeline.types import Loudness


class MixWriter:
    """Writes the blocks of a mix to an m4a and to further files.

    Used as a context manager: an error inside it removes the files.

    Args:
        target: The m4a.
        encoding: ffmpeg arguments for an m4a that `pipeline.media.aac` cannot make.
        further_outputs: Other files and their ffmpeg arguments.
        layout: Channels of the mix.
        sample_rate: Hz.
        timeout: Seconds that ffmpeg may take.
        decoded: Whether to measure what a player decodes from the m4a, not what was written.

    Raises:
        FFmpegError: A file cannot be encoded or written.
    """

    def __init__(
        self,
        target: Path,
        encoding: Sequence[str],
        further_outputs: Mapping[Path, Sequence[str]],
        *,
        layout: Layout,
        sample_rate: int,
        timeout: float,
        decoded: bool,
    ) -> None:
        self._target = target
        self._of_decoded = decoded
        self._layout = layout
        self._frames = 0
        self._sample_rate = sample_rate
        self._open = ExitStack()
        audio_format = AudioFormat(sample_rate=sample_rate, layout=layout)
        own = is_supported(audio_format)
        files = further_outputs if own else {target: encoding, **further_outputs}
        self._file_meter: FFmpegPipe | None = None
        self._mix: FFmpegPipe | None = None
        self._aac: AacWriter | None = None
        channels = len(layout.channels)
        self._peaks = SteepTruePeakMeter(sample_rate, channels) if decoded else TruePeakMeter(channels)
        with ExitStack() as opening:
            if own and decoded:
                self._file_meter = opening.enter_context(FFmpegPipe(layout, sample_rate, timeout=timeout))
            if files or not decoded:
                self._mix = opening.enter_context(FFmpegPipe(layout, sample_rate, timeout=timeout, outputs=files))
            if own:
                decoded_samples = None if self._file_meter is None else self._meter
                self._aac = opening.enter_context(AacWriter(target, audio_format, on_decoded=decoded_samples))
            self._open = opening.pop_all()

    def write(self, samples: Samples) -> None:
        """Append samples of shape (frames, channels)."""
        self._frames += len(samples)
        if not self._of_decoded:
            self._peaks.write(samples)
        if self._mix is not None:
            self._mix.write(samples)
        if self._aac is not None:
            self._aac.write(samples)

    def finish(self) -> Loudness:
        """Wait for the files and return the loudness."""
        if self._aac is not None:
            self._aac.finish()
        mix = None if self._mix is None else self._mix.finish()
        found = mix
        if self._of_decoded:
            found = None if self._file_meter is None else self._file_meter.finish()
        if found is None:
            return measure_encoded(self._target, self._layout, self._frames / self._sample_rate)
        self._peaks.finish()
        return replace(
            found, peak=peak_decibels(self._peaks.sample_peak), true_peak=peak_decibels(self._peaks.true_peak)
        )

    def _meter(self, decoded_samples: Samples) -> None:
        """Measure decoded samples of the file."""
        assert self._file_meter is not None
        self._file_meter.write(decoded_samples)
        self._peaks.write(decoded_samples)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)
