"""Keeps voices out of recordings that workers have heard, and deletes the recordings in any case."""

import asyncio
from functools import partial

from bot.database.deletion import DataDeletion
from bot.exceptions import RefusedError
from bot.i18n.translator import Translator, translator_for
from bot.jobs.delivery import Delivery
from bot.messages.errors import ErrorMessage, error_message, failure_message
from bot.retry import retry_until_done
from bot.voices.book import EnrolledVoice, VoiceBooks
from bot.voices.comparison import check_enrolment, only_voice, read_voices
from pipeline.errors import QueueError, StoreError
from pipeline.types import Result
from worker.protocol import Event, Failed, Finished, Job, ReplyTo, Stopped
from worker.queue import Queue
from worker.store import Store


class Recordings:
    """Ends the jobs of recordings.

    Args:
        store: Where the voices of recordings are.
        deletion: Deletes what the jobs leave.
        queue: Where they ran.
        delivery: Tells their people.
        books: The voices of people who agreed.

    """

    def __init__(
        self, store: Store, deletion: DataDeletion, queue: Queue, delivery: Delivery, books: VoiceBooks
    ) -> None:
        self._store = store
        self._deletion = deletion
        self._queue = queue
        self._delivery = delivery
        self._books = books

    async def end(self, job: Job, reply: ReplyTo, event: Event | None) -> bool:
        """Keep the voice that was heard, delete all else, and tell the person; return False when no way works.

        What was interrupted can be repeated.
        """
        translator = translator_for(reply.locale)
        text = await retry_until_done(partial(self._conclude, job, reply, event, translator))
        deleted = await retry_until_done(partial(self._deletion.delete_jobs, [job.id]))
        gone = translator.format("voice-recording-gone" if deleted else "voice-recording-going")
        shown = await retry_until_done(partial(self._delivery.answer, job, reply, f"{text}\n-# {gone}"))
        await retry_until_done(partial(self._queue.discard, job.id))
        await self._queue.purge_discarded()
        return shown

    async def withdraw(self, user_id: str = "", guild_id: str = "") -> bool:
        """Stop recordings that are still heard, of a person and on a server where given; False when there was none.

        Raises `DatabaseError`.
        """
        found = await self._books.withdraw(guild_id, user_id)
        for job_id in found:
            try:
                await self._queue.cancel(job_id)
            except QueueError:
                # It goes on for nothing: its yes is taken back.
                break
        return bool(found)

    async def _conclude(self, job: Job, reply: ReplyTo, event: Event | None, translator: Translator) -> str:
        """Keep the voice where there is one; return what the person is told."""
        reference = job.id[:8]
        match event:
            case Finished(result=result):
                try:
                    await self._keep(job, reply, result)
                except (RefusedError, StoreError) as error:
                    message = error_message(error, reference, translator)
                else:
                    return translator.format("voice-kept")
            case Failed(failure=failure):
                message = failure_message(failure, reference, translator)
            case Stopped():
                message = error_message(RefusedError("voice-withdrawn"), reference, translator)
            case _:
                message = ErrorMessage(message=translator.format("job-lost"), hint=translator.format("try-later"))
        return message.text(translator)

    async def _keep(self, job: Job, reply: ReplyTo, result: Result) -> None:
        guild_id, user_id = reply.guild_id or "", reply.user_id
        own = await self._books.enrolments(guild_id, user_id)
        if any(each.consented == job.submitted for each in own):
            # An earlier process was interrupted after that.
            return
        clip = await read_voices(result, self._store)
        if clip is None or not isinstance(job.consent, int):
            raise StoreError("The voices of a recording are missing.")
        voice = only_voice(clip)
        known = await self._books.known(guild_id, clip.model, clip.digest)
        await asyncio.to_thread(check_enrolment, clip, voice, user_id, known)
        kept = EnrolledVoice(user_id=user_id, vector=voice.vector, seconds=voice.seconds, consented=job.submitted)
        await self._books.enrol(
            guild_id, kept, model=clip.model, digest=clip.digest, text_version=job.consent, recording=job.id
        )
