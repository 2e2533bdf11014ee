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

from bot import discord_limits as limits
from bot.database.engine import RecordsError
from bot.error_handler import Notice, notice_of, notice_of_failure
from bot.i18n.translator import speech_for
from bot.jobs.delivery import Delivery, PassingError
from bot.jobs.result_files import fetched
from bot.jobs.sync import Bookkeeper
from bot.messages import embeds as cards
from pipeline.errors import QueueError, StoreError
from pipeline.types import Result
from worker.protocol import TERMINAL_EVENTS, Event, Failed, Finished, Job, ReplyTo, Started, Stopped
from worker.queue import Queue
from worker.store import Store

T = TypeVar("T")
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds between tries while the broker, the store or Discord is away."""
LOOK_OUT = 20.0
"""Seconds between two looks for jobs that nobody follows."""
STORE_TRIES = 5
"""Tries to read a result before its person is told that it cannot be had."""


class Courier:
    """Keeps one task per job."""

    def __init__(
        self,
        queue: Queue,
        store: Store,
        delivery: Delivery,
        *,
        interval: float = limits.EDIT_INTERVAL,
        pages: bool = False,
        books: Bookkeeper | None = None,
    ) -> None:
        self._queue = queue
        self._books = books
        self._store = store
        self._delivery = delivery
        self._interval = interval
        self._pages = pages
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._looking: list[asyncio.Task[None]] = []

    async def close(self) -> None:
        """Stop following; the jobs go on and are taken up by the next start."""
        tasks = [*self._tasks.values(), *self._looking]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def follow(self, job: Job) -> None:
        """Show the job's progress and bring its end, in the background; once per job."""
        if job.reply_to is None or job.id in self._tasks:
            return
        task = asyncio.create_task(self._serve(job, job.reply_to), name=f"job-{job.id}")
        self._tasks[job.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(job.id, None))

    async def resume(self) -> int:
        """Take up every job whose person has no answer yet; how many. Raises `QueueError`."""
        jobs = await self._queue.undelivered()
        for job in jobs:
            self.follow(job)
        return len(jobs)

    def start(self) -> None:
        """Look out, in the background, for jobs that others handed in, such as a replayed one."""
        self._looking.append(asyncio.create_task(self._look_out(), name="look-out"))
        if self._books is not None:
            self._looking.append(asyncio.create_task(self._keep_books(self._books, time.time()), name="bookkeeping"))

    async def _keep_books(self, books: Bookkeeper, before: float) -> None:
        """Bring to an end what an earlier process began and no queue knows of; then keep the books."""
        left = await _persist(lambda: books.left_behind(before))
        for job in left.handed_in:
            await _persist(partial(self._queue.submit, job))
            self.follow(job)
            structlog.get_logger(__name__).info("job_handed_in_again", job=job.id)
        self._looking.append(asyncio.create_task(self._tell_interrupted(books, left.acknowledged), name="interrupted"))
        await books.keep_up()

    async def _tell_interrupted(self, books: Bookkeeper, jobs: Sequence[Job]) -> None:
        """Their messages say that the clip is being received, and nobody receives it any more."""
        for job in jobs:
            if job.reply_to is not None:
                speech = speech_for(job.reply_to.locale)
                notice = Notice(message=speech.say("clip-interrupted"), hint=speech.say("clip-gone-hint"))
                shown = await self._explain(job, job.reply_to, notice)
                structlog.get_logger(__name__).info("interruption_told", job=job.id, shown=shown)
            await _persist(partial(books.release, job.id))

    async def _look_out(self) -> None:
        while True:
            await asyncio.sleep(LOOK_OUT)
            with suppress(QueueError):
                await self.resume()

    async def _serve(self, job: Job, reply: ReplyTo) -> None:
        log = structlog.get_logger(__name__).bind(job=job.id)
        try:
            event = await self._last_event(job, reply)
            if self._books is not None:
                await self._books.close(job.id, event)
            shown = await self._conclude(job, reply, event)
            await _persist(lambda: self._queue.confirm_delivery(job.id))
        except Exception as error:
            log.exception("job_unserved", error=type(error).__name__)
        else:
            log.info("job_served", end="none" if event is None else type(event).__name__.lower(), shown=shown)

    async def _last_event(self, job: Job, reply: ReplyTo) -> Event | None:
        """The event that ended the job, None when the job is gone; progress is shown until then."""
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._watch(job, reply)
            except QueueError:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                with suppress(QueueError):
                    if await self._queue.state(job.id) is None:
                        return None

    async def _watch(self, job: Job, reply: ReplyTo) -> Event | None:
        board = _Board(self._queue, self._delivery, job, reply)
        ticking = asyncio.create_task(board.tick(self._interval), name=f"progress-{job.id}")
        try:
            async for event in self._queue.events(job.id):
                board.view = board.view.after(event)
                if isinstance(event, Started) and self._books is not None:
                    await self._books.begin(job.id)
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

    async def _conclude(self, job: Job, reply: ReplyTo, event: Event | None) -> bool:
        """Show how the job ended; False when no way to do so is open."""
        speech = speech_for(reply.locale)
        match event:
            case Finished(result=result):
                return await self._bring_result(job, reply, result)
            case Stopped():
                kept = await self._has_begun(job)
                card = cards.cancelled_card(speech, job.source.name, kept=kept, again=job.id)
                return await _persist(lambda: self._delivery.settle(job, reply, card))
            case Failed(failure=failure):
                return await self._explain(job, reply, notice_of_failure(failure, job.id[:8], speech))
            case _:
                lost = Notice(message=speech.say("job-lost"), hint=speech.say("try-later"))
                return await self._explain(job, reply, lost)

    async def _has_begun(self, job: Job) -> bool:
        with suppress(QueueError):
            state = await self._queue.state(job.id)
            return state is not None and state.attempts > 0
        return False

    async def _bring_result(self, job: Job, reply: ReplyTo, result: Result) -> bool:
        attempt = 1
        while True:
            try:
                async with fetched(
                    job, reply.user_id, result, self._store, reply.size_limit, pages=self._pages
                ) as outcome:
                    return await _persist(partial(self._delivery.deliver, outcome, reply))
            except StoreError as error:
                structlog.get_logger(__name__).warning("store_away", job=job.id, attempt=attempt, detail=error.detail)
                if attempt == STORE_TRIES:
                    return await self._explain(job, reply, notice_of(error, job.id[:8], speech_for(reply.locale)))
            await asyncio.sleep(FIRST_PAUSE * 2**attempt)
            attempt += 1

    async def _explain(self, job: Job, reply: ReplyTo, notice: Notice) -> bool:
        """Tell the person in private and let the public message say no more than that there is no result."""
        speech = speech_for(reply.locale)
        text = notice.text(speech)
        told = await _persist(lambda: self._delivery.tell(job, reply, text))
        card = cards.failed_card(speech, job.source.name, reply.user_id, None if told else text)
        return await _persist(lambda: self._delivery.settle(job, reply, card))


