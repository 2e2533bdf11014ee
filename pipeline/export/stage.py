"""All exports of a transcript, and its subtitles: SRT, WebVTT, ASS."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from pipeline.export.cues import Cue, cut_cues, label
from pipeline.export.documents import NO_SPEECH, write_markdown, write_rttm, write_text, write_text_grid
from pipeline.export.escaping import clean, escape_vtt, plain
from pipeline.export.line_breaking import lay_page
from pipeline.export.style import SubtitleStyle
from pipeline.export.transcripts import read_transcript, read_voices, rename
from pipeline.graph.stage import ProgressCallback, StageContext, StageMetadata
from pipeline.types import Diarization, Speaker, Transcript

COLOURS: Final = ("FFFFFF", "66CCFF", "A5E887", "FF9BCE", "FFC66D", "C5B3FF", "7FE3DA", "FF8B7B")
"""RGB, by order of the speakers."""
NOBODY: Final = Speaker(id="", name="")


def subtitles_stage(work: StageContext) -> StageMetadata:
    """Write all exports from `transcript` and `voices`.

    `params["style"]` holds what differs from `SubtitleStyle`'s defaults; `params["names"]` gives speakers, by
    id, other names, with which `transcript.json` is written too. It needs no model and takes milliseconds.
    """
    transcript = read_transcript(work.inputs["transcript"])
    voices = read_voices(work.inputs["voices"], transcript)
    style = msgspec.convert(work.params.get("style", {}), type=SubtitleStyle)
    names = msgspec.convert(work.params.get("names", {}), type=dict[str, str])
    transcript = rename(transcript, names)
    if names:
        write_json(transcript, work.out / "transcript.json")
    write_exports(transcript, voices, style, work.out, work.report)
    return {"speakers": [msgspec.to_builtins(speaker) for speaker in transcript.speakers]}


def write_exports(
    transcript: Transcript, voices: Diarization, style: SubtitleStyle, out: Path, report: ProgressCallback | None = None
) -> None:
    """Write `transcript.{txt,md,srt,vtt,ass,rttm,TextGrid}` into the folder."""
    cues = cut_cues(transcript, style) or [_empty(transcript)]
    writers: Mapping[str, Callable[[Path], None]] = {
        "txt": lambda path: write_text(transcript, path),
        "md": lambda path: write_markdown(transcript, path),
        "srt": lambda path: write_srt(cues, transcript, style, path),
        "vtt": lambda path: write_vtt(cues, path),
        "ass": lambda path: write_ass(cues, transcript, path),
        "rttm": lambda path: write_rttm(voices, transcript, path),
        "TextGrid": lambda path: write_text_grid(transcript, path),
    }
    for index, (suffix, write) in enumerate(writers.items()):
        if report is not None:
            report(index / len(writers), f"writing {suffix}")
        write(out / f"transcript.{suffix}")


def write_json(transcript: Transcript, path: Path) -> None:
    """The transcript as itself."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(transcript), indent=1))


def write_srt(cues: Sequence[Cue], transcript: Transcript, style: SubtitleStyle, path: Path) -> None:
    """SubRip, with the name where the speaker changes."""
    page = lay_page(style, transcript.language)
    texts = [
        [plain(line) for line in ((label(cue.speaker, page) if cue.named else "") + cue.lines[0], *cue.lines[1:])]
        for cue in cues
    ]
    _save(cues, texts, path, "srt")


def write_vtt(cues: Sequence[Cue], path: Path) -> None:
    """WebVTT with a voice span a cue (W3C WebVTT, section 4.2.2), which pysubs2 cannot write."""
    blocks = [
        f"{_stamp(cue.start)} --> {_stamp(cue.end)}\n"
        + (f"<v {escape_vtt(cue.speaker.name)}>" if clean(cue.speaker.name) else "")
        + "\n".join(escape_vtt(line) for line in cue.lines)
        for cue in cues
    ]
    path.write_text("\n\n".join(["WEBVTT", *blocks]) + "\n", encoding="utf-8")


def write_ass(cues: Sequence[Cue], transcript: Transcript, path: Path) -> None:
    """Advanced SubStation Alpha with a style, and so a colour, per speaker."""
    import pysubs2

    styles: dict[str, Any] = {}
    for index, speaker in enumerate(transcript.speakers):
        red, green, blue = bytes.fromhex(COLOURS[index % len(COLOURS)])
        styles[_style_name(speaker)] = pysubs2.SSAStyle(fontsize=18, primarycolor=pysubs2.Color(red, green, blue))
    _save(cues, [[plain(line) for line in cue.lines] for cue in cues], path, "ass", styles)


def _style_name(speaker: Speaker) -> str:
    """An id comes from a file; a comma in a style's name would end the field."""
    return plain(speaker.id).replace(",", " ").lstrip("*") or "Default"


def _empty(transcript: Transcript) -> Cue:
    end = max(min(transcript.duration, 5.0), 0.1)
    return Cue(start=0.0, end=end, speaker=NOBODY, lines=(NO_SPEECH,), named=False)


def _save(
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
        event.name = plain(cue.speaker.name).replace(",", " ")
        event.style = _style_name(cue.speaker) if styles else "Default"
        subtitles.append(event)
    cast("Any", subtitles).save(str(path), encoding="utf-8", format_=kind)


def _stamp(seconds: float) -> str:
    minutes, milliseconds = divmod(max(0, round(seconds * 1000)), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"
