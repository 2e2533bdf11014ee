"""A dub as a zip of sound files that names or a manifest assign to turns and speakers.

Without a manifest the names say what a file is for: `turn-003.wav` is the third turn of `transcript.json`,
`speaker-1.wav` and `Anna.wav` are all that a speaker says. A manifest, `dub.json`, is a list of
`{"file": …}` with one of `turn`, `speaker` and `start` (seconds) each.
"""

import errno
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from pipeline.errors import LimitError, ValidationError

MANIFEST_NAME = "dub.json"
MAX_FILES = 2000
MAX_MANIFEST_BYTES = 1 << 20
"""Bytes."""
_CHUNK_BYTES = 1 << 20
_TURN = re.compile(r"turn[-_ ]*(\d{1,6})", re.IGNORECASE)
_ZIP_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError),
    *(NotImplementedError, RuntimeError, ValueError, OverflowError, struct.error),
)
"""What zipfile raises for damaged, encrypted and strange files; beside these an OSError of its own decoders."""
_MAX_DICTIONARY_BYTES = 1 << 26
"""What an LZMA member may have its decoder hold in memory: the most that programs for people ask for."""
_LOCAL_HEADER = struct.Struct("<26xHH")
_LZMA_HEADER = struct.Struct("<5xI")
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of all members of a zip made here, so that the same pieces give the same bytes."""
_NAMING = "Name the files turn-001.wav, turn-002.wav … or after their speakers, or add a dub.json that says so."


class ManifestEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of a manifest and what it is for."""

    file: str
    turn: int | None = None
    """Counted from 1, as in the report."""
    speaker: str | None = None
    start: float | None = None
    """Seconds on the clip's clock, for a line that is in no turn."""

    @property
    def place(self) -> tuple[str, object]:
        """Return what the file is for, so that two files for one place are found."""
        if self.turn is not None:
            return "Turn", self.turn
        if self.speaker is not None:
            return "Speaker", normalize_name(self.speaker)
        return "The line at", self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class DubFile:
    """A file of a dub, unpacked under a name that is safe."""

    name: str
    """What the person called it."""
    path: Path
    turn: int | None = None
    speaker: str | None = None
    start: float | None = None


