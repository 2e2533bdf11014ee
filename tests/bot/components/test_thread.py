from hypothesis import given
from hypothesis import strategies as st

from bot import discord_limits
from bot.components.thread import MAX_MESSAGES, split_messages
from bot.messages.embeds import transcript_lines
from pipeline.types import Speaker, Transcript, Turn


@given(st.lists(st.text(alphabet="ab *\\@<", max_size=5000), max_size=20))
def test_every_message_fits_and_nothing_is_lost(lines: list[str]) -> None:
    made = list(split_messages(lines))
    assert all(0 < len(page) <= discord_limits.MAX_CONTENT_CHARS for page in made)
    if len(made) < MAX_MESSAGES:
        assert "".join("".join(made).split()) == "".join("".join(lines).split())


def test_escaped_letter_is_not_cut_in_two() -> None:
    made = list(split_messages(["a" + "\\*" * 3000]))
    assert len(made) > 1
    assert not any(page.endswith("\\") for page in made)


def test_line_with_no_good_place_to_cut_is_cut() -> None:
    assert "".join(split_messages(["\\" * 5000])) == "\\" * 5000


def test_endless_talk_ends_with_an_ellipsis() -> None:
    made = list(split_messages(["word " * 380] * 100))
    assert len(made) == MAX_MESSAGES
    assert made[-1].endswith("\n…")


def test_speech_and_names_bring_no_markup() -> None:
    turn = Turn(start=65.0, end=70.0, speaker="A", text="# @here [x](https://e.example)", overlap=False, words=())
    transcript = Transcript(language="en", duration=70.0, speakers=(Speaker(id="A", name="**B**\n# C"),), turns=(turn,))
    (line,) = transcript_lines(transcript)
    assert line == "1:05 **\\*\\*B\\*\\* # C** \\# @\u200bhere \\[x\\](https\\://e.example)"
