"""The spans of one job, over processes, in one trace."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET, structs
from msgspec import json as msgjson

from deploy.monitoring.trace_picture import TracedSpan, main, read_spans
from tests.worker.conftest import System
from worker.protocol import Finished, Job, StageJob, decode_job, encode
from worker.telemetry import current_trace, span
from worker.telemetry.session import open_telemetry


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    return tmp_path / "traces" / "traces.jsonl"


@pytest.fixture
def traced(system: System, traces: Path) -> System:
    return replace(system, settings=system.settings.model_copy(update={"traces_url": traces.as_uri()}))


def spans_of(traces: Path) -> list[TracedSpan]:
    return read_spans(traces.read_text().splitlines())


async def run_traced(traced: System, **plan: Any) -> Job:
    """Run a job over both workers as the bot submits it, and end all processes so that every span is written."""
    async with open_telemetry(traced.settings, service="bot", instance="test"):
        with span("interaction", trace=UNSET):
            job = structs.replace(await traced.job("heard.json", **plan), trace=current_trace())
        await traced.start("media")
        await traced.start("asr")
        await traced.queue.submit(job)
        last = (await traced.events(job))[-1]
        with span("deliver", trace=job.trace):
            assert isinstance(last, Finished)
        await traced.stop()
    return job


async def test_one_job_is_one_trace_from_the_interaction_to_the_delivery(
    traced: System, traces: Path, tmp_path: Path
) -> None:
    job = await run_traced(traced)
    spans = spans_of(traces)
    assert {found.trace for found in spans} == {job.trace_id}
    by_id = {found.id: found for found in spans}
    below = {(by_id[found.parent].name, found.name) for found in spans if found.parent}
    assert below >= {
        ("interaction", "queue"),
        ("interaction", "attempt media"),
        ("attempt media", "stage first"),
        ("stage first", "engine"),
        ("stage first", "store put"),
        ("stage heard", "attempt asr"),
        ("attempt asr", "engine"),
        ("interaction", "deliver"),
    }
    assert {found.service for found in spans} == {"stemcord-bot", "stemcord-media", "stemcord-asr"}
    assert all(found.end_s >= found.start_s for found in spans)
    picture = tmp_path / "trace.svg"
    assert main([str(traces), str(picture)]) == 0
    assert picture.read_text().count("stage ") == 3


async def test_nothing_in_a_trace_is_personal(traced: System, traces: Path) -> None:
    async with open_telemetry(traced.settings, service="bot", instance="test"):
        with pytest.raises(ValueError, match="of Anna"), span("download", trace=UNSET):
            raise ValueError("holiday of Anna.mp4")
    (failed,) = [json.loads(line) for line in traces.read_text().splitlines()]
    assert failed["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["status"] == {"code": 2, "message": "ValueError"}
    await run_traced(traced)
    assert "Anna" not in traces.read_text()
    assert "heard.json" not in traces.read_text()


async def test_without_traces_jobs_are_written_as_before(system: System) -> None:
    with span("interaction", trace=UNSET):
        job = structs.replace(await system.job(), trace=current_trace())
    assert b"trace" not in encode(job)
    assert decode_job(encode(job)).trace_id == ""
    stage = StageJob(id="1", keys=("1",), stage="s", inputs={}, params={}, timeout_s=1, contract=2)
    assert b"trace" not in msgjson.encode(stage)


@pytest.mark.parametrize("trace", ["", "00", "nonsense", "00-xyz-1-01", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
async def test_a_trace_that_cannot_be_read_begins_a_new_one(traced: System, traces: Path, trace: str) -> None:
    async with open_telemetry(traced.settings, service="media", instance="test"):
        with span("attempt", trace=trace):
            pass
    (found,) = spans_of(traces)
    assert found.parent == ""
    assert len(found.trace) == 32


def test_a_picture_of_no_trace_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    assert main([str(empty), str(tmp_path / "out.svg")]) == 1
    assert main([str(empty)]) == 2
    assert "no such trace" in capsys.readouterr().err
