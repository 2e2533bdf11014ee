"""The formats in which a transcript is written, one row each; data only, so that the bot can offer them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFormat:
    """A format of a transcript, written as `transcript.SUFFIX`."""

    suffix: str
    title: str
    """The format's name for people, in English; other languages may have `format-SUFFIX` in their texts."""
    media_type: str
    writer: str
    """`module:function` that is called with an `ExportSource` and a path; imported when a file is written."""


EXPORT_FORMATS = (
    ExportFormat(
        suffix="txt", title="Plain text", media_type="text/plain", writer="pipeline.export.documents:write_text"
    ),
    ExportFormat(
        suffix="md",
        title="Markdown document",
        media_type="text/markdown",
        writer="pipeline.export.documents:write_markdown",
    ),
    ExportFormat(
        suffix="srt",
        title="SubRip subtitles (srt)",
        media_type="application/x-subrip",
        writer="pipeline.export.subtitles.writers:write_srt",
    ),
    ExportFormat(
        suffix="vtt",
        title="WebVTT subtitles (vtt)",
        media_type="text/vtt",
        writer="pipeline.export.subtitles.writers:write_vtt",
    ),
    ExportFormat(
        suffix="ass",
        title="Styled subtitles (ass)",
        media_type="text/x-ssa",
        writer="pipeline.export.subtitles.writers:write_ass",
    ),
    ExportFormat(
        suffix="rttm",
        title="Speaker times (rttm)",
        media_type="text/plain",
        writer="pipeline.export.documents:write_rttm",
    ),
    ExportFormat(
        suffix="TextGrid",
        title="Praat (TextGrid)",
        media_type="text/plain",
        writer="pipeline.export.documents:write_text_grid",
    ),
    ExportFormat(
        suffix="docx",
        title="Word document (docx)",
        media_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        writer="pipeline.export.office:write_docx",
    ),
    ExportFormat(
        suffix="csv",
        title="Table of turns (csv)",
        media_type="text/csv",
        writer="pipeline.export.tables:write_turns_csv",
    ),
    ExportFormat(
        suffix="talktime.csv",
        title="Talk time (csv)",
        media_type="text/csv",
        writer="pipeline.export.tables:write_talk_time_csv",
    ),
    ExportFormat(
        suffix="xlsx",
        title="Turns and talk time (xlsx)",
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        writer="pipeline.export.office:write_xlsx",
    ),
    ExportFormat(
        suffix="edl",
        title="Edit list for editors (edl)",
        media_type="text/plain",
        writer="pipeline.export.edit_list:write_edl",
    ),
)
"""In the order in which they are written and offered; `transcript.json` is there beside them."""
