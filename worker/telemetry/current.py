"""The metrics and the tracer of the running process, as code that is measured finds them.

They are kept in context variables, as structlog keeps its own: tasks and threads inherit them, tests do not share them.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from msgspec import UNSET, UnsetType

if TYPE_CHECKING:
    from worker.telemetry.metrics import Metrics
    from worker.telemetry.tracer import Tracer

AttributeValue: TypeAlias = str | int | float | bool
Attributes: TypeAlias = Mapping[str, AttributeValue]

METRICS: Final[ContextVar[Metrics | None]] = ContextVar("stemcord_metrics", default=None)
TRACER: Final[ContextVar[Tracer | None]] = ContextVar("stemcord_tracer", default=None)


class Span(Protocol):
    """A timed piece of work in a trace."""

    def set(self, name: str, value: AttributeValue) -> None:
        """Add an attribute, which must hold nothing personal."""
        ...


class _NoSpan:
    def set(self, name: str, value: AttributeValue) -> None:
        """Do nothing, since there are no traces."""


_NO_SPAN: Final = _NoSpan()


def current_metrics() -> Metrics | None:
    """Return the metrics of this process; None when they are off."""
    return METRICS.get()


@contextmanager
def span(name: str, *, trace: str | UnsetType | None = None, attributes: Attributes | None = None) -> Generator[Span]:
    """Time the block as a span of a trace; what it raises is noted by its type alone.

    Args:
        name: What is done, from a small set of names.
        trace: The `traceparent` of the span above it; UNSET begins a new trace, None continues the running one.
        attributes: What else is known; nothing personal.
    """
    tracer = TRACER.get()
    if tracer is None:
        yield _NO_SPAN
        return
    with tracer.span(name, trace, attributes or {}) as running:
        yield running


def record_span(name: str, *, trace: str | UnsetType, start: float, end: float) -> None:
    """Note a span that is over, such as the time in the queue.

    Args:
        name: What was done.
        trace: The `traceparent` of the span above it; nothing is noted without one.
        start: Unix time.
        end: Unix time.
    """
    tracer = TRACER.get()
    if tracer is not None and isinstance(trace, str):
        tracer.record(name, trace, start, end)


def current_trace() -> str | UnsetType:
    """Return the `traceparent` of the running span (W3C Trace Context, 3.2); UNSET without one."""
    tracer = TRACER.get()
    return UNSET if tracer is None else tracer.traceparent()
