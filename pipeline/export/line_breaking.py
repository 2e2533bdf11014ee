"""Text broken into lines as subtitles want them: within the width, at good places, of like length."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.export.style import LINE_LENGTH, READING_SPEED, WIDE_LINE_LENGTH, SubtitleStyle
from pipeline.languages import READING_SPEEDS, UNSPACED, WIDE
from pipeline.speech.alignment.text import ends_sentence, join_words

PAUSE_SIGNS = frozenset(",;:،、，；：–—")  # noqa: RUF001 - commas of many scripts
GOOD_PLACE = 10
"""Columns by which lines may differ more when the first ends with its clause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Room for a cue, in columns: a Latin letter takes one, a Chinese one two, an accent none."""

    language: str
    columns: int
    lines: int
    speed: float
    """Columns a second."""


def lay_page(style: SubtitleStyle, language: str) -> Page:
    """The style's numbers for a language."""
    # Where letters are wide, a character of the guides is two columns.
    unit = 2 if language in WIDE else 1
    length = style.line_length or (WIDE_LINE_LENGTH if language in WIDE else LINE_LENGTH)
    speed = style.reading_speed or READING_SPEEDS.get(language, READING_SPEED)
    return Page(language=language, columns=length * unit, lines=style.lines, speed=speed * unit)


def count_columns(text: str) -> int:
    """How wide the text is (Unicode Standard Annex 11)."""
    return sum(_columns(sign) for sign in text)


def _columns(sign: str) -> int:
    if sign.isascii():
        return 1
    if unicodedata.category(sign) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


class Filling:
    """Lines filled word by word; the fewest lines that the words need."""

    def __init__(self, page: Page, lead: int = 0) -> None:
        self._page = page
        self._last = ""
        self._reached = lead
        self.lines = 1
        self.columns = lead

    def add(self, word: str) -> None:
        """Put one more word at the end."""
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


def break_lines(words: Sequence[str], page: Page, lead: int = 0) -> tuple[str, ...]:
    """The words as lines; `lead` columns of the first are taken.

    A word that is longer than a line stands alone, or is cut where the script has no spaces.
    """
    whole = join_words(words, page.language)
    if lead + count_columns(whole) <= page.columns:
        return (whole,)
    return (_halves(words, page, lead) if page.lines == 2 else None) or _filled(words, page, lead)


def _halves(words: Sequence[str], page: Page, lead: int) -> tuple[str, ...] | None:
    """The two lines that are read most easily, None when the words need more."""
    best: tuple[float, tuple[str, ...]] | None = None
    for place in range(1, len(words)):
        first, second = join_words(words[:place], page.language), join_words(words[place:], page.language)
        upper, lower = lead + count_columns(first), count_columns(second)
        if max(upper, lower) > page.columns:
            continue
        # A longer line below leads the eye less far from the picture's middle.
        cost = abs(upper - lower) + (upper > lower) - (GOOD_PLACE if is_good_place(first) else 0)
        if best is None or cost < best[0]:
            best = (cost, (first, second))
    return None if best is None else best[1]


def _filled(words: Sequence[str], page: Page, lead: int) -> tuple[str, ...]:
    lines, line = list[str](), list[str]()
    for word in words:
        taken = lead if not lines else 0
        if line and taken + count_columns(join_words([*line, word], page.language)) > page.columns:
            lines.append(join_words(line, page.language))
            line = []
        line.append(word)
    lines.append(join_words(line, page.language))
    return tuple(lines) if page.language not in UNSPACED else tuple(part for text in lines for part in _cut(text, page))


def _cut(text: str, page: Page) -> list[str]:
    parts, width = [""], 0
    for sign in text:
        width += _columns(sign)
        if parts[-1] and width > page.columns:
            parts.append("")
            width = _columns(sign)
        parts[-1] += sign
    return parts


def is_good_place(text: str) -> bool:
    """True where a sentence or a clause ends."""
    return ends_sentence(text) or text[-1:] in PAUSE_SIGNS
