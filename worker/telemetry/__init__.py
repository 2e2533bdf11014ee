"""Metrics and traces of the bot and the workers; each is off, and costs nothing, until a setting turns it on."""

from worker.telemetry.current import Span, current_metrics, current_trace, record_span, span
from worker.telemetry.sampling import sample_engines, sample_queue
from worker.telemetry.session import open_telemetry
from worker.telemetry.settings import TelemetrySettings

__all__ = [
    "Span",
    "TelemetrySettings",
    "current_metrics",
    "current_trace",
    "open_telemetry",
    "record_span",
    "sample_engines",
    "sample_queue",
    "span",
]
