"""`stemcord` itself: its version, the shell's completion, and how little it imports."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CODE = (
    "import sys; sys.argv[0] = 'stemcord'\n"
    "from deploy.cli import main\n"
    "try:\n    main()\nfinally:\n"
    "    print(*sorted(m for m in sys.modules if m.startswith('deploy.cli.')), file=sys.stderr)"
)


def stemcord(*arguments: str, **environment: str) -> tuple[str, list[str]]:
    """What the command prints, and which of its modules it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr.split()


def complete(line: str) -> tuple[list[str], list[str]]:
    """Candidates for the last word of the line, as bash asks for them."""
    count = str(len(line.split()) - (not line.endswith(" ")))
    shown, loaded = stemcord(_STEMCORD_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=count)
    return shown.split(), loaded


def test_the_version_is_the_packages() -> None:
    assert stemcord("--version") == (f"stemcord {version('stemcord')}\n", [])


def test_names_of_commands_are_completed_without_loading_one() -> None:
    assert complete("stemcord vo") == (["voices"], [])
    assert {"run", "page", "up", "worker", "bot", "doctor", "export", "cut", "audio", "frame"} < {
        *complete("stemcord ")[0]
    }


@pytest.mark.parametrize(("line", "candidate"), [("stemcord frame --a", "--at"), ("stemcord jobs dis", "discard")])
def test_only_the_asked_for_command_is_loaded_for_its_options(line: str, candidate: str) -> None:
    candidates, loaded = complete(line)
    assert candidates == [candidate]
    assert "deploy.cli.commands.run" not in loaded
    assert "deploy.cli.commands.models" not in loaded


def test_the_script_for_a_shell_is_shown() -> None:
    shown, loaded = stemcord("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert "_STEMCORD_COMPLETE=complete_bash" in shown
    assert loaded == []
