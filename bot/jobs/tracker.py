"""Follows each job from the queue to its end in Discord, also when the bot was away meanwhile.

One background task a job. A job is confirmed only after its end was shown, so that a restart
takes up what was left; edits can be repeated and new messages carry a nonce, so nothing comes twice.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

import structlog

from bot import discord_limits
from bot.database.engine import DatabaseError
from bot.error_handler import ErrorMessage, error_message, failure_message
from bot.i18n.translator import translator_for
from bot.jobs.delivery import Delivery, TransientError
from bot.jobs.result_files import fetch_result
from bot.jobs.sync import JobSync
from bot.messages import embeds
from pipeline.errors import QueueError, StoreError
from pipeline.types import Result
from worker.protocol import TERMINAL_EVENTS, Event, Failed, Finished, Job, ReplyTo, Started, Stopped
from worker.queue import Queue
from worker.store import Store

T = TypeVar("T")
MIN_RETRY_DELAY_S = 1.0
MAX_RETRY_DELAY_S = 60.0
"""Seconds between tries while the broker, the store or Discord is away."""
POLL_INTERVAL_S = 20.0
"""Seconds between two looks for jobs that nobody follows."""
MAX_STORE_TRIES = 5
"""Tries to read a result before its person is told that it cannot be had."""


class JobTracker:
    """Keeps one task per job."""

    def __init__(
        self,
        queue: Queue,
        store: Store,
        delivery: Delivery,
        sync: JobSync,
        *,
        interval: float = discord_limits.EDIT_INTERVAL_S,
        pages: bool = False,
    ) -> None:
        self._queue = queue
        self._sync = sync
        self._store = store
        self._delivery = delivery
        self._interval = interval
        self._pages = pages
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._background: list[asyncio.Task[None]] = []

    async def close(self) -> None:
        """Stop following; the jobs go on and are taken up by the next start."""
        tasks = [*self._tasks.values(), *self._background]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def track(self, job: Job) -> None:
        """Show the job's progress and bring its end, in the background; once per job."""
        if job.reply_to is None or job.id in self._tasks:
            return
        task = asyncio.create_task(self._track(job, job.reply_to), name=f"job-{job.id}")
        self._tasks[job.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(job.id, None))

    async def resume(self) -> int:
        """Take up every job whose person has no answer yet; how many. Raises `QueueError`."""
        jobs = await self._queue.undelivered()
        for job in jobs:
            self.track(job)
        return len(jobs)

    def start(self) -> None:
        """Look out, in the background, for jobs that others handed in, such as a replayed one."""
        self._background.append(asyncio.create_task(self._poll_undelivered(), name="look-out"))
        self._background.append(asyncio.create_task(self._run_sync(self._sync, time.time()), name="bookkeeping"))

    async def _run_sync(self, sync: JobSync, before: float) -> None:
        """Bring to an end what an earlier process began and no queue knows of; then keep the books."""
        left = await _retry_forever(lambda: sync.interrupted_jobs(before))
        for job in left.submitted:
            await _retry_forever(partial(self._queue.submit, job))
            self.track(job)
            structlog.get_logger(__name__).info("job_handed_in_again", job=job.id)
        self._background.append(
            asyncio.create_task(self._report_interrupted(sync, left.acknowledged), name="interrupted")
        )
        await sync.run()

    async def _report_interrupted(self, sync: JobSync, jobs: Sequence[Job]) -> None:
        """Their messages say that the clip is being received, and nobody receives it any more."""
        for job in jobs:
            if job.reply_to is not None:
                translator = translator_for(job.reply_to.locale)
                message = ErrorMessage(
                    message=translator.format("clip-interrupted"), hint=translator.format("clip-gone-hint")
                )
                shown = await self._report_error(job, job.reply_to, message)
                structlog.get_logger(__name__).info("interruption_told", job=job.id, shown=shown)
            await _retry_forever(partial(sync.release, job.id))

    async def _poll_undelivered(self) -> None:
        while True:
            await asyncio.sleep(POLL_INTERVAL_S)
            with suppress(QueueError):
                await self.resume()

    async def _track(self, job: Job, reply: ReplyTo) -> None:
        log = structlog.get_logger(__name__).bind(job=job.id)
        try:
            event = await self._last_event(job, reply)
            await self._sync.record_end(job.id, event)
            shown = await self._show_end(job, reply, event)
            await _retry_forever(lambda: self._queue.confirm_delivery(job.id))
        except Exception as error:
            log.exception("job_unserved", error=type(error).__name__)
        else:
            log.info("job_served", end="none" if event is None else type(event).__name__.lower(), shown=shown)

    async def _last_event(self, job: Job, reply: ReplyTo) -> Event | None:
        """The event that ended the job, None when the job is gone; progress is shown until then."""
        pause = MIN_RETRY_DELAY_S
        while True:
            try:
                return await self._watch(job, reply)
            except QueueError:
                await asyncio.sleep(pause)
                pause = min(2 * pause, MAX_RETRY_DELAY_S)
                with suppress(QueueError):
                    if await self._queue.state(job.id) is None:
                        return None

    async def _watch(self, job: Job, reply: ReplyTo) -> Event | None:
        board = ProgressMessage(self._queue, self._delivery, job, reply)
        ticking = asyncio.create_task(board.run(self._interval), name=f"progress-{job.id}")
        try:
            async for event in self._queue.events(job.id):
                board.progress = board.progress.apply(event)
                if isinstance(event, Started):
                    await self._sync.record_start(job.id)
                if isinstance(event, TERMINAL_EVENTS):
                    return event
            return None
        finally:
            # An edit under way ends first: arriving later it would cover the result.
            async with board.editing:
                ticking.cancel()
            await asyncio.wait({ticking})
            if not ticking.cancelled() and (error := ticking.exception()) is not None:
                structlog.get_logger(__name__).error("progress_unshown", job=job.id, exc_info=error)

    async def _show_end(self, job: Job, reply: ReplyTo, event: Event | None) -> bool:
        """Show how the job ended; False when no way to do so is open."""
        translator = translator_for(reply.locale)
        match event:
            case Finished(result=result):
                return await self._deliver_result(job, reply, result)
            case Stopped():
                kept = await self._has_started(job)
                content = embeds.cancelled_embed(translator, job.source.name, kept=kept, again=job.id)
                return await _retry_forever(lambda: self._delivery.show_final(job, reply, content))
            case Failed(failure=failure):
                return await self._report_error(job, reply, failure_message(failure, job.id[:8], translator))
            case _:
                lost = ErrorMessage(message=translator.format("job-lost"), hint=translator.format("try-later"))
                return await self._report_error(job, reply, lost)

    async def _has_started(self, job: Job) -> bool:
        with suppress(QueueError):
            state = await self._queue.state(job.id)
            return state is not None and state.attempts > 0
        return False

    async def _deliver_result(self, job: Job, reply: ReplyTo, result: Result) -> bool:
        attempt = 1
        while True:
            try:
                async with fetch_result(
                    job, reply.user_id, result, self._store, reply.size_limit, pages=self._pages
                ) as result_message:
                    return await _retry_forever(partial(self._delivery.deliver, result_message, reply))
            except StoreError as error:
                structlog.get_logger(__name__).warning("store_away", job=job.id, attempt=attempt, detail=error.detail)
                if attempt == MAX_STORE_TRIES:
                    return await self._report_error(
                        job, reply, error_message(error, job.id[:8], translator_for(reply.locale))
                    )
            await asyncio.sleep(MIN_RETRY_DELAY_S * 2**attempt)
            attempt += 1

    async def _report_error(self, job: Job, reply: ReplyTo, message: ErrorMessage) -> bool:
        """Tell the person in private and let the public message say no more than that there is no result."""
        translator = translator_for(reply.locale)
        text = message.text(translator)
        told = await _retry_forever(lambda: self._delivery.notify(job, reply, text))
        content = embeds.failed_embed(translator, job.source.name, reply.user_id, None if told else text)
        return await _retry_forever(lambda: self._delivery.show_final(job, reply, content))


