"""What is called while an engine runs a stage."""

from typing import Protocol

from pipeline.types import DraftLine


class StageProgressCallback(Protocol):
    """Called with how far a stage is, what it does, and the beginning of the transcript where that is news."""

    def __call__(self, fraction: float, message: str, draft: tuple[DraftLine, ...] = (), /) -> None:
        """Take note of it."""
        ...
