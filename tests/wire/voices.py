"""Voice-books as tests see them: voices by their vectors, people who agreed, and what is kept where."""

import base64
import json
import math
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import numpy as np
import redis.asyncio
from numpy.typing import NDArray

from bot.database.sqlite.file import open_file
from tests.folders import files_below
from tests.wire.answers import private
from tests.wire.light import LightStack
from tests.wire.objects import Message
from tests.wire.openapi import Description
from tests.wire.shapes import Json
from tests.wire.talks import Talk, ids, talk, told
from worker.store import Store, read_keyring

KEYS = f"test:{base64.b64encode(bytes(range(32))).decode()}"
MODEL, DIGEST = "campplus", "d" * 64
SURE, UNSURE, STRANGE = 0.9, 0.755, 0.3
"""Cosines: the calibration names from 0.79 on and asks from 0.72 on."""
Vector = NDArray[np.float64]


@asynccontextmanager
async def voiced_bot(folder: Path, description: Description) -> AsyncIterator[LightStack]:
    """The bot with a key, a voice-book, and no patience for people who leave."""
    settings = {"STEMCORD_ENCRYPTION_KEYS": KEYS, "STEMCORD_VOICE_LEFT_DAYS": "0"}
    async with LightStack.start(folder, settings=settings) as stack:
        stack.store = Store.open(f"file://{folder / 'home' / 'store'}", read_keyring(KEYS))
        await command(stack, "enable", stack.fake.world.person)
        yield stack
        assert stack.bot is not None
        assert stack.bot.running, stack.report()
        assert not (found := stack.fake.violations(description)), "\n".join(found)


async def command(light: LightStack, name: str, by: Json, **options: Any) -> Message:
    return await private(light, await light.fake.slash(f"voice {name}", by=by, **options))


def new_voice() -> Vector:
    vector = np.random.default_rng(time.monotonic_ns()).normal(size=192)
    return vector / np.linalg.norm(vector)


def like(voice: Vector, cosine: float) -> Vector:
    """Another recording, this similar."""
    other = new_voice()
    other -= other.dot(voice) * voice
    return cosine * voice + math.sqrt(1 - cosine**2) * other / np.linalg.norm(other)


def described(*voices: Vector, seconds: float = 12.0) -> bytes:
    """What the worker writes of the voices of a clip, in the order of its speakers."""
    listed = [
        {"name": f"speaker-{number}", "vector": voice.tolist(), "seconds": seconds}
        for number, voice in enumerate(voices)
    ]
    return json.dumps({"version": 1, "model": MODEL, "digest": DIGEST, "voices": listed}).encode()


def database(light: LightStack) -> "closing[sqlite3.Connection]":
    """The bot's own database, which is encrypted; closed at the end of the block."""
    return closing(open_file(light.folder / "home" / "bot.sqlite3", read_keyring(KEYS)).connect())


def rows(light: LightStack, of: Json | None = None) -> list[Any]:
    """What the database keeps of voices."""
    with database(light) as connection:
        query = "SELECT user_id, vector, seconds, text_version, consented, confirmed, denied FROM enrolled_voices"
        found = connection.execute(query).fetchall()
    return [row for row in found if of is None or row[0] == of["id"]]


def stored(light: LightStack) -> set[str]:
    """Every file of the store."""
    root = light.folder / "home" / "store"
    return {str(path.relative_to(root)) for path in files_below(root)}


async def queued(light: LightStack) -> set[bytes]:
    """Every key of the broker that says something of a job."""
    async with redis.asyncio.Redis.from_url(light.broker_url) as broker:
        return {key async for key in broker.scan_iter("*")}


async def said_so(of: Talk, person: Json, index: int = 0) -> None:
    """Somebody says which speaker they are."""
    listed = await of.listed(by=person)
    await of.light.fake.click(ids(listed, "thisisme")[index], listed, by=person)
    await told(of.light, listed, "You are “")
    await of.rewritten()


async def enrolled(light: LightStack, folder: Path, name: str) -> tuple[Json, Vector]:
    """A person who agreed, and their voice."""
    person, voice = await light.fake.add_person(f"{name}{time.monotonic_ns()}"), new_voice()
    of = await talk(light, folder, "My own voice.", by=person, voices=described(voice))
    await said_so(of, person)
    asked = await command(light, "enrol", person)
    assert len(asked.buttons) == 1, asked.text
    (agree,) = asked.buttons
    await light.fake.click(agree, asked, by=person)
    await told(light, asked, "Your voice is kept.")
    return person, voice
