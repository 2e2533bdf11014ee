"""Tables of turns and talk time: they add up, and no cell is a formula."""

import csv
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pipeline.export.office import write_docx, write_xlsx
from pipeline.export.source import ExportSource
from pipeline.export.subtitles.style import SubtitleStyle
from pipeline.export.tables import TALK_COLUMNS, TURN_COLUMNS, talk_times, write_talk_time_csv, write_turns_csv
from pipeline.types import Transcript
from tests.pipeline.export.dialogue import heard, talk, transcript, turn

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
EVIL = ("=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1", "=HYPERLINK(0)", "\t=1", "\x00=1")


def source_of(content: Transcript) -> ExportSource:
    return ExportSource(transcript=content, voices=heard(content), style=SubtitleStyle())


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def cells_of(path: Path, sheet: int) -> list[tuple[str, str]]:
    """Kind and text of each cell of a sheet, and no formula."""
    with zipfile.ZipFile(path) as archive:
        texts = ["".join(each.itertext()) for each in ET.fromstring(archive.read("xl/sharedStrings.xml"))]
        root = ET.fromstring(archive.read(f"xl/worksheets/sheet{sheet}.xml"))
        assert not list(root.iter(f"{SHEET}f"))
        assert not list(root.iter(f"{SHEET}hyperlink"))
        found: list[tuple[str, str]] = []
        for cell in root.iter(f"{SHEET}c"):
            value = cell.findtext(f"{SHEET}v") or ""
            kind = cell.get("t", "n")
            found.append((kind, texts[int(value)] if kind == "s" else value))
        return found


@pytest.mark.parametrize("text", ["a;=1+1", 'a;"=1+1', ";;@SUM(A1)", "a;\uff1d1;-2"])
def test_no_cell_is_a_formula_where_semicolons_part_them(text: str, tmp_path: Path) -> None:
    write_turns_csv(source_of(transcript(turn([text], 0.0, "S1"), names=(text,))), tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.reader(file, delimiter=";"):
            assert not [cell for cell in row if re.match('"*[=+\\-@\uff1d]', cell)], row


def test_each_turn_has_a_row_and_shares_add_up(tmp_path: Path) -> None:
    content = talk()
    write_turns_csv(source_of(content), tmp_path / "a.csv")
    head, *rows = rows_of(tmp_path / "a.csv")
    assert tuple(head) == TURN_COLUMNS
    assert [row[-1] for row in rows] == [each.text for each in content.turns]
    assert [float(row[1]) for row in rows] == [each.start for each in content.turns]
    write_talk_time_csv(source_of(content), tmp_path / "b.csv")
    head, *rows = rows_of(tmp_path / "b.csv")
    assert tuple(head) == TALK_COLUMNS
    assert sum(float(row[2]) for row in rows) == pytest.approx(1.0, abs=0.001)
    spoken = sum(each.end - each.start for each in content.turns)
    assert sum(each.seconds for each in talk_times(content)) == pytest.approx(spoken)
    assert sum(each.words for each in talk_times(content)) == sum(len(each.words) for each in content.turns)


@pytest.mark.parametrize("text", EVIL)
def test_no_cell_is_a_formula(text: str, tmp_path: Path) -> None:
    content = transcript(turn([text], 0.0, "S1"), names=(text,))
    write_turns_csv(source_of(content), tmp_path / "a.csv")
    write_talk_time_csv(source_of(content), tmp_path / "b.csv")
    for path in (tmp_path / "a.csv", tmp_path / "b.csv"):
        for row in rows_of(path)[1:]:
            assert not [cell for cell in row if re.match("[=+\\-@\t\r\uff1d]", cell)], row
    write_xlsx(source_of(content), tmp_path / "c.xlsx")
    for sheet in (1, 2):
        for kind, cell in cells_of(tmp_path / "c.xlsx", sheet):
            assert kind in ("s", "n")
            assert not (kind == "s" and re.match("[=+\\-@\t\r\uff1d]", cell)), cell


def test_a_workbook_has_both_tables_and_the_same_bytes_twice(tmp_path: Path) -> None:
    content = talk()
    for name in ("a.xlsx", "b.xlsx"):
        write_xlsx(source_of(content), tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    turns = [text for kind, text in cells_of(tmp_path / "a.xlsx", 1) if kind == "s"]
    assert {each.text for each in content.turns} <= set(turns)
    assert "words_per_minute" in [text for _, text in cells_of(tmp_path / "a.xlsx", 2)]


def test_a_document_has_speakers_times_and_the_same_bytes_twice(tmp_path: Path) -> None:
    content = talk()
    for name in ("a.docx", "b.docx"):
        write_docx(source_of(content), tmp_path / name)
    assert (tmp_path / "a.docx").read_bytes() == (tmp_path / "b.docx").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.docx") as archive:
        root = ET.fromstring(archive.read("word/document.xml"))
        core = archive.read("docProps/core.xml").decode()
    assert "python-docx" not in core
    paragraphs = ["".join(each.itertext()) for each in root.iter(f"{WORD}p")]
    for each in content.turns:
        assert any(each.text in text and "0:00:" in text for text in paragraphs)


def test_a_document_turns_with_the_script(tmp_path: Path) -> None:
    content = transcript(turn("\u0634\u0643\u0631\u0627 \u062c\u0632\u064a\u0644\u0627", 0.0, "S1"), language="ar")
    write_docx(source_of(content), tmp_path / "a.docx")
    with zipfile.ZipFile(tmp_path / "a.docx") as archive:
        root = ET.fromstring(archive.read("word/document.xml"))
    assert list(root.iter(f"{WORD}bidi"))
    assert list(root.iter(f"{WORD}rtl"))


def test_nobody_speaks(tmp_path: Path) -> None:
    content = transcript()
    write_docx(source_of(content), tmp_path / "a.docx")
    write_xlsx(source_of(content), tmp_path / "a.xlsx")
    write_turns_csv(source_of(content), tmp_path / "a.csv")
    assert rows_of(tmp_path / "a.csv") == [list(TURN_COLUMNS)]
