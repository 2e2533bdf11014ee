"""A transcript that people correct on its page, in real browsers."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.e2e.browser.edited_page import SAID, Addresses, edited_page, long_talk, talk, transcript
from tests.e2e.browser.visitor import Visitor

pytestmark = pytest.mark.timeout(180)

Open = Callable[[str], AbstractContextManager[Page]]
OPENED_LIMIT_S = 30.0
"""The bar is 2 s on a machine that does nothing else."""
SEEN_LIMIT_MS = 15_000
"""Within which a change of another person is seen: the page looks every three seconds."""
REFUSED = re.compile(r"Failed to load resource.*(409|503)")
"""What the browser itself says of an answer that the tests cause."""


@pytest.fixture
def addresses(tmp_path: Path) -> Iterator[Addresses]:
    with edited_page(tmp_path, talk()) as addresses:
        yield addresses


@pytest.fixture
def window(browser: Browser) -> Open:
    """Opens a page as another person would: in a browser of one's own."""

    @contextmanager
    def open_page(address: str, **how: object) -> Iterator[Page]:
        with browser.new_context(locale="en-GB", **how) as context:  # type: ignore[arg-type]
            visitor = Visitor(context.new_page(), address).open()
            # The lines have come once they say how many there are.
            expect(visitor.page.locator("[aria-setsize]").first).to_be_attached()
            yield visitor.page
            assert [error for error in visitor.errors if not REFUSED.search(error)] == []

    return open_page


def line(page: Page, number: int) -> Locator:
    return page.locator(".turn").nth(number)


def said(page: Page) -> list[str]:
    return page.locator(".turn .said").all_text_contents()


def who(page: Page) -> list[str]:
    return page.locator(".turn .who .name").all_text_contents()


def field(page: Page) -> Locator:
    return page.locator(".turn.active textarea")


def edit(page: Page, number: int) -> Locator:
    """Turn the editor on and open a line."""
    button = page.get_by_role("button", name="Edit", exact=True)
    if button.get_attribute("aria-pressed") == "false":
        button.click()
    if "open" not in (line(page, number).get_attribute("class") or ""):
        line(page, number).locator(".said").click()
    expect(field(page)).to_be_focused()
    return field(page)


def saved(page: Page) -> None:
    expect(page.locator("#edit-told")).to_have_text("Saved.")


def test_a_transcript_is_corrected_undone_and_brought_back(window: Open, addresses: Addresses) -> None:
    with window(addresses.alice) as page, window(addresses.mo) as other:
        edit(page, 1).fill("Thanks for having me.")
        page.keyboard.press("Enter")
        expect(line(page, 1).locator(".said")).to_have_text("Thanks for having me.")
        expect(line(page, 1).locator(".unsure")).to_have_count(0)

        page.keyboard.press("Alt+2")
        expect(line(page, 2).locator(".name").first).to_have_text("Ben")

        edit(page, 3).evaluate("field => field.setSelectionRange(22, 22)")
        page.keyboard.press("Shift+Enter")
        expect(page.locator(".turn")).to_have_count(6)
        assert said(page)[3:5] == ["The forecast was clear", "but people did not listen."]
        expect(field(page)).to_have_value("but people did not listen.")

        expect(other.locator(".turn")).to_have_count(6, timeout=SEEN_LIMIT_MS)
        expect(line(other, 1).locator(".said")).to_have_text("Thanks for having me.")
        expect(line(other, 4)).to_contain_class("told")
        assert who(other)[2] == "Ben"

        page.keyboard.press("Control+z")
        expect(page.locator(".turn")).to_have_count(5)
        page.keyboard.press("Control+Shift+z")
        expect(page.locator(".turn")).to_have_count(6)
        page.keyboard.press("Control+z")
        expect(page.locator(".turn")).to_have_count(5)

        page.reload()
        expect(line(page, 1).locator(".said")).to_have_text("Thanks for having me.")
        assert (len(said(page)), who(page)[2]) == (5, "Ben")

        edit(other, 0)
        other.get_by_text("History", exact=True).click()
        entries = other.locator(".history li")
        expect(entries).to_have_count(7)
        expect(entries.first).to_contain_text("Alice")
        expect(entries.nth(5)).to_contain_text("Thanks for having me.")
        other.locator(".history [data-revision='1']").click()
        expect(line(other, 2).locator(".name").first).to_have_text("Ann")
        expect(line(other, 1).locator(".said")).to_have_text("Thanks for having me.")
        other.locator(".history [data-revision='0']").click()
        expect(line(other, 1).locator(".said")).to_have_text("Thanks four having me.")
        other.locator("[data-act=undo]").click()
        expect(line(other, 1).locator(".said")).to_have_text("Thanks for having me.")
        expect(line(page, 1).locator(".said")).to_have_text("Thanks for having me.", timeout=SEEN_LIMIT_MS)


