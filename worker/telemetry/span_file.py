"""Appends spans to a file, one OTLP/JSON request a line, as the collector's `otlpjsonfile` receiver reads them."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

FILE_MODE: Final = 0o600


class SpanFile(SpanExporter):
    """An exporter to a file, which several processes may share.

    Args:
        path: The file; its folder is made.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Append spans in one write, so that no other process writes in between."""
        line = msgspec.json.encode({"resourceSpans": [_request_of(span) for span in spans]}) + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, FILE_MODE)
            try:
                os.write(file, line)
            finally:
                os.close(file)
        except OSError:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS


def _request_of(span: ReadableSpan) -> dict[str, Any]:
    """Return a span with its resource, as OpenTelemetry's protocol 1.0 writes it in JSON."""
    context = span.get_span_context()
    assert context is not None
    fields: dict[str, Any] = {
        "traceId": f"{context.trace_id:032x}",
        "spanId": f"{context.span_id:016x}",
        "name": span.name,
        "kind": 1,
        "startTimeUnixNano": str(span.start_time or 0),
        "endTimeUnixNano": str(span.end_time or 0),
        "attributes": _attributes(span.attributes or {}),
        "status": {"code": span.status.status_code.value, "message": span.status.description or ""},
    }
    if span.parent is not None:
        fields["parentSpanId"] = f"{span.parent.span_id:016x}"
    return {
        "resource": {"attributes": _attributes(span.resource.attributes)},
        "scopeSpans": [{"scope": {"name": "stemcord"}, "spans": [fields]}],
    }


def _attributes(attributes: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - OpenTelemetry's own mapping
    return [{"key": name, "value": _value(value)} for name, value in attributes.items()]


def _value(value: object) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case _:
            return {"stringValue": str(value)}
