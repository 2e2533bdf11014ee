"""Stages that read the files of strangers run in children that end with them."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from pipeline.errors import Cancelled, EngineDiedError, EngineTimeoutError, MediaError
from pipeline.graph.registry import STAGES
from tests.worker.engine.test_supervisor import EngineUnderTest
from worker.engine.supervisor import EngineSupervisor


@pytest.fixture
async def tested(tmp_path: Path) -> AsyncIterator[EngineUnderTest]:
    engine = EngineSupervisor(tmp_path, "cpu", scratch=tmp_path, forking=True)
    yield EngineUnderTest(engine, tmp_path)
    await engine.close()


async def test_each_stage_has_a_process_of_its_own(tested: EngineUnderTest) -> None:
    pids = [(await tested.perform("ok"))["pid"], (await tested.perform("sleep", seconds=0.3))["pid"]]
    assert tested.engine.pid is not None
    assert len({*pids, tested.engine.pid}) == 3
    assert any(message == "sleeping" for _, message in tested.steps)
    async with asyncio.timeout(20):
        while psutil.Process(tested.engine.pid).children():
            await asyncio.sleep(0.05)


async def test_errors_cross_as_they_are(tested: EngineUnderTest) -> None:
    with pytest.raises(MediaError, match="The toy is no clip"):
        await tested.perform("refuse")


async def test_a_child_that_is_killed_does_not_end_the_server(tested: EngineUnderTest) -> None:
    await tested.perform("ok")
    server = tested.engine.pid
    with pytest.raises(EngineDiedError, match="killed in the step first"):
        await tested.perform("be killed")
    assert (await tested.perform("ok"))["stage"] == "first"
    assert tested.engine.pid == server


async def test_nothing_that_a_stage_started_is_left(tested: EngineUnderTest) -> None:
    await tested.perform("leave a process")
    assert (await tested.perform("ok"))["stage"] == "first"
    server = tested.engine.pid
    assert server is not None
    async with asyncio.timeout(20):
        while [pid for pid in psutil.pids() if in_group(pid, server) and pid != server]:
            await asyncio.sleep(0.05)


def in_group(pid: int, group: int) -> bool:
    try:
        return os.getpgid(pid) == group and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False


async def test_a_cancel_reaches_the_child(tested: EngineUnderTest) -> None:
    await tested.perform("ok")
    server = tested.engine.pid
    asyncio.get_running_loop().call_later(0.3, tested.cancelled.set)
    with pytest.raises(Cancelled):
        await tested.perform("sleep", seconds=60)
    tested.cancelled.clear()
    assert (await tested.perform("ok"))["stage"] == "first"
    assert tested.engine.pid == server


async def test_a_child_that_hangs_is_killed(tested: EngineUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.engine.supervisor.CANCEL_TIMEOUT_S", 0.5)
    await tested.perform("ok")
    assert tested.engine.pid is not None
    server = psutil.Process(tested.engine.pid)
    began = time.monotonic()
    with pytest.raises(EngineTimeoutError):
        await tested.perform("sleep deeply", limit=1.0, seconds=600)
    assert time.monotonic() - began < 20
    assert not server.is_running()
    assert (await tested.perform("ok"))["stage"] == "first"


def test_stages_that_read_what_strangers_sent_are_isolated() -> None:
    isolated = {name for name, stage in STAGES.items() if stage.isolated}
    assert isolated == {"probe", "extract", "mux", "dub", "render_dub_comparison", "edit_clip", "burn_captions"}
