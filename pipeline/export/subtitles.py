"""The transcript as text, subtitles (SRT, WebVTT, ASS), RTTM and TextGrid."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from pipeline.export.cues import Cue, cut_cues, plain
from pipeline.stages import Facts, Work
from pipeline.types import Diarization, Speaker, Transcript, Turn

NO_SPEECH: Final = "(no speech)"
COLOURS: Final = ("FFFFFF", "66CCFF", "A5E887", "FF9BCE", "FFC66D", "C5B3FF", "7FE3DA", "FF8B7B")
"""RGB, by order of the speakers."""


def subtitles_stage(work: Work) -> Facts:
    """Write `transcript.{txt,srt,vtt,ass,TextGrid}` from `transcript` and `.rttm` from `voices`."""
    transcript = msgspec.json.decode(work.inputs["transcript"].read_bytes(), type=Transcript)
    writers: Mapping[str, Callable[[Transcript, Path], None]] = {
        "txt": write_text,
        "srt": write_srt,
        "vtt": write_vtt,
        "ass": write_ass,
        "TextGrid": write_text_grid,
    }
    for index, (suffix, write) in enumerate(writers.items()):
        work.report(index / len(writers), f"writing {suffix}")
        write(transcript, work.out / f"transcript.{suffix}")
    voices = msgspec.json.decode(work.inputs["voices"].read_bytes(), type=Diarization)
    write_rttm(voices, work.out / "transcript.rttm")
    return {}


def write_text(transcript: Transcript, path: Path) -> None:
    """One paragraph a turn: time, name, what was said."""
    names = {speaker.id: plain(speaker.name) for speaker in transcript.speakers}
    lines = [
        f"[{_clock(turn.start)}] {names[turn.speaker]}: {' '.join(turn.text.split())}" for turn in transcript.turns
    ]
    path.write_text("\n".join(lines or [NO_SPEECH]) + "\n", encoding="utf-8")


def write_srt(transcript: Transcript, path: Path) -> None:
    """SubRip, with the name where the speaker changes."""
    cues, last = list[tuple[Cue, str]](), ""
    for cue in _cues(transcript):
        prefix = "" if cue.speaker.id == last or not cue.speaker.name else f"{plain(cue.speaker.name)}: "
        cues.append((cue, prefix + cue.text))
        last = cue.speaker.id
    _save(cues, path, "srt")


def write_vtt(transcript: Transcript, path: Path) -> None:
    """WebVTT with voice spans (W3C WebVTT, section 4.2.2)."""
    cues = _cues(transcript)
    _save([(cue, f"<v {_escape(cue.speaker.name)}>{_escape(cue.text)}") for cue in cues], path, "vtt")


def write_ass(transcript: Transcript, path: Path) -> None:
    """Advanced SubStation Alpha with a style, and so a colour, per speaker."""
    import pysubs2

    styles: dict[str, Any] = {}
    for index, speaker in enumerate(transcript.speakers):
        red, green, blue = bytes.fromhex(COLOURS[index % len(COLOURS)])
        styles[speaker.id] = pysubs2.SSAStyle(fontsize=18, primarycolor=pysubs2.Color(red, green, blue))
    _save([(cue, cue.text) for cue in _cues(transcript)], path, "ass", styles)


def write_rttm(voices: Diarization, path: Path) -> None:
    """Rich Transcription Time Marked (NIST RT-09), one SPEAKER line a stretch of voice, overlaps kept."""
    lines = [
        f"SPEAKER clip 1 {segment.start:.3f} {segment.end - segment.start:.3f} <NA> <NA> {segment.speaker} <NA> <NA>\n"
        for segment in voices.segments
    ]
    path.write_text("".join(lines), encoding="utf-8")


def write_text_grid(transcript: Transcript, path: Path) -> None:
    """Praat TextGrid with a tier of turns and a tier of words per speaker."""
    from praatio import textgrid as praat  # pyright: ignore[reportMissingTypeStubs]

    textgrid = cast("Any", praat)
    end = max([transcript.duration, 0.01, *(turn.end for turn in transcript.turns)])
    grid = textgrid.Textgrid(0, end)
    speakers = transcript.speakers or (Speaker(id="", name=NO_SPEECH),)
    for number, speaker in enumerate(speakers, 1):
        turns = [turn for turn in transcript.turns if turn.speaker == speaker.id]
        for kind, entries in (("", _turn_intervals(turns)), (" words", _word_intervals(turns))):
            name = f"{number} {plain(speaker.name)}{kind}"
            grid.addTier(textgrid.IntervalTier(name, _apart(entries, end), 0, end), reportingMode="silence")
    grid.save(str(path), format="long_textgrid", includeBlankSpaces=True)


def _turn_intervals(turns: Sequence[Turn]) -> list[tuple[float, float, str]]:
    return [(turn.start, turn.end, turn.text) for turn in turns]


def _word_intervals(turns: Sequence[Turn]) -> list[tuple[float, float, str]]:
    return [(word.start, word.end, word.text) for turn in turns for word in turn.words]


def _apart(entries: list[tuple[float, float, str]], end: float) -> list[tuple[float, float, str]]:
    """Intervals that do not overlap and have a length, as a tier demands."""
    placed: list[tuple[float, float, str]] = []
    for start, stop, label in sorted(entries):
        first = max(start, placed[-1][1] if placed else 0.0)
        last = min(max(stop, first), end)
        if last - first > 1e-4:
            placed.append((first, last, plain(label)))
    return placed


def _cues(transcript: Transcript) -> list[Cue]:
    nobody = Speaker(id="", name="")
    empty = Cue(start=0.0, end=max(min(transcript.duration, 5.0), 0.1), speaker=nobody, text=NO_SPEECH)
    return cut_cues(transcript) or [empty]


def _escape(text: str) -> str:
    return "\n".join(plain(line) for line in text.splitlines()).replace("&", "&amp;")


def _save(cues: Sequence[tuple[Cue, str]], path: Path, kind: str, styles: Mapping[str, Any] | None = None) -> None:
    import pysubs2

    subtitles = pysubs2.SSAFile()
    subtitles.info = {"Title": "Transcript", "ScriptType": "v4.00+", "WrapStyle": "0"}
    subtitles.styles.update(dict(styles or {}))
    for cue, text in cues:
        event = pysubs2.SSAEvent(start=round(cue.start * 1000), end=round(cue.end * 1000))
        event.plaintext = text
        event.name = plain(cue.speaker.name).replace(",", " ")
        event.style = cue.speaker.id if styles and cue.speaker.id in styles else "Default"
        subtitles.append(event)
    cast("Any", subtitles).save(str(path), encoding="utf-8", format_=kind)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
