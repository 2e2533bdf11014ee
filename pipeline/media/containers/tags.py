"""The tags of a container that may go into a file that is given away.

Titles, names, dates and languages are kept. The place where a clip was recorded is not: people who
publish a remix rarely know that their phone wrote it down.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from pipeline.export.escaping import clean
from pipeline.types import Chapter

_LOCATION_KEYS = ("location", "gps", "iso6709", "xyz", "latitude", "longitude", "altitude", "geo")
"""Parts of the names of tags that tell a place: `com.apple.quicktime.location.ISO6709`, `RECORDING_LOCATION`, ..."""
_COORDINATES = re.compile(r"\s*[+-]\d{1,3}(\.\d+)?[+-]\d{1,3}(\.\d+)?")
"""Latitude and longitude as ISO 6709 writes them."""
_MUXER_KEYS = frozenset(
    {"major_brand", "minor_version", "compatible_brands", "encoder", "duration", "vendor_id", "timecode", "bps"}
)
"""What each muxer writes anew."""
_MAX_TAGS = 64
_MAX_CHAPTER_CHARS = 200
"""Characters of the title of a chapter."""
_MAX_TAG_CHARS = 8_000
"""Characters of one tag: room for the words of a song."""


def keep_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Select the tags that may be passed on."""
    kept = {key: value[:_MAX_TAG_CHARS] for key, value in tags.items() if _is_kept(key, value)}
    return dict(list(kept.items())[:_MAX_TAGS])


def write_tags(
    path: Path,
    of_file: Mapping[str, str],
    of_tracks: Iterable[Mapping[str, str]],
    chapters: Sequence[Chapter] = (),
) -> None:
    """Write tags in ffmpeg's own form (ffmetadata), the tracks in order, so that none becomes an argument."""
    lines = [";FFMETADATA1", *_lines(of_file)]
    for tags in of_tracks:
        lines += ["[STREAM]", *_lines(_entitle(tags))]
    for chapter in chapters:
        start, end = (max(0, round(seconds * 1000)) for seconds in (chapter.start, chapter.end))
        times = ["[CHAPTER]", "TIMEBASE=1/1000", f"START={start}", f"END={max(end, start + 1)}"]
        lines += [*times, *_lines({"title": clean(chapter.title)[:_MAX_CHAPTER_CHARS]})]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_chapters(path: Path) -> tuple[Chapter, ...]:
    """Read a `chapters.json`."""
    return msgspec.json.decode(path.read_bytes(), type=tuple[Chapter, ...])


def _is_kept(key: str, value: str) -> bool:
    name = key.lower()
    if not name or name in _MUXER_KEYS or name.startswith("_statistics") or "\0" in key + value:
        return False
    return not any(part in name for part in _LOCATION_KEYS) and _COORDINATES.match(value) is None


def _entitle(tags: Mapping[str, str]) -> Mapping[str, str]:
    """Call the name of a track its title: ffmpeg reads it from an mp4 as the one and writes it from the other."""
    if "name" not in tags:
        return tags
    rest = {key: value for key, value in tags.items() if key != "name"}
    return {"title": tags["name"], **rest}


def _lines(tags: Mapping[str, str]) -> list[str]:
    return [f"{_escape(key)}={_escape(value)}" for key, value in tags.items()]


def _escape(text: str) -> str:
    # ffmpeg takes even an escaped backslash at the end of a line for one that joins the next line to it.
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\\")
    return re.sub(r"([=;#\\\n])", r"\\\1", text)
