"""A real worker process with toy stages: `python -m tests.worker.toy_worker media|asr`.

What it leaves behind is found sooner than in production, whose limits `tests/e2e/test_killed_worker.py` keeps to.
"""

import asyncio
import sys
from unittest.mock import patch

from tests.worker.toy_stages import TOYS, run_toys
from worker.app import WorkerApp
from worker.log import configure_logging
from worker.queue import lease, reaper
from worker.settings import WorkerSettings

LEASE_TTL_S = 3.0
SCAN_INTERVAL_S = 0.5

if __name__ == "__main__":
    settings = WorkerSettings()
    configure_logging("console", "info")
    kind = "asr" if sys.argv[1] == "asr" else "media"
    with patch.object(lease, "LEASE_TTL_S", LEASE_TTL_S), patch.object(reaper, "SCAN_INTERVAL_S", SCAN_INTERVAL_S):
        asyncio.run(WorkerApp(kind=kind, settings=settings, run=run_toys, stages=TOYS).serve())
