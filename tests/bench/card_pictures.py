"""Pictures of the card of a result, dark, light and as wide as a phone, to look at: `make card-pictures`.

Chromium draws the components as `tests.wire.rendering` writes them; the results are made up.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bot.components.layouts import build_layout
from bot.i18n.translator import translator_for
from bot.jobs.result_buttons import buttons_for
from bot.messages.cards import CardMessage, result_card
from bot.messages.features import Features
from pipeline.types import Artefact, Failure, Request, Result, Speaker, Task, Transcript, Turn
from tests.bot.world import make_result
from tests.wire.rendering import page

DATA = Path(__file__).parents[1] / "data"
JOB = "0" * 32
WIDTHS = {"dark": 720, "light": 720, "phone": 390}
SAYS = (
    ("A", "Good evening, and welcome back to the harbour. The storm has reached the coast."),
    ("B", "We saw the first waves over the wall at about six o'clock, and the forecast had said nine."),
    ("C", "The numbers are still coming in."),
    ("A", "Stay with us: in a moment we go to the lighthouse, where the power is out since noon."),
    ("B", "Right."),
    ("C", "I would like to add that nobody was hurt so far, which is the best news of this evening."),
    ("A", "Thank you both."),
    ("B", "And good night."),
)


def cards() -> Iterator[tuple[str, CardMessage, str]]:
    """Name, card and language of each picture."""
    turns = [
        Turn(start=4.0 * n, end=4.0 * n + 3, speaker=who, text=text, overlap=False, words=())
        for n, (who, text) in enumerate(SAYS)
    ]
    speakers = (Speaker(id="A", name="Ann"), Speaker(id="B", name="Bo"), Speaker(id="C", name="Speaker 3"))
    transcript = Transcript(language="en", duration=61.4, speakers=speakers, turns=tuple(turns))
    texts = ("transcript.txt", "transcript.srt", "transcript.json")
    stems = ("stems/vocals.flac", "stems/background.flac")
    names = (*stems, *texts, "final.mp4", "report.png")
    artefacts = tuple(Artefact(name=name, digest="0" * 64, size=10, media_type="audio/flac") for name in names)
    whole = replace(
        make_result(Request(task=Task.ALL)), artefacts=artefacts, speakers=speakers, notes=("Two sound tracks.",)
    )
    files = ("report.png", "final.mp4", "transcript.txt", "transcript.srt", "vocals.flac", "background.flac")
    failure = Failure(type="MixError", message="The mix failed.", hint="", stage="mix")
    failed = replace(whole, failures=(failure,), language=None, speakers=(), artefacts=artefacts[:2])
    for locale in ("en", "zh-CN"):
        yield f"all-{locale}", _card(whole, transcript, files, locale), locale
    yield (
        "partial",
        _card(failed, None, ("vocals.opus", "background.flac"), "en", replaced=("a.flac (30 MB) → b",)),
        "en",
    )


def _card(
    result: Result, transcript: Transcript | None, files: tuple[str, ...], locale: str, replaced: tuple[str, ...] = ()
) -> CardMessage:
    buttons = buttons_for(JOB, result, pages=True)
    translator = translator_for(locale)
    return result_card(
        translator,
        "harbour_news.mp4",
        "1",
        result,
        buttons=buttons,
        transcript=transcript,
        files=files,
        replaced=replaced,
        features=Features(pages=True),
    )


def draw(markup: str, width: int, picture: Path, folder: Path) -> None:
    """Write a picture of a page."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("Chromium is not installed.")
    source = folder / f"{picture.stem}.html"
    source.write_text(markup)
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--virtual-time-budget=3000"]
    command = [chromium, *options, f"--window-size={width},1500", f"--screenshot={picture}", source.as_uri()]
    subprocess.run(command, check=True, timeout=120, capture_output=True)


def main() -> int:
    """Draw all cards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, nargs="?", default=Path("out/cards"))
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    address = {"final.mp4": DATA / "sample.mp4", "report.png": DATA / "report.png"}
    with tempfile.TemporaryDirectory(prefix="cards-") as folder:
        for name, card, locale in cards():
            components = build_layout(card, translator_for(locale)).to_components()
            for theme, width in WIDTHS.items():
                markup = page(
                    components,
                    theme="light" if theme == "light" else "dark",
                    address=lambda file: address[file].as_uri(),
                    sizes=dict.fromkeys(["vocals.flac", "background.flac"], 4_200_000),
                )
                draw(markup, width, out / f"{name}-{theme}.png", Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
