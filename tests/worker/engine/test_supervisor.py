import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.errors import AudioProcessingError, Cancelled, EngineDiedError, EngineTimeoutError, MediaError
from pipeline.types import DraftLine
from tests.worker.toy_stages import TOYS
from worker.engine.environment import child_environment
from worker.engine.supervisor import EngineSupervisor

ENOUGH_S = 20.0
"""For what takes a second or two on a machine that does nothing else, and half a minute when nobody is heard."""


@dataclass
class EngineUnderTest:
    """An engine and a folder to use it in."""

    engine: EngineSupervisor
    folder: Path
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    steps: list[tuple[float, str]] = field(default_factory=list)
    drafts: list[tuple[DraftLine, ...]] = field(default_factory=list)

    def note_step(self, fraction: float, message: str, draft: tuple[DraftLine, ...] = ()) -> None:
        """Keep what the engine reports."""
        self.steps.append((fraction, message))
        self.drafts += [draft] if draft else []

    async def perform(self, how: str, *, limit: float = 20.0, **plan: Any) -> dict[str, Any]:
        """Run the first toy stage."""
        source, out = self.folder / "plan.json", self.folder / "out"
        source.write_text(json.dumps({"tally": str(self.folder / "tally"), "first": how, **plan}))
        out.mkdir(exist_ok=True)
        facts, seconds = await self.engine.run_stage(
            TOYS["first"],
            {"plan": source},
            {"stage": "first"},
            out,
            self.note_step,
            self.cancelled,
            limit,
        )
        assert seconds >= 0
        assert (out / "first.json").exists()
        return facts


@pytest.fixture
async def tested(tmp_path: Path) -> AsyncIterator[EngineUnderTest]:
    engine = EngineSupervisor(tmp_path, "cpu", scratch=tmp_path)
    yield EngineUnderTest(engine, tmp_path)
    await engine.close()


async def test_a_draft_is_passed_on_at_once(tested: EngineUnderTest) -> None:
    await tested.perform("draft")
    assert [len(lines) for lines in tested.drafts] == [1, 3]
    assert tested.drafts[1][2] == DraftLine(start=2.0, text="Line 2.")


async def test_a_stage_runs_in_a_warm_process(tested: EngineUnderTest) -> None:
    first = await tested.perform("ok")
    second = await tested.perform("sleep", seconds=0.5)
    assert first["pid"] == second["pid"] == tested.engine.pid
    fractions = [fraction for fraction, _ in tested.steps]
    assert fractions[0] == 0.0
    assert fractions[1:] == sorted(fractions[1:])
    assert any(0.2 < fraction < 0.9 and message == "sleeping" for fraction, message in tested.steps)


async def test_modules_are_imported_ahead_of_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ahead.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w').close()")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    engine = EngineSupervisor(tmp_path, "cpu", scratch=tmp_path, preload=("no_such_module", "ahead"))
    try:
        assert (await EngineUnderTest(engine, tmp_path).perform("ok"))["stage"] == "first"
        assert (tmp_path / "imported").exists()
    finally:
        await engine.close()


async def test_what_libraries_print_does_no_harm(tested: EngineUnderTest) -> None:
    assert (await tested.perform("print"))["stage"] == "first"


async def test_a_library_that_exits_does_not_end_the_engine(tested: EngineUnderTest) -> None:
    pid = (await tested.perform("ok"))["pid"]
    with pytest.raises(AudioProcessingError, match="unexpected") as caught:
        await tested.perform("exit")
    assert "SystemExit: 3" in caught.value.detail
    assert (await tested.perform("ok"))["pid"] == pid


async def test_named_errors_cross_as_they_are(tested: EngineUnderTest) -> None:
    with pytest.raises(MediaError, match="The toy is no clip") as caught:
        await tested.perform("refuse")
    assert caught.value.stage == "first"


async def test_unknown_errors_carry_their_trace(tested: EngineUnderTest) -> None:
    with pytest.raises(AudioProcessingError) as caught:
        await tested.perform("stumble")
    assert "JSONDecodeError" in caught.value.detail
    assert "toy_stages.py" in caught.value.detail


async def test_a_time_out_kills_an_engine_that_does_not_answer(
    tested: EngineUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.engine.supervisor.CANCEL_TIMEOUT_S", 0.5)
    pid = (await tested.perform("ok"))["pid"]
    started = time.monotonic()
    with pytest.raises(EngineTimeoutError, match="1 seconds"):
        await tested.perform("sleep deeply", limit=1.0, seconds=30)
    assert time.monotonic() - started < ENOUGH_S
    assert not psutil.pid_exists(pid)
    assert (await tested.perform("ok"))["pid"] != pid


async def test_a_time_out_leaves_an_engine_warm_that_answers(tested: EngineUnderTest) -> None:
    pid = (await tested.perform("ok"))["pid"]
    with pytest.raises(EngineTimeoutError, match="1 seconds"):
        await tested.perform("sleep", limit=1.0, seconds=30)
    assert (await tested.perform("ok"))["pid"] == pid


async def test_an_engine_that_is_killed(tested: EngineUnderTest) -> None:
    with pytest.raises(EngineDiedError, match="memory"):
        await tested.perform("be killed")
    assert (await tested.perform("ok"))["stage"] == "first"


async def test_a_cancel_leaves_the_engine_warm(tested: EngineUnderTest) -> None:
    pid = (await tested.perform("ok"))["pid"]
    asyncio.get_running_loop().call_later(0.3, tested.cancelled.set)
    started = time.monotonic()
    with pytest.raises(Cancelled):
        await tested.perform("sleep", seconds=30)
    assert time.monotonic() - started < ENOUGH_S
    tested.cancelled.clear()
    assert (await tested.perform("ok"))["pid"] == pid


async def test_a_stage_that_does_not_listen_is_killed(tested: EngineUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.engine.supervisor.CANCEL_TIMEOUT_S", 1.0)
    await tested.perform("ok")  # so that the cancellation does not meet a process that still starts
    asyncio.get_running_loop().call_later(0.3, tested.cancelled.set)
    started = time.monotonic()
    with pytest.raises(Cancelled):
        await tested.perform("sleep deeply", seconds=30)
    assert 1 < time.monotonic() - started < ENOUGH_S


async def test_a_dropped_task_stops_the_stage(tested: EngineUnderTest) -> None:
    pid = (await tested.perform("ok"))["pid"]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await tested.perform("sleep", seconds=30)
    assert (await tested.perform("ok"))["pid"] == pid


@pytest.mark.parametrize("kind", ["warm", "forking"])
async def test_the_engine_ends_with_its_worker(tmp_path: Path, kind: str) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "worker.engine.child", kind, str(tmp_path), "cpu", str(tmp_path)),
        stdin=asyncio.subprocess.PIPE,
        env=child_environment(),
        start_new_session=True,
    )
    assert child.stdin is not None
    child.stdin.close()
    assert await asyncio.wait_for(child.wait(), 10) != 0


async def test_an_engine_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(EngineDiedError, match="could not be started"):
        await EngineSupervisor(tmp_path, scratch=tmp_path, python="/no/such/python").start()
