"""Values that people and forged clients give: read as numbers, and shown to them in errors."""

import math
import re
from contextlib import suppress
from typing import Final

MAX_SHOWN_CHARS: Final = 40
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def parse_number(value: object) -> float | None:
    """Read a finite number, or one that is written with the digits 0 to 9; None for anything else."""
    number = math.nan
    # A truth value is an int to Python, and `float` also reads digits with lines between them.
    if isinstance(value, int | float) and not isinstance(value, bool):
        with suppress(OverflowError):
            number = float(value)
    elif isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        number = float(value)
    return number if math.isfinite(number) else None


def shorten_value(value: object) -> str:
    """Return the text of a value for an error, cut where it is long."""
    try:
        text = str(value)
    except ValueError:  # Python writes no number of more than 4300 digits
        return "…"
    return text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}…"
