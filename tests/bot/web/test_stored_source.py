"""The page of a job that the bot keeps: real records, a real store, over real sockets."""

import io
import time
import uuid
import zipfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec import structs

from bot.database.deletion import DataDeletion
from bot.database.engine import Database
from bot.database.models import JobRecord, StoredStatus
from bot.database.page_links import PageLinks
from bot.database.repository import Repository
from bot.database.speaker_names import SpeakerName
from bot.database.transcript_edits import TranscriptEdits
from bot.jobs.quotas import Quotas
from bot.messages.job_progress import RunningJobs
from bot.transcripts.transcripts import Transcripts
from bot.web.app import Site
from bot.web.signed_links import PageAddresses, PageToken, TokenSigner
from bot.web.sources.stored import MAX_RENAMINGS, PageRights, StoredSource
from bot.web.waveform_child import MAX_POINTS
from pipeline.errors import QueueError
from pipeline.types import Request, Result
from tests.bot.web.test_site import STEMS, TICKETS, write_result
from worker.protocol import Job, ReplyTo
from worker.store import Store

ALICE, MODERATOR = "1", "2"


@dataclass
class Desk:
    """Who may do what, and what was asked to be done anew."""

    allowed: PageRights = field(default_factory=lambda: PageRights(see=True, edit=True))
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    renamed: list[tuple[str, Mapping[str, str]]] = field(default_factory=list[tuple[str, Mapping[str, str]]])
    rewritten: list[Request] = field(default_factory=list[Request])
    away: bool = False

    async def rights(self, record: JobRecord, user_id: str) -> PageRights:
        self.asked.append((record.id, user_id))
        return self.allowed

    async def name(self, record: JobRecord, user_id: str) -> str:
        return {ALICE: "Alice", MODERATOR: "Mo"}.get(user_id, "")

    async def rewrite(self, job: Job, request: Request) -> Job:
        if self.away:
            raise QueueError("The queue is away.")
        self.rewritten.append(request)
        return await self.write(structs.replace(job, id=uuid.uuid4().hex, request=request, submitted=time.time()))

    async def write(self, job: Job) -> Job:
        """What a worker does with a job that is to be done anew; here nothing."""
        return job

    async def rename(self, job: Job, names: Mapping[str, str]) -> None:
        if self.away:
            raise QueueError("The queue is away.")
        self.renamed.append((job.id, names))


@dataclass
class Kept:
    """A result behind a link, and a browser."""

    job: Job
    result: Result
    repository: Repository
    deletion: DataDeletion
    links: PageLinks
    addresses: PageAddresses
    store: Store
    submitter: Desk
    browser: TestClient

    async def page(self, user: str = ALICE) -> str:
        """The path of a new page."""
        return (await self.addresses.create(self.job.id, user)).url.removeprefix("https://stems.example").rstrip("/")

    async def again(self, names: Mapping[str, str]) -> Job:
        """The job done anew in its message, as the bot does for other names."""
        job = msgspec.structs.replace(self.job, id=uuid.uuid4().hex, submitted=time.time() + 1)
        await self.repository.add_job(job)
        speakers = tuple(replace(speaker, name=names[speaker.id]) for speaker in self.result.speakers)
        await self.repository.end_job(
            job.id, StoredStatus.FINISHED, replace(self.result, speakers=speakers, notes=("anew",))
        )
        return job


async def keep_result(store: Store, folder: Path) -> Result:
    write_result(folder)
    result = msgspec.json.decode((folder / "result.json").read_bytes(), type=Result)
    kept = [await store.put(folder / artefact.name, name=artefact.name) for artefact in result.artefacts]
    return replace(result, artefacts=tuple(kept))


@pytest.fixture
async def kept(tmp_path: Path, store: Store) -> AsyncIterator[Kept]:
    result = await keep_result(store, tmp_path / "result")
    clip = tmp_path / "clip"
    clip.write_bytes(b"the clip itself")
    reply = ReplyTo(application_id="1", channel_id="7", user_id=ALICE, guild_id="5", message_id="8")
    job = Job(
        id=uuid.uuid4().hex,
        request=result.request,
        source=await store.put(clip, name="../my talk.mp4", media_type="video/mp4"),
        submitted=time.time(),
        reply_to=reply,
    )
    async with Database.open(f"sqlite:///{tmp_path / 'bot.sqlite3'}") as database:
        repository, links, submitter = Repository(database, Quotas()), PageLinks(database), Desk()
        await repository.add_job(job)
        await repository.end_job(job.id, StoredStatus.FINISHED, result)
        transcripts = Transcripts.build(TranscriptEdits(database), repository, store, submitter.rewrite)
        source = StoredSource(links, repository, store, submitter, submitter.rename, transcripts, RunningJobs())
        site = Site(source, TICKETS, public_url="https://stems.example")
        addresses = PageAddresses(links, TICKETS, public_url="https://stems.example", hours=24)
        async with TestClient(TestServer(site.application())) as browser:
            yield Kept(
                job, result, repository, DataDeletion(database, store), links, addresses, store, submitter, browser
            )


