"""Puts later names of speakers into WebVTT captions."""

import re
from collections.abc import Mapping
from html import escape, unescape

_VOICE = re.compile(r"<v ([^>]*)>")


def rename_speakers(text: str, names: Mapping[str, str]) -> str:
    """Replace the name in each voice tag.

    Args:
        text: WebVTT.
        names: New names by the old ones.

    """

    def rename(found: re.Match[str]) -> str:
        old = unescape(found[1])
        return f"<v {escape(names.get(old, old), quote=False)}>"

    return _VOICE.sub(rename, text)
