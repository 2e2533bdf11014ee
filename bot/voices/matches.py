"""What was found by voice in a result, as long as nobody took it back. Every method raises `DatabaseError`."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.engine import Database, lock_writes
from bot.database.messages import jobs_of_message
from bot.database.tables import ENROLLED_VOICES, VOICE_MATCHES


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceMatch:
    """Whose voice a speaker's is, or may be."""

    guild_id: str
    user_id: str
    name: str
    """Of the person on the server."""
    probability: float
    sure: bool


class VoiceMatches:
    """Stores matches by the speaker, for the message of a job."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, job_id: str) -> dict[str, VoiceMatch]:
        """Return what was found in a result, by the id of the speaker."""
        async with self._database.transaction() as connection:
            jobs = await jobs_of_message(connection, job_id)
            rows = list(await connection.execute(select(VOICE_MATCHES).where(VOICE_MATCHES.c.job_id.in_(jobs))))
        return {
            row.speaker_id: VoiceMatch(
                guild_id=row.guild_id,
                user_id=row.user_id,
                name=row.name,
                probability=row.probability,
                sure=bool(row.sure),
            )
            for row in rows
        }

    async def of_person(self, guild_id: str, user_id: str, *, sure: bool = True) -> list[tuple[str, str]]:
        """Return jobs and speakers in which a person's voice was found, surely or perhaps; not `sure`: perhaps."""
        mine = (VOICE_MATCHES.c.guild_id == guild_id) & (VOICE_MATCHES.c.user_id == user_id)
        mine = mine if sure else mine & VOICE_MATCHES.c.sure.is_(False)
        async with self._database.transaction() as connection:
            rows = await connection.execute(select(VOICE_MATCHES.c.job_id, VOICE_MATCHES.c.speaker_id).where(mine))
            return [(row.job_id, row.speaker_id) for row in rows]

    async def outlived(self) -> list[tuple[str, str]]:
        """Return jobs and speakers who are perhaps somebody whose voice is not kept any longer."""
        voices, found = ENROLLED_VOICES.c, VOICE_MATCHES.c
        kept = exists().where(voices.guild_id == found.guild_id, voices.user_id == found.user_id)
        query = select(found.job_id, found.speaker_id).where(found.sure.is_(False), ~kept)
        async with self._database.transaction() as connection:
            return [(row.job_id, row.speaker_id) for row in await connection.execute(query)]

    async def guilds_of(self, user_id: str) -> set[str]:
        """Return the servers in which a person's voice was found."""
        query = select(VOICE_MATCHES.c.guild_id).where(VOICE_MATCHES.c.user_id == user_id).distinct()
        async with self._database.transaction() as connection:
            return {row.guild_id for row in await connection.execute(query)}

    async def save(self, job_id: str, matches: Mapping[str, VoiceMatch]) -> None:
        """Store what was found, in place of what there was."""
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            jobs = await jobs_of_message(connection, job_id)
            await connection.execute(delete(VOICE_MATCHES).where(VOICE_MATCHES.c.job_id.in_(jobs)))
            for speaker, match in matches.items():
                values = {
                    "job_id": jobs[0],
                    "speaker_id": speaker,
                    "guild_id": match.guild_id,
                    "user_id": match.user_id,
                    "name": match.name[:100],
                    "probability": match.probability,
                    "sure": match.sure,
                }
                await connection.execute(insert(VOICE_MATCHES).values(values))

    async def take(self, job_id: str, speaker_id: str) -> VoiceMatch | None:
        """Take out what was found of a speaker, since somebody answered; None when there is nothing any longer."""
        found = (await self.of(job_id)).get(speaker_id)
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            jobs = await jobs_of_message(connection, job_id)
            one = VOICE_MATCHES.c.job_id.in_(jobs) & (VOICE_MATCHES.c.speaker_id == speaker_id)
            deleted = (await connection.execute(delete(VOICE_MATCHES).where(one))).rowcount
        return found if deleted else None


async def hand_over_matches(connection: AsyncConnection, job_id: str, to_job_id: str) -> None:
    """Keep what was found in a job by another one of its message."""
    await connection.execute(update(VOICE_MATCHES).where(VOICE_MATCHES.c.job_id == job_id).values(job_id=to_job_id))
