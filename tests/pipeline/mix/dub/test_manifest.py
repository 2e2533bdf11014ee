"""Which files of a dub are for what, and what is refused."""

import json
import struct
import zipfile
from pathlib import Path

import pytest

from pipeline.errors import LimitError, ValidationError
from pipeline.mix.dub import manifest as dub_manifest
from pipeline.mix.dub.manifest import DubFile, pack, unpack

ROOM = 10_000_000


def bundle(path: Path, files: dict[str, bytes | str], *, packing: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def manifest(*entries: dict[str, object]) -> str:
    return json.dumps(entries)


def opened(tmp_path: Path, files: dict[str, bytes | str], *, max_size: int = ROOM) -> list[DubFile]:
    folder = tmp_path / "opened"
    folder.mkdir()
    return unpack(bundle(tmp_path / "dub.zip", files), folder, max_size=max_size)


def test_names_tie_files_to_turns_and_speakers(tmp_path: Path) -> None:
    names = ("turn-003.wav", "Turn 4.MP3", "dub/turn_12.flac", "speaker-1.wav", "Anna.m4a", "turncoat.wav")
    pieces = opened(tmp_path, {name: name for name in names})
    assert [(piece.turn, piece.speaker) for piece in pieces] == [
        *((3, None), (4, None), (12, None)),
        *((None, "speaker-1"), (None, "Anna"), (None, "turncoat")),
    ]
    assert [piece.path.read_text() for piece in pieces] == list(names)
    assert pieces[2].name == "turn_12.flac"


def test_what_systems_leave_behind_is_passed_over(tmp_path: Path) -> None:
    litter = {"__MACOSX/._turn-1.wav": b"x", ".DS_Store": b"x", "Thumbs.db": b"x", "folder/": b""}
    assert [piece.turn for piece in opened(tmp_path, {**litter, "turn-1.wav": b"x"})] == [1]


def test_a_manifest_goes_before_names(tmp_path: Path) -> None:
    entries = manifest(
        {"file": "a.wav", "turn": 2}, {"file": "turn-9.wav", "speaker": "Speaker 1"}, {"file": "c.wav", "start": 4.5}
    )
    files = {"in/dub.json": entries, "in/a.wav": b"a", "in/turn-9.wav": b"b", "in/c.wav": b"c", "in/unused.wav": b""}
    pieces = opened(tmp_path, files)
    assert [(piece.turn, piece.speaker, piece.start) for piece in pieces] == [
        *((2, None, None), (None, "Speaker 1", None)),
        (None, None, 4.5),
    ]
    assert [piece.path.read_bytes() for piece in pieces] == [b"a", b"b", b"c"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no sound files"),
        ({"__MACOSX/a.wav": "x"}, "holds no sound files"),
        ({"turn-1.wav": "x", "turn-001.mp3": "x"}, "Turn 1 has two files: turn-1.wav and turn-001.mp3"),
        ({"Anna.wav": "x", "anna.mp3": "x"}, "Speaker anna has two files"),
        ({"dub.json": "[]"}, "holds no sound files"),
        ({"dub.json": "{}"}, "dub.json cannot be used"),
        ({"dub.json": b"\xff\xfe["}, "dub.json cannot be used"),
        ({"dub.json": manifest({"file": "a.wav", "turn": "x"})}, "dub.json cannot be used"),
        ({"dub.json": manifest({"file": "a.wav", "turns": 1})}, "dub.json cannot be used"),
        ({"dub.json": manifest({"file": "a.wav"}), "a.wav": "x"}, "must give a.wav one of turn, speaker and start"),
        ({"dub.json": manifest({"file": "a.wav", "turn": 1, "start": 1}), "a.wav": "x"}, "must give a.wav one of"),
        ({"dub.json": manifest({"file": "a.wav", "start": -1}), "a.wav": "x"}, "a start before the clip"),
        ({"dub.json": manifest({"file": "a.wav", "turn": 1})}, "names a.wav, which is not there"),
        ({"dub.json": manifest({"file": "../../etc/passwd", "turn": 1})}, "which is not there"),
    ],
)
def test_what_cannot_be_understood_is_refused(tmp_path: Path, files: dict[str, bytes | str], message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        opened(tmp_path, files)
    assert caught.value.hint


def test_names_never_become_paths(tmp_path: Path) -> None:
    pieces = opened(tmp_path, {"../../turn-1.wav": b"x", "/etc/turn-2.wav": b"y"})
    assert {piece.path.parent for piece in pieces} == {tmp_path / "opened"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dub.zip", "opened"]


def test_a_zip_that_grows_beyond_its_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="too large"):
        opened(tmp_path, {"turn-1.wav": bytes(600_000), "turn-2.wav": bytes(600_000)}, max_size=1_000_000)
    assert (tmp_path / "dub.zip").stat().st_size < 5_000


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dub_manifest, "MAX_FILES", 3)
    with pytest.raises(LimitError, match="more than 3 files"):
        opened(tmp_path, {f"turn-{number}.wav": b"x" for number in range(1, 5)})


