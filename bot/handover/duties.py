"""What only one process of the bot does at a time: follow jobs, write and index edited results, find known voices."""

import asyncio
from typing import Final

import structlog

from bot.jobs.submission import JobSubmitter
from bot.jobs.tracker import JobTracker
from bot.retry import retry_until_done
from bot.search.indexer import SearchIndexer
from bot.transcripts.rewriter import TranscriptRewriter
from bot.voices.finder import VoiceFinder

SUBMISSION_TIMEOUT_S: Final = 120.0
"""Time for downloads to end before another process follows the jobs; it answers for what is left."""
DELIVERY_TIMEOUT_S: Final = 60.0
"""Time for results that are being sent."""


class JobDuties:
    """Begins and ends them; they can begin again."""

    def __init__(
        self,
        submitter: JobSubmitter,
        tracker: JobTracker,
        rewriter: TranscriptRewriter,
        indexer: SearchIndexer,
        voices: VoiceFinder,
    ) -> None:
        self._voices = voices
        self._submitter = submitter
        self._tracker = tracker
        self._rewriter = rewriter
        self._indexer = indexer
        self._resuming: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Follow the jobs that nobody follows, and keep the database in step."""
        self._tracker.start()
        self._indexer.start()
        self._voices.start()
        self._resuming = [
            asyncio.create_task(self._resume_jobs(), name="resume-jobs"),
            asyncio.create_task(self._rewriter.resume(), name="resume-rewriting"),
        ]

    async def begin_first(self) -> int:
        """Begin where there is no other process; return how many jobs are followed. Raises `QueueError`."""
        resumed = await self._tracker.resume()
        self._tracker.start()
        self._indexer.start()
        self._voices.start()
        self._resuming = [asyncio.create_task(self._rewriter.resume(), name="resume-rewriting")]
        return resumed

    async def search(self, allowed: bool) -> None:
        """Search for jobs that others submitted, or stop that: another process follows its own."""
        await self._tracker.search(allowed)

    async def end(self, *, at_once: bool) -> None:
        """End what was begun, and follow nothing more; `at_once`: another process follows it already."""
        self.stop_resuming()
        await self._submitter.close(0.0 if at_once else SUBMISSION_TIMEOUT_S)
        await self._rewriter.close()
        await self._indexer.close()
        await self._voices.close()
        await self._tracker.release(0.0 if at_once else DELIVERY_TIMEOUT_S)

    def stop_resuming(self) -> None:
        """Stop what `begin` left to do in the background."""
        for task in self._resuming:
            task.cancel()

    async def _resume_jobs(self) -> None:
        resumed = await retry_until_done(self._tracker.resume)
        structlog.get_logger(__name__).info("jobs_resumed", resumed=resumed)
