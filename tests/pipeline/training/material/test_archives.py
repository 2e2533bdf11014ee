import struct
import zipfile
from pathlib import Path

from pipeline.training.material.archives import CAT_FLAG, package_version, sound_files
from tests.pipeline.training import sounds


def test_sounds_are_found_in_folders_and_archives(tmp_path: Path) -> None:
    sound = sounds.wav(sounds.knock())
    (tmp_path / "a.wav").write_bytes(sound)
    (tmp_path / "notes.txt").write_text("no sound")
    with zipfile.ZipFile(tmp_path / "game.pk3", "w") as archive:
        archive.writestr("sound/b.wav", sound)
        archive.writestr("map.bsp", b"")
    name = b"\x05door\x00"
    offset = 16
    entries = b"".join(
        struct.pack("<II", (offset + index * (len(name) + len(sound))) | CAT_FLAG, len(sound)) for index in range(2)
    )
    (tmp_path / "set.cat").write_bytes(entries + (name + sound) * 2)
    found = {file.path: file.content for file in sound_files(tmp_path)}
    assert found == dict.fromkeys(["a.wav", "game.pk3/sound/b.wav", "set.cat/000.wav", "set.cat/001.wav"], sound)


def test_the_version_is_read_from_the_file_name() -> None:
    assert package_version(Path("wesnoth-1.16-music_1%3a1.16.9-1_all.deb")) == "1:1.16.9-1"
