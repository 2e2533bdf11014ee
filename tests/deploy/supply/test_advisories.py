"""Advisories in OSV's format against pins."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from deploy.setup.environments import all_environments
from deploy.supply.__main__ import main
from deploy.supply.advisories import Pin, find_known, read_advisories, read_pins


def advisory(name: str, *events: dict[str, str], **changes: Any) -> dict[str, Any]:
    affected = {"package": {"ecosystem": "PyPI", "name": name}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    return {"id": "PYSEC-2026-1", "summary": "Reads too far.", "affected": [affected], **changes}


@pytest.mark.parametrize(
    ("version", "events", "known"),
    [
        ("1.4", ({"introduced": "0"}, {"fixed": "1.5"}), True),
        ("1.5", ({"introduced": "0"}, {"fixed": "1.5"}), False),
        ("1.5rc1", ({"introduced": "0"}, {"fixed": "1.5"}), True),
        ("1.4+cpu", ({"introduced": "1.4"}, {"fixed": "1.5"}), True),
        ("1.3", ({"introduced": "1.4"},), False),
        ("1.4", ({"introduced": "0"}, {"last_affected": "1.4"}), True),
        ("1.4.1", ({"introduced": "0"}, {"last_affected": "1.4"}), False),
        ("2.1", ({"introduced": "0"}, {"fixed": "1.5"}, {"introduced": "2.0"}, {"fixed": "2.2"}), True),
        ("1.10", ({"fixed": "1.9"}, {"introduced": "1.2"}), False),
    ],
)
def test_ranges_are_followed(tmp_path: Path, version: str, events: tuple[dict[str, str], ...], known: bool) -> None:
    (tmp_path / "a.json").write_text(json.dumps(advisory("Some_Package", *events)))
    advisories, count = read_advisories(tmp_path / "a.json", {"some-package"})
    assert count == 1
    assert bool(find_known(Pin("some-package", version), advisories)) is known


def test_what_is_withdrawn_or_of_others_does_not_count(tmp_path: Path) -> None:
    events = ({"introduced": "0"},)
    other = advisory("some-package", *events)
    other["affected"][0]["package"]["ecosystem"] = "npm"
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        packed.writestr("a.json", json.dumps(advisory("some-package", *events, withdrawn="2026-01-01T00:00:00Z")))
        packed.writestr("b.json", json.dumps(other))
        packed.writestr("c.json", json.dumps(advisory("another", *events)))
    advisories, count = read_advisories(tmp_path / "all.zip", {"some-package"})
    assert count == 3
    assert find_known(Pin("some-package", "1"), advisories) == []


def test_the_audit_names_what_is_known_and_ends_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    media, asr = all_environments()
    version = next(pin.version for pin in read_pins(media.lock) if pin.name == "aiohttp")
    affected = {"package": {"ecosystem": "PyPI", "name": "aiohttp"}, "versions": [version]}
    (tmp_path / "a.json").write_text(json.dumps({"id": "GHSA-1", "summary": "Leaks.", "affected": [affected]}))
    assert main(["audit", str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [f"asr: aiohttp {version}: GHSA-1 Leaks.", f"media: aiohttp {version}: GHSA-1 Leaks."]
    pins = len(read_pins(media.lock)) + len(read_pins(asr.lock))
    assert lines[2] == f"2 known in {pins} packages, by 1 advisories"
    (tmp_path / "a.json").write_text(json.dumps(advisory("aiohttp", {"introduced": "0"}, {"fixed": "1"})))
    assert main(["audit", str(tmp_path)]) == 0


@pytest.mark.parametrize("content", [None, b"", b"{}", b"[]"])
def test_advisories_that_cannot_be_read_are_no_clean_bill(
    tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "a.json").write_bytes(content)
    assert main(["audit", str(tmp_path)]) == 2
    assert "audit: " in capsys.readouterr().err
    assert main(["audit", str(tmp_path / "nowhere")]) == 2
