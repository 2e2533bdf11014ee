"""Escapes and shortens text for Discord messages, and formats numbers."""

import re
import unicodedata

_MARKS = re.compile(r"[\\*_~|`<>\[\]]|:(?=//)|^[#+-]|(?<=^\d)\.")
"""Markdown anywhere, links, and what makes a heading or a list at the start of a line."""
_SPACE = re.compile(r"\s+")
_ZERO_WIDTH_SPACE = "\u200b"
_JOINERS = "\u200c\u200d"
"""Invisible like direction marks, but scripts such as Persian need them."""


def escape(text: str) -> str:
    """Return the text on one line without working Markdown, links, mentions or direction marks."""
    return _MARKS.sub(r"\\\g<0>", one_line(text)).replace("@", f"@{_ZERO_WIDTH_SPACE}")


def one_line(text: str) -> str:
    """Return the text on one line without invisible characters."""
    line = _SPACE.sub(" ", text).strip()
    return "".join(
        letter for letter in line if letter in _JOINERS or unicodedata.category(letter) not in ("Cc", "Cf", "Cs")
    )


def shorten(text: str, limit: int) -> str:
    """Cut a text that is longer than the limit, with an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip("\\") + "…"


def fit_lines(lines: list[str], limit: int) -> str:
    """Join as many whole lines as fit into the limit, and an ellipsis for the rest; a too long first line is cut."""
    kept: list[str] = []
    room = limit - 2
    for line in lines:
        if len(line) + 1 > room:
            return "\n".join([*kept, "…"]) if kept else shorten(line, limit)
        kept.append(line)
        room -= len(line) + 1
    return "\n".join(kept)


def mention(user_id: str) -> str:
    """Mention a person; nobody is notified, since the bot switches mentions off."""
    return f"<@{int(user_id)}>"


def format_duration(seconds: float) -> str:
    """Format seconds as `m:ss` or `h:mm:ss`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_size(size: int) -> str:
    """Format bytes as whole kB, at least one, or as MB or GB with one decimal."""
    if size >= 1e9:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(round(size / 1e3), 1)} kB"


def progress_bar(fraction: float, width: int = 12) -> str:
    """Draw a progress bar of `width` characters."""
    full = round(max(0.0, min(1.0, fraction)) * width)
    return "▰" * full + "▱" * (width - full)
