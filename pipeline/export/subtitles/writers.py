"""Writers for subtitles: SRT, WebVTT, ASS."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from pipeline.export.direction import embed_line, end_label
from pipeline.export.escaping import clean, escape_subtitle, escape_vtt
from pipeline.export.source import ExportSource
from pipeline.export.subtitles.cues import Cue, speaker_label
from pipeline.export.subtitles.line_breaking import text_box
from pipeline.types import Speaker

SPEAKER_COLOURS: Final = ("FFFFFF", "66CCFF", "A5E887", "FF9BCE", "FFC66D", "C5B3FF", "7FE3DA", "FF8B7B")
"""RGB in hexadecimal, in the order of the speakers."""


def write_srt(source: ExportSource, path: Path) -> None:
    """Write SubRip, with the name where the speaker changes."""
    page = text_box(source.style, source.transcript.language)
    texts: list[list[str]] = []
    for cue in source.cues:
        label = escape_subtitle(speaker_label(cue.speaker, page)) if cue.named else ""
        label = end_label(f"{label} ", right_to_left=cue.right_to_left) if label else ""
        first, *others = (escape_subtitle(line) for line in cue.lines)
        texts.append([embed_line(line, right_to_left=cue.right_to_left) for line in (label + first, *others)])
    _save_subtitles(source.cues, texts, path, "srt")


def write_vtt(source: ExportSource, path: Path) -> None:
    """Write WebVTT with a voice span in each cue (W3C WebVTT, section 4.2.2), which pysubs2 cannot write."""
    blocks = [
        f"{_vtt_time(cue.start)} --> {_vtt_time(cue.end)}\n"
        + (f"<v {escape_vtt(cue.speaker.name)}>" if clean(cue.speaker.name) else "")
        + "\n".join(embed_line(escape_vtt(line), right_to_left=cue.right_to_left) for line in cue.lines)
        for cue in source.cues
    ]
    path.write_text("\n\n".join(["WEBVTT", *blocks]) + "\n", encoding="utf-8")


def write_ass(source: ExportSource, path: Path) -> None:
    """Write Advanced SubStation Alpha with a style, and so a colour, for each speaker."""
    import pysubs2

    styles: dict[str, Any] = {}
    for index, speaker in enumerate(source.transcript.speakers):
        red, green, blue = bytes.fromhex(SPEAKER_COLOURS[index % len(SPEAKER_COLOURS)])
        styles[_style_name(speaker)] = pysubs2.SSAStyle(fontsize=18, primarycolor=pysubs2.Color(red, green, blue))
    texts = [
        [embed_line(escape_subtitle(line), right_to_left=cue.right_to_left) for line in cue.lines]
        for cue in source.cues
    ]
    _save_subtitles(source.cues, texts, path, "ass", styles)


def _style_name(speaker: Speaker) -> str:
    """Name the style of a speaker; the id comes from a file, and a comma would end the field."""
    return escape_subtitle(speaker.id).replace(",", " ").lstrip("*") or "Default"


def _save_subtitles(
    cues: Sequence[Cue],
    texts: Sequence[Sequence[str]],
    path: Path,
    kind: str,
    styles: Mapping[str, Any] | None = None,
) -> None:
    import pysubs2

    subtitles = pysubs2.SSAFile()
    subtitles.info = {"Title": "Transcript", "ScriptType": "v4.00+", "WrapStyle": "0"}
    subtitles.styles.update(dict(styles or {}))
    for cue, lines in zip(cues, texts, strict=True):
        event = pysubs2.SSAEvent(start=max(0, round(cue.start * 1000)), end=max(1, round(cue.end * 1000)))
        event.plaintext = "\n".join(lines)
        event.name = escape_subtitle(cue.speaker.name).replace(",", " ")
        event.style = _style_name(cue.speaker) if styles else "Default"
        subtitles.append(event)
    cast("Any", subtitles).save(str(path), encoding="utf-8", format_=kind)


def _vtt_time(seconds: float) -> str:
    minutes, milliseconds = divmod(max(0, round(seconds * 1000)), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"
