"""Adds tracks with exact gains, block by block, to exactly the length of the clip.

Each sample of the mix is the sum of `gain * sample` over the tracks and nothing else, so the
level does not step when a track ends early. Only when that sum would be louder than allowed is
the whole mix turned down, once and by one factor: a limiter would change the balance asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.audio import io as audio_io
from pipeline.errors import MixError
from pipeline.mix.gain_envelope import GainEnvelope
from pipeline.types import StemName

DEFAULT_CEILING = 10 ** (-1 / 20)
"""Highest sample of a mix, linear (-1 dBFS), unless the clip itself goes higher."""
BACKGROUND_STEMS = (StemName.MUSIC, StemName.SFX, StemName.AMBIENT)
"""Stems that the background is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A sound file with its linear gain in the mix and the changes of that gain."""

    path: Path
    gain: float
    envelopes: tuple[GainEnvelope, ...] = ()
    """Each multiplies the gain."""


def background_tracks(
    background: Path,
    stems: Mapping[StemName, Path],
    gain: float,
    stem_gains: Mapping[StemName, float],
    envelopes: tuple[GainEnvelope, ...] = (),
) -> list[Track]:
    """Build the background with gains of its own for some of its stems.

    A stem is added with the difference between its gain and the background's, since the background
    holds it already: this is exact whether or not the stems make up the whole background.

    Args:
        background: Everything but the voice.
        stems: Stems that the background is made of.
        gain: Of the background, linear.
        stem_gains: Gains of stems that differ from the background's, linear.
        envelopes: Changes of the gain of all tracks.
    """
    found = [
        Track(path=stems[name], gain=stem_gains[name] - gain, envelopes=envelopes)
        for name in BACKGROUND_STEMS
        if name in stems and name in stem_gains and stem_gains[name] != gain
    ]
    return [Track(path=background, gain=gain, envelopes=envelopes), *found]


def check_same_format(tracks: Sequence[Track], clip_info: audio_io.SoundInfo) -> None:
    """Check that each track has the rate and the number of channels of the clip's sound.

    Raises:
        MixError: One has not.
    """
    for track in tracks:
        found = audio_io.info(track.path)
        if (found.sample_rate, found.channels) != (clip_info.sample_rate, clip_info.channels):
            raise MixError(
                "The parts do not fit together.",
                detail=f"{track.path.name}: {found.sample_rate} Hz, {found.channels} channels; clip: {clip_info}",
            )


def read_aligned(paths: Sequence[Path], clip_info: audio_io.SoundInfo) -> Iterator[tuple[audio_io.Samples, ...]]:
    """Read blocks of several files in parallel, each padded with silence or cut to the frames of the clip."""
    readers = [audio_io.read_blocks(path, frames=clip_info.frames) for path in paths]
    # The next blocks are decoded while these are worked on: FLAC takes as long as all that is done with it.
    with ThreadPoolExecutor(max(1, len(paths)), thread_name_prefix="stems") as pool:
        ahead = [pool.submit(next, reader, None) for reader in readers]
        for start in range(0, clip_info.frames, audio_io.BLOCK_FRAMES):
            length = min(audio_io.BLOCK_FRAMES, clip_info.frames - start)
            blocks = tuple(_padded(found.result(), length, clip_info.channels) for found in ahead)
            ahead = [pool.submit(next, reader, None) for reader in readers]
            yield blocks


def sum_block(blocks: Sequence[audio_io.Samples], tracks: Sequence[Track], start: int = 0) -> audio_io.Samples:
    """Add one block of each track, from frame `start` on; float32, not limited."""
    total = np.zeros(blocks[0].shape, np.float32)
    for block, track in zip(blocks, tracks, strict=True):
        gain = np.float32(track.gain)
        for curve in track.envelopes:
            gain = gain * np.float32(found) if isinstance(found := curve.at(start, len(block)), float) else gain * found
        total += gain * block
    return total


def mix_blocks(tracks: Sequence[Track], clip_info: audio_io.SoundInfo) -> audio_io.Blocks:
    """Mix the tracks in blocks, as long as the clip; tracks without gain are not read."""
    audible = [track for track in tracks if track.gain]
    start = 0
    if not audible:
        for start in range(0, clip_info.frames, audio_io.BLOCK_FRAMES):
            yield np.zeros((min(audio_io.BLOCK_FRAMES, clip_info.frames - start), clip_info.channels), np.float32)
        return
    for blocks in read_aligned([track.path for track in audible], clip_info):
        yield sum_block(blocks, audible, start)
        start += len(blocks[0])


def peak_gain(mix_peak: float, clip_peak: float) -> float:
    """Return the factor, at most 1, that keeps the mix below the ceiling or the clip's own peak, if higher."""
    return min(1.0, mix_ceiling(clip_peak) / mix_peak) if mix_peak > 0 else 1.0


def mix_ceiling(clip_peak: float) -> float:
    """Return the highest sample that a mix may have, linear."""
    return max(DEFAULT_CEILING, min(1.0, clip_peak))


def _padded(block: audio_io.Samples | None, length: int, channels: int) -> audio_io.Samples:
    if block is None:
        return np.zeros((length, channels), np.float32)
    return block if len(block) == length else np.pad(block, ((0, length - len(block)), (0, 0)))
