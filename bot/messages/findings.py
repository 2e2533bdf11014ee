"""What was found, as an embed."""

from collections.abc import Iterable, Mapping
from typing import Final

import discord

from bot import discord_limits
from bot.database.models import JobRecord
from bot.i18n.translator import Translator
from bot.messages.embeds import COLOUR_WORKING
from bot.messages.formatting import escape, fit_lines, format_duration, shorten
from bot.search.finder import Findings
from bot.search.ranking import Hit

MAX_QUOTE_CHARS: Final = 240
CONTEXT_CHARS: Final = 60
"""Before the first word that was found."""
MAX_NAME_CHARS: Final = 40


def findings_embed(
    translator: Translator, words: str, findings: Findings, jobs: Mapping[str, JobRecord | None]
) -> discord.Embed:
    """Show each hit with its speaker, its time and the words in their line."""
    shown = escape(shorten(words, MAX_NAME_CHARS * 2))
    title = translator.format("find-title", words=shown) if findings.hits else translator.format("find-none")
    if not findings.hits:
        return discord.Embed(title=title, description=translator.format("find-none-hint"), colour=COLOUR_WORKING)
    lines = [_line(number, hit, jobs.get(hit.line.job_id)) for number, hit in enumerate(findings.hits, 1)]
    head = [translator.format("find-partial")] if findings.partial else []
    embed = discord.Embed(
        title=shorten(title, discord_limits.MAX_EMBED_TITLE_CHARS),
        description=fit_lines([*head, *lines], discord_limits.MAX_EMBED_DESCRIPTION_CHARS),
        colour=COLOUR_WORKING,
    )
    if findings.more:
        embed.set_footer(text=translator.format("find-more"))
    return embed


def _line(number: int, hit: Hit, record: JobRecord | None) -> str:
    at = format_duration(hit.seconds)
    speaker = escape(shorten(hit.line.speaker, MAX_NAME_CHARS)) or "?"
    place = f"{speaker} · {at}"
    if record is not None and record.message_id is not None:
        address = f"https://discord.com/channels/{record.guild_id or '@me'}/{record.channel_id}/{record.message_id}"
        place = f"[{place}]({address})"
    clip = "" if record is None else f" · {escape(shorten(record.job.source.name, MAX_NAME_CHARS))}"
    when = f" · <t:{int(hit.line.created)}:d>"
    return f"**{number}.** {place}{clip}{when}\n> {quote(hit.line.text, hit.spans)}"


def quote(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return the part of a line around the first of some places, with what stands at them in bold."""
    merged = _merge(spans)
    first = max(merged[0][0] - CONTEXT_CHARS, 0) if merged else 0
    first = first if first == 0 else text.find(" ", first, merged[0][0]) + 1 or first
    last = first + MAX_QUOTE_CHARS
    parts: list[str] = ["…"] if first else []
    at = first
    for start, end in merged:
        if end > last:
            break
        parts += [_escape(text[at:start]), f"**{_escape(text[start:end])}**"]
        at = end
    parts += [_escape(text[at:last]), "…" if last < len(text) else ""]
    return "".join(parts)


def _escape(text: str) -> str:
    """Escape a part of a line; the spaces at its ends stay."""
    inner = escape(text)
    head = " " if text[:1].isspace() and inner else ""
    tail = " " if text[-1:].isspace() and inner else ""
    return f"{head}{inner}{tail}" if inner else " " * bool(text)


def _merge(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join places that overlap or touch."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
