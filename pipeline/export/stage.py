"""The subtitles stage: a transcript in every export format."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

import msgspec

from pipeline.export.contracts import SubtitlesInputs, SubtitlesOutput, SubtitlesParams
from pipeline.export.registry import EXPORT_FORMATS, ExportFormat
from pipeline.export.source import ExportSource
from pipeline.export.subtitles.style import SubtitleStyle
from pipeline.export.transcripts import read_edited, read_voices, rename_speakers
from pipeline.graph.stage import ProgressCallback, StageContext
from pipeline.types import Diarization, Transcript


class ExportWriter(Protocol):
    """Writes a transcript in one format."""

    def __call__(self, source: ExportSource, path: Path) -> None:
        """Write the file at `path`."""
        ...


def subtitles_stage(
    context: StageContext, inputs: SubtitlesInputs[Path], params: SubtitlesParams
) -> SubtitlesOutput[Path]:
    """Write a transcript in every format of the registry; with other names for speakers `transcript.json`, too.

    The stage needs no model and takes milliseconds.

    Raises:
        ValidationError: The transcript or a name cannot be used.
    """
    kept = read_edited(inputs.transcript)
    voices = read_voices(inputs.voices, kept.current())
    transcript = rename_speakers(kept.current(), params.names)
    written = context.out / "transcript.json" if params.names else None
    if written is not None:
        edited = kept.original is not None
        write_json(replace(kept, speakers=transcript.speakers) if edited else transcript, written)
    style = params.style or SubtitleStyle()
    made = write_exports(transcript, voices, style, context.out, context.report, params.frame_rate)
    return SubtitlesOutput(
        transcript=written, subtitles=made["srt"], exports=tuple(made.values()), speakers=transcript.speakers
    )


def write_exports(
    transcript: Transcript,
    voices: Diarization,
    style: SubtitleStyle,
    out: Path,
    report: ProgressCallback | None = None,
    frame_rate: float | None = None,
) -> dict[str, Path]:
    """Write `transcript.SUFFIX` for each format of the registry into a folder.

    Args:
        transcript: The transcript.
        voices: When each speaker is heard.
        style: The look of subtitles.
        out: The folder.
        report: Told how far it is.
        frame_rate: Of the clip's picture; None: there is none, or none is known.

    Returns:
        The files by suffix.
    """
    source = ExportSource(transcript=transcript, voices=voices, style=style, frame_rate=frame_rate)
    made: dict[str, Path] = {}
    for index, export_format in enumerate(EXPORT_FORMATS):
        if report is not None:
            report(index / len(EXPORT_FORMATS), f"writing {export_format.suffix}")
        made[export_format.suffix] = out / f"transcript.{export_format.suffix}"
        load_writer(export_format)(source, made[export_format.suffix])
    return made


def load_writer(export_format: ExportFormat) -> ExportWriter:
    """Import the writer of a format."""
    module, _, function = export_format.writer.partition(":")
    return cast("ExportWriter", getattr(import_module(module), function))


def write_json(transcript: Transcript, path: Path) -> None:
    """Write the transcript as JSON, all of it."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(transcript), indent=1))
