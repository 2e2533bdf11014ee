"""The results page over real sockets, from a folder as `stemcord run` writes it."""

import asyncio
import io
import os
import time
import zipfile
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.web import app, files
from bot.web.app import Site
from bot.web.signed_links import PageToken, TokenSigner, read_secret
from bot.web.sources.folder import FolderSource
from pipeline.audio import io as sound
from pipeline.errors import ValidationError
from pipeline.types import (
    Artefact,
    AudioStream,
    Chapter,
    Failure,
    MediaInfo,
    Request,
    Result,
    Route,
    RouteName,
    Speaker,
    SpeakerStem,
    Transcript,
    Turn,
    Word,
)

TICKETS = TokenSigner(b"a secret of this test, long enough")
LATER = int(time.time()) + 86_400
STEMS = ("stems/vocals.flac", "stems/background.flac")


def write_result(folder: Path) -> None:
    """A result of half a second with two stems and a word."""
    (folder / "stems").mkdir(parents=True)
    for name in STEMS:
        sound.write(folder / name, np.full((24_000, 1), 0.1, np.float32), 48_000)
    word = Word(start=0.1, end=0.3, text="<b>Hello</b>", confidence=0.9)
    turn = Turn(start=0.1, end=0.3, speaker="S1", text=word.text, overlap=False, words=(word,))
    transcript = Transcript(language="en", duration=0.5, speakers=(Speaker(id="S1", name="Speaker 1"),), turns=(turn,))
    (folder / "transcript.json").write_bytes(msgspec.json.encode(transcript))
    (folder / "transcript.vtt").write_text("WEBVTT\n\n00:00.100 --> 00:00.300\n<v Speaker 1>Hello\n")
    names = (*STEMS, "transcript.json", "transcript.vtt")
    artefacts = tuple(
        Artefact(name=name, digest="0" * 64, size=(folder / name).stat().st_size, media_type="application/octet-stream")
        for name in names
    )
    result = Result(
        request=Request(),
        media=MediaInfo(
            container="wav",
            duration=0.5,
            audio=AudioStream(codec="pcm", sample_rate=48_000, channels=1, layout="mono", start=0.0),
        ),
        route=Route(name=RouteName.DIALOGUE, engine="x", model=None, reason="asked", asked=True),
        artefacts=artefacts,
        speakers=transcript.speakers,
        language="en",
    )
    (folder / "result.json").write_bytes(msgspec.json.encode(result))


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncGenerator[TestClient]:
    write_result(tmp_path / "result")
    site = Site(FolderSource(tmp_path / "result"), TICKETS, public_url="http://127.0.0.1/under")
    async with TestClient(TestServer(site.application())) as client:
        yield client


def place(token: PageToken | None = None) -> str:
    return "/r/" + TICKETS.sign(token or PageToken(link_id="local", expires=LATER, edit=True))


@pytest.mark.parametrize("prefix", ["", "/under"])
async def test_the_page_shows_the_result_and_nothing_of_it_is_markup(browser: TestClient, prefix: str) -> None:
    answer = await browser.get(prefix + place() + "/")
    text = await answer.text()
    assert answer.status == 200
    assert "Speaker 1" in text
    assert "&lt;b&gt;Hello&lt;/b&gt;" in text
    assert "<b>Hello" not in text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


async def test_a_long_recording_has_a_list_of_its_topics(browser: TestClient, tmp_path: Path) -> None:
    assert 'id="chapters"' not in await (await browser.get(place() + "/")).text()
    path = tmp_path / "result" / "transcript.json"
    transcript = msgspec.json.decode(path.read_bytes(), type=Transcript)
    chapters = (Chapter(start=0.0, end=61.5, title="<b>Storm</b>"), Chapter(start=61.5, end=400.0, title=""))
    path.write_bytes(msgspec.json.encode(replace(transcript, chapters=chapters)))
    text = await (await browser.get(place() + "/")).text()
    assert "2 topics" in text
    assert "&lt;b&gt;Storm" in text
    assert 'data-at="61.5"' in text


