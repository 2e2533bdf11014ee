"""What the whole system tells of itself while a person's clip goes through it."""

import os
import shutil
from pathlib import Path

import pytest

from deploy.monitoring.trace_picture import longest_trace, read_spans
from tests.wire.openapi import Description
from tests.wire.stack import Stack
from tests.wire.test_bot_jobs import finish
from tests.worker.telemetry.scraping import free_port, scrape, value
from worker.queue import Queue

pytestmark = [pytest.mark.asyncio(loop_scope="function"), pytest.mark.timeout(600)]
KEEP_TRACE = "STEMCORD_TEST_TRACE"
"""Names a file to which the trace is copied, such as for the picture in README."""


async def test_a_persons_clip_is_one_trace_and_the_bot_is_measured(
    tmp_path: Path, scene: Path, description: Description
) -> None:
    traces, port = tmp_path / "traces.jsonl", free_port()
    settings = {"STEMCORD_TRACES_URL": traces.as_uri()}
    async with Stack.start(tmp_path, settings=settings, bot_settings={"STEMCORD_METRICS_PORT": str(port)}) as stack:
        message = await finish(stack, await stack.fake.slash("process", clip=scene, language="en"))
        async with Queue.connect(stack.broker_url) as queue:
            (state,) = await queue.jobs()
        seen = await scrape(port)
        logs = "".join(program.output for program in stack.programs)
        await stack.stop_bot()
    assert message.files
    spans = read_spans(traces.read_text().splitlines())
    mine = [span for span in spans if span.trace == state.job.trace_id]
    assert state.job.trace_id == longest_trace(spans)
    names = {span.name for span in mine}
    assert names >= {"interaction", "acknowledge", "download", "submit", "queue", "attempt media", "stage separate"}
    assert names >= {"stage transcribe", "attempt asr", "engine", "store put", "deliver", "route interaction"}
    assert {span.service for span in mine} == {"stemcord-bot", "stemcord-media", "stemcord-asr"}
    assert (value(seen, "stemcord_acknowledgement_seconds_count") or 0) == 1
    assert (value(seen, "stemcord_discord_answers_total", method="POST", code="200") or 0) > 0
    assert value(seen, "stemcord_deliveries_total", shown="yes") == 1
    assert value(seen, "stemcord_workers", kind="media") == 1
    # The clip's name and the person's are in none of it.
    told = traces.read_text() + logs + repr(seen)
    assert "scene.mp4" not in told
    assert stack.fake.world.person["username"] not in told
    if place := os.environ.get(KEEP_TRACE):
        shutil.copy(traces, place)
    assert not stack.fake.violations(description)
