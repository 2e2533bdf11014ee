"""Recordings to make test clips of, from Debian packages, in halves that share no recording.

The packages are downloaded with `apt-get download` and unpacked without being installed.

| | tune | test | fresh (the route only) |
|---|---|---|---|
| speech | the sample, pyannote.audio's phone call, pocketsphinx-testdata | Asterisk's prompts | fillets-ng's actors |
| music | wesnoth-1.16-music | hedgewars-data, supertux-data | hyperrogue-music, colobot-common-sounds, btanks-data |
| effects | wesnoth-1.16-data | hedgewars-data, supertux-data | lincity-ng-data, colobot-common-sounds, btanks-data |
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs

from pipeline.audio import io as audio_io
from pipeline.audio.io import Samples

DATA = Path(__file__).parents[1] / "data"
RATE = 44_100
RECORDING_RMS = 0.1
"""RMS of a loaded recording, linear."""
PACKAGES = ("wesnoth-1.16-music", "wesnoth-1.16-data", "pocketsphinx-testdata")
TEST_PACKAGES = (
    *("hedgewars-data", "supertux-data", "asterisk-core-sounds-es-wav", "asterisk-core-sounds-fr-wav"),
    *("asterisk-core-sounds-it-wav", "asterisk-core-sounds-ru-wav"),
)
FRESH_PACKAGES = (
    *("fillets-ng-data-cs", "fillets-ng-data-nl", "hyperrogue-music", "colobot-common-sounds"),
    *("lincity-ng-data", "btanks-data"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """Where the recordings of a half lie."""

    name: str
    music: tuple[str, ...]
    effects: tuple[str, ...]
    ambience: tuple[str, ...]


TUNE = Half(
    name="tune",
    music=("core/music/*.ogg",),
    effects=("core/sounds/*.ogg",),
    ambience=("birds1", "night", "campfire", "ship"),
)
TEST = Half(
    name="test",
    music=("hedgewars/Data/Music/*.ogg", "supertux2/music/*/*.ogg"),
    effects=("hedgewars/Data/Sounds/*.ogg", "supertux2/sounds/*.wav"),
    ambience=("birds2", "birds3", "morning", "wardrums"),
)
FRESH = Half(
    name="fresh",
    music=("hyperrogue/music/*.ogg", "colobot/music/*.ogg", "btanks/data/tunes/*.ogg"),
    effects=("lincity-ng/sounds/*.wav", "colobot/sounds/*.wav"),
    ambience=("city", "country", "forest", "horror"),
)
HALVES = (TUNE, TEST)


def cache() -> Path:
    """Where the packages are kept by default."""
    return platformdirs.user_cache_path("stemcord") / "bench-sounds"


def fetch(folder: Path, packages: Sequence[str] = PACKAGES) -> None:
    """Download and unpack the packages that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in packages:
        if not any(folder.glob(f"{package}_*.deb")):
            subprocess.run(["apt-get", "download", package], cwd=folder, check=True, timeout=900)
        mark = folder / "x" / f".{package}"
        if not mark.exists():
            (deb,) = folder.glob(f"{package}_*.deb")
            subprocess.run(["dpkg", "-x", str(deb), str(folder / "x")], check=True, timeout=300)
            mark.touch()


def find(folder: Path, patterns: Sequence[str], *, longer: float = 0.0, shorter: float = 1e9) -> list[Path]:
    """The files of those patterns, in a fixed order, that last so many seconds."""
    paths = [path for pattern in patterns for path in sorted(folder.glob(f"x/**/{pattern}"))]
    return [path for path in paths if longer < audio_io.info(path).duration < shorter]


def spread(paths: Sequence[Path], count: int) -> list[Path]:
    """So many of them, from all over the list."""
    return [paths[int(place)] for place in np.linspace(0, len(paths) - 1, count)]


def ambience(folder: Path, half: Half) -> list[Path]:
    """Recordings of places."""
    return [path for name in half.ambience for path in find(folder, [f"sounds/ambient/{name}.ogg"])]


def load(path: Path, *, seconds: float, start: float = 0.0) -> Samples:
    """Mono at `RATE`, repeated or cut to the length asked for, RMS `LEVEL`; shape (frames, 1)."""
    rate = audio_io.info(path).sample_rate
    samples = audio_io.read(path, start=int(start * rate), frames=int(seconds * rate))
    mono = audio_io.resample(audio_io.to_mono(samples), rate, RATE)
    return levelled(np.resize(mono, (int(seconds * RATE), 1)), RECORDING_RMS)


def rms(samples: Samples) -> float:
    """Root mean square, linear; never zero."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) + 1e-9


def levelled(samples: Samples, level: float) -> Samples:
    """The same sound with another RMS."""
    return (samples * np.float32(level / rms(samples))).astype(np.float32)


def quieter(samples: Samples, decibels: float) -> Samples:
    """The same sound at another level."""
    return (samples * np.float32(10 ** (decibels / 20))).astype(np.float32)