def normalize_name(name: str) -> str:
    """Reduce a speaker's name to letters and digits in lower case, since file names differ in the rest."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def list_files(source: Path) -> tuple[Path, ...]:
    """List the files that `pack` would read of a folder, or of a manifest, with the manifest itself.

    Raises:
        ValidationError: A file is missing, or the manifest cannot be used.
    """
    manifest = source / MANIFEST_NAME if source.is_dir() else source
    return (*((manifest,) if manifest.is_file() else ()), *_find_pieces(source)[1].values())


def pack(source: Path, target: Path) -> None:
    """Pack a folder of sound files, or a manifest and the files beside it, as a zip.

    Raises:
        ValidationError: A file is missing, or the manifest cannot be used.
        LimitError: There are too many files.
    """
    entries, files = _find_pieces(source)
    _check(entries)
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(zipfile.ZipInfo(MANIFEST_NAME, _EPOCH), msgspec.json.encode(entries))
        for name, path in sorted(files.items()):
            with path.open("rb") as piece, archive.open(zipfile.ZipInfo(name, _EPOCH), "w", force_zip64=True) as member:
                while chunk := piece.read(_CHUNK_BYTES):
                    member.write(chunk)


def unpack(bundle: Path, folder: Path, *, max_size: int) -> list[DubFile]:
    """Unpack a zip into files with safe names in `folder`.

    Args:
        bundle: The zip.
        folder: Where the files are written.
        max_size: Bytes that the files may have in all.

    Raises:
        ValidationError: The zip, its manifest or its names cannot be used.
        LimitError: There are more than `MAX_FILES` files or `max_size` bytes.
    """
    try:
        with zipfile.ZipFile(bundle) as archive:
            members = _members(archive)
            entries = _entries(bundle, archive, members)
            _check(entries)
            left = max_size
            files = list[DubFile]()
            for number, entry in enumerate(entries):
                path = folder / f"piece-{number}"
                _check_dictionary(bundle, members[entry.file])
                with archive.open(members[entry.file]) as member:
                    left -= _copy_member(member, path, left)
                name = PurePosixPath(entry.file).name
                files.append(DubFile(name=name, path=path, turn=entry.turn, speaker=entry.speaker, start=entry.start))
    except (*_ZIP_ERRORS, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise ValidationError(
            "The zip of the dub cannot be read.", hint="Pack it again, without a password.", detail=repr(error)
        ) from error
    return files


def _find_pieces(source: Path) -> tuple[list[ManifestEntry], dict[str, Path]]:
    folder = source if source.is_dir() else source.parent
    files = {path.name: path for path in sorted(folder.iterdir()) if path.is_file()}
    manifest = folder / MANIFEST_NAME if source.is_dir() else source
    if manifest.is_file():
        entries = _parse_manifest(_read_text(manifest))
        return entries, {entry.file: _find_beside(folder, entry.file) for entry in entries}
    files = {name: path for name, path in files.items() if not _is_system_file(name)}
    return _entries_by_name(files), files


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    # A damaged entry may have no name at all.
    named = (info for info in archive.infolist() if info.filename and not info.is_dir())
    infos = [info for info in named if not _is_system_file(info.filename)]
    if len(infos) > MAX_FILES:
        raise LimitError(f"The dub has more than {MAX_FILES} files.", hint="Send one file per speaker.")
    return {info.filename: info for info in infos}


def _entries(bundle: Path, archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo]) -> Sequence[ManifestEntry]:
    manifests = [name for name in members if PurePosixPath(name).name.casefold() == MANIFEST_NAME]
    if not manifests:
        return _entries_by_name(members)
    manifest = min(manifests, key=len)
    _check_dictionary(bundle, members[manifest])
    with archive.open(members[manifest]) as file:
        entries = _parse_manifest(file.read(MAX_MANIFEST_BYTES + 1))
    folder = PurePosixPath(manifest).parent
    found = [msgspec.structs.replace(entry, file=str(folder / entry.file)) for entry in entries]
    for entry in found:
        if entry.file not in members:
            raise _missing_file(entry.file)
    return found


def _entries_by_name(names: Iterable[str]) -> list[ManifestEntry]:
    entries = list[ManifestEntry]()
    for name in names:
        stem = PurePosixPath(name).stem.strip()
        turn = _TURN.fullmatch(stem)
        entries.append(
            ManifestEntry(file=name, speaker=stem[:100])
            if turn is None
            else ManifestEntry(file=name, turn=int(turn[1]))
        )
    return entries


def _parse_manifest(data: bytes) -> list[ManifestEntry]:
    if len(data) > MAX_MANIFEST_BYTES:
        raise LimitError(f"{MANIFEST_NAME} is too large.", hint="List each file once.")
    example = '[{"file": "a.wav", "turn": 1}, {"file": "b.wav", "speaker": "Speaker 2"}]'
    hint = f"{MANIFEST_NAME} is a list such as {example}."
    try:
        entries = msgspec.json.decode(data, type=list[ManifestEntry])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValidationError(f"{MANIFEST_NAME} cannot be used: {error}.", hint=hint) from error
    for entry in entries:
        if sum(value is not None for value in (entry.turn, entry.speaker, entry.start)) != 1:
            raise ValidationError(
                f"{MANIFEST_NAME} must give {_shorten(entry.file)} one of turn, speaker and start.", hint=hint
            )
        if entry.start is not None and not 0 <= entry.start < 1e6:
            raise ValidationError(f"{MANIFEST_NAME} gives {_shorten(entry.file)} a start before the clip.", hint=hint)
    return entries


def _check(entries: Sequence[ManifestEntry]) -> None:
    if not entries:
        raise ValidationError("The dub holds no sound files.", hint=_NAMING)
    if len(entries) > MAX_FILES:
        raise LimitError(f"The dub has more than {MAX_FILES} files.", hint="Send one file per speaker.")
    seen = dict[tuple[str, object], ManifestEntry]()
    for entry in entries:
        other = seen.setdefault(entry.place, entry)
        if other is not entry:
            kind, place = entry.place
            where = entry.speaker if entry.speaker is not None else place
            raise ValidationError(
                f"{kind} {where} has two files: {_shorten(other.file)} and {_shorten(entry.file)}.",
                hint="Leave one out.",
            )


def _check_dictionary(bundle: Path, info: zipfile.ZipInfo) -> None:
    """Refuse an LZMA member whose decoder would take gigabytes before it gives a byte."""
    if info.compress_type != zipfile.ZIP_LZMA:
        return
    with bundle.open("rb") as file:
        file.seek(info.header_offset)
        name_bytes, extra_bytes = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        file.seek(name_bytes + extra_bytes, 1)
        (dictionary_bytes,) = _LZMA_HEADER.unpack(file.read(_LZMA_HEADER.size))
    if dictionary_bytes > _MAX_DICTIONARY_BYTES:
        raise LimitError("The zip of the dub needs too much memory.", hint="Pack it again, as an ordinary zip.")


def _copy_member(member: IO[bytes], target: Path, left: int) -> int:
    """Copy a member of at most `left` bytes, whatever its header says; return its size."""
    size = 0
    with target.open("wb") as file:
        while chunk := member.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > left:
                raise LimitError("The dub is too large when it is unpacked.", hint="Send shorter or smaller files.")
            file.write(chunk)
    return size


def _find_beside(folder: Path, name: str) -> Path:
    """Find a file that a manifest names, which must lie in its folder."""
    inside = PurePosixPath(name)
    path = folder / inside
    if inside.is_absolute() or ".." in inside.parts or not _is_file(path):
        raise _missing_file(name)
    return path


def _is_file(path: Path) -> bool:
    """Tell whether there is a file of that name; there is none of a name that no file can have."""
    try:
        return path.is_file()
    except OSError:
        return False


def _read_text(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_MANIFEST_BYTES + 1)


def _missing_file(name: str) -> ValidationError:
    return ValidationError(
        f"{MANIFEST_NAME} names {_shorten(name)}, which is not there.", hint="Put the file beside the manifest."
    )


def _is_system_file(name: str) -> bool:
    """Tell whether a file is one that operating systems leave in folders."""
    path = PurePosixPath(name)
    return path.name.startswith(".") or "__MACOSX" in path.parts or path.name.casefold() in ("thumbs.db", "desktop.ini")


def _shorten(name: str) -> str:
    return name if len(name) <= 80 else f"{name[:79]}…"
