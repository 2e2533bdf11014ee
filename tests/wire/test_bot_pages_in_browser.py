"""Pages in Chromium: an upload whose connection is lost goes on, a running job's page becomes that of its result."""

import asyncio
import io
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
import pytest_asyncio
import soundfile
from playwright.async_api import Browser, Page, Route, async_playwright, expect

from pipeline.types import (
    DraftLine,
    Progress,
    SharedStretch,
    Speaker,
    SpeakerShares,
    SpeakerStem,
    Transcript,
    Turn,
)
from tests.wire.answers import id_for, private
from tests.wire.light import LightStack, pages_of, transcript_bytes
from tests.wire.world import MIB
from worker.protocol import Progressed

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
PICTURES = os.environ.get("PICTURES", "")
"""A folder for pictures to look at; empty: none are taken."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LightStack]:
    async with LightStack.start(tmp_path_factory.mktemp("page"), settings=pages_of()) as stack:
        yield stack


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("Chromium is not installed.")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=found)
        yield opened
        await opened.close()


async def look(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"{name}.png")


async def page_for(served: LightStack, name: str, locale: str = "en-US") -> tuple[str, str]:
    """The address of an upload page and the id of its person."""
    person = served.fake.world.add_person(name)
    told = await private(served, await served.fake.slash("upload", by=person, task="separate", locale=locale))
    (address,) = told.buttons
    return address, person["id"]


async def test_a_lost_connection_is_waited_for(served: LightStack, browser: Browser, tmp_path: Path) -> None:
    address, person_id = await page_for(served, "wanda")
    film = tmp_path / "holiday in the mountains.mkv"
    film.write_bytes(os.urandom(20 * MIB))
    page = await browser.new_page(viewport={"width": 900, "height": 620}, color_scheme="dark")
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    await page.goto(address)
    await expect(page.locator("#drop")).to_be_visible()
    await expect(page.locator("#sending")).to_be_hidden()
    await look(page, "upload-dark")
    lost = 0

    async def lose(route: Route) -> None:
        nonlocal lost
        if route.request.method == "PATCH" and route.request.headers["upload-offset"] != "0" and lost < 1:
            lost += 1
            await route.abort("connectionreset")
        else:
            await route.continue_()

    await page.route("**/files/clip", lose)
    await page.set_input_files("#file", film)
    await expect(page.locator("#word")).to_contain_text("The connection was lost")
    await expect(page.locator("#sending")).to_be_visible()
    await expect(page.locator("#drop")).to_be_hidden()
    await look(page, "upload-lost")
    await expect(page.locator("#word")).to_contain_text("Done.", timeout=30_000)
    await look(page, "upload-done")
    assert (lost, problems) == (1, [])
    job = await served.job(of=person_id)
    assert job.source.name == film.name
    assert await served.store.read(job.source, max_bytes=40 * MIB) == film.read_bytes()


async def test_what_is_no_clip_gets_a_word(served: LightStack, browser: Browser, tmp_path: Path) -> None:
    address, _ = await page_for(served, "wim")
    notes = tmp_path / "notes.txt"
    notes.write_text("no film")
    page = await browser.new_page(viewport={"width": 390, "height": 760}, color_scheme="light")
    await page.goto(address)
    await look(page, "upload-phone")
    await page.set_input_files("#file", notes)
    await expect(page.locator("#word")).to_contain_text("is not a video or sound file")
    await expect(page.locator("#drop")).to_be_visible()
    await look(page, "upload-phone-refused")


async def test_a_link_that_does_not_hold_says_so(served: LightStack, browser: Browser) -> None:
    address, _ = await page_for(served, "wolf")
    page = await browser.new_page()
    await page.goto(address[:-4] + "xxx/")
    await expect(page.locator("h1")).to_contain_text("does not work")


async def be_away_once(page: Page, address: str) -> None:
    """Answer the page's next look as a proxy does while the bot starts again."""
    refused = asyncio.Event()

    async def refuse(route: Route) -> None:
        refused.set()
        await route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway</h1>")

    await page.route(address, refuse, times=1)
    async with asyncio.timeout(15):
        await refused.wait()
    await expect(page.locator("[data-pending]")).to_have_count(1)


async def test_the_page_of_a_running_job_becomes_that_of_its_result(
    served: LightStack, browser: Browser, tmp_path: Path
) -> None:
    clip = tmp_path / "talk.mp4"
    clip.write_bytes(b"a clip of some length")
    person = served.fake.world.add_person("wilma")
    asked = await served.fake.slash("process", clip=clip, by=person)
    job = await served.job(of=asked)
    lease = await served.take(job)
    lines = tuple(DraftLine(start=float(number), text=f"Sentence {number}.") for number in range(2))
    await lease.emit(Progressed(progress=Progress(stage="transcribe", fraction=0.3, draft=lines[:1])))
    message = asked.original
    assert message is not None
    await served.fake.wait(lambda: "Sentence 0" in message.text, 20, "the first words in the message")
    (button,) = [key for key in message.buttons if "page" in key]
    told = await private(served, await served.fake.click(button, message, by=person))
    (address,) = [key for key in told.buttons if key.startswith("http")]
    page = await browser.new_page(viewport={"width": 390, "height": 760})
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    await page.goto(address)
    await expect(page.locator("#draft")).to_contain_text("Sentence 0.")
    await expect(page.locator("#stems")).to_be_hidden()
    await be_away_once(page, address)
    stem = await served.store.put(clip, name="vocals.flac")
    await lease.emit(Progressed(progress=Progress(stage="separate", fraction=1.0, files=(stem,))))
    await lease.emit(Progressed(progress=Progress(stage="transcribe", fraction=0.6, draft=lines)))
    await expect(page.locator("#draft")).to_contain_text("Sentence 1.", timeout=15_000)
    await expect(page.locator("#stems audio")).to_have_attribute("src", "files/vocals.flac")
    await look(page, "running-phone")
    await served.finish(lease, job)
    await expect(page.locator("[data-pending]")).to_have_count(0, timeout=15_000)
    assert problems == []