async def test_the_page_shows_the_result_of_a_job(kept: Kept) -> None:
    address = await kept.addresses.create(kept.job.id, ALICE)
    assert address.url.startswith("https://stems.example/r/")
    assert address.expires == pytest.approx(time.time() + 86_400, abs=5)
    page = await kept.page()
    answer = await kept.browser.get(page + "/")
    text = await answer.text()
    assert answer.status == 200
    assert "<h1>my talk</h1>" in text
    assert "Speaker 1" in text
    assert kept.submitter.asked == [(kept.job.id, ALICE)]
    assert "https://stems.example/r/" in text, "the address to share"


async def test_files_come_from_the_store_whole_and_in_parts(kept: Kept) -> None:
    page = await kept.page()
    (stem,) = [artefact for artefact in kept.result.artefacts if artefact.name == STEMS[0]]
    whole = await kept.store.read(stem, max_bytes=stem.size)
    answer = await kept.browser.get(f"{page}/files/{STEMS[0]}")
    assert (await answer.read(), answer.headers["ETag"]) == (whole, f'"{stem.digest}"')
    part = await kept.browser.get(f"{page}/files/{STEMS[0]}", headers={"Range": "bytes=10-19"})
    assert (part.status, await part.read()) == (206, whole[10:20])
    again = await kept.browser.get(f"{page}/files/{STEMS[0]}", headers={"If-None-Match": f'"{stem.digest}"'})
    assert again.status == 304
    clip = await kept.browser.get(f"{page}/files/my%20talk.mp4")
    assert await clip.read() == b"the clip itself"
    outline = await (await kept.browser.get(f"{page}/waveform/{STEMS[0]}")).json()
    assert 0 < len(outline) <= MAX_POINTS
    assert max(outline) == pytest.approx(0.1, abs=0.01)


async def test_the_zip_holds_the_clip_and_all_files_under_safe_names(kept: Kept) -> None:
    answer = await kept.browser.get(await kept.page() + "/all.zip")
    assert "my%20talk.zip" in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(await answer.read())) as history:
        assert history.testzip() is None
        assert set(history.namelist()) == {"my talk.mp4", *(artefact.name for artefact in kept.result.artefacts)}


async def test_a_name_is_kept_and_the_result_made_anew(kept: Kept) -> None:
    page = await kept.page(MODERATOR)
    answer = await kept.browser.post(page + "/names", json={"S1": "Anna"})
    assert await answer.json() == {"S1": "Anna"}
    assert await kept.repository.speaker_names.of(kept.job.id) == {"S1": SpeakerName(name="Anna")}
    assert kept.submitter.renamed == [(kept.job.id, {"S1": "Anna"})]
    assert "Anna" in await (await kept.browser.get(page + "/captions.vtt")).text()
    same = await kept.browser.post(page + "/names", json={"S1": "Anna"})
    assert same.status == 200
    assert len(kept.submitter.renamed) == 1


async def test_an_old_link_shows_what_the_message_shows_now(kept: Kept) -> None:
    page = await kept.page()
    newer = await kept.again({"S1": "Bob"})
    assert "anew" in await (await kept.browser.get(page + "/")).text()
    await kept.browser.post(page + "/names", json={"S1": "Bea"})
    assert await kept.repository.speaker_names.of(newer.id) == {"S1": SpeakerName(name="Bea")}
    assert await kept.addresses.revoke(newer.id) == 1
    assert (await kept.browser.get(page + "/")).status == 410


async def test_renaming_again_and_again_is_refused(kept: Kept) -> None:
    page = await kept.page()
    answers = [await kept.browser.post(page + "/names", json={"S1": f"Anna {n}"}) for n in range(MAX_RENAMINGS + 1)]
    assert [answer.status for answer in answers] == [200] * MAX_RENAMINGS + [429]
    assert len(kept.submitter.renamed) == MAX_RENAMINGS


