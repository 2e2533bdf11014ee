"""Captions in the picture: the transcript as an ASS document, drawn by libass while the picture is encoded again.

What is said goes into a file of its own, with everything replaced that ASS reads as markup; it never becomes a filter.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, cast

from pipeline.errors import FFmpegError, ValidationError
from pipeline.export.direction import embed_line, has_right_to_left
from pipeline.export.escaping import clean, escape_subtitle
from pipeline.export.subtitles.cues import Cue, cut_cues
from pipeline.export.subtitles.style import LINE_CHARS, MIN_LINE_LENGTH, WIDE_LINE_CHARS, SubtitleStyle
from pipeline.export.subtitles.writers import SPEAKER_COLOURS
from pipeline.export.transcripts import read_edited
from pipeline.graph.stage import StageContext
from pipeline.languages import WIDE
from pipeline.media.ffmpeg import run_ffmpeg
from pipeline.media.probe import probe_any
from pipeline.media.tools.contracts import BurnCaptionsInputs, BurnCaptionsParams, MadeFile
from pipeline.media.tools.encoding import Stretch, write_video
from pipeline.media.tools.pictures import even_size, open_pictures
from pipeline.types import BurnCaptions, CaptionPlace, CaptionSize, TextReference, Transcript, Word

_DOCUMENT = "captions.ass"
_LETTERS = "letters.ass"
_FONT_FOLDER = "fonts"
_NO_GLYPH: Final = re.compile(r"failed to find any fallback with glyph 0x([0-9A-Fa-f]{1,6}) ")
_LETTERS_TIMEOUT_S: Final = 60.0
_MAX_NAMED_LETTERS: Final = 20
_LETTER_HEIGHTS = {CaptionSize.SMALL: 0.05, CaptionSize.MEDIUM: 0.065, CaptionSize.LARGE: 0.085}
"""Of the shorter side of the picture."""
MIN_LETTER_PIXELS: Final = 8
_LETTER_WIDTH: Final = 0.56
"""Of a bold Latin letter, of the height of letters; wide letters have twice that."""
_TEXT_SHARE: Final = 0.9
"""Part of the width that lines may take."""
_MARGIN_SHARE: Final = 0.055
"""Of the height, between captions and the edge."""
_OUTLINE_SHARE: Final = 0.07
_SHADOW_SHARE: Final = 0.035
"""Of the height of letters."""
_HIGHLIGHT: Final = "FFD93D"
"""RGB of the word that is said; none of the colours of speakers."""
_HIGHLIGHT_MARK: Final = rf"{{\r\1c&H{_HIGHLIGHT[4:]}{_HIGHLIGHT[2:4]}{_HIGHLIGHT[:2]}&}}"
_FONT: Final = "DejaVu Sans"
_FONT_FILES: Final = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")


def burn_captions_stage(
    context: StageContext, inputs: BurnCaptionsInputs[Path], params: BurnCaptionsParams
) -> MadeFile[Path]:
    """Write what is said into the picture.

    Raises:
        ValidationError: Nobody says anything.
        MediaError: The clip has no picture, or it is damaged.
        LimitError: It is more than is encoded in one go.
        FFmpegError: ffmpeg failed or took too long.
    """
    clip = probe_any(inputs.source, track=params.track)
    transcript = read_edited(inputs.transcript).current()
    target = context.out / "captions.mp4"
    with open_pictures(inputs.source, clip) as pictures, tempfile.TemporaryDirectory(prefix="captions-") as name:
        folder, size = Path(name), even_size(pictures.look.width, pictures.look.height)
        if not write_document(transcript, params.tool, size, folder / _DOCUMENT):
            raise ValidationError(
                "Nobody speaks in this clip, so there is nothing to write.",
                hint="Choose a clip with speech.",
                text=TextReference(key="tool-no-speech"),
            )
        gather_fonts(folder / _FONT_FOLDER)
        missing = check_letters(transcript, folder)
        notes = write_video(
            Stretch.whole(inputs.source, clip),
            pictures,
            target,
            [*pictures.plain(), _filter(_DOCUMENT)],
            folder=folder,
            report=context.report,
        )
    context.report(1.0)
    return MadeFile(made=target, notes=(*notes, *missing))


def write_document(transcript: Transcript, tool: BurnCaptions, size: tuple[int, int], path: Path) -> bool:
    """Write the captions of a picture as ASS; return whether there are any.

    Args:
        transcript: Who says what, on the clip's clock.
        tool: How captions look.
        size: Width and height of the picture, pixels.
        path: The file to write.
    """
    import pysubs2

    layout = _Layout.of(tool, size, transcript.language)
    cues = cut_cues(transcript, layout.style)
    document = pysubs2.SSAFile()
    document.info = {
        "ScriptType": "v4.00+",
        "WrapStyle": "0",
        "ScaledBorderAndShadow": "yes",
        "PlayResX": str(size[0]),
        "PlayResY": str(size[1]),
        "YCbCr Matrix": "None",
    }
    document.styles.clear()
    colours = {
        speaker.id: SPEAKER_COLOURS[index % len(SPEAKER_COLOURS)] for index, speaker in enumerate(transcript.speakers)
    }
    for colour in dict.fromkeys(("FFFFFF", *colours.values())):
        document.styles[colour] = layout.letters(colour)
    words = _words_by_cue(transcript, cues) if tool.highlight else {}
    for index, cue in enumerate(cues):
        for start, end, text in _steps(cue, words.get(index, ())):
            event = pysubs2.SSAEvent(start=max(0, _milliseconds(start)), end=max(10, _milliseconds(end)), text=text)
            event.style = colours.get(cue.speaker.id, "FFFFFF")
            document.append(event)
    cast("Any", document).save(str(path), encoding="utf-8", format_="ass")
    return bool(cues)


def gather_fonts(folder: Path) -> None:
    """Put the font for captions into a folder, matplotlib's own; those of the machine have what it lacks."""
    folder.mkdir()
    found = find_spec("matplotlib")
    if found is not None and found.origin is not None:
        fonts = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
        for name in _FONT_FILES:
            if (fonts / name).is_file():
                shutil.copyfile(fonts / name, folder / name)


