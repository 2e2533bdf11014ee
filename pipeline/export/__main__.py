"""Program that writes a transcript in one format, so that a long-running process need not load what that takes.

`python -m pipeline.export SUFFIX` reads a `ExportOrder` as JSON and writes the file to its standard output.
"""

import sys
import tempfile
from pathlib import Path

import msgspec

from pipeline.export.registry import EXPORT_FORMATS
from pipeline.export.source import ExportSource
from pipeline.export.stage import load_writer
from pipeline.export.subtitles.style import SubtitleStyle
from pipeline.types import Diarization, Transcript


class ExportOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What to write; times at which speakers are heard are those of their turns."""

    transcript: Transcript
    style: SubtitleStyle | None = None


def write_export(suffix: str, order: ExportOrder) -> bytes:
    """Return a transcript in the format of a suffix. Raises `LookupError` for an unknown one."""
    export_format = {form.suffix: form for form in EXPORT_FORMATS}[suffix]
    speakers = tuple(speaker.id for speaker in order.transcript.speakers)
    source = ExportSource(
        transcript=order.transcript,
        voices=Diarization(speakers=speakers, segments=(), exclusive=()),
        style=order.style or SubtitleStyle(),
    )
    with tempfile.TemporaryDirectory(prefix="stemcord-") as folder:
        path = Path(folder) / "export"
        load_writer(export_format)(source, path)
        return path.read_bytes()


if __name__ == "__main__":
    sys.stdout.buffer.write(write_export(sys.argv[1], msgspec.json.decode(sys.stdin.buffer.read(), type=ExportOrder)))
