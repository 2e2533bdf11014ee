"""Fetches the packages, sorts what they hold and keeps it as arrays at one rate.

The cache has `debs/` and `unpacked/` as they came, and `arrays/` with one float16 array for each package
and kind, shape (frames, channels) at `SAMPLE_RATE`. Arrays are mapped, not read, so that a card or a
small machine takes only the crops it needs.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from pipeline.training.material import archives, manifest
from pipeline.training.material.archives import SoundFile
from pipeline.training.material.kinds import Content, Kind, Package, Split
from pipeline.training.material.loudness import integrated_loudness
from pipeline.training.material.manifest import Source
from pipeline.training.material.sorting import Stretch, sort_effect
from pipeline.training.material.sound_files import Samples, decode

SAMPLE_RATE = 44_100
CHANNELS = {Kind.SPEECH: 1, Kind.MUSIC: 2, Kind.SFX: 1, Kind.AMBIENT: 2}
BEDS = (Kind.MUSIC, Kind.AMBIENT)
MIN_SOURCE_S = 0.08
MAX_SOURCE_S = 600.0
MIN_LOUDNESS_LUFS = -60.0
TRIM_DB = -55.0
"""Level under the peak below which the ends of speech and effects are cut off."""
MANIFEST = "manifest.json"

_log = logging.getLogger(__name__)
Half = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class _Recording:
    file: SoundFile
    kind: Kind
    start: int
    samples: Samples
    loudness_lufs: float


def default_cache() -> Path:
    """Where the material is kept by default."""
    return platformdirs.user_cache_path("stemcord-training")


def prepare(packages: Sequence[Package], cache: Path) -> list[Source]:
    """Fetch, sort and resample all packages; those whose arrays are there are not touched.

    Args:
        packages: What the material comes from.
        cache: Folder for packages and arrays.

    Returns:
        All recordings; the same is written as the cache's manifest.

    """
    sources: list[Source] = []
    for package in packages:
        rows = cache / "arrays" / f"{package.name}.json"
        if not rows.exists():
            deb = archives.download_package(package.name, cache / "debs")
            folder = cache / "unpacked" / package.name
            archives.unpack(deb, folder)
            manifest.write(convert(package, archives.package_version(deb), folder, cache / "arrays"), rows)
        recordings = manifest.read(rows)
        sources += [replace(source, licence=package.licence, split=package.split) for source in recordings]
        _log.info("%s: %d recordings", package.name, len(recordings))
    sources = held_apart(sources)
    manifest.write(sources, cache / MANIFEST)
    return sources


def held_apart(sources: Sequence[Source]) -> list[Source]:
    """Leave out recordings that a split has which is held out more strictly: games share sounds."""
    strictness = list(Split)
    strictest: dict[str, int] = {}
    for source in sources:
        strictest[source.sha256] = max(strictest.get(source.sha256, 0), strictness.index(source.split))
    return [source for source in sources if strictness.index(source.split) == strictest[source.sha256]]


def convert(package: Package, version: str, folder: Path, arrays: Path) -> list[Source]:
    """Sort and resample what an unpacked package holds; the same sound twice is taken once."""
    arrays.mkdir(parents=True, exist_ok=True)
    held: dict[Kind, list[Half]] = {}
    sources: list[Source] = []
    for recording in _recordings(package, folder):
        pieces = held.setdefault(recording.kind, [])
        sources.append(
            Source(
                package=package.name,
                version=version,
                licence=package.licence,
                path=recording.file.path,
                sha256=hashlib.sha256(recording.file.content).hexdigest(),
                start=recording.start,
                kind=recording.kind,
                split=package.split,
                loudness_lufs=round(recording.loudness_lufs, 2),
                offset=sum(map(len, pieces)),
                frames=len(recording.samples),
            )
        )
        pieces.append(recording.samples.astype(np.float16))
    for kind, pieces in held.items():
        np.save(arrays / f"{package.name}.{kind}.npy", np.concatenate(pieces))
    return sources


def _recordings(package: Package, folder: Path) -> Iterator[_Recording]:
    seen: set[bytes] = set()
    for file in archives.sound_files(folder):
        content = package.content(f"/{file.path}")
        digest = hashlib.sha256(file.content).digest()
        if content is Content.UNUSED or digest in seen:
            continue
        seen.add(digest)
        yield from _cut(file, content)


def _cut(file: SoundFile, content: Content) -> Iterator[_Recording]:
    """What a file is good for, at `SAMPLE_RATE`; nothing if unreadable, silent, too short, or music among effects."""
    samples = decode(file.content, SAMPLE_RATE, MAX_SOURCE_S)
    if samples is None:
        _log.warning("%s cannot be read", file.path)
        return
    whole = [] if content is Content.EFFECTS else [Stretch(Kind(content), 0, len(samples))]
    for stretch in whole or sort_effect(samples.mean(axis=1), SAMPLE_RATE):
        cut = samples[stretch.start : stretch.end]
        shaped = _with_channels(cut if stretch.kind in BEDS else trim(cut), CHANNELS[stretch.kind])
        loudness = integrated_loudness(shaped, SAMPLE_RATE)
        if len(shaped) >= MIN_SOURCE_S * SAMPLE_RATE and loudness > MIN_LOUDNESS_LUFS:
            yield _Recording(file, stretch.kind, stretch.start, shaped, loudness)


def trim(samples: Samples) -> Samples:
    """Cut off what lies `TRIM_DB` under the peak at both ends."""
    level = np.abs(samples).max(axis=1)
    (heard,) = np.nonzero(level > level.max() * 10 ** (TRIM_DB / 20))
    return samples[heard[0] : heard[-1] + 1] if len(heard) else samples[:0]


def _with_channels(samples: Samples, channels: int) -> Samples:
    if channels == 1:
        return samples.mean(axis=1, keepdims=True)
    return np.repeat(samples, 2, axis=1) if samples.shape[1] == 1 else samples[:, :2]
