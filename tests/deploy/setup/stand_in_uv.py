"""Stands in for uv in the tests of the set-up: makes and fills environments without packages.

Writes every call with its UV_* settings to `calls.jsonl` beside itself. A file
`fail` or `hang` beside it holds a word; a call that has the word among its
arguments fails, or stays until it is killed.
"""

import json
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent


def told_to(what: str, arguments: list[str]) -> bool:
    file = HERE / what
    return file.exists() and any(file.read_text() in argument for argument in arguments)


def main(arguments: list[str]) -> int:
    if arguments == ["--version"]:
        sys.stdout.write("uv 99.0.0 (stand-in)\n")
        return 0
    settings = {name: value for name, value in os.environ.items() if name.startswith("UV_")}
    with (HERE / "calls.jsonl").open("a") as stream:
        stream.write(json.dumps({"arguments": arguments, "settings": settings}) + "\n")
    if arguments[0] == "venv":
        target = Path(next(argument for argument in arguments if Path(argument).name.startswith(".venv")))
        (target / "bin").mkdir(parents=True)
        (target / "bin" / "python").symlink_to(sys.executable)
        (target / "pyvenv.cfg").write_text("home = /usr/bin\nversion_info = 3.11.9\n")
    if told_to("fail", arguments):
        sys.stderr.write("error: the stand-in was told to fail\n")
        return 2
    while told_to("hang", arguments):
        time.sleep(0.05)
    if "--editable" in arguments:
        (Path(arguments[arguments.index("--python") + 1]).parent / "stemcord").write_text("#!/bin/sh\n")
    return 0


sys.exit(main(sys.argv[1:]))
