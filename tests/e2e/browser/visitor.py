"""A person with a browser window, and two of them who listen for a while."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.browser.sound import Ear, Moment, record, tap


class Visitor:
    """What the window asked for and what went wrong in it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.asked: set[str] = set()
        self.errors: list[str] = []
        page.on("request", lambda request: self.asked.add(urlsplit(request.url).netloc))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)

    def open(self) -> "Visitor":
        self.page.goto(self.address)
        return self

    def play(self) -> None:
        self.page.get_by_role("button", name="Play").click()
        expect(self.page.locator("body.playing")).to_be_attached(timeout=30_000)

    def time(self) -> float:
        """Seconds that the slider of the position tells."""
        return float(self.page.locator("#seek").input_value())


@dataclass(frozen=True, slots=True)
class Listened:
    """What a visitor heard, once a second."""

    moments: list[Moment]
    errors: list[str]
    asked: set[str]


def listen(
    program: str, addresses: Mapping[str, str], folder: Path, seconds: int, enough: threading.Event
) -> dict[str, Listened]:
    """Listen, in a browser of one's own, to the pages that these engines play, all at once.

    Ends early, with nothing, when there is `enough` of it.
    """
    ear, times = Ear(folder), seconds + 1
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=program) as browser:
        visitors = {engine: Visitor(browser.new_page(), address) for engine, address in addresses.items()}
        for engine, visitor in visitors.items():
            visitor.open().play()
            assert tap(visitor.page) == (engine, "running")
            record(visitor.page, times)
        for visitor in visitors.values():
            while visitor.page.evaluate("kept.length") < times:
                if enough.wait(0.5):
                    return {}
        return {
            engine: Listened(ear.recorded(visitor.page, times), visitor.errors, visitor.asked)
            for engine, visitor in visitors.items()
        }
