"""Text broken into lines for subtitles: within the width, at good places, of similar length."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.export.subtitles.style import LINE_CHARS, READING_SPEED_CHARS_PER_SECOND, WIDE_LINE_CHARS, SubtitleStyle
from pipeline.languages import READING_SPEEDS, UNSPACED, WIDE
from pipeline.speech.alignment.sentences import UNCERTAIN, binds_next, ends_sentence
from pipeline.speech.alignment.text import join_words

CLAUSE_ENDS = frozenset(",;:،、，；：–—")  # noqa: RUF001 - commas of many scripts
CLAUSE_BREAK_BONUS_COLUMNS = 10
"""Columns by which lines may differ more when the first ends with its clause."""
BOUND_BREAK_COLUMNS = 16
"""Columns by which lines may differ more before a break falls between an abbreviation and its word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBox:
    """The room for a cue, in columns: a Latin letter takes one, a Chinese one two, an accent none."""

    language: str
    columns: int
    lines: int
    speed: float
    """Columns a second."""


def text_box(style: SubtitleStyle, language: str) -> TextBox:
    """Choose the numbers of a style for a language."""
    # Where letters are wide, a character of the guides is two columns.
    unit = 2 if language in WIDE else 1
    length = style.line_length or (WIDE_LINE_CHARS if language in WIDE else LINE_CHARS)
    speed = style.reading_speed or READING_SPEEDS.get(language, READING_SPEED_CHARS_PER_SECOND)
    return TextBox(language=language, columns=length * unit, lines=style.lines, speed=speed * unit)


def count_columns(text: str) -> int:
    """Measure the width of a text in columns (Unicode Standard Annex 11)."""
    return sum(_columns(sign) for sign in text)


def _columns(sign: str) -> int:
    if sign.isascii():
        return 1
    if unicodedata.category(sign) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


class LineFiller:
    """Fills lines word by word and counts the fewest lines that the words need."""

    def __init__(self, page: TextBox, lead: int = 0) -> None:
        self._page = page
        self._last = ""
        self._reached = lead
        self.lines = 1
        self.columns = lead

    def add(self, word: str) -> None:
        """Append a word."""
        width = count_columns(word)
        gap = int(bool(self._last) and len(join_words((self._last[-1:], word[:1]), self._page.language)) == 3)
        self.columns += gap + width
        fits = self._reached + gap + width <= self._page.columns
        if self._reached and not fits:
            self.lines += 1
            self._reached, gap = 0, 0
        self._reached += gap + width
        if self._page.language in UNSPACED:
            self.lines += max(0, self._reached - 1) // self._page.columns
            self._reached -= max(0, self._reached - 1) // self._page.columns * self._page.columns
        self._last = word


def break_lines(words: Sequence[str], page: TextBox, lead: int = 0) -> tuple[str, ...]:
    """Break words into lines.

    A word that is longer than a line stands alone, or is cut where the script has no spaces.

    Args:
        words: In order.
        page: The room for the cue.
        lead: Columns of the first line that are taken.
    """
    whole = join_words(words, page.language)
    if lead + count_columns(whole) <= page.columns:
        return (whole,)
    return (_split_in_two(words, page, lead) if page.lines == 2 else None) or _fill_lines(words, page, lead)


def _split_in_two(words: Sequence[str], page: TextBox, lead: int) -> tuple[str, ...] | None:
    """Find the two lines that are read most easily; None when the words need more."""
    best: tuple[float, tuple[str, ...]] | None = None
    for place in range(1, len(words)):
        first, second = join_words(words[:place], page.language), join_words(words[place:], page.language)
        upper, lower = lead + count_columns(first), count_columns(second)
        if max(upper, lower) > page.columns:
            continue
        # A longer line below leads the eye less far from the picture's middle.
        cost = abs(upper - lower) + (upper > lower)
        if ends_clause(words[place - 1], words[place]):
            cost -= CLAUSE_BREAK_BONUS_COLUMNS
        if binds_next(words[place - 1], words[place]):
            cost += BOUND_BREAK_COLUMNS
        if best is None or cost < best[0]:
            best = (cost, (first, second))
    return None if best is None else best[1]


def _fill_lines(words: Sequence[str], page: TextBox, lead: int) -> tuple[str, ...]:
    lines, line = list[str](), list[str]()
    for word in words:
        taken = lead if not lines else 0
        if line and taken + count_columns(join_words([*line, word], page.language)) > page.columns:
            lines.append(join_words(line, page.language))
            line = []
        line.append(word)
    lines.append(join_words(line, page.language))
    return (
        tuple(lines)
        if page.language not in UNSPACED
        else tuple(part for text in lines for part in _cut_unspaced(text, page))
    )


def _cut_unspaced(text: str, page: TextBox) -> list[str]:
    parts, width = [""], 0
    for sign in text:
        width += _columns(sign)
        if parts[-1] and width > page.columns:
            parts.append("")
            width = _columns(sign)
        parts[-1] += sign
    return parts


def ends_clause(text: str, following: str = "") -> bool:
    """Tell whether a sentence or a clause ends with a word, which `following` comes after."""
    return ends_sentence(text, following) or text.removesuffix(UNCERTAIN)[-1:] in CLAUSE_ENDS
