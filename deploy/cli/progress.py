"""Show the progress of a job on a terminal."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bot.messages.formatting import format_duration
from pipeline.graph.registry import STAGES
from worker.protocol import Event, Progressed, Started


class JobProgressBars:
    """One progress bar for each stage; without a terminal, one line when a stage begins."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.fields[message]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def show(self, event: Event) -> None:
        """Update the display with an event."""
        match event:
            case Started(attempt=attempt) if attempt > 1:
                self._console.print(f"The worker was lost; attempt {attempt} goes on where it stopped.")
            case Progressed(progress=progress):
                title = STAGES[progress.stage].title if progress.stage in STAGES else progress.stage
                if progress.stage not in self._tasks:
                    self._tasks[progress.stage] = self._bars.add_task(title, total=1.0, message="", left="")
                    if not self._console.is_terminal:
                        self._console.print(f"{title} …")
                self._bars.update(
                    self._tasks[progress.stage],
                    completed=progress.fraction,
                    message=progress.message,
                    left="" if progress.remaining is None else f"{format_duration(progress.remaining)} left",
                )
            case _:
                pass