async def _retry_forever(act: Callable[[], Awaitable[T]]) -> T:
    """What `act` gives, tried until neither Discord nor the broker nor the database stands in the way."""
    pause = MIN_RETRY_DELAY_S
    while True:
        try:
            return await act()
        except (TransientError, QueueError, DatabaseError) as error:
            structlog.get_logger(__name__).warning("will_try_again", error=type(error).__name__, reason=str(error))
        await asyncio.sleep(pause)
        pause = min(2 * pause, MAX_RETRY_DELAY_S)


class ProgressMessage:
    """The message of a running job, edited at a steady pace whatever the number of events."""

    def __init__(self, queue: Queue, delivery: Delivery, job: Job, reply: ReplyTo) -> None:
        self.progress = embeds.JobProgress()
        self.editing = asyncio.Lock()
        self._queue = queue
        self._delivery = delivery
        self._job = job
        self._reply = reply
        self._shown: embeds.EmbedMessage | None = None

    async def run(self, interval: float) -> None:
        """Edit when something changed, then wait; ends when the message can no longer be edited."""
        editable = True
        while editable:
            with suppress(TransientError, QueueError):
                async with self.editing:
                    editable = await self._edit()
            await asyncio.sleep(interval)

    async def _edit(self) -> bool:
        view = self.progress
        if view.attempt == 0:
            view = embeds.JobProgress(position=await self._queue.position(self._job.id))
        content = embeds.progress_embed(translator_for(self._reply.locale), self._job.source.name, self._job.id, view)
        if content == self._shown:
            return True
        editable = await self._delivery.show_progress(self._job, self._reply, content)
        self._shown = content
        return editable
