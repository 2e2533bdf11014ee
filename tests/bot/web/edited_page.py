"""A page whose transcript is changed, over real sockets, with real records and a real store."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.database.engine import Database
from bot.database.models import JobRecord, StoredStatus
from bot.database.page_links import PageLinks
from bot.database.repository import Repository
from bot.database.transcript_edits import TranscriptEdits
from bot.jobs.quotas import Quotas
from bot.messages.job_progress import RunningJobs
from bot.transcripts.transcripts import Transcripts
from bot.web.app import Site
from bot.web.signed_links import PageAddresses
from bot.web.sources.stored import StoredSource
from pipeline.edits.edit_file import EditFile
from pipeline.edits.edited_transcript import edit_transcript
from pipeline.edits.lines import EditableTranscript, see
from pipeline.types import Artefact, Request
from pipeline.types.edited import EditedTranscript
from tests.bot.web.test_site import TICKETS
from tests.bot.web.test_stored_source import ALICE, Desk, keep_result
from tests.pipeline.export.dialogue import heard, talk
from worker.protocol import Job, ReplyTo
from worker.store import Store

TALK = EditableTranscript.of(talk())
FIRST, THANKS, QUESTION, DOES = (msgspec.to_builtins(see(line)) for line in TALK.lines)
MEND = {"op": "set_words", "seen": THANKS, "words": ["Thanks", "for", "halving", "it."]}
TO_NEW = {"op": "give", "seen": QUESTION, "speaker": "S3", "name": "Eve"}


@dataclass
class Writing(Desk):
    """Does the jobs that write files again, as a worker does, unless they are held back."""

    repository: Repository | None = None
    store: Store | None = None
    folder: Path = Path()
    held: bool = False

    async def asked_for(self, count: int) -> None:
        """Wait until so many jobs were asked for."""
        async with asyncio.timeout(20):
            while len(self.rewritten) < count:
                await asyncio.sleep(0.02)

    async def write(self, job: Job) -> Job:
        assert self.repository is not None
        assert self.store is not None
        await self.repository.add_job(job)
        edits = job.request.transcript_edits
        assert edits is not None
        file = msgspec.json.decode(await self.store.read(edits, max_bytes=1 << 20), type=EditFile)
        kept = EditedTranscript(language="en", duration=talk().duration, speakers=talk().speakers, turns=talk().turns)
        edited = edit_transcript(kept, heard(talk()), file).transcript
        while self.held:
            await asyncio.sleep(0.01)
        path = self.folder / uuid.uuid4().hex
        path.write_bytes(msgspec.json.encode(edited))
        record = await self.repository.newest_of_message(job.id)
        assert record is not None
        assert record.result is not None
        artefacts = (await self.store.put(path, name="transcript.json"), *record.result.artefacts[1:])
        result = replace(record.result, request=job.request, artefacts=artefacts, speakers=edited.speakers)
        await self.repository.end_job(job.id, StoredStatus.FINISHED, result)
        return job


@dataclass
class Edited:
    """The page of a dialogue, and who works behind it."""

    desk: Writing
    browser: TestClient
    repository: Repository
    job: Job
    page: str
    transcripts: Transcripts
    addresses: PageAddresses
    database: Database

    async def record(self) -> JobRecord:
        """The newest result in the message."""
        record = await self.repository.newest_of_message(self.job.id)
        assert record is not None
        return record

    async def lines(self, **headers: str) -> dict[str, Any]:
        answer = await self.browser.get(self.page + "/lines.json", headers=headers)
        assert answer.status == 200
        return await answer.json()

    async def post(self, path: str, body: object, status: int = 200) -> dict[str, Any]:
        answer = await self.browser.post(f"{self.page}/{path}", json=body)
        assert answer.status == status, await answer.text()
        return await answer.json() if answer.content_type == "application/json" else {}

    async def edit(self, *edits: object, base: int = 0, status: int = 200) -> dict[str, Any]:
        return await self.post("edits", {"base": base, "edits": edits}, status)

    async def text(self, name: str) -> str:
        answer = await self.browser.get(f"{self.page}/files/{name}")
        assert answer.status == 200
        return await answer.text()


@pytest.fixture
async def edited(tmp_path: Path, store: Store) -> AsyncIterator[Edited]:
    result = await keep_result(store, tmp_path / "result")
    content = {"transcript.json": msgspec.json.encode(talk()), "transcript.srt": b"as recognised"}
    texts: list[Artefact] = []
    for name, data in content.items():
        (tmp_path / name).write_bytes(data)
        texts.append(await store.put(tmp_path / name, name=name))
    media = replace(result.media, duration=talk().duration)
    result = replace(result, artefacts=tuple(texts), media=media, speakers=talk().speakers)
    reply = ReplyTo(application_id="1", channel_id="7", user_id=ALICE, guild_id="5", message_id="8")
    job = Job(id=uuid.uuid4().hex, request=Request(), source=texts[0], submitted=time.time(), reply_to=reply)
    async with Database.open(f"sqlite:///{tmp_path / 'bot.sqlite3'}") as database:
        repository, links = Repository(database, Quotas()), PageLinks(database)
        desk = Writing(repository=repository, store=store, folder=tmp_path)
        await repository.add_job(job)
        await repository.end_job(job.id, StoredStatus.FINISHED, result)
        transcripts = Transcripts.build(TranscriptEdits(database), repository, store, desk.rewrite)
        source = StoredSource(links, repository, store, desk, desk.rename, transcripts, RunningJobs())
        site = Site(source, TICKETS, public_url="https://stems.example")
        addresses = PageAddresses(links, TICKETS, public_url="https://stems.example", hours=24)
        address = await addresses.create(job.id, ALICE)
        page = address.url.removeprefix("https://stems.example").rstrip("/")
        async with TestClient(TestServer(site.application())) as browser:
            yield Edited(desk, browser, repository, job, page, transcripts, addresses, database)
        desk.held = False
        await transcripts.rewriter.close()


def words(line: dict[str, Any]) -> list[str]:
    return [word[2] for word in line["words"]]
