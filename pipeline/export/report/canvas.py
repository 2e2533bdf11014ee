"""A dark picture of stacked rows with a common time axis: the one typed module in front of matplotlib."""

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from pipeline.audio.envelope import Envelope

BACKGROUND_COLOUR: Final = "#2b2d31"
ROW_COLOUR: Final = "#313338"
TEXT_COLOUR: Final = "#dbdee1"
GRID_COLOUR: Final = "#4e5058"
WIDTH_INCHES: Final = 12.0
"""Inches; at 100 dots an inch the picture is 1200 pixels wide."""
DOTS_PER_INCH: Final = 100
FONT_POINTS: Final = 25.0
DEFAULT_FONT: Final = "DejaVu Sans"
"""Comes with matplotlib."""
CJK_FONTS: Final = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "SourceHanSansSC-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
)
"""Fonts that distributions have for Chinese, Japanese and Korean letters, the best first."""
ROW_INCHES: Final = 1.15
"""Inches for a row."""
BOTTOM_MARGIN_INCHES: Final = 0.75
"""Inches below the last row, for the times."""
LABEL_WIDTH_SHARE: Final = 0.235
"""Share of the width for the names of the rows."""
MAX_NAME_LETTERS: Final = 13
"""Letters, of which Chinese ones count twice."""
MIN_MARK_SHARE: Final = 0.012
"""Share of the time axis, for a mark that must be seen."""


class Canvas:
    """Rows from top to bottom over `duration` seconds, drawn without a display."""

    def __init__(self, rows: int, duration: float) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self._letters = _load_fonts()
        height = rows * ROW_INCHES + BOTTOM_MARGIN_INCHES
        self._figure = cast(
            "Any", Figure(figsize=(WIDTH_INCHES, height), dpi=DOTS_PER_INCH, facecolor=BACKGROUND_COLOUR)
        )
        FigureCanvasAgg(self._figure)
        grid = self._figure.add_gridspec(
            rows,
            1,
            hspace=0.12,
            left=LABEL_WIDTH_SHARE,
            right=0.975,
            top=1 - 0.12 / height,
            bottom=BOTTOM_MARGIN_INCHES / height,
        )
        self._rows: list[Any] = [self._figure.add_subplot(grid[row, 0]) for row in range(rows)]
        for axes in self._rows:
            axes.set_facecolor(ROW_COLOUR)
            axes.set_xlim(0, max(duration, 1e-3))
            axes.set_yticks([])
            axes.tick_params(colors=TEXT_COLOUR, labelsize=FONT_POINTS, length=0)
            axes.set_xticks([])
            for side in axes.spines.values():
                side.set_visible(False)
        self._label_times(max(duration, 1e-3))

    def draw_wave(self, row: int, name: str, colour: str, envelope: Envelope) -> None:
        """Draw a waveform, stretched to the height of its row when it is quiet."""
        axes = self._rows[row]
        self._label(axes, name, colour)
        peak = max(float(np.abs(envelope.low).max(initial=0)), float(envelope.high.max(initial=0)), 0.05)
        times = (np.arange(len(envelope.low)) + 0.5) * envelope.duration / max(1, len(envelope.low))
        axes.set_ylim(-1.08 * peak, 1.08 * peak)
        axes.fill_between(times, envelope.low, envelope.high, color=colour, linewidth=0.4)
        axes.axhline(0, color=colour, linewidth=0.8, alpha=0.7)

    def draw_lane(self, row: int, name: str, colour: str, spans: Sequence[tuple[float, float, bool]]) -> None:
        """Draw when a speaker is heard, as (start, end, overlap) in seconds; overlaps are hatched, with a bar above."""
        axes = self._rows[row]
        self._label(axes, name, colour)
        axes.set_ylim(0, 1)
        for start, end, overlap in spans:
            axes.broken_barh(
                [(start, max(end - start, 1e-3))],
                (0.18, 0.64),
                facecolor=colour,
                edgecolor=BACKGROUND_COLOUR,
                hatch="////" if overlap else None,
                linewidth=0.0,
            )
            if overlap:
                # Most overlaps are short: the bar is wide enough to be seen on a phone.
                width = max(end - start, MIN_MARK_SHARE * float(axes.get_xlim()[1]))
                axes.broken_barh(
                    [((start + end - width) / 2, width)], (0.87, 0.1), facecolor=TEXT_COLOUR, linewidth=0.0
                )

    def save(self, path: Path) -> None:
        """Write the picture as PNG."""
        self._figure.savefig(path, format="png", facecolor=BACKGROUND_COLOUR)

    def _label(self, axes: Any, name: str, colour: str) -> None:  # noqa: ANN401 - matplotlib's types are partial
        place = {"rotation": 0, "ha": "right", "va": "center", "labelpad": 14}
        place |= {"parse_math": False, "fontfamily": list(self._letters)}
        axes.set_ylabel(_printable(name, self._letters), color=colour, fontsize=FONT_POINTS, **place)

    def _label_times(self, duration: float) -> None:
        step = next((step for step in _TIME_STEPS_SECONDS if duration / step <= 6), _TIME_STEPS_SECONDS[-1])
        times = np.arange(0, duration, step)
        for axes in self._rows:
            axes.set_xticks(times, labels=[])
            axes.grid(axis="x", color=GRID_COLOUR, linewidth=0.8)
            axes.set_axisbelow(True)
        self._rows[-1].set_xticks(times, labels=[_format_time(float(time)) for time in times])


_TIME_STEPS_SECONDS: Final = (0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)


def _format_time(seconds: float) -> str:
    if seconds != int(seconds):
        return f"{seconds:.2f}"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _printable(name: str, letters: Mapping[str, frozenset[int]]) -> str:
    """Reduce a name to letters that the fonts have and to its room; matplotlib warns about every other letter."""
    text = "".join(
        letter if letter.isprintable() and any(ord(letter) in font for font in letters.values()) else "□"
        for letter in name
    )
    if _width(text) <= MAX_NAME_LETTERS:
        return text
    while _width(text) > MAX_NAME_LETTERS - 1:
        text = text[:-1]
    return f"{text}…"


def _width(text: str) -> int:
    """Measure the width of a text in Latin letters."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _load_fonts() -> dict[str, frozenset[int]]:
    """Load the fonts for names: matplotlib's own, then the best one of this machine for Chinese."""
    from matplotlib import font_manager

    manager = cast("Any", font_manager)
    families = [DEFAULT_FONT]
    # Searched for each time: matplotlib's own list is as old as its first use on the machine.
    installed: dict[str, str] = {Path(path).name: path for path in manager.findSystemFonts()}
    if found := next((installed[name] for name in CJK_FONTS if name in installed), None):
        manager.fontManager.addfont(found)
        families.append(manager.get_font(found).family_name)
    return {family: frozenset(manager.get_font(manager.findfont(family)).get_charmap()) for family in families}
