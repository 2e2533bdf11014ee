"""What `stemcord top` shows of a real queue and real workers."""

import asyncio
import io
import os
import subprocess
import sys
from dataclasses import replace

from msgspec import structs
from rich.console import Console

from deploy.cli.commands.top import render
from tests.worker.conftest import System, system
from worker.protocol import Finished
from worker.queue.overview import JobInFlight, Overview, StageInFlight, StageUsage, read_overview

__all__ = ["system"]


def text_of(overview: Overview) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(render(overview))
    return console.export_text()


async def test_it_shows_workers_jobs_and_their_stages(system: System) -> None:
    await system.start("media")
    await system.start("asr")
    done = await system.job("first.json")
    await system.queue.submit(done)
    assert isinstance((await system.events(done))[-1], Finished)
    running = await system.job("second.json", second="sleep", seconds=30)
    await system.queue.submit(running)
    await system.wait_for_run("second", 2)
    await asyncio.sleep(1)
    overview = await read_overview(system.queue)
    (job,) = overview.jobs
    assert job.worker == "media-0"
    assert [stage.name for stage in job.stages] == ["second"]
    assert 0 < job.stages[0].fraction < 0.5
    assert set(overview.usage) == {"first", "second"}
    seen = text_of(overview)
    assert "2 workers   1 running   0 waiting" in seen
    assert running.id[:12] in seen
    assert "slowest stages lately" in seen


async def test_what_waits_shows_its_place_and_the_lack_of_workers(system: System) -> None:
    jobs = [await system.job(f"{name}.json", tag=name) for name in "ab"]
    for job in jobs:
        await system.queue.submit(job)
    seen = text_of(await read_overview(system.queue))
    assert "no worker is alive" in seen
    assert "queued (1 before it)" in seen


async def test_the_command_shows_it_once_where_there_is_no_terminal(system: System) -> None:
    assert system.settings.redis_url is not None
    environment = os.environ | {
        "STEMCORD_REDIS_URL": system.settings.redis_url,
        "STEMCORD_HOME": str(system.settings.home),
    }
    command = [sys.executable, "-c", "from deploy.cli import main; main()", "top"]
    done = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "0 workers   0 running   0 waiting" in done.stdout


async def test_a_stage_that_takes_longer_than_usual_is_marked(system: System) -> None:
    job = await system.job()
    await system.queue.submit(job)
    overview = await read_overview(system.queue)
    state = structs.replace(overview.jobs[0].state, status="running")
    stage = StageInFlight(name="separate", fraction=0.2, remaining_s=90.0, seconds=75.0)
    in_flight = JobInFlight(state=state, age_s=80.0, worker="media-0", stages=(stage,))
    usage = {"separate": StageUsage(name="separate", runs=3, seconds=20.0, seconds_per_minute=10.0)}
    seen = text_of(replace(overview, jobs=(in_flight,), usage=usage))
    assert "1:15 (usually 20.0 s)" in seen
    assert "1:30" in seen
