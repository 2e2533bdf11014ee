"""Keeps, improves and forgets voices as their people wish, and takes their answers to what was found."""

import asyncio
from collections.abc import Mapping

import discord

from bot.database.deletion import DataDeletion
from bot.database.models import JobRecord
from bot.database.repository import Repository
from bot.database.speaker_names import VOICE, SpeakerName
from bot.exceptions import RefusedError
from bot.jobs.delivery import Delivery
from bot.settings import BotSettings
from bot.transcripts.naming import SpeakerNaming
from bot.voices.book import EnrolledVoice, VoiceBooks
from bot.voices.comparison import ClipVoice, ClipVoices, check_enrolment, join, read_voices
from bot.voices.finder import VoiceFinder
from bot.voices.matches import VoiceMatch, VoiceMatches
from bot.voices.recordings import Recordings
from worker.queue import Queue
from worker.store import Store


class Voices:
    """Does what has to do with voice-books.

    Args:
        repository: Where the results are recorded.
        store: Where the voices of clips are.
        naming: Names speakers.
        books: The voices of people who agreed.
        matches: What was found.
        finder: Finds it.
        recordings: Keeps voices by recordings.

    """

    def __init__(
        self,
        repository: Repository,
        store: Store,
        naming: SpeakerNaming,
        books: VoiceBooks,
        matches: VoiceMatches,
        finder: VoiceFinder,
        recordings: Recordings,
    ) -> None:
        self._repository = repository
        self._store = store
        self._naming = naming
        self.books = books
        self.matches = matches
        self.finder = finder
        self.recordings = recordings

    @classmethod
    def build(
        cls,
        client: discord.Client,
        repository: Repository,
        store: Store,
        naming: SpeakerNaming,
        settings: BotSettings,
        deletion: DataDeletion,
        queue: Queue,
        delivery: Delivery,
    ) -> "Voices":
        """Build everything."""
        books, matches = VoiceBooks(repository.database, settings.keyring), VoiceMatches(repository.database)
        shared = (repository, store, naming, books, matches)
        finder = VoiceFinder(client, *shared, left_days=settings.voice_left_days)
        return cls(*shared, finder, Recordings(store, deletion, queue, delivery, books))

    async def enrol(self, record: JobRecord, speaker_id: str, user_id: str, text_version: int) -> None:
        """Keep the voice of a speaker who says it is theirs, and said yes to a version of the text.

        Raises:
            RefusedError: It is not theirs, too short, or the server has no voice-book.
            StoreError: The voices of the clip cannot be read.
            DatabaseError: The database is unavailable.

        """
        named = (await self._naming.names(record)).get(speaker_id)
        if named is None or named.user_id != user_id or named.by != user_id:
            raise RefusedError("voice-not-yours", "voice-not-yours-hint")
        clip, voice = await self._voice_in(record, speaker_id)
        known = await self.books.known(record.guild_id, clip.model, clip.digest)
        await asyncio.to_thread(check_enrolment, clip, voice, user_id, known)
        enrolled = EnrolledVoice(user_id=user_id, vector=voice.vector, seconds=voice.seconds)
        await self.books.enrol(
            record.guild_id, enrolled, model=clip.model, digest=clip.digest, text_version=text_version
        )

    async def find_own(self, guild_id: str, user_id: str) -> tuple[JobRecord, str]:
        """Return the newest result of a server in which a person said which speaker they are, and the speaker's id.

        Raises `RefusedError` when there is none, and `DatabaseError`.
        """
        found: list[tuple[JobRecord, str]] = []
        for job_id in await self._repository.speaker_names.of_person(user_id):
            record = await self._repository.newest_of_message(job_id)
            if record is None or record.guild_id != guild_id or record.result is None or record.result.voices is None:
                continue
            names = await self._naming.names(record)
            own = [key for key, name in names.items() if (name.user_id, name.by) == (user_id, user_id)]
            found += [(record, speaker) for speaker in own]
        if not found:
            raise RefusedError("voice-no-clip", "voice-no-clip-hint")
        return max(found, key=lambda each: each[0].created)

    async def doubts(self, job_id: str) -> list[str]:
        """Return the names of people whom speakers of a result perhaps are. Raises `DatabaseError`."""
        matches = valid_matches(await self._repository.speaker_names.of(job_id), await self.matches.of(job_id))
        return list(dict.fromkeys(match.name for match in matches.values() if not match.sure))

    async def confirm(self, record: JobRecord, speaker_id: str, by: str) -> SpeakerName:
        """Say that a match is right; the person's own yes improves their voice.

        Raises `RefusedError` when there is nothing to say any longer, `StoreError`, `QueueError` and `DatabaseError`.
        """
        match = await self._take(record, speaker_id)
        name = SpeakerName(name=match.name, user_id=match.user_id, by=by)
        await self._naming.give(record, {speaker_id: name}, by)
        await self.books.note_answer(match.guild_id, match.user_id, right=True)
        if by == match.user_id:
            await self._improve(record, speaker_id, match)
        return name

    async def deny(self, record: JobRecord, speaker_id: str, by: str) -> SpeakerName:
        """Say that a match is wrong: it is taken back and counts against the voice. Raises what `confirm` raises."""
        match = await self._take(record, speaker_id)
        name = SpeakerName(name="", by=by)
        await self._naming.give(record, {speaker_id: name}, by)
        await self.books.note_answer(match.guild_id, match.user_id, right=False)
        return name

    async def disable(self, guild_id: str) -> int:
        """End a server's voice-book; return of how many people voices were deleted. Raises `DatabaseError`.

        Each yes to a recording that is still heard, and each guess that nobody has confirmed, go with it.
        """
        # First, or the voice would be kept should the voice-book be turned on again.
        await self.recordings.withdraw(guild_id=guild_id)
        count = await self.books.disable(guild_id)
        await self.finder.guesses.clear()
        return count

    async def forget(self, guild_id: str, user_id: str, *, past: bool) -> bool:
        """Delete a person's voice in a server at once; False when there was none. Raises `DatabaseError`.

        Guesses that nobody has confirmed go from earlier results as well.

        Args:
            guild_id: The server.
            user_id: The person.
            past: Take the person's name off the speakers of earlier results, too.

        """
        found = await self.matches.of_person(guild_id, user_id, sure=past)
        # First, or a recording that is being heard would be kept after it.
        heard = await self.recordings.withdraw(user_id, guild_id)
        had = await self.books.forget(guild_id, user_id)
        jobs = await self._repository.speaker_names.of_person(user_id) if past else []
        places = dict.fromkeys([*found, *((job_id, "") for job_id in jobs)])
        await self._take_names_back(guild_id, user_id, places, named=past)
        return had or heard

    async def forget_everywhere(self, user_id: str) -> None:
        """Delete a person's voice in all servers, and take their name off earlier results. Raises `DatabaseError`."""
        await self.recordings.withdraw(user_id)
        guilds = {enrolment.guild_id for enrolment in await self.books.enrolments(user_id=user_id)}
        for guild_id in guilds | await self.matches.guilds_of(user_id):
            await self.forget(guild_id, user_id, past=True)

    async def _take_names_back(
        self, guild_id: str, user_id: str, places: Mapping[tuple[str, str], None], *, named: bool
    ) -> None:
        """Take back what speakers are called by the voice, and with `named` also where somebody said who they are."""
        written: dict[str, None] = {}
        for job_id, found in places:
            record = await self._repository.newest_of_message(job_id)
            if record is None or record.guild_id != guild_id:
                continue
            names = await self._naming.names(record)
            own = [key for key, each in names.items() if named and each.user_id == user_id]
            own += [key for key, each in names.items() if key == found and each.by == VOICE]
            gone = {key: SpeakerName(name="") for key in own}
            await self._repository.speaker_names.give(record.id, gone, user_id)
            written[record.id] = None
        await self._naming.write_all(list(written))

    async def _take(self, record: JobRecord, speaker_id: str) -> VoiceMatch:
        names = await self._naming.names(record)
        if speaker_id not in names or names[speaker_id].by != VOICE:
            raise RefusedError("voice-answered")
        match = await self.matches.take(record.id, speaker_id)
        if match is None:
            raise RefusedError("voice-answered")
        return match

    async def _improve(self, record: JobRecord, speaker_id: str, match: VoiceMatch) -> None:
        """Add the speech of a clip to the voice of its person, who has just said that it is theirs."""
        clip, voice = await self._voice_in(record, speaker_id)
        known = (await self.books.known(match.guild_id, clip.model, clip.digest)).get(match.user_id)
        if known is not None:
            joined = await asyncio.to_thread(join, known, voice)
            await self.books.enrol(match.guild_id, joined, model=clip.model, digest=clip.digest, text_version=None)

    async def _voice_in(self, record: JobRecord, speaker_id: str) -> tuple[ClipVoices, ClipVoice]:
        clip = None if record.result is None else await read_voices(record.result, self._store)
        voice = None if clip is None else clip.find(speaker_id)
        if clip is None or voice is None:
            raise RefusedError("voice-short", "voice-short-hint", seconds=5)
        return clip, voice


def valid_matches(names: Mapping[str, SpeakerName], matches: Mapping[str, VoiceMatch]) -> dict[str, VoiceMatch]:
    """Leave out matches of speakers whom somebody has named since."""
    return {key: each for key, each in matches.items() if key in names and names[key].by == VOICE}
