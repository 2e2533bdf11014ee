"""`stemcord worker`: run one worker in this terminal."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import Process
from enum import StrEnum
from typing import Annotated

import typer

from deploy.cli.errors import exit_on_failure
from deploy.local.embedded_broker import EmbeddedBroker
from deploy.local.worker_process import worker_python
from worker.engine.environment import child_environment
from worker.settings import WorkerSettings


class WorkerKind(StrEnum):
    """The environment that a worker serves."""

    MEDIA = "media"
    ASR = "asr"


def worker(kind: Annotated[WorkerKind, typer.Argument(help="media separates and mixes, asr transcribes.")]) -> None:
    """Serve one queue until Ctrl-C; without STEMCORD_REDIS_URL it uses the broker of this home."""
    with exit_on_failure():
        settings = WorkerSettings()
        command = [str(worker_python(kind.value, settings)), "-m", "worker", kind.value]
        environment = child_environment() | {"STEMCORD_HOME": str(settings.home)}
        if settings.redis_url is not None:
            # The worker takes this process over, so that a container's signals reach it.
            os.execve(command[0], command, environment)  # noqa: S606 - no shell, a list of our own
        code = asyncio.run(_serve(settings, command, environment))
    raise typer.Exit(code)


async def _serve(settings: WorkerSettings, command: list[str], environment: dict[str, str]) -> int:
    """Run a worker with the embedded broker, forward signals to it, and return its exit code."""
    async with EmbeddedBroker(settings.home) as url:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment | {"STEMCORD_REDIS_URL": url}, start_new_session=True
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, _forward_signal, process, number)
        return await process.wait()


def _forward_signal(process: Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
