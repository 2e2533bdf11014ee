"""What was said on the wire, kept in order."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Upload:
    """A file as it came in one part of a multipart request."""

    field: str
    filename: str
    data: bytes


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One REST request with its answer; times are monotonic seconds."""

    method: str
    path: str
    """Below /api/v10, as sent."""
    query: dict[str, str]
    headers: dict[str, str]
    content_type: str
    payload: Any
    """The JSON body, or the `payload_json` part of a multipart body; None without a body."""
    uploads: list[Upload] = field(default_factory=list)
    status: int = 0
    answer: Any = None
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    injected: bool = False
    """True when the answer was asked for by the test and says nothing about the real service."""

    def __str__(self) -> str:
        """The line of a log, with tokens cut short."""
        shown = re.sub(r"([\w-]{8})[\w-]{60,}", r"\1…", self.path)
        return f"{self.method} {shown} -> {self.status}"


@dataclass(slots=True, kw_only=True)
class Frame:
    """One gateway message; `sent` is True when the fake sent it."""

    sent: bool
    payload: Json
    time: float = field(default_factory=time.monotonic)


class Recorder:
    """All exchanges and frames of a run, in order."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.frames: list[Frame] = []
        self.downloads: list[str] = []
        """Paths asked of the CDN."""

    def requests(self, method: str, ending: str = "", *, containing: str = "") -> list[Exchange]:
        """The exchanges with that method and path, oldest first."""
        return [
            exchange
            for exchange in self.exchanges
            if exchange.method == method and exchange.path.endswith(ending) and containing in exchange.path
        ]

    def received(self, op: int) -> Iterator[Frame]:
        """Gateway messages of that opcode which the client sent."""
        return (frame for frame in self.frames if not frame.sent and frame.payload.get("op") == op)

    def transcript(self, last: int = 40) -> str:
        """One line for each of the last exchanges, for a failing test's report."""
        return "\n".join(
            f"{e.started:.2f} {e} {str(e.answer)[:200] if e.status >= 400 else ''}" for e in self.exchanges[-last:]
        )
