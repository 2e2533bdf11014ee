"""`stemcord top`: workers, queue and stages in flight, in the terminal."""

import asyncio
import contextlib
import signal
from contextlib import AsyncExitStack
from typing import Annotated, Final

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploy.cli.errors import exit_on_failure
from deploy.local.embedded_broker import EmbeddedBroker
from pipeline.errors import QueueError
from worker.queue import Queue
from worker.queue.overview import JobInFlight, Overview, StageInFlight, StageUsage, read_overview
from worker.settings import WorkerSettings

REFRESH_INTERVAL_S: Final = 1.0
SLOW_FACTOR: Final = 2.0
"""How many times its usual time a stage may take before it is marked as slow."""
MIN_SLOW_S: Final = 10.0
"""A stage is not slow before."""
MAX_JOBS_SHOWN: Final = 20
MAX_USAGE_SHOWN: Final = 8
SHOWN_ID_CHARS: Final = 12
BAR_CELLS: Final = 12


def top(
    once: Annotated[bool, typer.Option("--once", help="Show it once and end.")] = False,
) -> None:
    """Show workers, queue, stages in flight and what is slow, until Ctrl-C."""
    with exit_on_failure():
        asyncio.run(_top(WorkerSettings(), Console(), once=once))


async def _top(settings: WorkerSettings, console: Console, *, once: bool) -> None:
    async with AsyncExitStack() as stack:
        url = settings.redis_url or await stack.enter_async_context(EmbeddedBroker(settings.home))
        queue = await stack.enter_async_context(Queue.connect(url))
        overview = await read_overview(queue)
        if once or not console.is_terminal:
            console.print(render(overview))
            return
        asked_to_stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, asked_to_stop.set)
        live = stack.enter_context(Live(render(overview), console=console, screen=True, auto_refresh=False))
        while not asked_to_stop.is_set():
            try:
                live.update(render(await read_overview(queue)), refresh=True)
            except QueueError as error:
                live.update(Text(error.message, style="red"), refresh=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asked_to_stop.wait(), REFRESH_INTERVAL_S)


def render(overview: Overview) -> Group:
    """Lay an overview out for a terminal."""
    waiting = sum(job.state.status == "queued" for job in overview.jobs)
    head = Text(f"{len(overview.workers)} workers   {len(overview.jobs) - waiting} running   {waiting} waiting")
    if overview.dead:
        head.append(f"   {overview.dead} put aside", style="red")
    if not overview.workers:
        head.append("   no worker is alive", style="red")
    parts = [head, Text(), _workers_table(overview), Text(), _jobs_table(overview)]
    if overview.usage:
        parts += [Text(), _usage_table(overview)]
    return Group(*parts)


def _workers_table(overview: Overview) -> Table:
    table = _table("worker", "name", "has")
    for worker in overview.workers:
        has = [job.state.job.id[:SHOWN_ID_CHARS] for job in overview.jobs if job.worker == worker.name]
        table.add_row(worker.kind, worker.name, ", ".join(has) or "nothing")
    return table


def _jobs_table(overview: Overview) -> Table:
    table = _table("job", "status", "task", "age", "try", "stage", "done", "for", "left")
    for job in overview.jobs[:MAX_JOBS_SHOWN]:
        for number, stage in enumerate(job.stages or (None,)):
            row = _job_cells(job) if number == 0 else ("",) * 5
            table.add_row(*row, *_stage_cells(stage, overview.usage.get(stage.name) if stage else None))
    if len(overview.jobs) > MAX_JOBS_SHOWN:
        table.add_row("…", f"{len(overview.jobs) - MAX_JOBS_SHOWN} more")
    return table


def _job_cells(job: JobInFlight) -> tuple[str, ...]:
    state = job.state
    place = f" ({state.position} before it)" if state.status == "queued" and state.position else ""
    task = f"{state.job.request.task.value} (ahead)" if state.job.prefetch else state.job.request.task.value
    return state.job.id[:SHOWN_ID_CHARS], state.status + place, task, _duration(job.age_s), str(state.attempts)


def _stage_cells(stage: StageInFlight | None, usual: StageUsage | None) -> tuple[Text | str, ...]:
    if stage is None:
        return "", "", "", ""
    filled = round(stage.fraction * BAR_CELLS)
    bar = "█" * filled + "░" * (BAR_CELLS - filled)
    slow = usual is not None and stage.seconds > max(SLOW_FACTOR * usual.seconds, MIN_SLOW_S)
    lasted = Text(_duration(stage.seconds), style="red" if slow else "")
    if slow and usual is not None:
        lasted.append(f" (usually {_duration(usual.seconds)})")
    left = "" if stage.remaining_s is None else _duration(stage.remaining_s)
    return stage.name, f"{bar} {stage.fraction:4.0%}", lasted, left


def _usage_table(overview: Overview) -> Table:
    table = _table("slowest stages lately", "median", "per minute of clip", "runs")
    for stage in [*overview.usage.values()][:MAX_USAGE_SHOWN]:
        table.add_row(stage.name, _duration(stage.seconds), _duration(stage.seconds_per_minute), str(stage.runs))
    return table


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in titles:
        table.add_column(title)
    return table


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
