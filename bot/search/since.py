"""Reads since when somebody wants to look."""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Final

from bot.exceptions import RefusedError

_DAY_S: Final = 86400.0
_UNITS_S: Final = {
    **dict.fromkeys(("h", "小时"), 3600.0),
    **dict.fromkeys(("d", "天", "日"), _DAY_S),
    **dict.fromkeys(("w", "周", "星期"), 7 * _DAY_S),
    **dict.fromkeys(("m", "个月", "月"), 30 * _DAY_S),
    **dict.fromkeys(("y", "年"), 365 * _DAY_S),
}
_AGE: Final = re.compile(rf"(\d{{1,4}})\s*({'|'.join(sorted(_UNITS_S, key=len, reverse=True))})", re.ASCII)
_DATE: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.ASCII)


def read_since(text: str, now: float) -> float:
    """Return the Unix time of a date such as `2026-11-30`, at its begin in UTC, or of an age such as `7d`.

    Args:
        text: What was typed; empty: since ever.
        now: Unix time.

    Raises:
        RefusedError: It is neither.

    """
    typed = unicodedata.normalize("NFKC", text).strip().casefold()
    if not typed:
        return 0.0
    if found := _AGE.fullmatch(typed):
        return max(now - int(found[1]) * _UNITS_S[found[2]], 0.0)
    if found := _DATE.fullmatch(typed):
        try:
            return max(datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC).timestamp(), 0.0)
        except ValueError:
            pass
    raise RefusedError("find-since", "find-since-hint")
