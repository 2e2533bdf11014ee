"""The page of a real result in a real browser, as a person uses it."""

import io
import json
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.e2e.browser.sound import DRIFT, Ear, Moment, tap
from tests.e2e.browser.visitor import Visitor

pytestmark = [pytest.mark.timeout(280), pytest.mark.usefixtures("listened")]


@pytest.fixture
def visitor(browser: Browser, address: str) -> Iterator[Visitor]:
    with browser.new_context(accept_downloads=True, locale="en-GB") as context:
        visitor = Visitor(context.new_page(), address).open()
        yield visitor
        assert visitor.errors == []
        # Nothing comes from anywhere else.
        assert visitor.asked == {urlsplit(address).netloc}


def test_stems_that_are_apart_are_heard_to_be(visitor: Visitor, folder: Path) -> None:
    """Without this, listening would prove nothing."""
    visitor.page.locator(".word").nth(20).click()
    visitor.play()
    tap(visitor.page, late={"background": 0.03})
    drifts = listen(visitor, Ear(folder), 6)
    assert drifts == pytest.approx([0.03] * len(drifts), abs=0.002)


def test_stems_that_are_read_while_they_play_stay_together_after_a_jump(
    browser: Browser, long_address: str, folder: Path, record_property: Callable[[str, object], None]
) -> None:
    ear = Ear(folder)
    with browser.new_context() as context:
        visitor = Visitor(context.new_page(), long_address).open()
        visitor.play()
        assert tap(visitor.page) == ("ElementEngine", "running")
        for place in (303.3, 125.0, 480.9):
            visitor.page.locator("#seek").fill(str(place))
            assert visitor.time() == pytest.approx(place, abs=2)
            drift = max(listen(visitor, ear, 6))
            assert drift < DRIFT
            record_property(f"most drift after a jump to {place} s, ms", round(drift * 1000, 2))
        assert visitor.errors == []


def listen(visitor: Visitor, ear: Ear, times: int) -> list[float]:
    """What the stems are apart, at the moments at which all were recognised; the first may be silent yet."""
    moments: list[Moment] = []
    for _ in range(times):
        time.sleep(0.3)
        moments.append(ear.hear(visitor.page))
    drifts = [moment.drift for moment in moments if moment.drift is not None]
    assert len(drifts) >= 2, moments
    return drifts


def test_a_click_on_a_word_goes_to_it(visitor: Visitor) -> None:
    page = visitor.page
    word = page.locator(".word").nth(30)
    start = start_of(word)
    word.click()
    assert visitor.time() == pytest.approx(start, abs=0.06)
    assert page.locator("#media").evaluate("media => media.currentTime") == pytest.approx(start, abs=0.06)
    expect(word).to_contain_class("now")
    assert word.text_content() == (word.text_content() or "").strip(), "the mark covers the word alone"
    visitor.play()
    expect(page.locator(".word.now")).to_be_visible()
    expect(word).not_to_contain_class("now")
    later = page.locator(".word").nth(60)
    later.click()
    assert start_of(later) - 0.1 <= visitor.time() < start_of(later) + 3


def start_of(word: Locator) -> float:
    """Seconds at which a word is said."""
    return float(word.get_attribute("data-at") or "nan")


def test_a_speaker_gets_a_name(visitor: Visitor, folder: Path) -> None:
    page = visitor.page
    page.get_by_text("Rename speakers").click()
    field = page.get_by_role("textbox", name="Speaker 1")
    field.fill("Anna <b>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    shown = page.locator(".turn .name").all_inner_texts()
    assert "Anna <b>" in shown
    assert "Speaker 1" not in shown
    assert "Anna <b>" in json.loads((folder / "names.json").read_text()).values()
    page.reload()
    assert "Anna <b>" in page.locator(".turn .name").all_inner_texts()
    captions = page.request.get(visitor.address + "captions.vtt").text()
    assert "Anna &lt;b&gt;" in captions
    assert "Speaker 1" not in captions


def test_the_zip_holds_every_file(visitor: Visitor, folder: Path) -> None:
    with visitor.page.expect_download() as waiting:
        visitor.page.get_by_role("link", name="All as a zip").click()
    download = waiting.value
    assert download.suggested_filename == "talk.zip"
    with zipfile.ZipFile(io.BytesIO(Path(download.path()).read_bytes())) as archive:
        assert archive.testzip() is None
        result = json.loads((folder / "result.json").read_text())
        assert sorted(archive.namelist()) == sorted(item["name"] for item in result["artefacts"])
        for name in archive.namelist():
            assert archive.read(name) == (folder / name).read_bytes(), name


def test_keys_do_what_the_mouse_does(visitor: Visitor) -> None:
    page = visitor.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Play")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("body.playing")).to_be_attached(timeout=30_000)
    page.keyboard.press("Space")
    expect(page.locator("body.playing")).not_to_be_attached()
    before = visitor.time()
    page.keyboard.press("ArrowRight")
    assert visitor.time() == pytest.approx(before + 5, abs=0.2)
    vocals = page.get_by_role("group", name="Voice")
    vocals.focus()
    page.keyboard.press("m")
    expect(vocals.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("m")
    page.keyboard.press("s")
    expect(vocals.get_by_role("button", name="Solo")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("group", name="Background")).to_contain_class("silent")


def test_every_control_says_what_it_is(visitor: Visitor) -> None:
    visitor.page.get_by_text("Rename speakers").click()
    told = visitor.page.locator("body").aria_snapshot()
    controls = re.findall(r"- (?:button|slider|textbox|checkbox|radio|link|region)\b.*", told)
    assert len(controls) > 20
    assert [control for control in controls if '"' not in control] == []


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
def test_nothing_hangs_over_the_edge(browser: Browser, address: str, width: int, height: int) -> None:
    with browser.new_context(viewport={"width": width, "height": height}) as context:
        page = Visitor(context.new_page(), address).open().page
        expect(page.locator(".wave").first.locator("div").first).to_be_attached()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for box in (control.bounding_box() for control in page.locator(".transport > *, .track > *").all()):
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width


def test_a_link_to_a_second_begins_there(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        visitor = Visitor(context.new_page(), f"{address}#t=12.5").open()
        assert visitor.time() == pytest.approx(12.5, abs=0.6)
        assert visitor.errors == []
