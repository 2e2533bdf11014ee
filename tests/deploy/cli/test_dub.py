"""What `stemcord run --dub` makes of a path."""

import zipfile
from pathlib import Path

import pytest

from deploy.cli.dub import packed_dub
from pipeline.errors import ValidationError


def test_a_sound_file_and_a_zip_go_as_they_are(tmp_path: Path) -> None:
    for path in (None, tmp_path / "dub.wav", tmp_path / "dub.zip"):
        with packed_dub(path, tmp_path) as sent:
            assert sent == path


@pytest.mark.parametrize("by", ["folder", "manifest"])
def test_pieces_are_packed_and_the_zip_is_removed(tmp_path: Path, by: str) -> None:
    (tmp_path / "turn-1.wav").write_text("x")
    if by == "manifest":
        (tmp_path / "dub.json").write_text('[{"file": "turn-1.wav", "turn": 1}]')
    (scratch := tmp_path / "scratch").mkdir()
    with packed_dub(tmp_path if by == "folder" else tmp_path / "dub.json", scratch) as sent:
        assert sent is not None
        assert sent.name == "dub.zip"
        assert sent.is_relative_to(scratch)
        with zipfile.ZipFile(sent) as archive:
            assert archive.namelist() == ["dub.json", "turn-1.wav"]
    assert not sent.exists()


def test_a_dub_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="There is no file"), packed_dub(tmp_path / "dub.json", tmp_path):
        pass
