"""`stemcord page` and `stemcord run --page`: the results page on one's own machine."""

import json
import socket
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e.conftest import SAMPLE, Machine
from tests.e2e.served import served


def test_run_shows_its_result_as_a_page(first: Path, machine: Machine, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with served(machine, tmp_path / "log", "run", SAMPLE, "--out", out, "--task", "separate", "--page") as address:
        assert urlsplit(address).hostname == "127.0.0.1"
        with urllib.request.urlopen(address, timeout=20) as answer:
            assert b"stems/vocals.flac" in answer.read()
        with urllib.request.urlopen(address + "files/stems/vocals.flac", timeout=20) as answer:
            assert answer.read() == (first / "stems/vocals.flac").read_bytes()
    assert json.loads((out / "result.json").read_text())["artefacts"]


def test_a_page_that_cannot_be_served_is_told(first: Path, machine: Machine, tmp_path: Path) -> None:
    done = machine.stemcord("page", tmp_path)
    assert done.returncode == 2
    assert "result.json" in done.stderr
    with socket.create_server(("127.0.0.1", 0)) as line:
        port = str(line.getsockname()[1])
        done = machine.stemcord("page", first, "--port", port)
    assert done.returncode == 1
    assert f"Port {port} cannot be used. Choose another with --port." in done.stderr
