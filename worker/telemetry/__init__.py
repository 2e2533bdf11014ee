"""Metrics and traces of the bot and the workers; each is off, and costs nothing, until a setting turns it on.

What measures is imported from its own module: engines, which only mark spans, start without the queue and settings.
"""

from worker.telemetry.current import Span, current_metrics, current_trace, record_span, span

__all__ = ["Span", "current_metrics", "current_trace", "record_span", "span"]
