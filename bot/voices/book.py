"""Voice-books in the database. Every method raises `DatabaseError`."""

import array
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.engine import Database, lock_writes
from bot.database.tables import ENROLLED_VOICES, VOICE_BOOKS, VOICE_MATCHES
from bot.exceptions import RefusedError
from bot.voices.consent import CONSENT_VERSION, ENROLMENT_DAYS, is_withdrawn, withdraw_recordings
from pipeline.errors import EncryptionKeyError
from worker.store import Keyring

DAY_S: Final = 86400.0
_VOICES: Final = ENROLLED_VOICES.c


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledVoice:
    """The voice of a person who agreed to it."""

    user_id: str
    vector: tuple[float, ...]
    seconds: float
    """Of speech that it was computed from."""
    confirmed: int = 0
    denied: int = 0
    consented: float = 0.0
    """Unix time of the yes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """That a voice is kept, without the vector."""

    guild_id: str
    user_id: str
    consented: float
    """Unix time."""
    text_version: int
    left_at: float | None


class VoiceBooks:
    """Keeps voices of people who agreed to it, by server.

    Args:
        database: Where they lie.
        keys: Encrypt each vector; None: there can be no voice-book.

    """

    def __init__(self, database: Database, keys: Keyring | None) -> None:
        self._database = database
        self._keys = keys

    def require_keys(self) -> Keyring:
        """Return what encrypts. Raises `RefusedError` where there is no key."""
        if self._keys is None:
            raise RefusedError("voice-no-key", "voice-no-key-hint")
        return self._keys

    async def is_enabled(self, guild_id: str) -> bool:
        """Tell whether a server has a voice-book, and a key for it."""
        if self._keys is None or not guild_id:
            return False
        async with self._database.transaction() as connection:
            return await _is_enabled(connection, guild_id)

    async def enable(self, guild_id: str) -> None:
        """Begin a voice-book. Raises `RefusedError` where there is no key."""
        self.require_keys()
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            if not await _is_enabled(connection, guild_id):
                await connection.execute(insert(VOICE_BOOKS).values(guild_id=guild_id, enabled=time.time()))

    async def disable(self, guild_id: str) -> int:
        """End a voice-book and delete all voices in it; return of how many people."""
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            await connection.execute(delete(VOICE_BOOKS).where(VOICE_BOOKS.c.guild_id == guild_id))
            return len(await _delete(connection, _VOICES.guild_id == guild_id))

    async def enrol(
        self,
        guild_id: str,
        voice: EnrolledVoice,
        *,
        model: str,
        digest: str,
        text_version: int | None,
        recording: str | None = None,
    ) -> None:
        """Keep the voice of a person who said yes, in place of what there is.

        Args:
            guild_id: The server.
            voice: The voice.
            model: Catalogue name of the embedding model.
            digest: Of that model.
            text_version: Of the text that the person said yes to; None: an earlier yes still holds.
            recording: The job of the recording that the yes was for, at `EnrolledVoice.consented`; None: it was just
                now.

        Raises:
            RefusedError: The server has no voice-book, or the text is another one by now, or there is no yes.

        """
        sealed = self._seal(voice, guild_id, model, digest)
        agreed = time.time() if recording is None else voice.consented
        one = (_VOICES.guild_id == guild_id) & (_VOICES.user_id == voice.user_id)
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            if not await _is_enabled(connection, guild_id):
                raise RefusedError("voice-off", "voice-off-hint")
            if text_version not in (None, CONSENT_VERSION):
                raise RefusedError("voice-text-changed", "voice-text-changed-hint")
            if recording is not None and await is_withdrawn(connection, recording):
                raise RefusedError("voice-withdrawn")
            earlier = (await connection.execute(select(ENROLLED_VOICES).where(one).limit(1))).one_or_none()
            if text_version is None and earlier is None:
                raise RefusedError("voice-no-consent")
            yes = {
                "text_version": CONSENT_VERSION if earlier is None or text_version else earlier.text_version,
                "consented": agreed if earlier is None or text_version else earlier.consented,
            }
            same = one & (_VOICES.model == model) & (_VOICES.digest == digest)
            await _delete(connection, same)
            await connection.execute(update(ENROLLED_VOICES).where(one).values(**yes, left_at=None))
            key = {"guild_id": guild_id, "user_id": voice.user_id, "model": model, "digest": digest}
            counts = {"confirmed": voice.confirmed, "denied": voice.denied}
            values = {**key, "vector": sealed, "seconds": voice.seconds, "left_at": None, **counts, **yes}
            await connection.execute(insert(ENROLLED_VOICES).values(values))

    async def withdraw(self, guild_id: str, user_id: str) -> list[str]:
        """Take the yes to recordings back whose voice is not kept yet, as `withdraw_recordings`; return their jobs."""
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            return await withdraw_recordings(connection, guild_id, user_id)

    async def forget(self, guild_id: str, user_id: str) -> bool:
        """Delete a person's voice in a server and what was found by it; False when there was none."""
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            mine = (_VOICES.guild_id == guild_id) & (_VOICES.user_id == user_id)
            matches = (VOICE_MATCHES.c.guild_id == guild_id) & (VOICE_MATCHES.c.user_id == user_id)
            await connection.execute(delete(VOICE_MATCHES).where(matches))
            return bool(await _delete(connection, mine))

    async def known(self, guild_id: str, model: str, digest: str) -> dict[str, EnrolledVoice]:
        """Return the voices of a server's members by the id of the person, as one model made them."""
        since = time.time() - ENROLMENT_DAYS * DAY_S
        here = (_VOICES.guild_id == guild_id) & _VOICES.left_at.is_(None) & (_VOICES.consented > since)
        async with self._database.transaction() as connection:
            if not await _is_enabled(connection, guild_id):
                return {}
            same = (_VOICES.model == model) & (_VOICES.digest == digest)
            rows = list(await connection.execute(select(ENROLLED_VOICES).where(here & same)))
        found = {row.user_id: self._voice(row) for row in rows}
        return {user_id: voice for user_id, voice in found.items() if voice is not None}

    async def enrolments(self, guild_id: str = "", user_id: str = "") -> list[Enrolment]:
        """Return whose voices are kept, of a server and of a person where they are given."""
        query = select(_VOICES.guild_id, _VOICES.user_id, _VOICES.consented, _VOICES.text_version, _VOICES.left_at)
        query = query.where(_VOICES.guild_id == guild_id) if guild_id else query
        query = query.where(_VOICES.user_id == user_id) if user_id else query
        async with self._database.transaction() as connection:
            rows = list(await connection.execute(query.distinct()))
        return [
            Enrolment(
                guild_id=row.guild_id,
                user_id=row.user_id,
                consented=row.consented,
                text_version=row.text_version,
                left_at=row.left_at,
            )
            for row in rows
        ]

    async def note_answer(self, guild_id: str, user_id: str, *, right: bool) -> None:
        """Count that a match of a person's voice was right or wrong."""
        mine = (_VOICES.guild_id == guild_id) & (_VOICES.user_id == user_id)
        count = {"confirmed": _VOICES.confirmed + 1} if right else {"denied": _VOICES.denied + 1}
        async with self._database.transaction() as connection:
            await connection.execute(update(ENROLLED_VOICES).where(mine).values(count))

    async def note_presence(self, guild_id: str, user_id: str, *, here: bool) -> None:
        """Note that a person is on a server, or since when they are not."""
        mine = (_VOICES.guild_id == guild_id) & (_VOICES.user_id == user_id)
        changed = mine & (_VOICES.left_at.is_not(None) if here else _VOICES.left_at.is_(None))
        async with self._database.transaction() as connection:
            values = {"left_at": None if here else time.time()}
            await connection.execute(update(ENROLLED_VOICES).where(changed).values(values))

    async def delete_expired(self, now: float, left_days: float) -> int:
        """Delete voices of people who left so many days ago, or who agreed too long ago; return of how many people."""
        gone = (_VOICES.left_at <= now - left_days * DAY_S) | (_VOICES.consented <= now - ENROLMENT_DAYS * DAY_S)
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            return len(await _delete(connection, gone))

    async def seal_anew(self) -> None:
        """Encrypt with the newest key what an older one encrypted, so that the older one can go."""
        if self._keys is None:
            return
        async with self._database.transaction() as connection:
            await lock_writes(connection)
            for row in list(await connection.execute(select(ENROLLED_VOICES))):
                voice = None if self._keys.is_current(bytes(row.vector)) else self._voice(row)
                if voice is None:
                    continue
                sealed = self._seal(voice, row.guild_id, row.model, row.digest)
                one = (_VOICES.guild_id == row.guild_id) & (_VOICES.user_id == row.user_id)
                same = one & (_VOICES.model == row.model) & (_VOICES.digest == row.digest)
                await connection.execute(update(ENROLLED_VOICES).where(same).values(vector=sealed))

    def _seal(self, voice: EnrolledVoice, guild_id: str, model: str, digest: str) -> bytes:
        about = _about(guild_id, voice.user_id, model, digest)
        return self.require_keys().encrypt_value(array.array("f", voice.vector).tobytes(), about)

    def _voice(self, row: Any) -> EnrolledVoice | None:  # noqa: ANN401 - a row of the library
        """Return a voice; None for one whose key is gone."""
        about = _about(row.guild_id, row.user_id, row.model, row.digest)
        vector = array.array("f")
        try:
            vector.frombytes(self.require_keys().decrypt_value(bytes(row.vector), about))
        except EncryptionKeyError as error:
            structlog.get_logger(__name__).warning("voice_unreadable", error=error.message)
            return None
        return EnrolledVoice(
            user_id=row.user_id,
            vector=tuple(vector),
            seconds=row.seconds,
            confirmed=row.confirmed,
            denied=row.denied,
            consented=row.consented,
        )