def test_words_of_a_line_go_to_another_speaker_also_to_a_new_one(window: Open, addresses: Addresses) -> None:
    with window(addresses.alice) as page:
        edit(page, 3).evaluate("field => field.setSelectionRange(28, 33)")
        expect(page.locator(".turn.active .voices-told")).to_have_text("“people” goes to")
        page.get_by_role("button", name="New speaker").click()
        expect(page.locator(".turn")).to_have_count(7)
        assert said(page)[3:6] == ["The forecast was clear but", "people", "did not listen."]
        assert who(page)[3:6] == ["Ben", "Speaker 3", "Ben"]
        page.get_by_text("Rename speakers").click()
        page.locator("#names").get_by_role("textbox", name="Speaker 3").fill("Cleo")
        page.locator("#names").get_by_role("button", name="Save").click()
        expect(line(page, 4).locator(".name").first).to_have_text("Cleo")


def test_what_a_glossary_put_is_marked_and_put_back(window: Open, tmp_path: Path) -> None:
    content = transcript((("S1", "So we asked Kirstjen, and she said no."), ("S2", "Why?")))
    first = content.turns[0]
    words = tuple(replace(word, heard="Kirs tin,") if word.text == "Kirstjen," else word for word in first.words)
    content = replace(content, turns=(replace(first, words=words), *content.turns[1:]))
    with edited_page(tmp_path, content) as addresses:
        with window(addresses.reader) as reader:
            expect(line(reader, 0).locator(".term")).to_have_text("Kirstjen,")
            title = "The glossary put this in; heard: Kirs tin,"
            expect(line(reader, 0).locator(".term")).to_have_attribute("title", title)
        with window(addresses.alice) as page:
            edit(page, 0)
            line(page, 0).get_by_role("button", name="Put back “Kirs tin,” for “Kirstjen,”").click()
            expect(field(page)).to_have_value("So we asked Kirs tin, and she said no.")
            expect(line(page, 0).locator(".terms button")).to_have_count(0)
            page.keyboard.press("Control+z")
            expect(field(page)).to_have_value(first.text)
            expect(line(page, 0).locator(".terms button")).to_have_count(1)


def test_lines_are_merged_deleted_and_added(window: Open, addresses: Addresses) -> None:
    with window(addresses.alice) as page:
        edit(page, 0)
        page.keyboard.press("Alt+m")
        expect(page.locator(".turn")).to_have_count(4)
        expect(field(page)).to_have_value(f"{SAID[0][1]} {SAID[1][1]}")
        page.locator(".turn.active [data-act=delete]").click()
        expect(page.locator(".turn")).to_have_count(3)
        expect(field(page)).to_have_value("Oh, wonderful.")
        page.keyboard.press("Alt+n")
        expect(field(page)).to_have_value("")
        page.keyboard.type("Quite a storm")
        page.keyboard.press("Control+Enter")
        saved(page)
        expect(page.locator(".turn")).to_have_count(4)
        assert said(page)[:2] == ["Oh, wonderful.", "Quite a storm"]
        page.keyboard.press("Alt+n")
        expect(page.locator(".turn")).to_have_count(5)
        page.keyboard.press("Escape")
        expect(page.locator(".turn")).to_have_count(4)
        page.reload()
        expect(page.locator(".turn")).to_have_count(4)


