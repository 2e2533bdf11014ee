"""Runs one job from its submission to its files, with workers of this machine where there are no others."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from rich.console import Console
from rich.markup import escape

from deploy.cli.job_client import follow, local_queue
from pipeline.errors import DamagedFileError
from pipeline.types import Result
from worker.protocol import Job, WorkerKind
from worker.settings import WorkerSettings
from worker.store import Store


async def run_local_job(
    settings: WorkerSettings,
    console: Console,
    kinds: Sequence[WorkerKind],
    *,
    build: Callable[[Store], Awaitable[Job]],
    write: Callable[[Result, Store], Awaitable[None]],
) -> Result:
    """Run a job and write its result; a file that turns out to be damaged is made once more.

    Args:
        settings: The broker, the store and what the workers need.
        console: Where progress is shown.
        kinds: Kinds of workers that may be started.
        build: Puts the job's files into the store, and makes the job.
        write: Writes the files of the result, while the workers are still there: to end them takes a moment.

    Raises:
        StemcordError: The job failed, or a worker cannot be started.
        Cancelled: The job was cancelled.
    """
    store = Store.open(settings.store_url, settings.keyring)
    async with local_queue(settings, console, kinds) as (queue, ensure_worker):
        starting = asyncio.create_task(ensure_worker("media"))

        async def run_once() -> Result:
            result = await follow(queue, await build(store), starting, ensure_worker, console)
            await write(result, store)
            return result

        try:
            return await run_once()
        except DamagedFileError as error:
            # It is out of the store now, and its stage makes it again.
            console.print(f"{escape(error.message)} It is made again.", highlight=False)
            return await run_once()
        finally:
            starting.cancel()
            await asyncio.wait({starting})
