"""`stemcord jobs`: list, cancel, replay and discard jobs of the queue."""

import asyncio
import datetime
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.cli.errors import exit_on_failure
from deploy.local.embedded_broker import EmbeddedBroker
from worker.protocol import JobState
from worker.queue import Queue
from worker.settings import WorkerSettings

jobs = typer.Typer(help="Look at jobs; cancel, replay or discard them.", no_args_is_help=True)
JobId = Annotated[str, typer.Argument(help="The job's id, or its beginning when that is enough to tell it.")]
SHOWN_ID_CHARS = 12


@jobs.command("list")
def list_jobs() -> None:
    """Show all jobs of the last days, and those that were put aside."""
    with exit_on_failure():
        states = asyncio.run(_list())
    console = Console()
    if not states:
        console.print("There are no jobs.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    traced = any(state.job.trace_id for state in states)
    for title in (
        "id",
        "status",
        "task",
        "clip",
        "submitted",
        "attempts",
        "last error",
        *(("trace",) if traced else ()),
    ):
        table.add_column(title)
    for state in states:
        table.add_row(*_row(state), *((state.job.trace_id,) if traced else ()))
    console.print(table)


@jobs.command()
def cancel(job_id: JobId) -> None:
    """Stop a job that waits or runs."""
    _change(job_id, lambda queue, found: queue.cancel(found), done="cancelled", refused="has ended already")


@jobs.command()
def replay(job_id: JobId) -> None:
    """Run a failed, stopped or put-aside job again."""
    _change(job_id, lambda queue, found: queue.replay(found), done="queued again", refused="has not failed")


@jobs.command()
def discard(job_id: JobId) -> None:
    """Forget a job that has ended or cannot be read."""
    _change(job_id, lambda queue, found: queue.discard(found), done="discarded", refused="has not ended")


def _change(job_id: str, change: Callable[[Queue, str], Awaitable[bool]], *, done: str, refused: str) -> None:
    async def work() -> tuple[str | None, bool]:
        async with _connected_queue() as queue:
            found = [state.job.id for state in await queue.jobs() if state.job.id.startswith(job_id)]
            return (found[0], await change(queue, found[0])) if len(found) == 1 else (None, False)

    with exit_on_failure():
        found, changed = asyncio.run(work())
    if found is None:
        typer.echo(f"No single job is called {job_id}; `stemcord jobs list` shows all.", err=True)
        raise typer.Exit(2)
    typer.echo(f"{found} is {done}." if changed else f"{found} {refused}.", err=not changed)
    raise typer.Exit(0 if changed else 1)


async def _list() -> list[JobState]:
    async with _connected_queue() as queue:
        return await queue.jobs()


@asynccontextmanager
async def _connected_queue() -> AsyncGenerator[Queue]:
    settings = WorkerSettings()
    async with AsyncExitStack() as stack:
        url = settings.redis_url or await stack.enter_async_context(EmbeddedBroker(settings.home))
        yield await stack.enter_async_context(Queue.connect(url))


def _row(state: JobState) -> tuple[str, ...]:
    job = state.job
    ago = datetime.timedelta(seconds=round(max(time.time() - job.submitted, 0)))
    waiting = f" ({state.position} before it)" if state.status == "queued" and state.position is not None else ""
    task = f"{job.request.task.value} (ahead)" if job.prefetch else job.request.task.value
    return (
        job.id[:SHOWN_ID_CHARS],
        state.status + waiting,
        task,
        job.source.name,
        f"{ago} ago" if job.submitted else "",
        str(state.attempts),
        state.error,
    )