LEVEL = """async (at) => {
  const { player } = await import(document.querySelector("script[type=module]").src);
  await player.seek(at);
  // Moves of a fader take 20 ms, and the sound begins a little later than asked for.
  await new Promise((done) => setTimeout(done, 250));
  return Math.round(player.fader.node.gain.value * 100) / 100;
}"""
HEARD = """async () => {
  const { player } = await import(document.querySelector("script[type=module]").src);
  return player.time > 20 && player.time < 30 && player.fader.node.gain.value === 1;
}"""
PEOPLE = (Speaker(id="S1", name="Ada"), Speaker(id="S2", name="Bo <b>"))
SHARES = SpeakerShares(
    fade=0.03,
    stretches=(
        SharedStretch(start=0.0, end=20.0, speakers=("S1",)),
        SharedStretch(start=20.0, end=30.0, speakers=("S2",)),
        SharedStretch(start=30.0, end=40.0, speakers=("S1", "S2")),
        SharedStretch(start=40.0, end=61.4, speakers=("S1",)),
    ),
)


def spoken(clip: Path) -> dict[str, bytes]:
    """The files of a result whose vocals are shared out to two people."""
    sound = io.BytesIO()
    soundfile.write(sound, np.full((61 * 8000, 1), 0.2), 8000, format="FLAC")
    turns = tuple(
        Turn(start=start, end=start + 1, speaker=who, text="Yes.", overlap=False, words=())
        for start, who in ((1.0, "S1"), (21.0, "S2"))
    )
    names = ("vocals", "background", "speaker-1", "speaker-2")
    return {
        **{f"stems/{name}.flac": sound.getvalue() for name in names},
        "speaker-stems.json": msgspec.json.encode(SHARES),
        "transcript.json": transcript_bytes(Transcript(language="en", duration=61.4, speakers=PEOPLE, turns=turns)),
    }


async def test_each_speaker_has_a_fader_mute_and_solo(served: LightStack, browser: Browser, tmp_path: Path) -> None:
    clip = tmp_path / "talk.mp4"
    clip.write_bytes(b"a clip of two people")
    person = served.fake.world.add_person("willy")
    asked = await served.fake.slash("process", clip=clip, by=person)
    job = await served.job(of=asked)
    stems = tuple(SpeakerStem(speaker=f"S{n}", file=f"stems/speaker-{n}.flac") for n in (1, 2))
    await served.finish(await served.take(job), job, spoken(clip), speakers=PEOPLE, speaker_stems=stems)
    message = asked.original
    assert message is not None
    await served.fake.wait(lambda: bool(message.files), 20, "the result")
    told = await private(served, await served.fake.click(id_for(message, "page"), message, by=person))
    (address,) = [key for key in told.buttons if key.startswith("http")]
    page = await browser.new_page(viewport={"width": 1000, "height": 1100})
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    await page.goto(address)
    ada, bo = page.get_by_role("group", name="Ada"), page.get_by_role("group", name="Bo <b>")
    await expect(bo.locator(".wave > div")).to_be_attached(timeout=20_000)
    await bo.get_by_role("button", name="Solo").click()
    await expect(page.get_by_role("group", name="Background")).to_contain_class("silent")
    await expect(ada).to_contain_class("silent")
    await expect(page.get_by_role("group", name="Voice")).not_to_contain_class("silent")
    await page.get_by_role("button", name="Play", exact=True).click()
    await expect(page.locator("body.playing")).to_be_attached(timeout=20_000)
    assert [await page.evaluate(LEVEL, at) for at in (5.0, 25.0, 35.0)] == [0, 1, 0.5]
    await look(page, "speakers-solo")
    await bo.get_by_role("button", name="Solo").click()
    await ada.get_by_role("slider").fill("0.4")
    assert [await page.evaluate(LEVEL, at) for at in (5.0, 25.0, 35.0)] == [0.4, 1, 0.7]
    await ada.get_by_role("slider").fill("1")
    await ada.get_by_role("button", name="Mute").click()
    # Across a border the gain goes with the sound, without anybody's doing.
    assert await page.evaluate(LEVEL, 17.0) == 0
    await page.wait_for_function(HEARD, polling=50)
    await page.get_by_text("Rename speakers").click()
    await page.get_by_role("textbox", name="Ada").fill("Eve")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("group", name="Eve").get_by_role("button", name="Mute: Eve")).to_be_visible()
    assert problems == []
