"""What speakers are called is one truth: in all exports, the thread, the message and the page, also after a restart."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.database.engine import Database
from bot.database.models import JobRecord
from bot.database.page_links import PageLinks
from bot.database.repository import Repository
from bot.database.transcript_edits import TranscriptEdits
from bot.jobs.quotas import Quotas
from bot.jobs.result_buttons import TRANSCRIPT_FORMATS
from bot.messages.job_progress import RunningJobs
from bot.transcripts.transcripts import Transcripts
from bot.web.sources.base import PageData
from bot.web.sources.stored import PageRights, StoredSource
from pipeline.types import Request
from tests.pipeline.export.dialogue import text_of
from tests.wire.answers import id_for, private, result_of, shows
from tests.wire.stack import Stack
from worker.protocol import Job
from worker.store import Store

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

NAMES: dict[str, Any] = {"speaker-0": "Ann", "speaker-1": "Bo", "speaker-2": "Cy"}


class Everybody:
    """May see every result."""

    async def rights(self, record: JobRecord, user_id: str) -> PageRights:
        return PageRights(see=True, edit=True)

    async def name(self, record: JobRecord, user_id: str) -> str:
        return ""


async def no_renaming(_: Job, __: Mapping[str, str]) -> None:
    raise AssertionError("nothing is renamed here")


async def no_rewriting(_: Job, __: Request) -> Job:
    raise AssertionError("nothing is edited here")


async def page_of(stack: Stack, job_id: str, person: str) -> PageData:
    """What the page of a job's result shows."""
    store = Store.open(stack.store_url)
    async with Database.open(f"sqlite:///{stack.folder / 'home' / 'bot.sqlite3'}") as database:
        links, repository = PageLinks(database), Repository(database, Quotas())
        link = await links.create(job_id, person)
        transcripts = Transcripts.build(TranscriptEdits(database), repository, store, no_rewriting)
        source = StoredSource(links, repository, store, Everybody(), no_renaming, transcripts, RunningJobs())
        return await source.load(link.id)


async def test_names_end_up_everywhere_and_stay(stack: Stack, scene: Path, tmp_path: Path) -> None:
    own = await result_of(stack, await stack.fake.slash("transcribe", clip=scene, language="en"))
    older = id_for(own, "rename").rpartition(":")[2]
    heard = await private(stack, await stack.fake.click(id_for(own, "rename"), own))
    await shows(stack, heard, lambda m: bool(m.buttons), 10)
    opened = await stack.fake.click(id_for(heard, "names"), heard)
    await stack.fake.submit(opened, **NAMES)
    await shows(stack, heard, lambda m: "Renamed" in m.text, 10)
    await stack.kill_bot()
    await stack.start_bot()
    await shows(stack, own, lambda m: all(name in m.text for name in NAMES.values()), 60)
    for suffix in TRANSCRIPT_FORMATS:
        answer = await private(stack, await stack.fake.choose(id_for(own, "subtitles"), own, suffix))
        (tmp_path / suffix).write_bytes(answer.files[f"transcript.{suffix}"].data)
        text = text_of(tmp_path / suffix)
        assert all(name in text for name in NAMES.values()), f"{suffix}: {text[:500]}"
        assert "Speaker 1" not in text
    await private(stack, await stack.fake.click(id_for(own, "thread"), own))
    await stack.fake.wait(lambda: any(m.channel_id == own.id for m in stack.fake.messages), 10, "the thread")
    assert "**Ann**" in next(m.text for m in stack.fake.messages if m.channel_id == own.id)
    for job_id in (older, id_for(own, "rename").rpartition(":")[2]):
        data = await page_of(stack, job_id, stack.fake.world.person["id"])
        assert list(data.speakers().values()) == list(NAMES.values())
    again = await private(stack, await stack.fake.click(id_for(own, "rename"), own))
    await shows(stack, again, lambda m: bool(m.buttons), 10)
    assert all(f"**{name}**" in again.text for name in NAMES.values())
