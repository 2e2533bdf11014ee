"""Spans by OpenTelemetry; imported only when traces are on."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from msgspec import UNSET, UnsetType
from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from worker.telemetry.current import Attributes, AttributeValue
from worker.telemetry.span_file import SpanFile

EXPORT_TIMEOUT_S: Final = 5
"""For one request to the receiver of traces."""
EXPORT_INTERVAL_MS: Final = 1000
_PROPAGATOR: Final = TraceContextTextMapPropagator()
_NANOSECONDS: Final = 1_000_000_000


class Tracer:
    """Makes the spans of one process and sends them.

    Args:
        url: `http(s)://…` of an OTLP/HTTP receiver, or `file:///…`.
        service: Name of the process: bot, media or asr.
        instance: What tells it from others of its kind.
    """

    def __init__(self, url: str, *, service: str, instance: str) -> None:
        resource = Resource({"service.name": f"stemcord-{service}", "service.instance.id": instance})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(_open_exporter(url), schedule_delay_millis=EXPORT_INTERVAL_MS)
        )
        self._tracer = self._provider.get_tracer("stemcord")

    @contextmanager
    def span(self, name: str, parent: str | UnsetType | None, attributes: Attributes) -> Generator["_RunningSpan"]:
        """Time the block as a span; see `worker.telemetry.current.span`."""
        with self._tracer.start_as_current_span(
            name,
            context=None if parent is None else _context_of(parent),
            attributes=dict(attributes),
            record_exception=False,
            set_status_on_exception=False,
        ) as running:
            try:
                yield _RunningSpan(running)
            except BaseException as error:
                # The message of an error may name a person's file.
                running.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    def record(self, name: str, parent: str, start: float, end: float) -> None:
        """Note a span between two Unix times."""
        span = self._tracer.start_span(name, context=_context_of(parent), start_time=int(start * _NANOSECONDS))
        span.end(int(max(start, end) * _NANOSECONDS))

    def traceparent(self) -> str | UnsetType:
        """Return the `traceparent` of the running span; UNSET without one."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier.get("traceparent", UNSET)

    def close(self) -> None:
        """Send what is left; blocks for at most a few seconds."""
        self._provider.force_flush(EXPORT_TIMEOUT_S * 1000)
        self._provider.shutdown()


class _RunningSpan:
    def __init__(self, span: otel.Span) -> None:
        self._span = span

    def set(self, name: str, value: AttributeValue) -> None:
        """Add an attribute."""
        self._span.set_attribute(name, value)


def _context_of(parent: str | UnsetType) -> Context:
    """Return the context below a span; an empty one, which begins a trace, for none or one that cannot be read."""
    return Context() if isinstance(parent, UnsetType) else _PROPAGATOR.extract({"traceparent": parent}, Context())


def _open_exporter(url: str) -> SpanExporter:
    parts = urlsplit(url)
    if parts.scheme == "file":
        return SpanFile(url2pathname(parts.path))
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    endpoint = url if parts.path.endswith("/v1/traces") else f"{url}/v1/traces"
    return OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_TIMEOUT_S)
