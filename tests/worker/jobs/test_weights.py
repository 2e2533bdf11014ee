"""Weights are fetched by the worker, since the engine has no network."""

import asyncio
import threading
import time
from pathlib import Path

import pytest

from pipeline.errors import Cancelled, ModelMissingError
from pipeline.models.checkpoints import checkpoint_path
from tests.pipeline.models.hub_server import Hub, running
from worker.jobs.weights import fetch_missing_weights, missing_models


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch):
    with running({"uvr/tiny.ckpt": bytes(100_000)}) as hub:
        monkeypatch.setattr("worker.jobs.weights.MODELS", {"tiny": hub.model()})
        monkeypatch.setattr("pipeline.models.loader.MODELS", {"tiny": hub.model()})
        yield hub


async def test_what_is_missing_is_fetched_once(hub: Hub, tmp_path: Path) -> None:
    told: list[str] = []
    for _ in range(2):
        await fetch_missing_weights(
            tmp_path, {"model": "tiny", "speakers": 2}, lambda _, message: told.append(message), asyncio.Event()
        )
    await asyncio.sleep(0)
    assert len(hub.asked) == 1
    assert checkpoint_path(hub.model().hub[0], tmp_path).stat().st_size == 100_000
    assert told[-1].startswith("Fetching tiny")
    assert missing_models(tmp_path, {"model": "tiny"}) == []


async def test_a_cancel_ends_the_fetching(hub: Hub, tmp_path: Path) -> None:
    cancelled = asyncio.Event()
    cancelled.set()
    with pytest.raises(Cancelled):
        await fetch_missing_weights(tmp_path, {"model": "tiny"}, lambda _, __: None, cancelled)


async def test_a_cancel_does_not_wait_for_a_hub_that_is_silent(hub: Hub, tmp_path: Path) -> None:
    hub.silent, cancelled = threading.Event(), asyncio.Event()
    asyncio.get_running_loop().call_later(0.5, cancelled.set)
    began = time.monotonic()
    with pytest.raises(Cancelled):
        await fetch_missing_weights(tmp_path, {"model": "tiny"}, lambda _, __: None, cancelled)
    assert time.monotonic() - began < 5
    hub.silent.set()


async def test_a_download_has_a_time_limit(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.jobs.weights.FETCH_TIMEOUT_S", 0.5)
    hub.silent = threading.Event()
    with pytest.raises(ModelMissingError, match="could not be fetched within"):
        await fetch_missing_weights(tmp_path, {"model": "tiny"}, lambda _, __: None, asyncio.Event())
    hub.silent.set()


def test_own_and_unpacked_weights_need_no_hub(hub: Hub, tmp_path: Path) -> None:
    assert missing_models(tmp_path, {"model": "tiny", "other": "no model"}) == [hub.model()]
    (tmp_path / "models" / "tiny-0123456789ab").mkdir(parents=True)
    assert missing_models(tmp_path, {"model": "tiny"}) == []
