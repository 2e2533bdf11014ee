"""The beginning of a transcript as it is first heard, for people who wait for the rest."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from pipeline.speech.alignment.sentences import ends_sentence
from pipeline.speech.alignment.text import join_words
from pipeline.types import DraftLine, Word

MAX_DRAFT_CHARS = 1000
"""Of all lines; a message of Discord shows no more of them."""
MAX_LINE_CHARS = 160
LINE_PAUSE_SECONDS = 0.8
"""From which on a pause ends a line."""

ShowDraft = Callable[[tuple[DraftLine, ...]], None]


class Draft:
    """Collects words and shows them as lines until there are enough.

    Args:
        show: Called with all lines so far.
    """

    def __init__(self, show: ShowDraft) -> None:
        self._show = show
        self._lines: list[DraftLine] = []
        self._chars = 0
        self._until = 0.0

    def add(self, words: Sequence[Word], language: str) -> None:
        """Show further words of the clip, in the order in which they are said.

        Args:
            words: Final or not; nothing else is made of them. What is heard a second time is left out.
            language: ISO 639-1, of those that name none.
        """
        before = len(self._lines)
        new = [word for word in words if word.start >= self._until]
        self._until = max((word.end for word in new), default=self._until)
        for line in draft_lines(new, language):
            if self._chars + len(line.text) > MAX_DRAFT_CHARS:
                self._chars = MAX_DRAFT_CHARS
                break
            self._lines.append(line)
            self._chars += len(line.text)
        if len(self._lines) > before:
            self._show(tuple(self._lines))


def draft_lines(words: Sequence[Word], language: str) -> list[DraftLine]:
    """Cut words into lines after sentences, at pauses and where a line is full."""
    lines: list[DraftLine] = []
    cuts = [0]
    for index, (last, following) in enumerate(pairwise(words), start=1):
        chars = sum(len(word.text) + 1 for word in words[cuts[-1] : index])
        paused = following.start - last.end >= LINE_PAUSE_SECONDS
        if paused or ends_sentence(last.text, following.text) or chars >= MAX_LINE_CHARS:
            cuts.append(index)
    for first, past in pairwise([*cuts, len(words)]):
        own = words[first:past]
        if own:
            spoken = own[0].language if isinstance(own[0].language, str) else language
            lines.append(DraftLine(start=own[0].start, text=join_words((word.text for word in own), spoken)))
    return lines
