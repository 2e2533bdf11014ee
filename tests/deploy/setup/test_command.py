"""The set-up as `make env` runs it, in a checkout of its own with a stand-in for uv."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from deploy.setup.build import build
from deploy.setup.environments import ROOT, STATE_FILE, State, all_environments, find_state
from deploy.setup.errors import SetupError

LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class Checkout:
    """A copy of what the set-up needs of the project, and the stand-in's folder."""

    root: Path
    tools: Path
    environment: dict[str, str]

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.setup", *arguments],
            cwd=self.root,
            env=self.environment | settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **settings: str) -> tuple[int, str]:
        with self.start(*arguments, **settings) as process:
            output, _ = process.communicate(timeout=LIMIT)
        return process.returncode, output

    def calls(self) -> list[list[str]]:
        return [call["arguments"] for call in self._records()]

    def settings(self) -> dict[str, str]:
        return self._records()[-1]["settings"]

    def tell(self, what: str, word: str | None) -> None:
        if word is None:
            (self.tools / what).unlink()
        else:
            (self.tools / what).write_text(word)

    def states(self) -> list[State]:
        return [find_state(environment) for environment in all_environments(self.root)]

    def _records(self) -> list[dict]:
        path = self.tools / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root, tools = tmp_path / "checkout", tmp_path / "tools"
    (root / "deploy").mkdir(parents=True)
    tools.mkdir()
    shutil.copy(ROOT / "deploy" / "__init__.py", root / "deploy")
    shutil.copytree(ROOT / "deploy" / "setup", root / "deploy" / "setup", ignore=shutil.ignore_patterns("__pycache__"))
    # The stand-in installs nothing, so no room is needed.
    environments = root / "deploy" / "setup" / "environments.py"
    environments.write_text(re.sub(r"disk_bytes=\d+ \* gigabyte", "disk_bytes=0", environments.read_text()))
    shutil.copytree(ROOT / "deploy" / "requirements", root / "deploy" / "requirements")
    shutil.copy(ROOT / "pyproject.toml", root)
    shutil.copy(Path(__file__).with_name("stand_in_uv.py"), tools)
    (tools / "uv").write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{tools}/stand_in_uv.py" "$@"\n')
    (tools / "uv").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "STEMCORD_"))}
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    return Checkout(root, tools, kept | {"PATH": path, "PIP_CONFIG_FILE": os.devnull})


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_both_environments_are_built_step_by_step(checkout: Checkout) -> None:
    code, output = checkout.run()
    assert code == 0, output
    assert checkout.states() == [State.WHOLE, State.WHOLE]
    assert [call[:2] for call in checkout.calls()] == [["venv", "--no-project"], *[["pip", "install"]] * 3] * 2
    packages, weights, project = checkout.calls()[1:4]
    assert packages[packages.index("--torch-backend") + 1] == "auto"
    assert "--compile-bytecode" in packages
    assert {"--no-deps", "--require-hashes"} <= set(weights)
    assert {"--no-deps", "--editable", str(checkout.root)} <= set(project)
    assert "--torch-backend" not in checkout.calls()[5]
    assert "[1/9]" in output
    assert "[9/9]" in output


def test_a_whole_checkout_is_left_alone(checkout: Checkout) -> None:
    checkout.run()
    before = checkout.calls()
    assert checkout.run() == (0, "")
    assert checkout.calls() == before


def test_pips_settings_reach_uv(checkout: Checkout) -> None:
    code, output = checkout.run(
        PIP_FIND_LINKS="/wheels /more", PIP_EXTRA_INDEX_URL="https://me:secret@a.example/simple"
    )
    assert code == 0
    # The main index had everything, so the extra one was not asked.
    assert checkout.settings() == {"UV_FIND_LINKS": "/wheels,/more"}
    assert not any("--torch-backend" in call for call in checkout.calls())
    assert "secret" not in output + str(checkout.calls())


def test_a_failed_set_up_is_begun_again(checkout: Checkout) -> None:
    checkout.tell("fail", "weights-media.txt")
    code, output = checkout.run()
    assert code == 1
    assert output.splitlines()[-1].startswith("Installing the weights of .venv failed.")
    assert checkout.states() == [State.BROKEN, State.ABSENT]
    assert not all_environments(checkout.root)[0].command.exists()
    (checkout.root / ".venv" / "half").touch()
    checkout.tell("fail", None)
    assert checkout.run()[0] == 0
    assert checkout.states() == [State.WHOLE, State.WHOLE]
    assert not (checkout.root / ".venv" / "half").exists()


@pytest.mark.parametrize("step", ["venv", "media.txt", "weights-media.txt", "--editable"])
def test_killed_at_any_step_it_never_looks_whole(checkout: Checkout, step: str) -> None:
    checkout.tell("hang", step)
    with checkout.start() as process:
        wait_for(lambda: any(step in " ".join(call) for call in checkout.calls()))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=LIMIT)
    assert State.WHOLE not in checkout.states()
    checkout.tell("hang", None)
    assert checkout.run()[0] == 0
    assert checkout.states() == [State.WHOLE, State.WHOLE]


