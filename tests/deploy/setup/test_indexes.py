"""Extra indexes are asked only for what the main one does not have."""

import os
from pathlib import Path

import pytest

from deploy.setup.errors import SetupError
from deploy.setup.pip_config import PackageSources
from deploy.setup.uv import Uv

EXTRA = {"UV_INDEX": "https://extra.example/simple", "UV_INDEX_STRATEGY": "unsafe-best-match"}


def install(tmp_path: Path, works_with: str) -> list[str]:
    """The extra index of each call of a small program that stands where uv does and succeeds only with that index."""
    program, calls = tmp_path / "uv", tmp_path / "calls"
    program.write_text(f'#!/bin/sh\necho "index:$UV_INDEX" >> {calls}\n[ "$UV_INDEX" = "{works_with}" ]\n')
    program.chmod(0o755)
    lock = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    try:
        uv = Uv(path=str(program), sources=PackageSources(environment=EXTRA), root=tmp_path, lock=lock, quiet=True)
        uv.install(tmp_path / "python", "-r", "all.txt", doing="Installing")
    finally:
        os.close(lock)
    return calls.read_text().splitlines()


def test_the_main_index_is_asked_alone_first(tmp_path: Path) -> None:
    assert install(tmp_path, "") == ["index:"]


def test_extra_indexes_help_out(tmp_path: Path) -> None:
    assert install(tmp_path, EXTRA["UV_INDEX"]) == ["index:", f"index:{EXTRA['UV_INDEX']}"]


def test_without_any_of_them_the_set_up_stops(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="Installing failed"):
        install(tmp_path, "nowhere")
