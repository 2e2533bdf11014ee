import sys
from pathlib import Path

import pytest

from deploy.setup import interpreters, uv
from deploy.setup.interpreters import base_executable, find_interpreter


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_the_interpreter_outside_of_any_environment_is_taken() -> None:
    found = find_interpreter()
    assert found.found
    assert Path(found.request) == Path(base_executable())
    assert not Path(found.request).is_relative_to(sys.prefix)


def test_commands_that_do_not_run_or_are_of_another_version_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = script(tmp_path / "other", "echo cpython 3 13 /opt/python3.13")
    shim = script(tmp_path / "shim", "echo 'version not installed' >&2; exit 127")
    right = script(tmp_path / "right", "echo cpython 3 11 /opt/python3.11")
    monkeypatch.setattr(interpreters, "base_executable", lambda: other)
    assert find_interpreter((shim, str(tmp_path / "nothing"), right)).request == "/opt/python3.11"
    wish = find_interpreter((shim, other))
    assert (wish.request, wish.found) == ("3.11", False)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("uv 0.13.9 (abc 2026-01-01)", (0, 13, 9)),
        ("uv 1.0.0", (1, 0, 0)),
        ("", ()),
        ("pyenv: uv: command not found", ()),
    ],
)
def test_uvs_version(text: str, version: tuple[int, ...]) -> None:
    assert uv.parse_version(text) == version


def test_an_old_uv_on_path_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "uv", "echo uv 0.4.30")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert uv.find_uv(tmp_path / "cache") is None
    fetched = tmp_path / "cache" / f"uv-{uv.UV_VERSION}" / "bin"
    fetched.mkdir(parents=True)
    assert uv.find_uv(tmp_path / "cache") is None
    path = script(fetched / "uv", f"echo uv {uv.UV_VERSION}")
    assert uv.find_uv(tmp_path / "cache") == path
