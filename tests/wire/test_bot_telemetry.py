"""What the whole system tells of itself while a person's clip goes through it."""

import asyncio
import os
import shutil
import time

import pytest

from deploy.monitoring.trace_picture import TracedSpan, longest_trace, read_spans
from tests.wire.observed import Observed
from tests.worker.telemetry.scraping import value

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]
KEEP_TRACE = "STEMCORD_TEST_TRACE"
"""Names a file to which the trace is copied, such as for the picture in README."""
EXPORT_TIMEOUT_S = 60.0
SPANS = {
    *("interaction", "acknowledge", "download", "submit", "queue", "attempt media", "stage separate"),
    *("stage transcribe", "attempt asr", "engine", "store put", "deliver", "route interaction"),
}


def spans_of(observed: Observed) -> list[TracedSpan]:
    """All spans that were written so far, in whole lines."""
    return read_spans(observed.traces.read_text().rpartition("\n")[0].splitlines())


async def test_a_persons_clip_is_one_trace(observed: Observed) -> None:
    end = time.monotonic() + EXPORT_TIMEOUT_S
    mine: list[TracedSpan] = []
    # Each process writes its spans by and by.
    while not {span.name for span in mine} >= SPANS:
        assert time.monotonic() < end, SPANS - {span.name for span in mine}
        await asyncio.sleep(0.1)
        mine = [span for span in spans_of(observed) if span.trace == observed.state.job.trace_id]
    assert observed.state.job.trace_id == longest_trace(spans_of(observed))
    assert {span.service for span in mine} == {"stemcord-bot", "stemcord-media", "stemcord-asr"}
    if place := os.environ.get(KEEP_TRACE):
        shutil.copy(observed.traces, place)


async def test_the_bot_is_measured(observed: Observed) -> None:
    seen = observed.metrics
    assert observed.made.files
    assert (value(seen, "stemcord_acknowledgement_seconds_count") or 0) == 1
    assert (value(seen, "stemcord_discord_answers_total", method="POST", code="200") or 0) > 0
    assert value(seen, "stemcord_deliveries_total", shown="yes") == 1
    assert value(seen, "stemcord_workers", kind="media") == 1


async def test_no_name_is_told(observed: Observed) -> None:
    """Neither the clip's nor the person's."""
    logs = "".join(program.output for program in observed.stack.programs)
    told = observed.traces.read_text() + logs + repr(observed.metrics)
    assert "scene.mp4" not in told
    assert observed.stack.fake.world.person["username"] not in told
