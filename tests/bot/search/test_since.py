"""Since when somebody looks: dates and ages as people type them in both languages, and nothing else."""

from datetime import UTC, datetime

import pytest

from bot.exceptions import RefusedError
from bot.search.since import read_since

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()
DAY_S = 86400.0
WIDE = str.maketrans("0123456789-/", "".join(chr(ord(sign) + 0xFEE0) for sign in "0123456789-/"))
"""As a Chinese keyboard writes them."""


@pytest.mark.parametrize(
    ("typed", "since"),
    [
        ("", 0.0),
        ("  ", 0.0),
        ("7d", NOW - 7 * DAY_S),
        (" 12 H ", NOW - DAY_S / 2),
        ("2周", NOW - 14 * DAY_S),
        ("3个月", NOW - 90 * DAY_S),
        ("7天".translate(WIDE), NOW - 7 * DAY_S),
        ("9999y", 0.0),
        ("2026-11-29", NOW - 1.5 * DAY_S),
        ("2026/11/29", NOW - 1.5 * DAY_S),
        ("2026-11-29".translate(WIDE), NOW - 1.5 * DAY_S),
        ("2026年11月29日", NOW - 1.5 * DAY_S),
        ("1066-10-14", 0.0),
    ],
)
def test_dates_and_ages_are_read(typed: str, since: float) -> None:
    assert read_since(typed, NOW) == since


@pytest.mark.parametrize(
    "typed",
    ["yesterday", "2026-02-30", "0000-01-01", "2026-13-01", "-7d", "7", "d", "99999d", "7d\x007d", "\u0667d", "1e3d"],
)
def test_anything_else_is_refused(typed: str) -> None:
    with pytest.raises(RefusedError, match="cannot be read"):
        read_since(typed, NOW)
