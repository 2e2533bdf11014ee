"""What `stemcord run` refuses before anything is started."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import build_app
from deploy.cli.request_options import read_speaker_gains
from pipeline.errors import ValidationError
from pipeline.options import REQUEST_OPTIONS, SUBTITLE_OPTIONS


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--recogniser", "conformer_wenetspeech", "--language", "de"), "knows Chinese, and German was asked for"),
        (("--recogniser", "whisper-huge"), "Choose one of whisper-base"),
        (("--language", "klingon"), "zh-en or auto"),
        (("--speakers", "99"), "less than or equal to 20"),
        (("--speakers", "0"), "greater than or equal to 1"),
        (("--track", "0"), "option track cannot be used: input should be greater than or equal to 1"),
        (("--track", "mic"), "option track cannot be used: input should be a valid integer"),
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


def test_every_row_of_the_tables_is_an_option_of_the_command() -> None:
    shown = CliRunner().invoke(build_app(["run"]), ["run", "--help"], env={"COLUMNS": "200"}).stdout
    rows = [row for table in (REQUEST_OPTIONS, SUBTITLE_OPTIONS) for row in table.values() if row.flag]
    assert len(rows) > 20
    for row in rows:
        assert row.flag is not None
        assert (row.flag.name or f"--{row.name.replace('_', '-')}") in shown
    assert "--no-keep-vocals" in shown
    assert "--no-subtitles" not in shown


def test_gains_of_speakers_are_read_from_pairs() -> None:
    assert read_speaker_gains(["Speaker 1=-3 dB", "S2=0"]) == {"Speaker 1": "-3 dB", "S2": "0"}
    with pytest.raises(ValidationError, match="cannot be read: S1"):
        read_speaker_gains(["S1"])
