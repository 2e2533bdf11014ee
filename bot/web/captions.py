"""Captions (WebVTT) with the names that speakers were given later."""

import re
from collections.abc import Mapping
from html import escape, unescape

_VOICE = re.compile(r"<v ([^>]*)>")


def rename_speakers(text: str, names: Mapping[str, str]) -> str:
    """The captions with each voice tag's name replaced, by the old name."""

    def rename(found: re.Match[str]) -> str:
        old = unescape(found[1])
        return f"<v {escape(names.get(old, old), quote=False)}>"

    return _VOICE.sub(rename, text)
