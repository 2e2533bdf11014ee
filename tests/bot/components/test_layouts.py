"""The card of a result has room for all that it can have at once."""

from typing import Any

import discord

from bot.components.custom_ids import Action, CustomId
from bot.components.layouts import MAX_COMPONENTS, build_layout
from bot.i18n.translator import Translator
from bot.messages.cards import CardFile, CardMessage, MoreOption
from bot.messages.embeds import ResultButtons

JOB = "0" * 32
ACTIONS = (
    *(Action.REBALANCE, Action.RENAME, Action.FIX, Action.TRACKS, Action.DUB),
    *(Action.THREAD, Action.PAGE, Action.FETCH),
)


def card(*doubts: str, files: int = 8) -> CardMessage:
    """A card with everything; ten files are in a message, two of them in galleries."""
    buttons = ResultButtons(
        job_id=JOB, actions=ACTIONS, formats=("txt", "srt"), sounds=("vocals", "final"), doubts=doubts
    )
    return CardMessage(
        headline="### clip.mp4",
        transcript="0:01 **Ann** Hello.",
        warnings="**Failed:** the report",
        galleries=(("final.mp4",), ("report.png",)),
        files=tuple(CardFile(name=f"{number}.flac", label="Voice") for number in range(files)),
        buttons=buttons,
        more=(MoreOption(value="facts", label="How it was made"),),
        colour=discord.Colour(0),
    )


def components(message: CardMessage, locale: str = "en") -> list[discord.ui.Item[Any]]:
    return list(build_layout(message, Translator(locale), above="A line").walk_children())


def question(items: list[discord.ui.Item[Any]]) -> discord.ui.Button[Any] | None:
    asked = str(CustomId(Action.PERHAPS, JOB))
    found = [item for item in items if isinstance(item, discord.ui.Button) and item.custom_id == asked]
    return found[0] if found else None


def test_a_full_card_has_room_for_a_question() -> None:
    for files in (8, 10):
        items = components(card("Ann", "Ben", files=files))
        assert len(items) <= MAX_COMPONENTS
        assert question(items) is not None


def test_one_button_asks_for_all_whom_speakers_perhaps_are() -> None:
    for locale, doubts, label in (
        ("en", ("Ann",), "Perhaps Ann?"),
        ("en", ("Ann", "Ben", "Cal"), "Perhaps Ann? (and 2 more)"),
        ("zh-CN", ("Ann", "Ben"), Translator("zh-CN").format("button-perhaps", name="Ann", more=1)),
    ):
        asked = question(components(card(*doubts), locale))
        assert asked is not None
        assert asked.label == label
    long = question(components(card("n\n" * 60)))
    assert long is not None
    assert len(long.label or "") <= 80
    assert "\n" not in (long.label or "")
    assert question(components(card())) is None
