"""Separates a sound of more than two channels, group by group.

Engines take one or two channels. In film and television the dialogue is in the centre and leaks
into the front, so the centre is separated on its own and so is each pair of channels: the engine
gets the voices with as little around them as possible. The LFE has no voices. The side and back
channels carry the place and seldom words; they are separated when their speech band is strong
enough for a voice to be heard, else they go to the background unchanged, and to the widest of its
parts that the engine makes.

Stems have the channels of the original and add up to it as those of each group do.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pipeline.audio import io as audio_io
from pipeline.audio.channels import Layout
from pipeline.audio.io import Samples
from pipeline.audio.levels import ChannelLevels, measure_levels
from pipeline.graph.stage import ProgressCallback
from pipeline.separation.base import BLOCK_FRAMES
from pipeline.separation.streaming import BlockReader
from pipeline.types import StemName

MIN_SPEECH_POWER_RATIO = 10 ** (-12 / 10)
"""Power in the speech band, relative to the strongest channel, from which a surround group is separated (-12 dB)."""
_WIDEST_FIRST = (StemName.AMBIENT, StemName.SFX, StemName.MUSIC)
_FRONT_CHANNELS = ("FL", "FR", "FC", "FLC", "FRC")
_SPLIT_PROGRESS, _SEPARATED_PROGRESS = 0.08, 0.92
"""Progress when the groups are cut out, and when all are separated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparationResult:
    """What a separation left in its folder: a file `<stem>.flac` for each stem."""

    stems: tuple[StemName, ...]
    residual_dbfs: float | None
    """See `WrittenStems`; the highest of all groups of channels."""
    notes: tuple[str, ...]
    """Sentences for people."""
    weights_digest: str
    """See `SeparationEngine`."""


SeparateFile = Callable[[Path, Path, ProgressCallback], SeparationResult]
"""Separates a file of one or two channels into a folder."""


def separate_surround(
    path: Path, separate_file: SeparateFile, folder: Path, report: ProgressCallback
) -> SeparationResult:
    """Separate a sound of more than two channels.

    Args:
        path: The sound.
        separate_file: Separates the file of one group; what it raises comes through.
        folder: Where the stems are written, `<stem>.flac` with all channels of the sound.
        report: Called with the progress.
    """
    layout = audio_io.read_layout(path)
    levels = measure_levels(path, lambda done: report(done * _SPLIT_PROGRESS / 2, "Measuring the channels"))
    groups = choose_channel_groups(layout, levels)
    with TemporaryDirectory(dir=folder, prefix=".groups-") as name:
        folders = [Path(name) / "-".join(layout.channels[index] for index in group) for group in groups]
        _split_channels(
            path, groups, folders, lambda done: report(_SPLIT_PROGRESS * (1 + done) / 2, "Parting the channels")
        )
        results: list[SeparationResult] = []
        width = (_SEPARATED_PROGRESS - _SPLIT_PROGRESS) / len(folders)
        for number, group_folder in enumerate(folders):
            group_folder.mkdir()
            progress = _scaled_progress(report, _SPLIT_PROGRESS + width * number, width)
            results.append(separate_file(_group_file(group_folder), group_folder, progress))
        stems = _GroupStems(groups, folders, results[0].stems)
        rest = 1 - _SEPARATED_PROGRESS
        _merge_channels(path, layout, stems, folder, lambda done: report(_SEPARATED_PROGRESS + rest * done))
    notes = dict.fromkeys(note for each in results for note in each.notes)
    return SeparationResult(
        stems=stems.stems,
        residual_dbfs=max((each.residual_dbfs for each in results if each.residual_dbfs is not None), default=None),
        notes=(*notes, _explain_groups(layout, groups)),
        weights_digest=results[0].weights_digest,
    )


