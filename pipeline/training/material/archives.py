"""The sound files inside a package, also those that lie in an archive of a game's own."""

import io
import shutil
import struct
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOUND_SUFFIXES = (".ogg", ".oga", ".opus", ".wav", ".flac", ".wv", ".mp3")
ZIP_SUFFIXES = (".pk3", ".wz", ".zip")
DOWNLOAD_TIMEOUT_S = 900
CAT_FLAG = 0x8000_0000
"""Bit of the first offset in a sound set of OpenTTD that says entries have names."""


class MaterialError(Exception):
    """The material cannot be fetched or is not what it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFile:
    """A sound file's bytes and its path inside the package."""

    path: str
    content: bytes


def download_package(name: str, folder: Path) -> Path:
    """Download a Debian package without installing it, unless it is there.

    Args:
        name: Of the package.
        folder: Where packages are kept.

    Returns:
        The path of the package.

    """
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.glob(f"{name}_*.deb")):
        subprocess.run([_program("apt-get"), "download", name], cwd=folder, check=True, timeout=DOWNLOAD_TIMEOUT_S)
    return next(iter(sorted(folder.glob(f"{name}_*.deb"))))


def package_version(deb: Path) -> str:
    """Read the version from a package's file name."""
    return deb.stem.split("_")[1].replace("%3a", ":")


def unpack(deb: Path, folder: Path) -> None:
    """Unpack a Debian package into a folder of its own, unless that was done."""
    mark = folder / ".unpacked"
    if not mark.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([_program("dpkg-deb"), "-x", str(deb), str(folder)], check=True, timeout=DOWNLOAD_TIMEOUT_S)
        mark.touch()


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise MaterialError(f"The program {name} is missing. The material is fetched on Debian.")
    return path


def sound_files(folder: Path) -> Iterator[SoundFile]:
    """Find all sound files below a folder in a fixed order, those in archives too."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() in SOUND_SUFFIXES:
            yield SoundFile(path=name, content=path.read_bytes())
        elif path.suffix.lower() in ZIP_SUFFIXES and zipfile.is_zipfile(path):
            yield from _zip_members(path, name)
        elif path.suffix == ".cat":
            yield from _cat_members(path.read_bytes(), name)


def _zip_members(path: Path, name: str) -> Iterator[SoundFile]:
    with zipfile.ZipFile(path) as archive:
        for member in sorted(archive.namelist()):
            if Path(member).suffix.lower() in SOUND_SUFFIXES:
                yield SoundFile(path=f"{name}/{member}", content=archive.read(member))


def _cat_members(content: bytes, name: str) -> Iterator[SoundFile]:
    """Part a sound set of OpenTTD: pairs of offset and size, then per entry a name and a WAV file."""
    first = struct.unpack_from("<I", content)[0] & ~CAT_FLAG
    for index in range(first // 8):
        offset, size = struct.unpack_from("<II", content, index * 8)
        entry = io.BytesIO(content[(offset & ~CAT_FLAG) :])
        entry.read(entry.read(1)[0])
        wav = entry.read(size)
        if wav.startswith(b"RIFF"):
            yield SoundFile(path=f"{name}/{index:03d}.wav", content=wav)
