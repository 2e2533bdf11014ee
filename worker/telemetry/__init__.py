"""Metrics and traces of the bot and the workers; each is off, and costs nothing, until a setting turns it on.

The session, its settings and the sampling are imported from their own modules, so that engines, which only mark spans,
start without the queue.
"""

from worker.telemetry.current import Span, current_metrics, current_trace, record_span, span

__all__ = ["Span", "current_metrics", "current_trace", "record_span", "span"]
