"""A worker with toy stages is scraped over HTTP while it works and while things go wrong."""

import asyncio
import shutil
from dataclasses import replace
from unittest.mock import patch

import pytest

from pipeline.errors import StoreError, ValidationError
from tests.worker.conftest import TIMEOUT_S, System
from tests.worker.telemetry.scraping import free_port, scrape, value
from tests.worker.toy_stages import PARTS
from worker.jobs import attempts
from worker.protocol import Failed, Finished
from worker.telemetry import current_metrics, sampling
from worker.telemetry.session import open_telemetry


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def measured(system: System, port: int) -> System:
    return replace(system, settings=system.settings.model_copy(update={"metrics_port": port}))


async def test_a_scrape_tells_stages_attempts_queue_and_memory(measured: System, port: int) -> None:
    with patch.object(sampling, "SAMPLE_INTERVAL_S", 0.1):
        await measured.start()
        job = await measured.job()
        await measured.queue.submit(job)
        assert isinstance((await measured.events(job))[-1], Finished)
        again = await measured.job()
        await measured.queue.submit(again)
        await measured.events(again)
        await asyncio.sleep(0.5)
        seen = await scrape(port)
    assert value(seen, "stemcord_attempts_total", kind="media", outcome="finished") == 2
    assert value(seen, "stemcord_stage_seconds_count", stage="first", engine="none") == 1
    assert value(seen, "stemcord_stages_reused_total", stage="first") == 1
    assert value(seen, "stemcord_job_wait_seconds_count") == 2
    assert value(seen, "stemcord_workers", kind="media") == 1
    assert value(seen, "stemcord_workers", kind="asr") == 0
    assert value(seen, "stemcord_queue_oldest_seconds", kind="media") == 0
    assert value(seen, "stemcord_queue_jobs", kind="media", status="running") == 0
    assert (value(seen, "stemcord_engine_memory_bytes", engine="warm") or 0) > 10_000_000
    assert value(seen, "stemcord_dead_letters_total", kind="media") == 0


async def test_a_job_that_takes_three_engines_down_is_counted(measured: System, port: int) -> None:
    with patch.object(sampling, "SAMPLE_INTERVAL_S", 0.1), patch.object(attempts, "RETRY_DELAY_S", 0.01):
        await measured.start()
        job = await measured.job(second="be killed")
        await measured.queue.submit(job)
        assert isinstance((await measured.events(job))[-1], Failed)
        await asyncio.sleep(0.5)
        seen = await scrape(port)
    assert value(seen, "stemcord_attempts_total", kind="media", outcome="retried") == 2
    assert value(seen, "stemcord_attempts_total", kind="media", outcome="dead") == 1
    assert value(seen, "stemcord_dead_letters_total", kind="media") == 1
    assert value(seen, "stemcord_queue_jobs", kind="media", status="dead") == 1
    assert value(seen, "stemcord_stage_failures_total", stage="second", error="EngineDiedError") == 6


async def test_what_waits_without_a_worker_grows_old(measured: System, port: int) -> None:
    with patch.object(sampling, "SAMPLE_INTERVAL_S", 0.1):
        await measured.queue.submit(await measured.job())
        await asyncio.sleep(1)
        await measured.start("asr")
        async with asyncio.timeout(TIMEOUT_S):
            while not value(seen := await scrape(port), "stemcord_queue_oldest_seconds", kind="media"):
                await asyncio.sleep(0.1)
    assert (value(seen, "stemcord_queue_oldest_seconds", kind="media") or 0) > 1
    assert value(seen, "stemcord_queue_jobs", kind="media", status="queued") == 1
    assert value(seen, "stemcord_workers", kind="media") == 0


async def test_parts_that_wait_for_workers_are_counted(measured: System, port: int) -> None:
    with patch.object(sampling, "SAMPLE_INTERVAL_S", 0.1):
        await measured.start()
        job = await measured.job(
            "long.json", {"seconds": 2.0, **{f"part-{number}": "sleep" for number in range(PARTS)}}
        )
        await measured.queue.submit(job)
        async with asyncio.timeout(TIMEOUT_S):
            while not value(seen := await scrape(port), "stemcord_queue_oldest_seconds", kind="part"):
                await asyncio.sleep(0.1)
    assert (value(seen, "stemcord_queue_jobs", kind="part", status="queued") or 0) >= 1
    assert value(seen, "stemcord_workers", kind="media") == 1
    assert value(seen, "stemcord_workers", kind="part") is None


async def test_errors_of_the_store_are_counted(measured: System, port: int) -> None:
    async with open_telemetry(measured.settings, service="media", instance="test"):
        job = await measured.job()
        shutil.rmtree(measured.settings.home / "store")
        with pytest.raises(StoreError):
            await measured.store.fetch(job.source, measured.folder / "back")
        seen = await scrape(port)
    assert value(seen, "stemcord_store_errors_total", error="StoreError") == 1


async def test_a_port_that_is_taken_is_told(measured: System) -> None:
    async with open_telemetry(measured.settings, service="media", instance="first"):
        with pytest.raises(ValidationError, match="cannot be shown on port"):
            async with open_telemetry(measured.settings, service="media", instance="second"):
                pass
        assert current_metrics() is not None
    assert current_metrics() is None


async def test_without_a_port_nothing_is_measured(system: System) -> None:
    async with open_telemetry(system.settings, service="media", instance="test"):
        assert current_metrics() is None
