"""Adding a thing touches only the files that `docs/extending.md` names: shown with toys."""

from pathlib import Path

import pytest

from pipeline.export import registry, stage
from pipeline.export.registry import EXPORT_FORMATS, ExportFormat
from pipeline.export.source import ExportSource
from tests.pipeline.export.dialogue import export, talk


def write_names(source: ExportSource, path: Path) -> None:
    """A toy format: the speakers' names, one a line."""
    path.write_text("".join(f"{speaker.name}\n" for speaker in source.transcript.speakers), encoding="utf-8")


def test_an_export_format_is_a_writer_and_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = ExportFormat(suffix="names", title="Names", media_type="text/plain", writer=f"{__name__}:write_names")
    monkeypatch.setattr(stage, "EXPORT_FORMATS", (*registry.EXPORT_FORMATS, row))
    out, made = export(talk(), tmp_path)
    assert (out / "transcript.names").read_text(encoding="utf-8") == "Alice\nBrian\n"
    assert out / "transcript.names" in made.exports


@pytest.mark.parametrize("export_format", EXPORT_FORMATS, ids=lambda row: row.suffix)
def test_every_export_format_has_a_writer_and_a_media_type(export_format: ExportFormat) -> None:
    assert callable(stage.load_writer(export_format))
    assert export_format.media_type.count("/") == 1
    assert export_format.title
