"""Words are found in the transcripts that a person may see now, and nowhere else."""

import asyncio
import base64
import io
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
import pytest_asyncio
import soundfile

from bot.database.engine import Database
from bot.database.repository import Repository
from bot.jobs.quotas import Quotas
from bot.search.index import SearchIndex
from pipeline.types import Transcript
from tests.bot.search.transcripts import document_of, finished_job, transcript_of
from tests.wire import rights, shapes
from tests.wire.answers import CHINESE, answers, in_chinese, private, shows
from tests.wire.light import LightStack, pages_of, transcript_bytes
from tests.wire.objects import Message
from tests.wire.openapi import Description
from tests.wire.shapes import VOICE

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
RATE = 16_000
CATEGORY, FORUM = 4, 15
NOTHING = "Nothing was found."
TALK = transcript_of(
    ("Ann", "Good morning everybody, let us begin."),
    ("Bo", "The zeppelin budget was organized by the harbour office."),
    ("Ann", "Please send the invoice tomorrow."),
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def light(tmp_path_factory: pytest.TempPathFactory, description: Description) -> AsyncIterator[LightStack]:
    async with LightStack.start(tmp_path_factory.mktemp("find"), settings=pages_of()) as stack:
        yield stack
        assert stack.bot is not None
        assert stack.bot.running, stack.report()
        assert not (found := stack.fake.violations(description)), "\n".join(found)


def tone() -> bytes:
    """Half a minute, louder in the seconds 4 to 8."""
    at = np.arange(30 * RATE) / RATE
    sound = np.where((at >= 4) & (at < 8), 0.5, 0.01) * np.sin(2 * np.pi * 440 * at)
    file = io.BytesIO()
    soundfile.write(file, sound.astype(np.float32), RATE, format="FLAC")
    return file.getvalue()


async def post(light: LightStack, folder: Path, transcript: Transcript = TALK, **where: Any) -> Message:
    """A clip whose result has a transcript."""
    clip = folder / f"talk-{time.monotonic_ns()}.mp4"
    clip.write_bytes(b"a clip of some length")
    asked = await light.fake.slash("transcribe", clip=clip, **where)
    job = await light.job(of=asked)
    files = {"transcript.json": transcript_bytes(transcript), "stems/vocals.flac": tone()}
    await light.finish(await light.take(job), job, files, speakers=transcript.speakers, language=transcript.language)
    return await shows(light, asked.original, lambda m: bool(m.files), 20)


async def ask(light: LightStack, words: str, /, **where: Any) -> Message:
    """What a person is answered; what narrows it down comes as `named`."""
    return await private(light, await light.fake.slash("find", words=words, **where))


async def found(light: LightStack, words: str, /, **where: Any) -> Message:
    """The answer once something is found: the index follows within moments."""
    return await until(light, words, True, **where)


async def gone(light: LightStack, words: str, /, **where: Any) -> Message:
    """The answer once nothing is found any longer."""
    return await until(light, words, False, **where)


async def until(light: LightStack, words: str, wanted: bool, /, **where: Any) -> Message:
    end = time.monotonic() + 15
    while (NOTHING not in (answer := await ask(light, words, **where)).text) != wanted:
        assert time.monotonic() < end, f"{words}: {answer.text}\n{light.report()}"
        await asyncio.sleep(0.2)
    return answer


async def test_a_hit_has_speaker_second_page_and_excerpt(light: LightStack, tmp_path: Path) -> None:
    posted = await post(light, tmp_path)
    answer = await found(light, "organizing budgets")
    assert answer.ephemeral
    assert "Bo · 0:05" in answer.text
    assert "The zeppelin **budget** was **organized** by the harbour office." in answer.text
    assert f"/{posted.channel_id}/{posted.id}" in answer.text
    (page,) = [key for key in answer.buttons if key.startswith("http")]
    assert page.endswith("#t=5.0"), page
    async with aiohttp.ClientSession() as session, session.get(page) as shown:
        assert shown.status == 200
    (hear,) = [key for key in answer.buttons if "excerpt" in key]
    pressed = await light.fake.click(hear, answer)
    await light.fake.wait(lambda: any(m.files for m in answers(light, pressed)), 20, "the excerpt")
    (heard,) = [m for m in answers(light, pressed) if m.files]
    assert heard.flags & VOICE
    assert heard.ephemeral
    (sound,) = heard.attachments
    assert abs(sound.voice["duration_secs"] - 5) < 0.1
    levels = base64.b64decode(sound.voice["waveform"])
    assert min(levels[5:30]) > 200, "it begins half a second before the word"
    assert max(levels[37:]) < 50


async def test_filters_narrow_it_down(light: LightStack, tmp_path: Path) -> None:
    other = await light.fake.make_channel("elsewhere")
    await post(light, tmp_path, transcript_of(("Ann", "A marmalade jar."), ("alex", "More marmalade please.")))
    await found(light, "marmalade")
    person = light.fake.world.person["id"]
    by_name = await ask(light, "marmalade", named={"by": "ann"})
    assert ("Ann ·" in by_name.text, "alex ·" in by_name.text) == (True, False)
    by_member = await ask(light, "marmalade", named={"by": f"<@{person}>"})
    assert ("Ann ·" in by_member.text, "alex ·" in by_member.text) == (False, True)
    assert NOTHING in (await ask(light, "marmalade", named={"in": other})).text
    assert NOTHING not in (await ask(light, "marmalade", since="1h")).text
    assert NOTHING in (await ask(light, "marmalade", since="2999-01-01")).text
    assert "date cannot be read" in (await ask(light, "marmalade", since="yesterday-ish")).text
    assert "not here" in (await ask(light, "marmalade", named={"by": "<@123456789012345678>"})).text


async def test_a_category_a_forum_and_an_archived_thread_can_be_chosen(light: LightStack, tmp_path: Path) -> None:
    cupboard = await light.fake.make_channel("cupboard", kind=CATEGORY)
    shelf = await light.fake.make_channel("shelf", parent=cupboard)
    await post(light, tmp_path, transcript_of(("Ann", "A pomegranate here.")), at=shelf["id"])
    await found(light, "pomegranate")
    assert NOTHING not in (await ask(light, "pomegranate", named={"in": cupboard})).text
    forum = await light.fake.make_channel("forum", kind=FORUM)
    # The bot has never heard of this thread.
    archived = shapes.thread(light.fake.world.new_id(), forum, "old", light.fake.world.person["id"])
    for empty in (forum, archived):
        assert NOTHING in (await ask(light, "pomegranate", named={"in": empty})).text


async def test_who_lost_the_channel_finds_nothing(light: LightStack, tmp_path: Path) -> None:
    room, lobby = await light.fake.make_channel("room"), await light.fake.make_channel("lobby")
    ben = await light.fake.add_person(f"ben{time.monotonic_ns()}")
    await post(light, tmp_path, transcript_of(("Ann", "The porcupine is ours.")), at=room["id"], by=ben)
    where: dict[str, Any] = {"by": ben, "at": lobby["id"]}
    answer = await found(light, "porcupine", **where)
    hear = next(key for key in answer.buttons if "excerpt" in key)
    # Seeing a channel without what was posted there before is not enough.
    for right in (rights.VIEW, rights.HISTORY):
        denied = rights.overwrite(ben["id"], member=True, deny=right)
        await light.fake.change_channel(room["id"], overwrites=[denied])
        await gone(light, "porcupine", **where)
        refused = await private(light, await light.fake.click(hear, answer, by=ben))
        assert "cannot see" in refused.text
        assert not refused.files
    await light.fake.change_channel(room["id"], overwrites=[])
    await found(light, "porcupine", **where)


async def test_edited_words_are_found_and_the_old_ones_not(light: LightStack, tmp_path: Path) -> None:
    await post(light, tmp_path, transcript_of(("Ann", "We met at the aquarium again.")))
    answer = await found(light, "aquarium")
    page = next(key for key in answer.buttons if key.startswith("http")).partition("#")[0]
    async with aiohttp.ClientSession() as session:
        async with session.get(page + "lines.json") as got:
            (line,) = (await got.json())["lines"]
        seen = {"speaker": line["speaker"], "line": line["id"], "words": [word[:3] for word in line["words"]]}
        words = ["We", "met", "at", "the", "planetarium", "again."]
        edit = {"op": "set_words", "seen": seen, "words": words}
        async with session.post(page + "edits", json={"base": 0, "edits": [edit]}) as got:
            assert got.status == 200, await got.text()
    await found(light, "planetarium")
    await gone(light, "aquarium")
    # The files are written again, as a job that takes the place of the first.
    job = await light.job(of=light.fake.world.person["id"])
    assert job.replaces is True
    changed = transcript_of(("Ann", " ".join(words)))
    files = {"transcript.json": transcript_bytes(changed)}
    await light.finish(await light.take(job), job, files, speakers=changed.speakers)
    await light.confirmed()
    await found(light, "planetarium")
    await gone(light, "aquarium")


async def test_deleted_jobs_are_not_found_and_a_restart_keeps_the_rest(light: LightStack, tmp_path: Path) -> None:
    carl, dora = [await light.fake.add_person(f"{name}{time.monotonic_ns()}") for name in ("carl", "dora")]
    await post(light, tmp_path, transcript_of(("Ann", "A walrus in the north.")), by=carl)
    await post(light, tmp_path, transcript_of(("Bo", "A walrus in the south.")), by=dora)
    await found(light, '"walrus in the north"')
    await found(light, '"walrus in the south"')
    told = await private(light, await light.fake.slash("privacy", by=carl))
    for _ in range(2):
        button = next(key for key in told.buttons if "forget" in key)
        await light.fake.click(button, told, by=carl)
    await shows(light, told, lambda m: "Deleted:" in m.text, 20)
    assert "north" not in (await found(light, "walrus")).text
    await light.kill_bot()
    await light.start_bot()
    assert "south" in (await ask(light, "walrus")).text


async def test_other_servers_and_other_peoples_chats_are_closed(light: LightStack) -> None:
    world = light.fake.world
    eve = await light.fake.add_person(f"eve{time.monotonic_ns()}")
    spoken = transcript_of(("Ann", "The rhinoceros dances."))
    async with Database.open(f"sqlite:///{light.folder / 'home' / 'bot.sqlite3'}") as database:
        index, repository = SearchIndex(database), Repository(database, Quotas())
        for user, guild in ((world.person["id"], "1234567890"), (eve["id"], "")):
            job = await finished_job(repository, user, guild)
            assert await index.save(document_of(job, spoken, channel=world.channel_id))
    assert NOTHING in (await ask(light, "rhinoceros")).text
    assert NOTHING in (await ask(light, "rhinoceros", private=True)).text
    assert "dances" in (await ask(light, "rhinoceros", private=True, by=eve)).text
    assert NOTHING in (await ask(light, "rhinoceros", by=eve)).text


@pytest.mark.parametrize("words", [" ", "...?!", '"', "*", "-", "\x01\x02"])
async def test_without_words_a_plain_word_comes_back(light: LightStack, words: str) -> None:
    text = (await ask(light, words, locale=CHINESE)).text
    assert text == f"{in_chinese('find-empty')} {in_chinese('find-empty-hint')}"
    assert "no word to look for" in (await ask(light, words)).text


@pytest.mark.parametrize("words", ["NEAR(", "x" * 6000, "a AND", "walrus) OR (1", "terms:*", "'; DROP TABLE jobs;--"])
async def test_operators_and_long_texts_do_no_harm(light: LightStack, words: str) -> None:
    answer = await ask(light, words)
    assert NOTHING in answer.text or "too much" in answer.text or "nearest" in answer.text
