"""The health check of the images, against a process that shows metrics."""

import asyncio

import pytest

from tests.worker.conftest import System
from tests.worker.telemetry.scraping import free_port
from worker.telemetry.health import main
from worker.telemetry.sampling import sample_queue
from worker.telemetry.session import open_telemetry


async def test_a_process_whose_loop_runs_is_well(system: System, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    settings = system.settings.model_copy(update={"metrics_port": port})
    assert await asyncio.to_thread(main, [str(port)]) == 1
    assert "no metrics" in capsys.readouterr().err
    async with open_telemetry(settings, service="media", instance="test"):
        assert await asyncio.to_thread(main, [str(port)]) == 1, "its loop has not given a sign of life"
        sampling = asyncio.create_task(sample_queue(system.queue))
        await asyncio.sleep(0.5)
        assert await asyncio.to_thread(main, [str(port)]) == 0
        sampling.cancel()
