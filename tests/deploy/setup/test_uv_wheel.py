"""uv from a package index, where Python has no pip: a real server, and wheels that are none."""

import hashlib
import io
import json
import platform
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.setup import uv_wheel
from deploy.setup.errors import SetupError
from deploy.setup.uv import UV_VERSION, has_pip
from deploy.setup.uv_wheel import WHEELS, fetch_wheel

NAME = "uv-9.9.9-py3-none-any.whl"
SCRIPT = b"#!/bin/sh\necho uv 9.9.9\n"


def wheel() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("uv/__init__.py", b"")
        archive.writestr("uv-9.9.9.data/scripts/uvx", b"another")
        archive.writestr("uv-9.9.9.data/scripts/uv", SCRIPT)
    return content.getvalue()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """The folder of an index, with a wheel in it, and its address."""
    served = tmp_path / "served"
    (served / "simple" / "uv").mkdir(parents=True)
    (served / "files").mkdir()
    (served / "files" / NAME).write_bytes(wheel())
    known = {(platform.system(), platform.machine()): (NAME, hashlib.sha256(wheel()).hexdigest())}
    monkeypatch.setattr(uv_wheel, "WHEELS", known)
    handler = partial(SimpleHTTPRequestHandler, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield served, f"http://127.0.0.1:{server.server_port}/simple"
        server.shutdown()


PAGES = {
    "html": f'<a href="../../files/other.whl">other.whl</a> <a href="../../files/{NAME}#sha256=00">{NAME}</a>',
    "json": json.dumps({"files": [{"filename": NAME, "url": f"../../files/{NAME}"}]}),
}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
def test_uv_comes_out_of_its_wheel(index: tuple[Path, str], tmp_path: Path, page: str) -> None:
    served, address = index
    (served / "simple" / "uv" / "index.html").write_text(page)
    target = tmp_path / "cache" / "bin" / "uv"
    fetch_wheel(target, address)
    assert subprocess.run([target], capture_output=True, check=True).stdout == b"uv 9.9.9\n"


def test_another_wheel_is_refused(index: tuple[Path, str], tmp_path: Path) -> None:
    served, address = index
    (served / "simple" / "uv" / "index.html").write_text(PAGES["html"])
    (served / "files" / NAME).write_bytes(wheel() + b"more")
    with pytest.raises(SetupError, match="not the known one"):
        fetch_wheel(tmp_path / "uv", address)
    assert not (tmp_path / "uv").exists()


@pytest.mark.parametrize("page", ["nothing here", '{"files": []}', "{", f'<a href="file:///etc/{NAME}">{NAME}</a>'])
def test_an_index_without_it_is_told(index: tuple[Path, str], tmp_path: Path, page: str) -> None:
    served, address = index
    (served / "simple" / "uv" / "index.html").write_text(page)
    with pytest.raises(SetupError, match="could not be fetched"):
        fetch_wheel(tmp_path / "uv", address)


def test_no_network_and_a_strange_machine_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SetupError, match="could not be fetched"):
        fetch_wheel(tmp_path / "uv", "http://127.0.0.1:1/simple")
    monkeypatch.setattr(platform, "machine", lambda: "vax")
    with pytest.raises(SetupError, match="no known uv"):
        fetch_wheel(tmp_path / "uv")


def test_the_wheels_are_those_of_the_version_that_is_fetched() -> None:
    assert all(name.startswith(f"uv-{UV_VERSION}-") for name, _ in WHEELS.values())


def test_pip_is_found_or_missed(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'No module named pip' >&2\nexit 1\n")
    python.chmod(0o755)
    assert not has_pip(str(python))
    assert not has_pip(str(tmp_path / "nothing"))
