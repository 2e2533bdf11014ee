"""Stages as a hostile clip would have them that took over the engine."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg

from pipeline.graph.stage import StageContext
from tests.worker.toy_stages import ToyInputs, ToyOutput, ToyParams


def attack(context: StageContext, inputs: ToyInputs[Path], params: ToyParams) -> ToyOutput[Path]:
    """Try everything, and write down what came of it."""
    plan = json.loads(inputs.plan.read_text())
    if plan.get("bomb"):
        fork_for_ever()
    secret, worker = Path(plan["secret"]), int(plan["worker"])
    tries: dict[str, Callable[[], object]] = {
        "read a foreign file": secret.read_text,
        "write a foreign file": lambda: secret.write_text("mine"),
        "list a foreign folder": lambda: list(secret.parent.iterdir()),
        "write weights": lambda: Path(plan["weights"]).write_text("mine"),
        "link in scratch": lambda: (context.out / "link").symlink_to(secret),
        "link among models": lambda: (secret.parent / "models" / "link").symlink_to(secret),
        "read the worker's environment": Path(f"/proc/{worker}/environ").read_bytes,
        "signal the worker": lambda: os.kill(worker, 0),
        "internet socket": lambda: socket.socket(socket.AF_INET),
        "local socket": lambda: socket.socket(socket.AF_UNIX),
        "leave the process group": lambda: os.setpgid(0, 0),
        "ffmpeg reads a foreign file": lambda: ffmpeg("-f", "data", "-i", str(secret), "-map", "0", "-f", "data", "-"),
        "ffmpeg opens a connection": lambda: ffmpeg("-i", "tcp://127.0.0.1:9", "-f", "null", "-"),
        "empty a foreign file": lambda: os.truncate(secret, 0),
        "empty a file that is only read": lambda: os.close(os.open(plan["weights"], os.O_RDONLY | os.O_TRUNC)),
        "change rights": lambda: secret.chmod(0o666),
        "change rights of what can be read": lambda: Path(plan["weights"]).chmod(0o666),
        "change rights of an open file": lambda: change_open(Path(plan["weights"])),
        "change an owner": lambda: os.chown(secret, os.getuid(), os.getgid()),
        "label a file": lambda: os.setxattr(secret, "user.mine", b"1"),
        "a huge file": lambda: (context.out / "huge").open("wb").truncate(2**40),
        "a huge list": lambda: bytearray(2**45),
    }
    done = {name: outcome(attempt) for name, attempt in tries.items()}
    found = context.out / "found.json"
    found.write_text(json.dumps({"environment": dict(os.environ), "weights": Path(plan["weights"]).read_text()} | done))
    return ToyOutput(plan=found, stage=params.stage, pid=os.getpid())


def outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except (OSError, MemoryError) as error:
        return type(error).__name__
    except subprocess.CalledProcessError as error:
        return error.stderr.decode(errors="replace").strip()
    return "done"


def change_open(path: Path) -> None:
    with path.open() as file:
        os.fchmod(file.fileno(), 0o666)


def ffmpeg(*arguments: str) -> None:
    program = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([program, "-v", "error", "-nostdin", *arguments], check=True, capture_output=True)


def fork_for_ever() -> None:
    while True:
        try:
            os.fork()
        except OSError:
            time.sleep(0.01)