def choose_channel_groups(layout: Layout, levels: ChannelLevels) -> tuple[tuple[int, ...], ...]:
    """Choose the groups of channels to separate, by their indices; at least one."""
    loudest = max(levels.speech_power)

    def may_speak(group: tuple[int, ...]) -> bool:
        if all(levels.is_silent(index) for index in group):
            return False
        in_front = layout.channels[group[0]] in _FRONT_CHANNELS
        return in_front or max(levels.speech_power[index] for index in group) >= MIN_SPEECH_POWER_RATIO * loudest

    return tuple(filter(may_speak, layout.groups)) or layout.groups[:1]


@dataclass(frozen=True, slots=True)
class _GroupStems:
    """The stems of all groups of channels."""

    groups: Sequence[tuple[int, ...]]
    folders: Sequence[Path]
    """The folder of each group, with its stems."""
    stems: tuple[StemName, ...]


def _group_file(place: Path) -> Path:
    return place.with_suffix(".flac")


def _split_channels(
    path: Path, groups: Sequence[tuple[int, ...]], folders: Sequence[Path], tick: Callable[[float], None]
) -> None:
    """Write each group of channels to its own file."""
    info = audio_io.info(path)
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                audio_io.SoundWriter(_group_file(place), sample_rate=info.sample_rate, channels=len(group))
            )
            for group, place in zip(groups, folders, strict=True)
        ]
        for block in audio_io.read_blocks(path, block=BLOCK_FRAMES):
            for group, writer in zip(groups, writers, strict=True):
                writer.write(block[:, group])
            tick(writers[0].frames / info.frames)


def _merge_channels(
    path: Path, layout: Layout, group_stems: _GroupStems, folder: Path, tick: Callable[[float], None]
) -> None:
    """Write each stem with all channels; channels in no group go to the background unchanged."""
    info = audio_io.info(path)
    passed = sorted(set(range(info.channels)) - {index for group in group_stems.groups for index in group})
    rest = {
        StemName.BACKGROUND,
        next((stem for stem in _WIDEST_FIRST if stem in group_stems.stems), StemName.BACKGROUND),
    }
    for number, stem in enumerate(group_stems.stems):
        readers = [
            BlockReader(audio_io.read_blocks(place / f"{stem.value}.flac", block=BLOCK_FRAMES), len(group))
            for group, place in zip(group_stems.groups, group_stems.folders, strict=True)
        ]
        with audio_io.SoundWriter(
            folder / f"{stem.value}.flac", sample_rate=info.sample_rate, channels=info.channels, layout=layout
        ) as writer:
            for block in audio_io.read_blocks(path, block=BLOCK_FRAMES):
                writer.write(_merge_block(block, group_stems.groups, readers, passed if stem in rest else ()))
                tick((number + writer.frames / info.frames) / len(group_stems.stems))


def _merge_block(
    original: Samples, groups: Sequence[tuple[int, ...]], readers: Sequence[BlockReader], passed: Sequence[int]
) -> Samples:
    """Merge a block of a stem, shape (frames, channels)."""
    block = np.zeros_like(original)
    for group, reader in zip(groups, readers, strict=True):
        block[:, group] = reader.read(len(original))
    block[:, list(passed)] = original[:, list(passed)]
    return block


def _explain_groups(layout: Layout, groups: Sequence[tuple[int, ...]]) -> str:
    taken = [index for group in groups for index in group]
    said = f"The voices were taken out of {_channel_names(layout, taken)}"
    passed = [index for index in range(len(layout.channels)) if index not in taken]
    if not passed:
        return f"{said}, each group of channels by itself."
    return (
        f"{said}; {_channel_names(layout, passed)} went to the background whole, having no voices that could be heard."
    )


def _channel_names(layout: Layout, indices: Sequence[int]) -> str:
    *most, last = (layout.channels[index] for index in indices)
    return f"{', '.join(most)} and {last}" if most else last


def _scaled_progress(report: ProgressCallback, start: float, width: float) -> ProgressCallback:
    """Map progress from 0 to 1 to a part of another."""

    def report_part(fraction: float, message: str = "") -> None:
        report(start + width * fraction, message)

    return report_part