def test_two_people_at_one_line_lose_nothing(window: Open, addresses: Addresses) -> None:
    with window(addresses.alice) as page, window(addresses.mo) as other:
        edit(other, 1).fill("Thanks for asking me.")
        edit(page, 1).fill("Thank you for having me.")
        page.keyboard.press("Control+Enter")
        saved(page)
        trouble = other.locator(".turn.active .trouble")
        expect(trouble).to_contain_text("Thank you for having me.", timeout=SEEN_LIMIT_MS)
        expect(trouble).to_contain_text("Alice")
        expect(field(other)).to_have_value("Thanks for asking me.")
        other.keyboard.press("Enter")
        expect(line(other, 1).locator("textarea")).to_have_value("Thanks for asking me.")
        line(other, 1).get_by_role("button", name="Save mine").click()
        expect(line(page, 1).locator("textarea")).to_have_value("Thanks for asking me.", timeout=SEEN_LIMIT_MS)

        edit(other, 1).fill("Not at all.")
        line(page, 1).locator("[data-act=delete]").click()
        expect(other.locator(".rescue")).to_contain_text("Not at all.", timeout=SEEN_LIMIT_MS)
        other.get_by_role("button", name="Add as a line").click()
        expect(other.locator(".rescue")).to_have_count(0)
        assert "Not at all." in said(other)


def test_a_change_that_comes_too_late_is_told_with_who_and_when(window: Open, addresses: Addresses) -> None:
    with window(addresses.alice) as page, window(addresses.mo) as other:
        held = True

        def hold(route: Route) -> None:
            if held:
                route.fulfill(status=304)
            else:
                route.continue_()

        other.route("**/lines.json", hold)
        edit(other, 1).fill("Thanks for asking me.")
        edit(page, 1).fill("Thank you for having me.")
        page.keyboard.press("Control+Enter")
        saved(page)
        held = False
        other.keyboard.press("Control+Enter")
        expect(other.locator("#edit-told")).to_contain_text("Not saved: Alice changed this line at")
        expect(field(other)).to_have_value("Thanks for asking me.")
        line(other, 1).get_by_role("button", name="Discard mine").click()
        expect(field(other)).to_have_value("Thank you for having me.")


def test_what_was_typed_stays_while_the_server_is_away(window: Open, addresses: Addresses) -> None:
    with window(addresses.alice) as page:
        page.route("**/edits", lambda route: route.fulfill(status=503, content_type="text/html", body="<h1>away"))
        edit(page, 1).fill("Thanks for having me.")
        page.keyboard.press("Enter")
        expect(page.locator("#edit-told")).to_contain_text("Not saved")
        expect(line(page, 1).locator("textarea")).to_have_value("Thanks for having me.")
        expect(line(page, 1).locator(".trouble")).to_contain_text("cannot be reached")
        page.unroute("**/edits")
        line(page, 1).locator("[data-act=save]").click()
        saved(page)
        page.reload()
        expect(line(page, 1).locator(".said")).to_have_text("Thanks for having me.")


def test_who_may_only_look_sees_what_others_change(window: Open, addresses: Addresses) -> None:
    with window(addresses.reader) as reader, window(addresses.alice) as page:
        expect(reader.get_by_role("button", name="Edit", exact=True)).to_have_count(0)
        doubtful = line(reader, 1).locator(".unsure")
        expect(doubtful).to_have_text("four")
        expect(doubtful).to_have_attribute("title", "Recognised with 31 % certainty")
        edit(page, 1).fill("Thanks for having me.")
        page.keyboard.press("Control+Enter")
        expect(line(reader, 1).locator(".said")).to_have_text("Thanks for having me.", timeout=SEEN_LIMIT_MS)