async def _persist(act: Callable[[], Awaitable[T]]) -> T:
    """What `act` gives, tried until neither Discord nor the broker nor the database stands in the way."""
    pause = FIRST_PAUSE
    while True:
        try:
            return await act()
        except (PassingError, QueueError, RecordsError) as error:
            structlog.get_logger(__name__).warning("will_try_again", error=type(error).__name__, reason=str(error))
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


class _Board:
    """The message of a running job, edited at a steady pace whatever the number of events."""

    def __init__(self, queue: Queue, delivery: Delivery, job: Job, reply: ReplyTo) -> None:
        self.view = cards.View()
        self.editing = asyncio.Lock()
        self._queue = queue
        self._delivery = delivery
        self._job = job
        self._reply = reply
        self._shown: cards.Card | None = None

    async def tick(self, interval: float) -> None:
        """Edit when something changed, then wait; ends when the message can no longer be edited."""
        editable = True
        while editable:
            with suppress(PassingError, QueueError):
                async with self.editing:
                    editable = await self._edit()
            await asyncio.sleep(interval)

    async def _edit(self) -> bool:
        view = self.view
        if view.attempt == 0:
            view = cards.View(position=await self._queue.position(self._job.id))
        card = cards.progress_card(speech_for(self._reply.locale), self._job.source.name, self._job.id, view)
        if card == self._shown:
            return True
        editable = await self._delivery.show(self._job, self._reply, card)
        self._shown = card
        return editable
