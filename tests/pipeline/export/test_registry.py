"""Each row of the export formats can be written."""

import pytest

from pipeline.export.registry import EXPORT_FORMATS, ExportFormat
from pipeline.export.stage import load_writer


@pytest.mark.parametrize("export_format", EXPORT_FORMATS, ids=lambda row: row.suffix)
def test_every_export_format_has_a_writer_and_a_media_type(export_format: ExportFormat) -> None:
    assert callable(load_writer(export_format))
    assert export_format.media_type.count("/") == 1
    assert export_format.title
