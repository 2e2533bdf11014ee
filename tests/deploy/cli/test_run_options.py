"""What `stemcord run` refuses before anything is started."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import build_app


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--recogniser", "conformer_wenetspeech", "--language", "de"), "knows Chinese, and German was asked for"),
        (("--recogniser", "whisper-huge"), "Choose one of whisper-base"),
        (("--language", "klingon"), "zh-en or auto"),
        (("--speakers", "99"), "less than or equal to 20"),
        (("--speakers", "0"), "greater than or equal to 1"),
    ],
)
def test_speech_options_that_cannot_be_used_are_the_persons_to_mend(
    options: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMCORD_HOME", str(tmp_path))
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"x")
    arguments = ["run", str(clip), "--out", str(tmp_path / "out"), *options]
    result = CliRunner().invoke(build_app(), arguments, env={"COLUMNS": "200"})
    assert result.exit_code == 2, result.output
    assert sentence in result.stderr
    assert not (tmp_path / "out").exists()
