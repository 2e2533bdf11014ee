"""A real worker process with toy stages: `python -m tests.worker.toy_service media|asr`."""

import asyncio
import sys

from tests.worker.toys import TOYS, run_toys
from worker.log import set_up_log
from worker.service import Service
from worker.settings import WorkerSettings

if __name__ == "__main__":
    settings = WorkerSettings()
    set_up_log("console", "info")
    kind = "asr" if sys.argv[1] == "asr" else "media"
    asyncio.run(Service(kind=kind, settings=settings, run=run_toys, stages=TOYS).serve())
