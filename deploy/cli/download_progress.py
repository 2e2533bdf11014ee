"""Show the download of model files on a terminal."""

import time
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from pipeline.catalog import HubFile

LINE_INTERVAL_S: Final = 5.0
"""Seconds between two lines about one file, where there is no terminal."""


class DownloadBars:
    """One progress bar for each file with bytes, speed and time left; without a terminal, a line every few seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._last: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def show(self, file: HubFile, done: int, total: int) -> None:
        """Update the display of a file.

        Args:
            file: The file.
            done: Bytes that are present.
            total: Bytes of the whole file; 0: unknown.
        """
        if file.name not in self._tasks:
            # What was here before this run counts as done, but not for the speed.
            self._tasks[file.name] = self._bars.add_task(file.name, total=total or None, completed=done)
        self._bars.update(self._tasks[file.name], completed=done, total=total or None)
        if not self._console.is_terminal:
            self._write_line(file, done, total)

    def _write_line(self, file: HubFile, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last.get(file.name, -LINE_INTERVAL_S) >= LINE_INTERVAL_S or done == total:
            self._last[file.name] = now
            whole = f" of {total / 1e6:.1f}" if total else ""
            self._console.print(f"{file.name}: {done / 1e6:.1f}{whole} MB", highlight=False, soft_wrap=True)
