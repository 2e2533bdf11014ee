"""Finds people by their voice in new results, and forgets those who have left."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import discord
import structlog

from bot.database.models import JobRecord
from bot.database.repository import Repository
from bot.database.speaker_names import VOICE, SpeakerName
from bot.error_handler import NETWORK_ERRORS
from bot.exceptions import DatabaseError
from bot.i18n.translator import translator_for
from bot.transcripts.naming import MAX_SPEAKER_NAME_CHARS, SpeakerNaming, name_of_person
from bot.voices.book import EnrolledVoice, VoiceBooks
from bot.voices.comparison import ClipVoices, compare, read_voices
from bot.voices.consent import is_recording
from bot.voices.guesses import Guesses
from bot.voices.matches import VoiceMatch, VoiceMatches
from pipeline.errors import StemcordError
from pipeline.types import Result, Speaker
from worker.store import Store

CHECK_INTERVAL_S: Final = 6 * 3600.0
"""Time between two looks at who has left."""
CATCH_UP_S: Final = 600.0
"""Before a start, in which results may have come that nobody looked at."""
ASK_TIMEOUT_S: Final = 10.0


class VoiceFinder:
    """Looks at each new result once, in the background.

    Args:
        client: Knows the servers and asks for members.
        repository: Where the results are recorded.
        store: Where the voices of clips are.
        naming: Names speakers.
        books: The voices of people who agreed.
        matches: What was found.
        left_days: How long a voice is kept after its person has left the server.

    """

    def __init__(
        self,
        client: discord.Client,
        repository: Repository,
        store: Store,
        naming: SpeakerNaming,
        books: VoiceBooks,
        matches: VoiceMatches,
        *,
        left_days: float,
    ) -> None:
        self._client = client
        self._repository = repository
        self._store = store
        self._naming = naming
        self._books = books
        self._matches = matches
        self.guesses = Guesses(repository, naming, matches)
        self._left_days = left_days
        self._waiting: dict[str, None] = {}
        self._working: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look again and again for people who have left."""
        self._watching = asyncio.create_task(self._watch(), name="voices-watch")

    async def close(self) -> None:
        """Stop; what was not looked at stays without names."""
        tasks = [task for task in (self._working, self._watching) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def finished(self, job_id: str) -> None:
        """Look for known voices in the result of a job, soon and in the background."""
        self._waiting[job_id] = None
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work(), name="voices-match")

    async def _work(self) -> None:
        while self._waiting:
            job_id = next(iter(self._waiting))
            del self._waiting[job_id]
            try:
                await self._follow(job_id)
            except StemcordError as error:
                log = structlog.get_logger(__name__)
                log.warning("voices_not_compared", job=job_id, error=type(error).__name__, detail=error.detail)
            except Exception as error:  # noqa: BLE001 - one result must not stop the others
                structlog.get_logger(__name__).warning("voices_not_compared", job=job_id, error=type(error).__name__)

    async def _follow(self, job_id: str) -> None:
        """Name the speakers of a new result whom the server's voice-book knows."""
        record = await self._repository.job(job_id)
        if record is None or record.result is None or record.job.replaces is True or is_recording(record.job):
            return
        if not await self._books.is_enabled(record.guild_id):
            return
        clip = await read_voices(record.result, self._store)
        known = {} if clip is None else await self._known_before(record, clip)
        if clip is None or not known:
            return
        named = {*(await self._naming.names(record)), *record.job.request.names}
        matches: dict[str, VoiceMatch] = {}
        for speaker, likeness in (await asyncio.to_thread(compare, clip, known)).items():
            person = await self._member(record.guild_id, likeness.user_id)
            if speaker not in named and isinstance(person, discord.Member):
                matches[speaker] = VoiceMatch(
                    guild_id=record.guild_id,
                    user_id=likeness.user_id,
                    name=name_of_person([person.display_name, person.name]),
                    probability=likeness.probability,
                    sure=likeness.sure,
                )
        # Discord was asked meanwhile, and somebody may have been forgotten.
        known = await self._known_before(record, clip)
        matches = {speaker: match for speaker, match in matches.items() if match.user_id in known}
        names = _names_for(record, record.result, matches)
        if names:
            await self._matches.save(record.id, {key: each for key, each in matches.items() if key in names})
            await self._naming.give(record, names, VOICE)

    async def _known_before(self, record: JobRecord, clip: ClipVoices) -> dict[str, EnrolledVoice]:
        """Return the voices of people who had said yes when the clip was sent."""
        known = await self._books.known(record.guild_id, clip.model, clip.digest)
        return {user_id: voice for user_id, voice in known.items() if voice.consented <= record.created}

    async def _watch(self) -> None:
        await self._client.wait_until_ready()
        with suppress(DatabaseError):
            for job_id in await self._repository.finished_since(time.time() - CATCH_UP_S):
                self.finished(job_id)
        while True:
            with suppress(DatabaseError):
                for enrolment in await self._books.enrolments():
                    found = await self._member(enrolment.guild_id, enrolment.user_id)
                    if found is not None:
                        await self._books.note_presence(enrolment.guild_id, enrolment.user_id, here=found is not False)
                await self._books.seal_anew()
                count = await self._books.delete_expired(time.time(), self._left_days)
                if count:
                    structlog.get_logger(__name__).info("voices_expired", count=count)
                await self.guesses.clear()
            await asyncio.sleep(CHECK_INTERVAL_S)

    async def _member(self, guild_id: str, user_id: str) -> discord.Member | bool | None:
        """Return a member; False where the person or the bot has left the server, None when nobody knows."""
        guild = self._client.get_guild(int(guild_id))
        if guild is None:
            return False
        if guild.unavailable:
            return None
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                return await guild.fetch_member(int(user_id))
        except discord.NotFound:
            return False
        except NETWORK_ERRORS:
            return None


def _names_for(record: JobRecord, result: Result, matches: Mapping[str, VoiceMatch]) -> dict[str, SpeakerName]:
    """Return what speakers are called who were found: by the person's name, or with a question."""
    reply = record.job.reply_to
    translator = translator_for("" if reply is None else reply.locale)
    speakers: Mapping[str, Speaker] = {speaker.id: speaker for speaker in result.speakers}
    names: dict[str, SpeakerName] = {}
    for key, match in matches.items():
        if key not in speakers:
            continue
        if match.sure:
            names[key] = SpeakerName(name=match.name, user_id=match.user_id)
        else:
            text = translator.format("voice-perhaps", speaker=speakers[key].name, name=match.name)
            names[key] = SpeakerName(name=text[:MAX_SPEAKER_NAME_CHARS])
    return names
