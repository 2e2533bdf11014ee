"""Takes a sound of more than two channels apart, its centre first.

Engines know one and two channels. In film and television dialogue lies in the centre and leaks to
the front, so the centre is taken apart on its own and each pair of channels by itself: the engine
hears the voices with as little around them as the sound has. The LFE has no voices. The channels
beside and behind the listener carry the place, seldom words; they are taken apart when their
speech band is strong enough for a voice in them to be heard, else passed on as they are. What is
passed on belongs to the background, and to the widest of its parts that the engine makes.

Stems keep the channels of the original and add up to it as those of each group do.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pipeline.audio import io as sound
from pipeline.audio.channels import Layout
from pipeline.audio.io import Samples
from pipeline.audio.levels import ChannelLevels, measure_levels
from pipeline.graph.stage import ProgressCallback
from pipeline.separation.base import BLOCK
from pipeline.separation.streaming import Reel
from pipeline.types import StemName

AUDIBLE_SPEECH = 10 ** (-12 / 10)
"""Power in the speech band, against the strongest channel, from which a surround group is taken apart (-12 dB)."""
_REST = (StemName.AMBIENT, StemName.SFX, StemName.MUSIC)
_FRONT = ("FL", "FR", "FC", "FLC", "FRC")
_READY, _TAKEN = 0.08, 0.92
"""Progress when the groups are cut out, and when all are taken apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What taking a sound apart gave: a file `<stem>.flac` for each stem."""

    stems: tuple[StemName, ...]
    notes: tuple[str, ...]
    digest: str
    """Of the weights, when the catalogue does not know them; else empty."""


TakeApart = Callable[[Path, Path, ProgressCallback], Made]
"""Takes a file of one or two channels apart into a folder."""


def separate_surround(path: Path, take_apart: TakeApart, folder: Path, report: ProgressCallback) -> Made:
    """Write the stems of a sound with more than two channels to `folder`; raises what `take_apart` raises."""
    layout = sound.read_layout(path)
    levels = measure_levels(path, lambda done: report(done * _READY / 2, "Measuring the channels"))
    groups = choose_groups(layout, levels)
    with TemporaryDirectory(dir=folder, prefix=".groups-") as name:
        places = [Path(name) / "-".join(layout.channels[index] for index in group) for group in groups]
        _cut(path, groups, places, lambda done: report(_READY * (1 + done) / 2, "Parting the channels"))
        made: list[Made] = []
        for number, place in enumerate(places):
            place.mkdir()
            start, width = _READY + (_TAKEN - _READY) * number / len(places), (_TAKEN - _READY) / len(places)
            made.append(take_apart(_file(place), place, _share(report, start, width)))
        stems = made[0].stems
        _join(path, layout, _Parts(groups, places, stems), folder, lambda done: report(_TAKEN + (1 - _TAKEN) * done))
    notes = dict.fromkeys(note for each in made for note in each.notes)
    return Made(stems=stems, notes=(*notes, _explain(layout, groups)), digest=made[0].digest)


def choose_groups(layout: Layout, levels: ChannelLevels) -> tuple[tuple[int, ...], ...]:
    """The groups of channels to take apart, by index; at least one."""
    loudest = max(levels.speech_power)

    def may_speak(group: tuple[int, ...]) -> bool:
        if all(levels.is_silent(index) for index in group):
            return False
        in_front = layout.channels[group[0]] in _FRONT
        return in_front or max(levels.speech_power[index] for index in group) >= AUDIBLE_SPEECH * loudest

    return tuple(filter(may_speak, layout.groups)) or layout.groups[:1]


@dataclass(frozen=True, slots=True)
class _Parts:
    groups: Sequence[tuple[int, ...]]
    places: Sequence[Path]
    """Where each group and its stems lie."""
    stems: Sequence[StemName]


def _file(place: Path) -> Path:
    return place.with_suffix(".flac")


def _cut(path: Path, groups: Sequence[tuple[int, ...]], places: Sequence[Path], tick: Callable[[float], None]) -> None:
    """Write each group to a file of its own."""
    of = sound.info(path)
    with ExitStack() as stack:
        writers = [
            stack.enter_context(sound.SoundWriter(_file(place), sample_rate=of.sample_rate, channels=len(group)))
            for group, place in zip(groups, places, strict=True)
        ]
        for block in sound.read_blocks(path, block=BLOCK):
            for group, writer in zip(groups, writers, strict=True):
                writer.write(block[:, group])
            tick(writers[0].frames / of.frames)


def _join(path: Path, layout: Layout, parts: _Parts, folder: Path, tick: Callable[[float], None]) -> None:
    """Put the stems of all groups side by side; channels in no group go to the background whole."""
    of = sound.info(path)
    passed = sorted(set(range(of.channels)) - {index for group in parts.groups for index in group})
    rest = {StemName.BACKGROUND, next((stem for stem in _REST if stem in parts.stems), StemName.BACKGROUND)}
    for number, stem in enumerate(parts.stems):
        reels = [
            Reel(sound.read_blocks(place / f"{stem.value}.flac", block=BLOCK), len(group))
            for group, place in zip(parts.groups, parts.places, strict=True)
        ]
        with sound.SoundWriter(
            folder / f"{stem.value}.flac", sample_rate=of.sample_rate, channels=of.channels, layout=layout
        ) as writer:
            for block in sound.read_blocks(path, block=BLOCK):
                writer.write(_side_by_side(block, parts.groups, reels, passed if stem in rest else ()))
                tick((number + writer.frames / of.frames) / len(parts.stems))


def _side_by_side(
    original: Samples, groups: Sequence[tuple[int, ...]], reels: Sequence[Reel], passed: Sequence[int]
) -> Samples:
    """One block of a stem, shape (frames, channels)."""
    block = np.zeros_like(original)
    for group, reel in zip(groups, reels, strict=True):
        block[:, group] = reel.take(len(original))
    block[:, list(passed)] = original[:, list(passed)]
    return block


def _explain(layout: Layout, groups: Sequence[tuple[int, ...]]) -> str:
    taken = [index for group in groups for index in group]
    said = f"The voices were taken out of {_names(layout, taken)}"
    passed = [index for index in range(len(layout.channels)) if index not in taken]
    if not passed:
        return f"{said}, each group of channels by itself."
    return f"{said}; {_names(layout, passed)} went to the background whole, having no voices that could be heard."


def _names(layout: Layout, indices: Sequence[int]) -> str:
    *most, last = (layout.channels[index] for index in indices)
    return f"{', '.join(most)} and {last}" if most else last


def _share(report: ProgressCallback, start: float, width: float) -> ProgressCallback:
    """A report whose 0 to 1 is a stretch of another."""

    def tell(fraction: float, message: str = "") -> None:
        report(start + width * fraction, message)

    return tell