async def delete_voices_of(connection: AsyncConnection, user_id: str) -> None:
    """Delete a person's voice in all servers, and what was found by it."""
    await connection.execute(delete(VOICE_MATCHES).where(VOICE_MATCHES.c.user_id == user_id))
    await _delete(connection, _VOICES.user_id == user_id)


async def voices_of(connection: AsyncConnection, user_id: str) -> list[Mapping[str, Any]]:
    """Describe for a person which voices of theirs are kept, without the vectors."""
    rows = await connection.execute(select(ENROLLED_VOICES).where(_VOICES.user_id == user_id))
    return [
        {
            "server": row.guild_id,
            "agreed": row.consented,
            "text_version": row.text_version,
            "seconds": row.seconds,
            "model": row.model,
            "left": row.left_at,
            "found_rightly": row.confirmed,
            "found_wrongly": row.denied,
        }
        for row in rows
    ]


async def _is_enabled(connection: AsyncConnection, guild_id: str) -> bool:
    found = await connection.execute(select(VOICE_BOOKS.c.guild_id).where(VOICE_BOOKS.c.guild_id == guild_id))
    return found.one_or_none() is not None


async def _delete(connection: AsyncConnection, which: Any) -> set[tuple[str, str]]:  # noqa: ANN401 - an expression
    """Delete voices, and their bytes on the disk; return whose they were."""
    whose = await connection.execute(select(_VOICES.guild_id, _VOICES.user_id).where(which).distinct())
    people = {(row.guild_id, row.user_id) for row in whose}
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        await connection.execute(text("PRAGMA secure_delete = ON"))
    await connection.execute(delete(ENROLLED_VOICES).where(which))
    if is_sqlite:
        await connection.execute(text("PRAGMA secure_delete = OFF"))
    return people


def _about(guild_id: str, user_id: str, model: str, digest: str) -> bytes:
    """Return what a vector belongs to, so that it is not taken for another person's."""
    return "\0".join(("voice", guild_id, user_id, model, digest)).encode()
