import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages.formatting import escape, fit_lines, format_duration, format_size, progress_bar, shorten


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain words, 3 of 4.", "plain words, 3 of 4."),
        ("**bold** __x__ ~~y~~ ||z||", r"\*\*bold\*\* \_\_x\_\_ \~\~y\~\~ \|\|z\|\|"),
        ("[here](https://evil.example)", r"\[here\](https\://evil.example)"),
        ("<@123> <#1> </x:1>", "\\<@\u200b123\\> \\<#1\\> \\</x:1\\>"),
        ("@everyone", "@\u200beveryone"),
        ("# title\n- item", r"\# title - item"),
        ("1. first", r"1\. first"),
        ("`code` \\", r"\`code\` \\"),
        ("abc\u202egpj.exe\u200b\x00", "abcgpj.exe"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
    ],
)
def test_escape(text: str, safe: str) -> None:
    assert escape(text) == safe


@given(st.text())
def test_escape_leaves_one_line_without_bare_marks(text: str) -> None:
    safe = escape(text)
    assert "\n" not in safe
    bare = safe.replace("\\\\", "")
    for mark in "*_~|`<>[]":
        assert bare.count(mark) == bare.count(f"\\{mark}")
    assert "@everyone" not in safe


@given(st.text(), st.integers(2, 50))
def test_shorten_keeps_the_limit(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= limit


@given(st.lists(st.text(alphabet="ab\\ ", max_size=30), max_size=20), st.integers(5, 80))
def test_lines_keep_the_limit(lines: list[str], limit: int) -> None:
    assert len(fit_lines(lines, limit)) <= limit


def test_lines_that_do_not_fit_become_an_ellipsis() -> None:
    assert fit_lines(["aaaa", "bbbb", "cccc"], 12) == "aaaa\nbbbb\n…"
    assert fit_lines(["a" * 30], 10) == "aaaaaaaaa…"


def test_numbers_for_reading() -> None:
    assert [format_duration(0), format_duration(61.9), format_duration(3725)] == ["0:00", "1:01", "1:02:05"]
    assert [format_size(size) for size in (1, 10_500_000, 2**31)] == ["1 kB", "10.5 MB", "2.1 GB"]
    assert [progress_bar(0, 4), progress_bar(0.5, 4), progress_bar(7, 4)] == ["▱▱▱▱", "▰▰▱▱", "▰▰▰▰"]
