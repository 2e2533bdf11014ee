"""Draws a trace of a file as an SVG: `python -m deploy.monitoring.trace_picture FILE OUT.svg`."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

ROW_PX: Final = 20
LABEL_PX: Final = 250
CHART_PX: Final = 640
SECONDS_PX: Final = 70
HEADER_PX: Final = 46
INDENT_PX: Final = 12
MIN_BAR_PX: Final = 1.5
MIN_SHARE: Final = 0.002
"""Of the whole trace: what takes less is left out below `MAX_WHOLE_DEPTH`."""
MAX_WHOLE_DEPTH: Final = 2
TICKS: Final = 5
COLOURS: Final = {"stemcord-bot": "#5865f2", "stemcord-media": "#2f9e6e", "stemcord-asr": "#d9822b"}
"""Of the processes; readable on white and on black."""
INK: Final = "#80848e"


@dataclass(slots=True, kw_only=True)
class TracedSpan:
    """A span of a file."""

    id: str
    parent: str
    trace: str
    name: str
    service: str
    start_s: float
    end_s: float
    children: list["TracedSpan"] = field(default_factory=list["TracedSpan"])


def read_spans(lines: Iterable[str]) -> list[TracedSpan]:
    """Read the spans of an OTLP/JSON file, of all traces."""
    spans: list[TracedSpan] = []
    for line in lines:
        for resource in json.loads(line)["resourceSpans"]:
            service = _text(resource["resource"]["attributes"], "service.name")
            spans.extend(_span(found, service) for scope in resource["scopeSpans"] for found in scope["spans"])
    return spans


def longest_trace(spans: Sequence[TracedSpan]) -> str:
    """Return the id of the trace with the most spans."""
    traces = [span.trace for span in spans]
    return max(traces, key=traces.count)


def draw_trace(spans: Sequence[TracedSpan]) -> str:
    """Draw the spans of one trace, each below its parent; spans of one name side by side share a row."""
    start = min(span.start_s for span in spans)
    length = max(max(span.end_s for span in spans) - start, 1e-9)
    rows = list(_rows(_roots(spans), 0, MIN_SHARE * length))
    width, height = LABEL_PX + CHART_PX + SECONDS_PX, HEADER_PX + ROW_PX * len(rows) + 8
    svg = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {width} {height}",
            "font-family": "system-ui, sans-serif",
            "font-size": "12",
        },
    )
    ET.SubElement(svg, "title").text = f"Trace {spans[0].trace}"
    _draw_head(svg, spans, length, height)
    for number, (alike, depth) in enumerate(rows):
        _draw_row(svg, alike, HEADER_PX + number * ROW_PX, depth, start, CHART_PX / length)
    ET.indent(svg)
    return ET.tostring(svg, encoding="unicode") + "\n"


def _draw_head(svg: ET.Element, spans: Sequence[TracedSpan], length: float, height: int) -> None:
    at = 8.0
    for service in dict.fromkeys(span.service for span in spans):
        ET.SubElement(svg, "rect", _place(at, 8, 10, 10) | {"fill": COLOURS.get(service, INK), "rx": "2"})
        _write(svg, at + 15, 17, service.removeprefix("stemcord-"))
        at += 75
    for tick in range(TICKS + 1):
        x = LABEL_PX + CHART_PX * tick / TICKS
        ET.SubElement(
            svg,
            "line",
            {"x1": f"{x:.1f}", "x2": f"{x:.1f}", "y1": "34", "y2": f"{height - 6}", "stroke": INK, "opacity": "0.3"},
        )
        _write(svg, x, 28, f"{length * tick / TICKS:.1f} s", anchor="middle")


def _draw_row(
    svg: ET.Element, alike: Sequence[TracedSpan], y: int, depth: int, start: float, px_per_second: float
) -> None:
    """Draw spans of one name, their number behind the name and the time of all behind the last bar."""
    first = alike[0]
    _write(svg, 8 + depth * INDENT_PX, y + 10, f"{first.name} x {len(alike)}" if len(alike) > 1 else first.name)
    end = 0.0
    for span in alike:
        left = LABEL_PX + (span.start_s - start) * px_per_second
        wide = max((span.end_s - span.start_s) * px_per_second, MIN_BAR_PX)
        colour = COLOURS.get(span.service, INK)
        ET.SubElement(svg, "rect", _place(left, y, wide, ROW_PX - 7) | {"fill": colour, "rx": "2"})
        end = max(end, left + wide)
    _write(svg, end + 5, y + 10, _duration(sum(span.end_s - span.start_s for span in alike)))


def _write(svg: ET.Element, x: float, y: float, text: str, *, anchor: str = "start") -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "fill": INK, "text-anchor": anchor}
    ET.SubElement(svg, "text", place).text = text


def _place(x: float, y: float, width: float, height: float) -> dict[str, str]:
    return {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{width:.1f}", "height": f"{height:.1f}"}


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _roots(spans: Sequence[TracedSpan]) -> list[TracedSpan]:
    """Hang each span below its parent; return those that have none here."""
    known = {span.id: span for span in spans}
    roots: list[TracedSpan] = []
    for span in sorted(spans, key=lambda span: (span.start_s, -span.end_s)):
        parent = known.get(span.parent)
        (roots if parent is None else parent.children).append(span)
    return roots


def _rows(spans: Sequence[TracedSpan], depth: int, min_s: float) -> Iterable[tuple[list[TracedSpan], int]]:
    """Give the rows: single spans with what is below them, and leaves of one name together.

    Leaves deep down that took next to no time are left out.
    """
    drawn: set[str] = set()
    for span in spans:
        if span.children:
            yield [span], depth
            yield from _rows(span.children, depth + 1, min_s)
        elif span.name not in drawn:
            drawn.add(span.name)
            alike = [other for other in spans if other.name == span.name and not other.children]
            if depth <= MAX_WHOLE_DEPTH or sum(other.end_s - other.start_s for other in alike) >= min_s:
                yield alike, depth


def _span(found: dict[str, Any], service: str) -> TracedSpan:
    return TracedSpan(
        id=found["spanId"],
        parent=found.get("parentSpanId", ""),
        trace=found["traceId"],
        name=found["name"],
        service=service,
        start_s=int(found["startTimeUnixNano"]) / 1e9,
        end_s=int(found["endTimeUnixNano"]) / 1e9,
    )


def _text(attributes: Iterable[dict[str, Any]], key: str) -> str:
    return next((str(item["value"].get("stringValue", "")) for item in attributes if item["key"] == key), "")


def main(arguments: Sequence[str]) -> int:
    """Draw the longest trace of a file, or the one whose id is given; return the exit code."""
    if len(arguments) not in (2, 3):
        sys.stderr.write("usage: python -m deploy.monitoring.trace_picture FILE OUT.svg [TRACE]\n")
        return 2
    with Path(arguments[0]).open(encoding="utf-8") as lines:
        spans = read_spans(lines)
    wanted = arguments[2] if len(arguments) == 3 else longest_trace(spans) if spans else ""
    found = [span for span in spans if span.trace == wanted]
    if not found:
        sys.stderr.write(f"There is no such trace in {arguments[0]}.\n")
        return 1
    Path(arguments[1]).write_text(draw_trace(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
