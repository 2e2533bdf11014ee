"""A worker process with the limits of production and small stages: `python -m tests.chaos.worker media|asr`."""

import asyncio
import sys

from tests.chaos.stages import WORK_STAGES, run_work
from worker.app import WorkerApp
from worker.log import configure_logging
from worker.settings import WorkerSettings
from worker.store import keep_files_private

if __name__ == "__main__":
    settings = WorkerSettings()
    configure_logging("console", "info")
    keep_files_private(settings.home)
    kind = "asr" if sys.argv[1] == "asr" else "media"
    asyncio.run(WorkerApp(kind=kind, settings=settings, run=run_work, stages=WORK_STAGES).serve())
