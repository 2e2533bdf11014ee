from io import StringIO

from rich.console import Console

from deploy.cli.progress import JobProgressBars
from pipeline.types import Progress
from worker.protocol import Progressed


def shown(*, terminal: bool, fraction: float, remaining: float | None = None) -> str:
    out = StringIO()
    with JobProgressBars(Console(file=out, force_terminal=terminal, width=140, color_system=None)) as bars:
        bars.show(Progressed(progress=Progress(stage="separate", fraction=fraction, remaining=remaining)))
    return out.getvalue()


def test_the_time_left_stands_by_its_bar() -> None:
    text = shown(terminal=True, fraction=0.25, remaining=83.4)
    assert "25 %" in text
    assert "1:23 left" in text


def test_nothing_is_said_of_a_time_that_cannot_be_told() -> None:
    assert "left" not in shown(terminal=True, fraction=0.01)


def test_without_a_terminal_a_stage_is_one_line() -> None:
    assert shown(terminal=False, fraction=0.25, remaining=83.4) == "Taking the sound apart …\n"