def test_ctrl_c_ends_it_with_one_sentence(checkout: Checkout) -> None:
    # A shell lets its background jobs ignore Ctrl-C, and so would what they start.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    checkout.tell("hang", "media.txt")
    try:
        with checkout.start() as process:
            wait_for(lambda: len(checkout.calls()) == 2)
            os.killpg(process.pid, signal.SIGINT)
            output, _ = process.communicate(timeout=LIMIT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert process.returncode == 130
    assert "Stopped. Run `make env` to go on; what was downloaded is kept." in output
    assert State.WHOLE not in checkout.states()


def test_a_second_set_up_waits_even_for_the_uv_of_a_killed_one(checkout: Checkout) -> None:
    checkout.tell("hang", "media.txt")
    with checkout.start() as first:
        wait_for(lambda: len(checkout.calls()) == 2)
        first.kill()
        first.wait(LIMIT)
        with checkout.start() as second:
            assert second.stdout is not None
            assert "waiting" in second.stdout.readline()
            calls = len(checkout.calls())
            time.sleep(0.3)
            assert len(checkout.calls()) == calls
            checkout.tell("hang", None)
            output, _ = second.communicate(timeout=LIMIT)
    assert second.returncode == 0, output
    assert checkout.states() == [State.WHOLE, State.WHOLE]


def test_other_versions_are_brought_in_place(checkout: Checkout) -> None:
    checkout.run()
    lock = checkout.root / "deploy" / "requirements" / "asr.txt"
    lock.write_text(lock.read_text() + "one-more==1.0\n")
    assert checkout.states() == [State.WHOLE, State.STALE]
    before = len(checkout.calls())
    assert checkout.run()[0] == 0
    new = checkout.calls()[before:]
    assert checkout.states() == [State.WHOLE, State.WHOLE]
    assert "--exact" in new[0]
    assert all(".venv-asr/" in " ".join(call) and call[0] == "pip" for call in new)


def test_settings_of_tools_change_nothing_that_is_installed(checkout: Checkout) -> None:
    checkout.run()
    project = checkout.root / "pyproject.toml"
    project.write_text(project.read_text().replace("line-length = 120", "line-length = 100"))
    assert checkout.states() == [State.WHOLE, State.WHOLE]
    project.write_text(project.read_text().replace('name = "stemcord"', 'name = "stemcord2"'))
    assert checkout.states() == [State.STALE, State.STALE]


def test_an_environment_of_somebody_else_is_added_to(checkout: Checkout) -> None:
    checkout.run()
    (checkout.root / ".venv" / STATE_FILE).unlink()
    (checkout.root / ".venv" / "theirs").touch()
    before = len(checkout.calls())
    assert checkout.run()[0] == 0
    new = checkout.calls()[before:]
    assert [call[0] for call in new] == ["pip", "pip", "pip"]
    assert "--exact" not in new[0]
    assert (checkout.root / ".venv" / "theirs").exists()
    assert checkout.states() == [State.WHOLE, State.WHOLE]


def test_one_that_was_moved_or_lost_its_python_is_built_again(checkout: Checkout) -> None:
    checkout.run()
    moved = checkout.root.with_name("elsewhere")
    checkout.root.rename(moved)
    assert [find_state(environment) for environment in all_environments(moved)] == [State.BROKEN, State.BROKEN]
    moved.rename(checkout.root)
    assert checkout.states() == [State.WHOLE, State.WHOLE]
    (checkout.root / ".venv" / "bin" / "python").unlink()
    assert checkout.states() == [State.BROKEN, State.WHOLE]


def test_weights_alone_can_be_installed_again(checkout: Checkout) -> None:
    checkout.run()
    before = len(checkout.calls())
    assert checkout.run("weights", "--only", "media")[0] == 0
    (call,) = checkout.calls()[before:]
    assert {"--no-deps", "--require-hashes", "--reinstall"} <= set(call)
    assert checkout.states() == [State.WHOLE, State.WHOLE]


def test_a_full_disk_is_told_before_anything_is_made(checkout: Checkout) -> None:
    environments = tuple(replace(environment, disk_bytes=10**18) for environment in all_environments(checkout.root))
    with pytest.raises(SetupError, match=r"GB free\. Make room"):
        build(environments, lock=0)
    assert checkout.states() == [State.ABSENT, State.ABSENT]


def test_without_a_python_make_says_what_to_install(checkout: Checkout) -> None:
    shutil.copy(ROOT / "Makefile", checkout.root)
    nowhere = checkout.root / "nowhere"
    nowhere.mkdir()
    make = shutil.which("make")
    assert make is not None
    done = subprocess.run(
        [make, "env"], cwd=checkout.root, env={"PATH": str(nowhere)}, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert done.stderr.startswith("Stemcord needs Python.")
