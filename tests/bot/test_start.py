"""The bot's process: what it loads, and how it says why it cannot start."""

import os
import subprocess
import sys

import pytest

START_LIMIT = 60


def run_python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STEMCORD_", "DISCORD_"))}
    return subprocess.run(
        [sys.executable, *arguments],
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=START_LIMIT,
        check=False,
    )


def test_nothing_heavy_is_loaded() -> None:
    heavy = "{'torch', 'paddle', 'numpy', 'soundfile', 'matplotlib'}"
    done = run_python("-c", f"import sys, bot.__main__; print(sorted({heavy} & set(sys.modules)))")
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    ("environment", "code", "words"),
    [
        ({}, 1, "DISCORD_TOKEN is not set"),
        ({"DISCORD_TOKEN": "x"}, 1, "STEMCORD_REDIS_URL is not set"),
        ({"DISCORD_TOKEN": "x", "STEMCORD_OAUTH_CLIENT_ID": "1"}, 1, "Set both STEMCORD_OAUTH_CLIENT_ID"),
        ({"DISCORD_TOKEN": "x", "STEMCORD_REDIS_URL": "unix:///nowhere/socket"}, 1, "QueueError"),
        ({"DISCORD_TOKEN": "x", "STEMCORD_REDIS_URL": "gopher://x"}, 1, "is not the address"),
        ({"STEMCORD_MAX_SIZE": "much"}, 2, "The setting STEMCORD_MAX_SIZE cannot be used"),
    ],
)
def test_start_that_fails_is_one_line(environment: dict[str, str], code: int, words: str) -> None:
    done = run_python("-m", "bot", **environment)
    assert done.returncode == code
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