def check_letters(transcript: Transcript, folder: Path) -> tuple[str, ...]:
    """Find out for which letters of a transcript there is a font.

    Args:
        transcript: Who says what.
        folder: Where the folder of fonts is.

    Returns:
        A note that names those without one, if there are any.

    Raises:
        FFmpegError: Most letters have none.
    """
    import pysubs2

    letters = sorted({letter for turn in transcript.turns for word in turn.words for letter in clean(word.text)})
    document = pysubs2.SSAFile()
    document.styles["Default"] = pysubs2.SSAStyle(fontname=_FONT, bold=True)
    document.append(pysubs2.SSAEvent(start=0, end=1000, text=escape_subtitle("".join(letters))))
    cast("Any", document).save(str(folder / _LETTERS), encoding="utf-8", format_="ass")
    missing = set[str]()

    def take_line(line: str) -> bool:
        found = _NO_GLYPH.search(line)
        missing.update((chr(int(found[1], 16)),) if found else ())
        return found is not None

    picture = ["-f", "lavfi", "-i", "color=black:size=64x64:rate=1:duration=1", "-vf", _filter(_LETTERS)]
    run_ffmpeg([*picture, "-f", "null", "-"], timeout=_LETTERS_TIMEOUT_S, take_line=take_line, folder=folder)
    missing &= set(letters)
    if len(missing) > len(letters) / 2:
        raise FFmpegError(
            "There is no font for the letters of this clip.",
            hint="Install one for its language, such as Noto Sans CJK for Chinese.",
            text=TextReference(key="tool-no-font"),
        )
    named = "".join(sorted(missing)[:_MAX_NAMED_LETTERS])
    return (f"There is no font for some letters, which stand as boxes: {named}",) if missing else ()


