"""Environments that are links."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.setup.environments import STATE_FILE, Environment, all_environments, discard

pytestmark = pytest.mark.unit


def linked(tmp_path: Path, built_at: str) -> tuple[Environment, Path]:
    """An environment that is a link, and where it leads; `built_at` is where it says that it was built."""
    environment = replace(all_environments()[0], root=tmp_path / "checkout")
    target = tmp_path / "elsewhere"
    (target / "lib").mkdir(parents=True)
    (target / STATE_FILE).write_text(json.dumps({"state": "whole", "place": f"{built_at} /usr 3.11"}))
    environment.path.parent.mkdir()
    environment.path.symlink_to(target)
    return environment, target


def test_the_environment_of_another_checkout_is_left_alone(tmp_path: Path) -> None:
    environment, target = linked(tmp_path, str((tmp_path / "elsewhere").resolve()))
    discard(environment)
    assert not environment.path.is_symlink()
    assert (target / "lib").is_dir()
    assert (target / STATE_FILE).exists()


def test_a_link_to_another_disk_is_emptied_and_kept(tmp_path: Path) -> None:
    environment, target = linked(tmp_path, str(tmp_path / "checkout" / ".venv"))
    discard(environment)
    assert environment.path.is_symlink()
    assert list(target.iterdir()) == []
