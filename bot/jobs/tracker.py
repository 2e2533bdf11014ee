"""Follows each job from the queue until its end is shown in Discord, also when the bot was away meanwhile.

Each job has a background task. A job is confirmed only after its end was shown, so that a restart continues with the
others; edits can be repeated and new messages carry a nonce, so nothing arrives twice.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from typing import Final

import stamina
import structlog
from cachetools import LRUCache
from msgspec import UNSET

from bot import discord_limits
from bot.i18n.translator import translator_for
from bot.jobs.batch_cards import BatchCards
from bot.jobs.delivery import Delivery
from bot.jobs.progress_message import ProgressMessage
from bot.jobs.quotas import Cost
from bot.jobs.result_files import fetch_result
from bot.jobs.sync import JobSync
from bot.messages import embeds
from bot.messages.errors import ErrorMessage, error_message, failure_message
from bot.messages.features import NO_FEATURES, Features
from bot.messages.formatting import escape, shorten
from bot.messages.job_progress import RunningJobs
from bot.retry import retry_until_done
from bot.voices.consent import is_recording
from pipeline.errors import QueueError, StoreError
from pipeline.types import Result
from worker.protocol import TERMINAL_EVENTS, Event, Failed, Finished, Job, ReplyTo, Started, Stopped
from worker.queue import Queue
from worker.store import Store
from worker.telemetry import current_metrics, sampling, span

EndRecording = Callable[[Job, ReplyTo, Event | None], Awaitable[bool]]
POLL_INTERVAL_S: Final = 20.0
"""Time between two searches for jobs that nobody follows."""
MAX_STORE_ATTEMPTS: Final = 5
MAX_TRACKED_MESSAGES: Final = 1000
"""Messages of which the latest job is known; far more than change at once."""
_STORE_RETRY = stamina.AsyncRetryingCaller(
    attempts=MAX_STORE_ATTEMPTS, timeout=None, wait_initial=2.0, wait_max=16.0, wait_jitter=0.0, wait_exp_base=2
).on(StoreError)


class JobTracker:
    """Shows the progress and the end of jobs.

    Args:
        queue: Where the jobs run.
        store: Where their results are.
        delivery: Sends the messages.
        sync: Records what happens to the jobs.
        end_recording: Ends jobs that only their person hears of.
        interval_s: Time between two edits of a message.
        features: What this bot has beside its commands.
        cards: Show batches of jobs.

    """

    def __init__(
        self,
        queue: Queue,
        store: Store,
        delivery: Delivery,
        sync: JobSync,
        end_recording: EndRecording,
        *,
        interval_s: float = discord_limits.EDIT_INTERVAL_S,
        features: Features = NO_FEATURES,
        cards: BatchCards | None = None,
    ) -> None:
        self._end_recording = end_recording
        self.running = RunningJobs()
        self._cards = cards
        self._queue = queue
        self._sync = sync
        self._store = store
        self._delivery = delivery
        self._interval_s = interval_s
        self.features = features
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turns: LRUCache[str, asyncio.Lock] = LRUCache(MAX_TRACKED_MESSAGES)
        self._latest: LRUCache[str, float] = LRUCache(MAX_TRACKED_MESSAGES)
        self._background: list[asyncio.Task[None]] = []
        self._ending: set[str] = set()
        """Jobs whose end is being shown."""
        self._searches = True
        self._search = asyncio.Lock()
        self._follows = True

    async def close(self) -> None:
        """Stop following; the jobs go on, and the next start follows them again."""
        tasks = [*self._tasks.values(), *self._background]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._cards is not None:
            await self._cards.close()

    def track(self, job: Job) -> None:
        """Show a job's progress and end, in the background; once for each job."""
        if job.reply_to is None or job.id in self._tasks or not self._follows:
            return
        task = asyncio.create_task(self._track(job, job.reply_to), name=f"job-{job.id}")
        self._tasks[job.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(job.id, None))

    async def resume(self) -> int:
        """Follow every job whose person has no answer yet; return how many. Raises `QueueError`."""
        async with self._search:
            jobs = await self._queue.undelivered()
            for job in jobs:
                self.track(job)
            return len(jobs)

    async def search(self, allowed: bool) -> None:
        """Search for jobs that others submitted, or stop that: another process follows its own."""
        self._searches = allowed
        async with self._search:
            # What was being searched for is found.
            return

    async def release(self, limit_s: float) -> None:
        """Follow nothing more: another process does from now on. Ends that are being shown are waited for."""
        self._follows = False
        for task in (*self._background, *(task for job, task in self._tasks.items() if job not in self._ending)):
            task.cancel()
        self._background.clear()
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=limit_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._cards is not None:
            await self._cards.close()

    async def report_error(self, job: Job, error: Exception) -> None:
        """Tell the person of a job that it was not submitted, by whatever way works, however long Discord is away."""
        if job.reply_to is not None:
            message = error_message(error, job.id[:8], translator_for(job.reply_to.locale))
            shown = await self._show_error(job, job.reply_to, message)
            structlog.get_logger(__name__).info("error_reported", job=job.id, shown=shown)

    def start(self) -> None:
        """Search, in the background, for jobs that others submitted, and keep the database in step."""
        self._follows = True
        self._background.append(asyncio.create_task(self._poll_undelivered(), name="poll-undelivered"))
        self._background.append(asyncio.create_task(sampling.sample_queue(self._queue), name="sample-queue"))
        self._background.append(asyncio.create_task(self._run_sync(time.time()), name="job-sync"))

    async def _run_sync(self, before: float) -> None:
        """Finish what an earlier process began and the queue does not know; then keep the database in step."""
        interrupted = await retry_until_done(lambda: self._sync.interrupted_jobs(before))
        for job in interrupted.submitted:
            await retry_until_done(partial(self._queue.submit, job))
            self.track(job)
            structlog.get_logger(__name__).info("job_submitted_again", job=job.id)
        report = self._report_interrupted(interrupted.acknowledged)
        self._background.append(asyncio.create_task(report, name="report-interrupted"))
        await self._sync.run()

    async def _report_interrupted(self, jobs: Sequence[Job]) -> None:
        """Answer the people whose clip nobody downloads any more."""
        for job in jobs:
            if job.reply_to is not None:
                translator = translator_for(job.reply_to.locale)
                message = ErrorMessage(
                    message=translator.format("clip-interrupted"), hint=translator.format("clip-gone-hint")
                )
                shown = await self._show_error(job, job.reply_to, message)
                structlog.get_logger(__name__).info("interruption_reported", job=job.id, shown=shown)
            await retry_until_done(partial(self._sync.release, job.id))
            if self._cards is not None:
                await self._cards.update(job)

    async def _poll_undelivered(self) -> None:
        while True:
            await asyncio.sleep(POLL_INTERVAL_S)
            if self._searches:
                with suppress(QueueError):
                    await self.resume()

    async def _track(self, job: Job, reply: ReplyTo) -> None:
        log = structlog.get_logger(__name__).bind(job=job.id)
        try:
            cost = Cost()
            event = await retry_until_done(lambda: self._watch(job, reply, cost))
            self._ending.add(job.id)
            await self._sync.record_end(job.id, event, cost.seconds)
            with span("deliver", trace=job.trace) as delivering:
                shown = await self._show_in_order(job, reply, event)
                delivering.set("stemcord.shown", shown)
            if self._cards is not None:
                await self._cards.update(job)
            if (metrics := current_metrics()) is not None:
                metrics.count_delivery(shown=shown)
            await retry_until_done(lambda: self._queue.confirm_delivery(job.id))
        except Exception as error:
            log.exception("job_not_delivered", error=type(error).__name__)
        else:
            log.info("job_delivered", end="none" if event is None else type(event).__name__.lower(), shown=shown)
        finally:
            self._ending.discard(job.id)
            self.running.end(job.id)

    async def _watch(self, job: Job, reply: ReplyTo, cost: Cost) -> Event | None:
        """Show progress until a job ends; return its last event, or None when the queue lost the job."""
        state = await self._queue.state(job.id)
        if state is None:
            return None
        # The message of a job that has ended may show its result already, as a card that takes no embed any more.
        shows_progress = job.replaces is not True and state.status in ("queued", "running")
        message = ProgressMessage(self._queue, self._delivery, job, reply, self.running, pages=self.features.pages)
        async with message.editing(self._interval_s) if shows_progress else nullcontext():
            async for event in self._queue.events(job.id):
                self.running.apply(job.id, event)
                cost.add(event)
                if isinstance(event, Started):
                    await self._sync.record_start(job.id)
                    if self._cards is not None:
                        self._cards.update_soon(job)
                if isinstance(event, TERMINAL_EVENTS):
                    return event
        return None

    async def _show_in_order(self, job: Job, reply: ReplyTo, event: Event | None) -> bool:
        """Show how a job ended, unless its message shows a later one; jobs of one message but recordings take turns."""
        if reply.message_id is None or is_recording(job):
            return await self._show_end(job, reply, event)
        async with self._turns.setdefault(reply.message_id, asyncio.Lock()):
            # What was shown before a restart only the database knows.
            if job.submitted < self._latest.get(reply.message_id, 0.0) or await self._sync.is_replaced(job):
                return True
            shown = await self._show_end(job, reply, event)
            if isinstance(event, Finished):
                self._latest[reply.message_id] = job.submitted
            return shown

    async def _show_end(self, job: Job, reply: ReplyTo, event: Event | None) -> bool:
        """Show how a job ended; return False when no route works."""
        if is_recording(job):
            return await self._end_recording(job, reply, event)
        translator = translator_for(reply.locale)
        match event:
            case Finished(result=result):
                return await self.show_result(job, reply, result)
            case Stopped() if job.replaces is True:
                return True
            case Stopped():
                kept = await self._has_started(job)
                content = embeds.cancelled_embed(translator, job.source.name, kept=kept, again=job.id)
                return await retry_until_done(lambda: self._delivery.show_final(job, reply, content))
            case Failed(failure=failure):
                return await self._show_error(job, reply, failure_message(failure, job.id[:8], translator))
            case _:
                lost = ErrorMessage(message=translator.format("job-lost"), hint=translator.format("try-later"))
                return await self._show_error(job, reply, lost)

    async def _has_started(self, job: Job) -> bool:
        with suppress(QueueError):
            state = await self._queue.state(job.id)
            return state is not None and state.attempts > 0
        return False

    async def show_result(self, job: Job, reply: ReplyTo, result: Result) -> bool:
        """Deliver a result with its files; return False when no route works."""

        async def deliver() -> bool:
            size_limit = reply.size_limit
            async with fetch_result(
                job, reply.user_id, result, self._store, size_limit, features=self.features
            ) as result_message:
                return await retry_until_done(partial(self._delivery.deliver, result_message, reply))

        try:
            return await _STORE_RETRY(deliver)
        except StoreError as error:
            structlog.get_logger(__name__).warning("store_unavailable", job=job.id, detail=error.detail)
            return await self._show_error(job, reply, error_message(error, job.id[:8], translator_for(reply.locale)))

    async def _show_error(self, job: Job, reply: ReplyTo, message: ErrorMessage) -> bool:
        """Tell the person in private; show in public that there is no result, unless there is an earlier one."""
        translator = translator_for(reply.locale)
        text = message.text(translator)
        if job.batch is not UNSET:
            # In private nothing else says which of its clips is meant.
            text = shorten(f"**{escape(job.source.name)}**: {text}", discord_limits.MAX_CONTENT_CHARS)
        notified = await retry_until_done(lambda: self._delivery.notify(job, reply, text))
        if job.replaces is True:
            return notified
        content = embeds.failed_embed(translator, job.source.name, reply.user_id, None if notified else text)
        return await retry_until_done(lambda: self._delivery.show_final(job, reply, content))
