"""A run never replaces what it reads, and says so before it begins."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import build_app
from deploy.cli.input_files import check_results, list_inputs, possible_results
from pipeline.errors import ValidationError


def write(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "name",
    ["final.mp4", "final.mkv", "final.m4a", "final.opus", "audio.wav", "stems/vocals.flac", "compact/final.opus"],
)
def test_the_clip_is_never_replaced(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMCORD_HOME", str(tmp_path / "home"))
    clip = write(tmp_path / "r" / name)
    out = tmp_path / "r" / "stems" / ".." if name.startswith("stems") else tmp_path / "r"
    result = CliRunner().invoke(build_app(), ["run", str(clip), "--out", str(out)], env={"COLUMNS": "200"})
    assert result.exit_code == 2, result.output
    assert "The clip itself would be replaced." in result.stderr
    assert clip.read_bytes() == b"x"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r"]


@pytest.mark.parametrize("link", ["symbolic", "hard", "folder", "relative"])
def test_other_names_of_the_clip_are_the_clip(link: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = write(tmp_path / "r" / "final.mp4")
    out, clip = tmp_path / "r", tmp_path / "clip.mp4"
    match link:
        case "symbolic":
            clip.symlink_to(target)
        case "hard":
            os.link(target, clip)
        case "folder":
            out, clip = tmp_path / "s", target
            out.symlink_to(tmp_path / "r", target_is_directory=True)
        case _:
            monkeypatch.chdir(tmp_path)
            out, clip = Path("r/../r"), Path("./r/final.mp4")
    with pytest.raises(ValidationError, match="The clip itself would be replaced"):
        check_results(list_inputs(clip, None, None), possible_results(out))


def test_dubs_and_voice_books_are_not_replaced_either(tmp_path: Path) -> None:
    clip = write(tmp_path / "r" / "clip.mp4")
    track, book = write(tmp_path / "r" / "stems" / "dub.flac"), write(tmp_path / "r" / "voices-embeddings.json")
    piece = write(tmp_path / "r" / "final.wav")
    manifest = write(tmp_path / "r" / "dub.json", b'[{"file": "final.wav", "turn": 1}]')
    found = possible_results(tmp_path / "r")
    for dub in (track, track.parent, manifest):
        with pytest.raises(ValidationError, match="The dub itself would be replaced"):
            check_results(list_inputs(clip, dub, None), found)
    with pytest.raises(ValidationError, match="The voice-book itself would be replaced"):
        check_results(list_inputs(clip, None, book), found)
    assert piece in found
    check_results(list_inputs(clip, None, None), found)


def test_a_clip_beside_its_results_is_worked_on(tmp_path: Path) -> None:
    clip = write(tmp_path / "film.mp4")
    for name in ("final.mp4", "result.json", "stems/vocals.flac"):
        write(tmp_path / name)
    check_results(list_inputs(clip, None, None), possible_results(tmp_path))
    with pytest.raises(ValidationError, match="clip itself"):
        check_results(list_inputs(clip, None, None), [tmp_path / "film.mp4"])
