"""A page whose transcript people may edit, served as the bot does, with real records and a real store."""

import asyncio
import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from bot.database.engine import Database
from bot.database.models import StoredStatus
from bot.database.page_links import PageLinks
from bot.database.repository import Repository
from bot.database.transcript_edits import TranscriptEdits
from bot.jobs.quotas import Quotas
from bot.messages.job_progress import RunningJobs
from bot.transcripts.transcripts import Transcripts
from bot.web.app import Site
from bot.web.server import serve
from bot.web.signed_links import PageAddresses
from bot.web.sources.stored import StoredSource
from pipeline.audio import io as sound
from pipeline.types import Request, Result, Speaker, Transcript, Turn, Word
from tests.bot.web.test_server import free_port
from tests.bot.web.test_site import STEMS, TICKETS, write_result
from tests.bot.web.test_stored_source import ALICE, MODERATOR, Desk
from worker.protocol import Job, ReplyTo
from worker.store import Store

START_LIMIT = 30.0
SAID = (
    ("S1", "Good evening everyone, and welcome back to the show."),
    ("S2", "Thanks four having me."),
    ("S1", "Oh, wonderful."),
    ("S2", "The forecast was clear but people did not listen."),
    ("S1", "Why was that?"),
)
SPEAKERS = (Speaker(id="S1", name="Ann"), Speaker(id="S2", name="Ben"))
WORD_SECONDS = 0.3
LIST = ("storm", "harbour", "radio", "ferry", "wind", "and", "the", "that", "nobody", "could", "say", "it", "go")


def talk() -> Transcript:
    """Five lines of two voices; the word "four" is a doubtful one."""
    return transcript(SAID)


def long_talk(words: int) -> Transcript:
    """Lines of two voices with at least so many words."""
    chance = random.Random(7)
    said: list[tuple[str, str]] = []
    count = 0
    while count < words:
        length = chance.choice((2, 3, 6, 9, 14, 21, 30))
        said.append((f"S{1 + len(said) % 2}", " ".join(chance.choice(LIST) for _ in range(length)).capitalize() + "."))
        count += length
    return transcript(said)


def transcript(said: "tuple[tuple[str, str], ...] | list[tuple[str, str]]") -> Transcript:
    at, turns = 0.5, list[Turn]()
    for speaker, text in said:
        words: list[Word] = []
        for each in text.split():
            confidence = 0.31 if each == "four" else 0.97
            end = round(at + WORD_SECONDS, 3)
            words.append(Word(start=round(at, 3), end=end, text=each, confidence=confidence))
            at = end
        turn = Turn(start=words[0].start, end=at, speaker=speaker, text=text, overlap=False, words=tuple(words))
        turns.append(turn)
        at = round(at + 0.4, 3)
    return Transcript(language="en", duration=at, speakers=SPEAKERS, turns=tuple(turns))


@dataclass(frozen=True, slots=True)
class Addresses:
    """One page, for three people."""

    alice: str
    mo: str
    reader: str
    """Without the right to edit."""


@contextmanager
def edited_page(folder: Path, content: Transcript) -> Iterator[Addresses]:
    """Serve the page of a result with this transcript from a thread."""
    started, ended = threading.Event(), threading.Event()
    found: list[Addresses] = []

    def run() -> None:
        asyncio.run(_serve(folder, content, found, started, ended))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        assert started.wait(START_LIMIT), "the page was not served"
        yield found[0]
    finally:
        ended.set()
        thread.join(START_LIMIT)


async def _serve(
    folder: Path, content: Transcript, found: list[Addresses], started: threading.Event, ended: threading.Event
) -> None:
    store = Store.open(f"file://{folder / 'store'}")
    result = await _keep(store, folder / "result", content)
    reply = ReplyTo(application_id="1", channel_id="7", user_id=ALICE, guild_id="5", message_id="8")
    source = result.artefacts[0]
    job = Job(id=uuid.uuid4().hex, request=Request(), source=source, submitted=time.time(), reply_to=reply)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    async with Database.open(f"sqlite:///{folder / 'bot.sqlite3'}") as database:
        repository, links, desk = Repository(database, Quotas()), PageLinks(database), Desk()
        await repository.add_job(job)
        await repository.end_job(job.id, StoredStatus.FINISHED, result)
        transcripts = Transcripts.build(TranscriptEdits(database), repository, store, desk.rewrite)
        source = StoredSource(links, repository, store, desk, desk.rename, transcripts, RunningJobs())
        site = Site(source, TICKETS, public_url=address)
        made = PageAddresses(links, TICKETS, public_url=address, hours=24)
        alice, mo = [(await made.create(job.id, who)).url for who in (ALICE, MODERATOR)]
        token = TICKETS.read(alice.rstrip("/").rpartition("/")[2])
        async with serve(site, "127.0.0.1", port):
            found.append(Addresses(alice, mo, site.page_url(replace(token, edit=False))))
            started.set()
            await asyncio.to_thread(ended.wait)
        await transcripts.rewriter.close()


async def _keep(store: Store, folder: Path, content: Transcript) -> Result:
    write_result(folder)
    (folder / "transcript.json").write_bytes(msgspec.json.encode(content))
    seconds = np.arange(round(min(content.duration, 60.0) * 48_000)) / 48_000
    for name in STEMS:
        sound.write(folder / name, (0.1 * np.sin(1400 * seconds)).astype(np.float32)[:, None], 48_000)
    result = msgspec.json.decode((folder / "result.json").read_bytes(), type=Result)
    kept = [await store.put(folder / artefact.name, name=artefact.name) for artefact in result.artefacts]
    media = replace(result.media, duration=content.duration)
    return replace(result, artefacts=tuple(kept), media=media, speakers=content.speakers)
