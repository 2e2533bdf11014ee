"""The bot's process: what it loads, and how it says why it cannot start."""

import json
import os
import subprocess
import sys

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


FAILED_STARTS = (
    ({}, 1, "DISCORD_TOKEN is not set"),
    ({"DISCORD_TOKEN": "x"}, 1, "STEMCORD_REDIS_URL is not set"),
    ({"DISCORD_TOKEN": "x", "STEMCORD_OAUTH_CLIENT_ID": "1"}, 1, "Set both STEMCORD_OAUTH_CLIENT_ID"),
    ({"DISCORD_TOKEN": "x", "STEMCORD_SUMMARY_URL": "http://x/v1"}, 1, "and STEMCORD_SUMMARY_MODEL, or neither"),
    ({"STEMCORD_SUMMARY_URL": "ftp://x"}, 2, "The setting STEMCORD_SUMMARY_URL cannot be used"),
    ({"DISCORD_TOKEN": "x", "STEMCORD_REDIS_URL": "unix:///nowhere/socket"}, 1, "QueueError"),
    ({"DISCORD_TOKEN": "x", "STEMCORD_REDIS_URL": "gopher://x"}, 1, "is not the address"),
    ({"STEMCORD_MAX_SIZE": "much"}, 2, "The setting STEMCORD_MAX_SIZE cannot be used"),
)
FORKED = """
import bot.__main__, json, os, sys
for environment in json.loads(sys.argv[1]):
    if not (child := os.fork()):
        os.environ.update(environment)
        sys.exit(bot.__main__.main())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code, file=sys.stderr, flush=True)
"""
"""Starts with each environment in a process of its own; the imports, which take longest, are done once."""


def test_start_that_fails_is_one_line() -> None:
    environments = [environment for environment, _, _ in FAILED_STARTS]
    done = run_python("-c", FORKED, json.dumps(environments))
    assert done.returncode == 0
    assert done.stdout == ""
    told = done.stderr.splitlines()
    assert len(told) == 2 * len(FAILED_STARTS), done.stderr
    for (_, code, words), sentence, ended in zip(FAILED_STARTS, told[::2], told[1::2], strict=True):
        assert words in sentence
        assert int(ended) == code


def test_the_command_ends_with_the_code_of_its_error() -> None:
    done = run_python("-m", "bot")
    assert done.returncode == 1
    assert done.stderr.startswith("stemcord bot: DISCORD_TOKEN is not set")