def test_a_line_is_played_and_the_keys_do_the_rest(window: Open, addresses: Addresses) -> None:
    with window(addresses.alice) as page:
        seek = page.locator("#seek")
        edit(page, 2)
        line(page, 2).get_by_role("button", name="Play this line").click()
        expect(page.locator("body.playing")).to_be_attached(timeout=30_000)
        expect(page.locator("body.playing")).not_to_be_attached(timeout=30_000)
        start, end = (float(word.get_attribute("data-end") or 0) for word in line(page, 2).locator(".word").all())
        assert start < float(seek.input_value()) < end + 0.6
        field(page).focus()
        page.keyboard.press("ArrowLeft")
        assert float(seek.input_value()) < end + 0.6
        page.keyboard.press("Alt+ArrowUp")
        expect(field(page)).to_have_value(SAID[1][1])
        page.keyboard.press("Control+Space")
        expect(page.locator("body.playing")).to_be_attached()
        page.keyboard.press("Control+Space")
        expect(page.locator("body.playing")).not_to_be_attached()
        field(page).fill("Something else")
        page.keyboard.press("Escape")
        expect(field(page)).to_have_value(SAID[1][1])
        page.keyboard.press("Escape")
        expect(line(page, 1)).to_be_focused()
        page.keyboard.press("Enter")
        expect(field(page)).to_be_focused()


def test_every_control_of_the_editor_says_what_it_is_and_is_large_enough(window: Open, addresses: Addresses) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with window(addresses.alice, **phone) as page:  # type: ignore[call-arg]
        page.get_by_role("button", name="Edit", exact=True).tap()
        line(page, 3).locator(".said").tap()
        expect(field(page)).to_be_focused()
        told = page.locator(".transcript").aria_snapshot()
        controls = re.findall(r"- (?:button|textbox|checkbox)\b.*", told)
        assert len(controls) > 15
        assert [control for control in controls if '"' not in control] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        for button in page.locator(".turn.active button, .edit-bar button, #edit").all():
            box = button.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 44, button.text_content()


def test_chinese_is_corrected_without_spaces(window: Open, tmp_path: Path) -> None:
    heard = replace(transcript((("S1", "大家 晚上 好"), ("S2", "谢谢 你 的 邀请"))), language="zh")
    joined = tuple(replace(turn, text=turn.text.replace(" ", "")) for turn in heard.turns)
    with edited_page(tmp_path, replace(heard, turns=joined)) as addresses, window(addresses.alice) as page:
        edit(page, 1).fill("谢谢你们的邀请")
        page.keyboard.press("Control+Enter")
        saved(page)
        field(page).evaluate("field => field.setSelectionRange(2, 4)")
        expect(page.locator(".turn.active .voices-told")).to_have_text("“你们” goes to")
        page.keyboard.press("Alt+1")
        expect(page.locator(".turn")).to_have_count(4)
        assert said(page)[1:] == ["谢谢", "你们", "的邀请"]


def test_two_hours_of_talk_open_at_once_and_scroll_without_a_jump(
    window: Open, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    content = long_talk(20_000)
    with edited_page(tmp_path, content) as addresses:
        began = time.perf_counter()
        with window(addresses.alice) as page:
            opened = time.perf_counter() - began
            record_property("seconds until two hours of talk are there", round(opened, 2))
            assert opened < OPENED_LIMIT_S
            expect(page.locator(".turn").first).to_have_attribute("aria-setsize", str(len(content.turns)))
            page.locator("#turns").evaluate("list => (list.scrollTop = list.scrollHeight / 2)")
            jump = page.evaluate(SCROLL_UP)
            assert jump["worst"] < 1.5
            assert jump["most"] < 100
            longest = max((turn.text for turn in content.turns), key=len)
            page.keyboard.press("Control+f")
            page.keyboard.type(longest)
            expect(page.locator("#find output")).to_have_text("1 of 1")
            expect(page.get_by_text(longest, exact=True)).to_be_visible()
            page.locator("#turns").evaluate("list => (list.scrollTop = list.scrollHeight)")
            expect(page.locator(".turn").last).to_have_attribute("aria-posinset", str(len(content.turns)))


SCROLL_UP = """async () => {
  const list = document.querySelector("#turns");
  const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await frame();
  let worst = 0;
  let most = 0;
  for (let step = 0; step < 60; step += 1) {
    const top = list.getBoundingClientRect().top;
    const lines = [...document.querySelectorAll(".turn")];
    const seen = lines.find((line) => line.getBoundingClientRect().top >= top);
    const before = seen.getBoundingClientRect().top;
    list.scrollTop -= 97;
    await frame();
    worst = Math.max(worst, Math.abs(seen.getBoundingClientRect().top - before - 97));
    most = Math.max(most, lines.length);
  }
  return { worst, most };
}"""
