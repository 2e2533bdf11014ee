"""A real worker process with toy stages: `python -m tests.worker.toy_service media|asr`.

What it leaves behind is found sooner than in production, whose limits `tests/e2e/test_killed_worker.py` keeps to.
"""

import asyncio
import sys
from unittest.mock import patch

from tests.worker.toys import TOYS, run_toys
from worker.app import Service
from worker.log import set_up_log
from worker.queue import lease, reaper
from worker.settings import WorkerSettings

LEASE_TTL = 3.0
ROUND = 0.5

if __name__ == "__main__":
    settings = WorkerSettings()
    set_up_log("console", "info")
    kind = "asr" if sys.argv[1] == "asr" else "media"
    with patch.object(lease, "LEASE_TTL", LEASE_TTL), patch.object(reaper, "ROUND", ROUND):
        asyncio.run(Service(kind=kind, settings=settings, run=run_toys, stages=TOYS).serve())