def _filter(document: str) -> str:
    return f"ass=filename={document}:fontsdir={_FONT_FOLDER}:shaping=complex"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """How large letters are, where they stand, and how long lines may be."""

    letters_px: int
    margin_x: int
    margin_y: int
    on_top: bool
    style: SubtitleStyle

    @classmethod
    def of(cls, tool: BurnCaptions, size: tuple[int, int], language: str) -> "_Layout":
        width, height = size
        letters = max(MIN_LETTER_PIXELS, round(_LETTER_HEIGHTS[tool.size] * min(width, height)))
        wide = language in WIDE
        room = int(_TEXT_SHARE * width / (letters * _LETTER_WIDTH * (2 if wide else 1)))
        length = max(MIN_LINE_LENGTH, min(room, WIDE_LINE_CHARS if wide else LINE_CHARS))
        return cls(
            letters_px=letters,
            margin_x=round((1 - _TEXT_SHARE) / 2 * width),
            margin_y=round(_MARGIN_SHARE * height),
            on_top=tool.place is CaptionPlace.TOP,
            style=SubtitleStyle(line_length=length),
        )

    def letters(self, colour: str) -> Any:  # noqa: ANN401 - pysubs2 has no types
        """Return the ASS style for a colour, RGB in hexadecimal."""
        import pysubs2

        red, green, blue = bytes.fromhex(colour)
        return pysubs2.SSAStyle(
            fontname=_FONT,
            fontsize=self.letters_px,
            bold=True,
            primarycolor=pysubs2.Color(red, green, blue),
            outlinecolor=pysubs2.Color(0, 0, 0, 40),
            backcolor=pysubs2.Color(0, 0, 0, 110),
            outline=max(1.0, self.letters_px * _OUTLINE_SHARE),
            shadow=self.letters_px * _SHADOW_SHARE,
            alignment=pysubs2.Alignment.TOP_CENTER if self.on_top else pysubs2.Alignment.BOTTOM_CENTER,
            marginl=self.margin_x,
            marginr=self.margin_x,
            marginv=self.margin_y,
        )


def _words_by_cue(transcript: Transcript, cues: Sequence[Cue]) -> dict[int, tuple[Word, ...]]:
    """Find the words of each cue: cues of a speaker have the words of that speaker's turns in order."""
    words = {
        speaker.id: [
            word
            for turn in sorted(transcript.turns, key=lambda turn: turn.start)
            if turn.speaker == speaker.id
            for word in turn.words
            if clean(word.text)
        ]
        for speaker in transcript.speakers
    }
    places = dict.fromkeys(words, 0)
    found: dict[int, tuple[Word, ...]] = {}
    for index, cue in enumerate(cues):
        spoken, place = words[cue.speaker.id], places[cue.speaker.id]
        text, past = "".join("".join(cue.lines).split()), place
        while past < len(spoken) and text:
            word = "".join(clean(spoken[past].text).split())
            if not text.startswith(word):
                break
            text, past = text[len(word) :], past + 1
        found[index] = tuple(spoken[place:past])
        places[cue.speaker.id] = past
    return found


def _milliseconds(seconds: float) -> int:
    """Round to ASS's hundredths, so that one step ends when the next begins."""
    return round(seconds * 100) * 10


def _plain_text(cue: Cue) -> str:
    return r"\N".join(embed_line(escape_subtitle(line), right_to_left=cue.right_to_left) for line in cue.lines)


def _steps(cue: Cue, words: Sequence[Word]) -> Iterator[tuple[float, float, str]]:
    """Yield what a cue looks like, step by step: start, end (seconds) and text, each word coloured while it is said.

    They are events of their own, since libass lets texts with animations lie on top of one another. Lines from right to
    left stay plain: libass orders the words of a line only where nothing changes between them.
    """
    mixed = cue.right_to_left or any(has_right_to_left(line) for line in cue.lines)
    if mixed or not words:
        yield cue.start, cue.end, _plain_text(cue)
        return
    starts = [min(max(cue.start, word.start), cue.end) for word in words]
    if starts[0] > cue.start:
        yield cue.start, starts[0], _coloured(cue, words, None)
    for index, (start, end) in enumerate(pairwise([*starts, cue.end])):
        if end > start:
            yield start, end, _coloured(cue, words, index)


def _coloured(cue: Cue, words: Sequence[Word], shown: int | None) -> str:
    """Write a cue with one word in another colour; each word has a mark, so that no letter moves with the colour."""
    lines: list[str] = []
    index = 0
    for line in cue.lines:
        made, place = "", 0
        while index < len(words) and (at := line.find(text := clean(words[index].text), place)) >= 0:
            mark = _HIGHLIGHT_MARK if index == shown else r"{\r}"
            made += escape_subtitle(line[place:at]) + " " * (at > place) + mark + escape_subtitle(text)
            place, index = at + len(text), index + 1
        lines.append(made + escape_subtitle(line[place:]))
    return r"\N".join(lines)
