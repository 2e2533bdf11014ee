"""Media types of files, by their names."""

import mimetypes
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from pipeline.catalog import EXPORT_FORMATS

MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {f".{form.suffix.lower()}": form.media_type for form in EXPORT_FORMATS}
    | {
        ".flac": "audio/flac",
        ".json": "application/json",
        ".m4a": "audio/mp4",
        ".mkv": "video/x-matroska",
        ".mp4": "video/mp4",
        ".ogg": "audio/ogg",
        ".opus": "audio/ogg",
        ".png": "image/png",
        ".wav": "audio/wav",
        ".webm": "video/webm",
    }
)


def media_type_of(name: str) -> str:
    """Guess a media type from a file name; the same on every machine for the types that Stemcord makes."""
    known = MEDIA_TYPES.get(Path(name).suffix.lower())
    return known or mimetypes.guess_type(name)[0] or "application/octet-stream"