async def test_it_speaks_the_browsers_language(browser: TestClient) -> None:
    answer = await browser.get(place() + "/", headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert 'lang="zh-CN"' in await answer.text()


async def test_what_the_pipeline_says_is_marked_as_english(browser: TestClient, tmp_path: Path) -> None:
    folder = tmp_path / "result"
    result = msgspec.json.decode((folder / "result.json").read_bytes(), type=Result)
    failure = Failure(type="MixError", message="<It> broke.", hint="Mend it.", stage="mix")
    changed = replace(result, notes=("A note.",), failures=(failure,), language="zh-en")
    (folder / "result.json").write_bytes(msgspec.json.encode(changed))
    text = await (await browser.get(place() + "/", headers={"Accept-Language": "zh-CN"})).text()
    assert '<p lang="en">A note.</p>' in text
    assert '混音. 混音失败。 <span lang="en">&lt;It&gt; broke.</span>' in text
    assert '<p lang="zh">' in text
    assert "中英文混合" in text


async def test_a_turn_of_hebrew_reads_from_right_to_left(browser: TestClient, tmp_path: Path) -> None:
    path = tmp_path / "result" / "transcript.json"
    told = msgspec.json.decode(path.read_bytes(), type=Transcript)
    turns = tuple(replace(told.turns[0], text=text, words=()) for text in ("שלום.", "Hello."))
    path.write_bytes(msgspec.json.encode(replace(told, turns=turns)))
    text = await (await browser.get(place() + "/")).text()
    assert '<p lang="en" dir="rtl">שלום.</p>' in text
    assert '<p lang="en">Hello.</p>' in text


async def test_a_part_of_a_file_can_be_asked_for(browser: TestClient) -> None:
    whole = await (await browser.get(f"{place()}/files/{STEMS[0]}")).read()
    part = await browser.get(f"{place()}/files/{STEMS[0]}", headers={"Range": "bytes=4-9"})
    assert part.status == 206
    assert await part.read() == whole[4:10]
    beyond = await browser.get(f"{place()}/files/{STEMS[0]}", headers={"Range": "bytes=999999999-"})
    assert beyond.status == 416


@pytest.mark.parametrize("name", ["nothing.flac", "..%2Fsecret", "stems%2F..%2Fresult.json", "result.json"])
async def test_only_the_results_own_files_are_given(browser: TestClient, name: str) -> None:
    assert (await browser.get(f"{place()}/files/{name}")).status == 404


async def test_all_files_come_in_one_zip(browser: TestClient) -> None:
    answer = await browser.get(place() + "/all.zip")
    with zipfile.ZipFile(io.BytesIO(await answer.read())) as history:
        assert history.testzip() is None
        assert set(STEMS) <= set(history.namelist())


async def test_the_outline_of_a_stem_is_drawn_from_its_sound(browser: TestClient) -> None:
    outline = await (await browser.get(f"{place()}/waveform/{STEMS[0]}")).json()
    assert "0.1" in str(outline)


async def test_each_speaker_has_a_fader_below_that_of_the_voice(browser: TestClient, tmp_path: Path) -> None:
    folder = tmp_path / "result"
    assert "data-speaker=" not in (await (await browser.get(place() + "/")).text()).partition('id="turns"')[0]
    stems = (
        SpeakerStem(speaker="S1", file="stems/speaker-1.flac"),
        SpeakerStem(speaker="S9", file="stems/speaker-2.flac"),
    )
    for stem in stems:
        sound.write(folder / stem.file, np.full((24_000, 1), 0.3, np.float32), 48_000)
    (folder / "speaker-stems.json").write_text('{"fade": 0.03, "stretches": []}')
    result = msgspec.json.decode((folder / "result.json").read_bytes(), type=Result)
    made = tuple(
        replace(result.artefacts[0], name=name) for name in (*(stem.file for stem in stems), "speaker-stems.json")
    )
    changed = replace(result, artefacts=(*result.artefacts, *made), speaker_stems=stems)
    (folder / "result.json").write_bytes(msgspec.json.encode(changed))
    await browser.post(place() + "/names", json={"S1": "Anna <i>"})
    mixer, _, rest = (await (await browser.get(place() + "/")).text()).partition('id="turns"')
    assert 'data-shares="files/speaker-stems.json"' in mixer
    order = [
        mixer.index(part)
        for part in ('data-part="vocals"', 'data-speaker="S1"', 'data-speaker="S9"', 'data-part="background"')
    ]
    assert order == sorted(order)
    assert 'aria-label="Solo: Anna &lt;i&gt;"' in mixer
    assert 'aria-label="speaker-2"' in mixer, "who left the transcript"
    assert '<span class="of" dir="auto">Anna &lt;i&gt;</span>' in rest
    assert "0.3" in str(await (await browser.get(f"{place()}/waveform/{stems[0].file}")).json())


async def test_a_speaker_gets_another_name_everywhere(browser: TestClient) -> None:
    answer = await browser.post(place() + "/names", json={"S1": "Anna <i>"})
    assert await answer.json() == {"S1": "Anna <i>"}
    assert "Anna &lt;i&gt;" in await (await browser.get(place() + "/")).text()
    assert "Anna" in await (await browser.get(place() + "/captions.vtt")).text()


@pytest.mark.parametrize("names", [{"S9": "Nobody"}, {"S1": "x" * 100}, {"S1": "a\u202eb"}, ["S1"]])
async def test_a_name_that_cannot_be_is_refused(browser: TestClient, names: object) -> None:
    assert (await browser.post(place() + "/names", json=names)).status == 400


async def test_a_link_to_look_at_does_not_rename_nor_does_another_site(browser: TestClient) -> None:
    look = place(PageToken(link_id="local", expires=LATER, edit=False))
    assert (await browser.post(look + "/names", json={"S1": "Anna"})).status == 403
    foreign = await browser.post(place() + "/names", json={"S1": "A"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status == 403


async def test_links_that_are_forged_or_over_are_refused_in_words(browser: TestClient) -> None:
    over = await browser.get(place(PageToken(link_id="local", expires=1, edit=True)) + "/")
    forged = await browser.get(place()[:-2] + "xx/")
    other = await browser.get(place(PageToken(link_id="else", expires=LATER, edit=True)) + "/")
    assert [over.status, forged.status, other.status] == [410, 403, 403]
    assert "expired" in await over.text()
    assert "Hello" not in await forged.text()


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first = read_secret(tmp_path / "home")
    assert len(first) == 32
    assert read_secret(tmp_path / "home") == first
    assert (tmp_path / "home" / "secret").stat().st_mode & 0o777 == 0o600


def test_a_folder_without_a_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"result\.json"):
        FolderSource(tmp_path)


async def test_a_folder_whose_name_is_no_text_is_shown(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    write_result(folder)
    site = Site(FolderSource(folder), TICKETS, public_url="http://127.0.0.1/under")
    async with TestClient(TestServer(site.application())) as client:
        page = await client.get(place())
        assert page.status == 200
        assert "<title>caf\N{REPLACEMENT CHARACTER}" in await page.text()
        whole = await client.get(f"{place()}/all.zip")
        assert whole.status == 200
        # To its end: a download that is broken off leaves a file to the collector of garbage.
        assert (await whole.read()).startswith(b"PK")


async def test_a_stem_that_is_no_sound_is_told(browser: TestClient, tmp_path: Path) -> None:
    (tmp_path / "result" / STEMS[0]).write_bytes(b"no sound at all")
    assert (await browser.get(f"{place()}/waveform/{STEMS[0]}")).status == 503


async def test_a_store_that_stalls_is_told(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stall(*_: object) -> AsyncGenerator[bytes]:
        await asyncio.sleep(5)
        yield b""

    monkeypatch.setattr(FolderSource, "stream", stall)
    monkeypatch.setattr(files, "STALL_TIMEOUT_S", 0.05)
    assert (await browser.get(f"{place()}/files/{STEMS[0]}")).status == 503


async def test_names_that_never_end_are_waited_for_no_longer(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def drip() -> AsyncGenerator[bytes]:
        yield b"{"
        await asyncio.sleep(5)

    monkeypatch.setattr(app, "STALL_TIMEOUT_S", 0.05)
    answer = await browser.post(place() + "/names", data=drip(), headers={"Content-Type": "application/json"})
    assert answer.status == 408
