"""Faults in a running system set the alerts off in a real Prometheus, with shorter waits than in production."""

import asyncio
import json
import shutil
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml

from pipeline.errors import StoreError
from tests.deploy.monitoring.test_alerts import FOLDER
from tests.worker.conftest import System, system
from tests.worker.telemetry.scraping import free_port
from worker.jobs import attempts
from worker.telemetry import current_metrics, sampling
from worker.telemetry.sampling import sample_queue
from worker.telemetry.session import open_telemetry

__all__ = ["system"]
pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="prometheus is not installed (Debian: prometheus)"
)
FIRING_TIMEOUT_S = 60.0
SHORT_WAITS = {"StemcordJobsWaitLong": ("> 600", "> 3")}
"""Thresholds in seconds that no test can wait for."""


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    port: int

    async def firing(self) -> set[str]:
        """Names of the alerts that fire."""
        url = f"http://127.0.0.1:{self.port}/api/v1/alerts"
        answer = json.loads(await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=10).read()))
        return {alert["labels"]["alertname"] for alert in answer["data"]["alerts"] if alert["state"] == "firing"}

    async def wait_for(self, alert: str) -> None:
        """Wait until an alert fires."""
        end = time.monotonic() + FIRING_TIMEOUT_S
        while alert not in (seen := await self.firing()):
            assert time.monotonic() < end, f"{alert} does not fire, only {seen}"
            await asyncio.sleep(0.5)


@asynccontextmanager
async def prometheus(folder: Path, *ports: int) -> AsyncIterator[Prometheus]:
    """Prometheus with the alerts, which looks at these ports each second."""
    rules: dict[str, Any] = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
    for rule in rules["groups"][0]["rules"]:
        rule["for"] = "1s" if "for" in rule else "0s"
        rule["expr"] = rule["expr"].replace(*SHORT_WAITS.get(rule["alert"], ("", "")))
    targets = [f"127.0.0.1:{port}" for port in ports]
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s", "scrape_timeout": "1s"},
        "rule_files": ["alerts.yaml"],
        "scrape_configs": [{"job_name": "stemcord", "static_configs": [{"targets": targets}]}],
    }
    (folder / "alerts.yaml").write_text(yaml.safe_dump(rules))
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
    port = free_port()
    with (folder / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "prometheus",
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'series'}",
            f"--web.listen-address=127.0.0.1:{port}",
            stdout=log,
            stderr=log,
        )
    try:
        async with asyncio.timeout(30):
            while True:
                try:
                    await Prometheus(port).firing()
                    break
                except OSError:
                    assert process.returncode is None, (folder / "prometheus.log").read_text()
                    await asyncio.sleep(0.2)
        yield Prometheus(port)
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 20)


async def test_faults_set_the_alerts_off(system: System, tmp_path: Path) -> None:
    port = free_port()
    settings = system.settings.model_copy(update={"metrics_port": port})
    folder = tmp_path / "prometheus"
    folder.mkdir()
    quick = patch.object(sampling, "SAMPLE_INTERVAL_S", 0.2), patch.object(attempts, "RETRY_DELAY_S", 0.01)
    with quick[0], quick[1]:
        # As the bot does: it watches the queue also while no worker is there.
        async with open_telemetry(settings, service="bot", instance="test"), prometheus(folder, port) as server:
            watching = asyncio.create_task(sample_queue(system.queue))
            try:
                await asyncio.sleep(4)
                assert await server.firing() == set()
                await _injure(system, server)
            finally:
                watching.cancel()


async def _injure(system: System, server: Prometheus) -> None:
    metrics = current_metrics()
    assert metrics is not None
    # No worker at all.
    poison = await system.job(second="be killed")
    await system.queue.submit(poison)
    await server.wait_for("StemcordNoWorker")
    await server.wait_for("StemcordJobsWaitLong")
    # A job that takes its engine down whenever it is tried.
    await system.start()
    await system.events(poison)
    await server.wait_for("StemcordDeadLetters")
    # A store whose folder is gone.
    shutil.rmtree(system.settings.home / "store")
    for _ in range(10):
        with pytest.raises(StoreError):
            await system.store.fetch(poison.source, system.folder / "back")
    await server.wait_for("StemcordStoreErrors")
    # Answers that Discord had to wait for.
    for _ in range(20):
        metrics.observe_acknowledgement(2.4)
    await asyncio.sleep(2)
    for _ in range(20):
        metrics.observe_acknowledgement(2.4)
    await server.wait_for("StemcordSlowAcknowledgements")
