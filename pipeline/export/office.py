"""Writers for office programs: a Word document and an Excel workbook; the same transcript gives the same bytes."""

import zipfile
from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final, cast

from pipeline.export.direction import has_right_to_left
from pipeline.export.escaping import clean
from pipeline.export.source import NO_SPEECH, ExportSource
from pipeline.export.tables import TALK_COLUMNS, TURN_COLUMNS, Cell, harmless, talk_rows, turn_rows
from pipeline.languages import reads_right_to_left

EPOCH: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - office files have no time zone
"""Stands for the time of writing."""
ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)
COLUMN_WIDTHS: Final = {"text": 90, "speaker": 20, "time": 13}


def write_docx(source: ExportSource, path: Path) -> None:
    """Write a document: who speaks for how long, then a paragraph for each turn with its speaker and time."""
    import docx
    from docx import oxml

    make_element = cast("Any", oxml).OxmlElement
    transcript = source.marked
    document = cast("Any", docx).Document()
    properties = document.core_properties
    properties.author, properties.title, properties.comments = "", "Transcript", ""
    properties.created = properties.modified = EPOCH
    document.add_heading("Transcript", level=0)
    for speaker, seconds, share, *_ in talk_rows(transcript):
        summary = document.add_paragraph(style="List Bullet")
        summary.add_run(str(speaker)).bold = True
        summary.add_run(f"  {_clock(float(seconds))}, {float(share):.0%}")
    names = {speaker.id: clean(speaker.name) for speaker in transcript.speakers}
    for turn in transcript.turns:
        paragraph = document.add_paragraph()
        paragraph.add_run(names[turn.speaker]).bold = True
        paragraph.add_run(f"  {_clock(turn.start)}").italic = True
        paragraph.add_run().add_break()
        text = paragraph.add_run(clean(turn.text))
        if reads_right_to_left(turn.text, transcript.language):
            paragraph.paragraph_format.element.get_or_add_pPr().append(make_element("w:bidi"))
        text.font.rtl = True if has_right_to_left(turn.text) else None
    if not transcript.turns:
        document.add_paragraph(NO_SPEECH)
    written = BytesIO()
    document.save(written)
    _store_without_times(written, path)


def write_xlsx(source: ExportSource, path: Path) -> None:
    """Write a workbook with a sheet of turns and a sheet of talk time; a text is never a formula or a link."""
    import xlsxwriter  # pyright: ignore[reportMissingTypeStubs]

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    workbook = cast("Any", xlsxwriter).Workbook(str(path), options)
    workbook.set_properties({"title": "Transcript", "created": EPOCH})
    _add_sheet(workbook, "Turns", TURN_COLUMNS, turn_rows(source.marked))
    _add_sheet(workbook, "Talk time", TALK_COLUMNS, talk_rows(source.transcript))
    workbook.close()


def _add_sheet(workbook: Any, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:  # noqa: ANN401 - of the library
    sheet = workbook.add_worksheet(name)
    bold, wrapped = workbook.add_format({"bold": True}), workbook.add_format({"text_wrap": True, "valign": "top"})
    percent = workbook.add_format({"num_format": "0.0%"})
    for column, title in enumerate(columns):
        sheet.write_string(0, column, title, bold)
        form = {"text": wrapped, "share": percent}.get(title)
        sheet.set_column(column, column, COLUMN_WIDTHS.get(title, 10), form)
    for number, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                # Kept harmless also where the sheet is saved as CSV later; the library cuts what a cell cannot hold.
                sheet.write_string(number, column, str(harmless(cell)))
            else:
                sheet.write_number(number, column, cell)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(rows), 1), len(columns) - 1)


def _store_without_times(written: BytesIO, path: Path) -> None:
    """Write a zip again with one time for all its files."""
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            info = zipfile.ZipInfo(entry.filename, ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, source.read(entry))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
