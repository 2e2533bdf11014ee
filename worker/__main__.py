"""`python -m worker media|asr`."""

import asyncio
import sys
from typing import cast

import pydantic
import structlog

from pipeline.errors import AudioProcessingError
from worker.app import WorkerApp
from worker.log import configure_logging
from worker.protocol import WorkerKind
from worker.settings import WorkerSettings
from worker.store.private_home import keep_files_private


def main(arguments: list[str]) -> int:
    """Serve until told to stop; the exit code is 2 for bad arguments or settings, 1 when it cannot start."""
    if arguments not in (["media"], ["asr"]):
        sys.stderr.write("usage: python -m worker media|asr\n")
        return 2
    try:
        settings = WorkerSettings()
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = "STEMCORD_" + "_".join(str(part) for part in first["loc"]).upper()
        sys.stderr.write(f"The setting {name} cannot be used: {first['msg']}.\n")
        return 2
    keep_files_private(settings.home)
    configure_logging(settings.log_format, settings.log_level)
    try:
        asyncio.run(WorkerApp(kind=cast("WorkerKind", arguments[0]), settings=settings).serve())
    except AudioProcessingError as error:
        structlog.get_logger().error("the worker cannot start", error=str(error))
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