def test_a_file_that_is_no_zip_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    whole = bundle(tmp_path / "whole.zip", {"turn-1.wav": bytes(range(256)) * 50}).read_bytes()
    for number, damaged in enumerate((b"RIFF no zip", whole[:-30], whole[:40] + b"\xff" * 40 + whole[80:])):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(damaged)
        with pytest.raises(ValidationError, match="zip of the dub cannot be read"):
            unpack(path, tmp_path, max_size=ROOM)


def test_a_zip_with_a_password_is_refused(tmp_path: Path) -> None:
    data = bytearray(bundle(tmp_path / "a.zip", {"turn-1.wav": b"x"}, packing=zipfile.ZIP_STORED).read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + flags] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(ValidationError, match="cannot be read") as caught:
        unpack(tmp_path / "a.zip", tmp_path, max_size=ROOM)
    assert "password" in caught.value.hint


def test_a_zip_that_needs_gigabytes_to_be_unpacked_is_refused(tmp_path: Path) -> None:
    for name in ("turn-1.wav", "dub.json"):
        path = bundle(tmp_path / "dub.zip", {name: b"x" * 100}, packing=zipfile.ZIP_LZMA)
        content = bytearray(path.read_bytes())
        # After the local header and the name: version, size of the properties, literals, then the dictionary.
        at = 30 + len(name) + 5
        content[at : at + 4] = (2**32 - 1).to_bytes(4, "little")
        path.write_bytes(content)
        with pytest.raises(LimitError, match="too much memory"):
            unpack(path, tmp_path, max_size=ROOM)


def test_a_zip_of_lzma_is_unpacked(tmp_path: Path) -> None:
    path = bundle(tmp_path / "dub.zip", {"turn-1.wav": b"x" * 100}, packing=zipfile.ZIP_LZMA)
    assert [piece.path.read_bytes() for piece in unpack(path, tmp_path, max_size=ROOM)] == [b"x" * 100]


def test_an_entry_without_a_name_is_passed_over(tmp_path: Path) -> None:
    path = bundle(tmp_path / "dub.zip", {"turn-1.wav": b"one", "turn-2.wav": b"two"})
    content = bytearray(path.read_bytes())
    at = content.rfind(b"PK\x01\x02")
    # The name becomes a comment.
    content[at + 28 : at + 34] = struct.pack("<HHH", 0, 0, len("turn-2.wav"))
    path.write_bytes(content)
    assert [piece.turn for piece in unpack(path, tmp_path, max_size=ROOM)] == [1]


@pytest.mark.parametrize("name", ["a" * 300, "a\0.wav", "../a.wav", "/etc/passwd"])
def test_a_manifest_that_names_what_no_file_is_called_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "dub.json").write_text(manifest({"file": name, "turn": 1}))
    with pytest.raises(ValidationError, match="which is not there"):
        pack(tmp_path / "dub.json", tmp_path / "dub.zip")


def test_a_folder_is_packed_alike_each_time(tmp_path: Path) -> None:
    folder = tmp_path / "voices"
    folder.mkdir()
    for name in ("turn-2.wav", "Anna.wav", ".hidden"):
        (folder / name).write_text(name)
    pack(folder, tmp_path / "1.zip")
    (folder / "Anna.wav").touch()
    pack(folder, tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    (tmp_path / "out").mkdir()
    pieces = unpack(tmp_path / "1.zip", tmp_path / "out", max_size=ROOM)
    assert sorted((piece.name, piece.path.read_text()) for piece in pieces) == [
        ("Anna.wav", "Anna.wav"),
        ("turn-2.wav", "turn-2.wav"),
    ]


def test_a_manifest_is_packed_with_its_files(tmp_path: Path) -> None:
    (tmp_path / "takes").mkdir()
    (tmp_path / "takes" / "a.wav").write_text("a")
    (tmp_path / "other.wav").write_text("not asked for")
    (tmp_path / "mine.json").write_text(manifest({"file": "takes/a.wav", "turn": 1}))
    pack(tmp_path / "mine.json", tmp_path / "dub.zip")
    with zipfile.ZipFile(tmp_path / "dub.zip") as archive:
        assert sorted(archive.namelist()) == ["dub.json", "takes/a.wav"]
    for away in ("../a.wav", "/etc/hostname", "takes"):
        (tmp_path / "mine.json").write_text(manifest({"file": away, "turn": 1}))
        with pytest.raises(ValidationError, match="which is not there"):
            pack(tmp_path / "mine.json", tmp_path / "again.zip")


def test_a_folder_without_pieces_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValidationError, match="holds no sound files"):
        pack(tmp_path / "empty", tmp_path / "dub.zip")
