"""Sound files in and out, in blocks: the one typed module in front of soundfile and soxr.

Samples are float32 arrays of shape (frames, channels), full scale at ±1. Written and
read again at 24 bit they come back the same, bit for bit, once they are multiples of 2**-23.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias, cast

import numpy as np
import soundfile  # pyright: ignore[reportMissingTypeStubs]
import soxr  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from pipeline.audio.channels import Layout, default_layout, layout_of_mask
from pipeline.errors import AudioProcessingError, MediaError

Samples: TypeAlias = NDArray[np.float32]
"""Shape (frames, channels)."""
Blocks: TypeAlias = Iterator[Samples]
Subtype = Literal["PCM_16", "PCM_24", "FLOAT"]
Quality = Literal["QQ", "LQ", "MQ", "HQ", "VHQ"]

BLOCK_FRAMES = 1 << 17
"""Frames read at once: about three seconds, and one MiB in stereo."""

_TAG_SEARCH_BYTES = 1 << 13
"""Bytes of a FLAC of our own within which its tags lie."""
_MASK_TAG = re.compile(rb"WAVEFORMATEXTENSIBLE_CHANNEL_MASK=0x([0-9a-f]+)", re.IGNORECASE)
"""The tag for a layout that FLAC does not mean by its number of channels, as ffmpeg writes and reads it."""

_soundfile = cast("Any", soundfile)
_soxr = cast("Any", soxr)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundInfo:
    """What the header of a sound file says."""

    sample_rate: int
    channels: int
    frames: int

    @property
    def duration(self) -> float:
        """Return the length in seconds."""
        return self.frames / self.sample_rate


def info(path: Path) -> SoundInfo:
    """Read sample rate, channels and length of a sound file.

    Raises:
        MediaError: The file is no sound file.
    """
    with _open(path) as file:
        return SoundInfo(sample_rate=int(file.samplerate), channels=int(file.channels), frames=int(file.frames))


def read_layout(path: Path) -> Layout:
    """Read the channel layout of a sound file that this project wrote.

    Raises:
        MediaError: The file is no sound file.
    """
    channels = info(path).channels
    with path.open("rb") as file:
        tag = _MASK_TAG.search(file.read(_TAG_SEARCH_BYTES))
    found = None if tag is None else layout_of_mask(int(tag[1], 16))
    return found if found is not None and len(found.channels) == channels else default_layout(channels)


def read_blocks(
    path: Path, *, block: int = BLOCK_FRAMES, start: int = 0, frames: int | None = None
) -> Iterator[Samples]:
    """Read a file in blocks of `block` frames, the last one shorter.

    Args:
        path: The sound file.
        block: Frames of a block.
        start: First frame.
        frames: Frames to read; None: to the end of the file.

    Raises:
        MediaError: The file cannot be read.
    """
    with _open(path) as file:
        file.seek(min(start, int(file.frames)))
        left = int(file.frames) - start if frames is None else frames
        while left > 0:
            samples = cast("Samples", _read_frames(file, min(block, left)))
            if not len(samples):
                return
            left -= len(samples)
            yield samples


def read(path: Path, *, start: int = 0, frames: int | None = None) -> Samples:
    """Read a whole short file, or a part of a long one.

    Args:
        path: The sound file.
        start: First frame.
        frames: Frames to read; None: to the end of the file.

    Raises:
        MediaError: The file cannot be read.
    """
    with _open(path) as file:
        file.seek(min(start, int(file.frames)))
        return cast("Samples", _read_frames(file, -1 if frames is None else frames))


class SoundWriter:
    """Writes a sound file block by block; the suffix of the path names the format (flac, wav, ogg).

    A FLAC is marked with its layout where FLAC means another one by the number of channels. Samples beyond full
    scale are clipped. When the `with` block ends with an error, the file is removed.
    """

    def __init__(
        self, path: Path, *, sample_rate: int, channels: int, subtype: Subtype = "PCM_24", layout: Layout | None = None
    ) -> None:
        self.path = path
        self.frames = 0
        self._tag = b""
        if layout is not None and layout != default_layout(channels):
            self._tag = f"WAVEFORMATEXTENSIBLE_CHANNEL_MASK=0x{layout.mask:04x}".encode()
        try:
            self._file = _soundfile.SoundFile(
                _encode_path(path), "w", samplerate=sample_rate, channels=channels, subtype=subtype
            )
            if self._tag:
                self._file.title = "x" * (len(self._tag) - len("title="))
        except (_soundfile.SoundFileError, OSError) as error:
            raise _write_error(error) from error

    def write(self, samples: Samples) -> None:
        """Append samples of shape (frames, channels)."""
        try:
            self._file.write(samples)
        except (_soundfile.SoundFileError, OSError) as error:
            raise _write_error(error) from error
        self.frames += len(samples)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if kind is None and not self._is_whole():
            self.path.unlink(missing_ok=True)
            raise _write_error(OSError(f"{self.path} is cut short"))
        if kind is not None:
            self.path.unlink(missing_ok=True)
        elif self._tag:
            self._write_layout_tag()

    def _is_whole(self) -> bool:
        """Check that the file can be read to its end: libsndfile reports no error when the disk is full."""
        try:
            with _open(self.path) as file:
                file.seek(max(0, self.frames - 1))
                return int(file.frames) == self.frames and len(_read_frames(file, 1)) == min(1, self.frames)
        except (MediaError, _soundfile.SoundFileError):
            return False

    def _write_layout_tag(self) -> None:
        """Replace a title of the same length by the layout tag, since soundfile can write no other tags."""
        with self.path.open("r+b") as file:
            head = file.read(_TAG_SEARCH_BYTES)
            file.seek(0)
            file.write(head.replace(b"title=" + b"x" * (len(self._tag) - len("title=")), self._tag, 1))


def write(path: Path, samples: Samples, sample_rate: int, *, subtype: Subtype = "PCM_24") -> None:
    """Write a whole sound of shape (frames, channels)."""
    with SoundWriter(path, sample_rate=sample_rate, channels=samples.shape[1], subtype=subtype) as writer:
        writer.write(samples)


def resample(samples: Samples, source: int, target: int, *, quality: Quality = "HQ") -> Samples:
    """Resample a whole sound, shape (frames, channels), from one sample rate (Hz) to another."""
    if source == target:
        return samples
    return cast("Samples", _soxr.resample(samples, source, target, quality=quality))


def resample_blocks(
    blocks: Iterable[Samples], source: int, target: int, *, channels: int, quality: Quality = "HQ"
) -> Iterator[Samples]:
    """Resample a sound that comes in blocks, without seams; no block is empty."""
    if source == target:
        yield from (block for block in blocks if len(block))
        return
    stream = _soxr.ResampleStream(source, target, channels, dtype="float32", quality=quality)
    for block in blocks:
        samples = cast("Samples", stream.resample_chunk(np.ascontiguousarray(block))).reshape(-1, channels)
        if len(samples):
            yield samples
    rest = cast("Samples", stream.resample_chunk(np.zeros((0, channels), np.float32), last=True)).reshape(-1, channels)
    if len(rest):
        yield rest


def to_mono(samples: Samples) -> Samples:
    """Average all channels, shape (frames, 1)."""
    channels = samples.shape[1]
    if channels == 1:
        return samples
    total = samples[:, 0] + samples[:, 1]  # many times quicker than a mean along a short axis
    for channel in range(2, channels):
        total += samples[:, channel]
    return (total / np.float32(channels))[:, None]


def mix_to_mono(samples: Samples, weights: Sequence[float]) -> Samples:
    """Add the channels by their weights, shape (frames, 1)."""
    total = np.zeros(len(samples), np.float32)
    for channel, weight in enumerate(weights):
        if weight:
            total += np.float32(weight) * samples[:, channel]
    return total[:, None]


def _encode_path(path: Path) -> str | bytes:
    """Return a path as soundfile takes it: as text it would refuse a name that is not UTF-8."""
    return os.fsencode(path) if os.name == "posix" else str(path)


def _open(path: Path) -> Any:  # noqa: ANN401 - soundfile has no types
    try:
        return _soundfile.SoundFile(_encode_path(path))
    except (_soundfile.SoundFileError, OSError) as error:
        raise MediaError("The sound file cannot be read.", detail=str(error)) from error


def _read_frames(file: Any, frames: int) -> Any:  # noqa: ANN401 - soundfile has no types
    try:
        return file.read(frames, dtype="float32", always_2d=True)
    except (_soundfile.SoundFileError, OSError) as error:
        raise MediaError("The sound file is damaged.", detail=str(error)) from error


def _write_error(error: Exception) -> AudioProcessingError:
    return AudioProcessingError(
        "The sound could not be written.",
        hint="Free some space on the disk that holds STEMCORD_HOME, then try again.",
        detail=str(error),
    )