async def test_a_queue_that_is_away_is_told(kept: Kept) -> None:
    kept.submitter.away = True
    answer = await kept.browser.post(await kept.page() + "/names", json={"S1": "Anna"})
    assert answer.status == 503
    assert "cannot be reached" in await answer.text()


async def test_rights_are_those_of_this_moment(kept: Kept) -> None:
    page = await kept.page(MODERATOR)
    kept.submitter.allowed = PageRights(see=True, edit=False)
    assert 'id="names"' not in await (await kept.browser.get(page + "/")).text()
    assert (await kept.browser.post(page + "/names", json={"S1": "Anna"})).status == 403
    kept.submitter.allowed = PageRights(see=False, edit=False)
    for path in ("/", f"/files/{STEMS[0]}", "/all.zip", "/captions.vtt", f"/waveform/{STEMS[0]}"):
        answer = await kept.browser.get(page + path)
        assert answer.status == 403
    assert "no longer see the channel" in await answer.text()
    assert kept.submitter.asked[-1] == (kept.job.id, MODERATOR)


async def test_links_can_be_taken_back(kept: Kept) -> None:
    first, second = await kept.page(ALICE), await kept.page(MODERATOR)
    assert await kept.addresses.revoke(kept.job.id) == 2
    assert await kept.addresses.revoke(kept.job.id) == 0
    for page in (first, second):
        answer = await kept.browser.get(page + "/")
        assert answer.status == 410
        assert "revoked" in await answer.text()
    assert (await kept.browser.get(await kept.page() + "/")).status == 200


@pytest.mark.parametrize(("hours", "word"), [(-1.0, "expired"), (24.0, "no longer kept")])
async def test_a_link_ends_with_its_time_or_with_what_it_shows(kept: Kept, hours: float, word: str) -> None:
    link = await kept.links.create(kept.job.id if hours < 0 else "unknown", ALICE, hours * 3600)
    # The signature alone would let it pass: what the records say counts too.
    token = TICKETS.sign(PageToken(link_id=link.id, expires=int(time.time()) + 600, edit=True))
    answer = await kept.browser.get(f"/r/{token}/")
    assert answer.status == 410
    assert word in await answer.text()


async def test_forgetting_a_person_ends_the_links_of_their_results(kept: Kept) -> None:
    pages = [await kept.page(ALICE), await kept.page(MODERATOR)]
    await kept.deletion.delete_person_records(ALICE)
    for page in pages:
        answer = await kept.browser.get(page + "/")
        assert answer.status == 410
        assert "no longer kept" in await answer.text()


async def test_a_link_signed_by_another_secret_is_refused(kept: Kept) -> None:
    link = await kept.links.create(kept.job.id, ALICE)
    token = TokenSigner(b"another secret altogether").sign(
        PageToken(link_id=link.id, expires=int(link.expires), edit=True)
    )
    assert (await kept.browser.get(f"/r/{token}/")).status == 403
    assert kept.submitter.asked == []


async def test_a_store_that_lost_a_file_says_so_at_once(kept: Kept) -> None:
    page = await kept.page()
    for artefact in kept.result.artefacts:
        await kept.store.delete(artefact.digest)
    answer = await kept.browser.get(f"{page}/files/{STEMS[0]}")
    assert answer.status == 503
    assert (await kept.browser.get(page + "/")).status == 200


async def test_a_job_that_another_process_follows_has_a_page_until_it_ends(kept: Kept) -> None:
    reply = structs.replace(kept.job.reply_to, message_id="9") if kept.job.reply_to is not None else None
    job = structs.replace(kept.job, id=uuid.uuid4().hex, reply_to=reply)
    await kept.repository.add_job(job)
    page = (await kept.addresses.create(job.id, ALICE)).url.removeprefix("https://stems.example")
    for _ in ("queued", "running"):
        answer = await kept.browser.get(page)
        assert (answer.status, "data-pending" in await answer.text()) == (200, True)
        assert (await kept.browser.get(f"{page}files/{STEMS[0]}")).status == 404
        await kept.repository.start_job(job.id)
    await kept.repository.end_job(job.id, StoredStatus.FAILED, None)
    answer = await kept.browser.get(page)
    assert answer.status == 410
    assert "ended without a result" in await answer.text()
