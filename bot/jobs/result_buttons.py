"""What can be done with a result, by what is in it."""

from pathlib import PurePosixPath
from typing import Final

from bot.messages.embeds import ResultButtons
from pipeline.catalog import EXPORT_FORMATS
from pipeline.types import Result

REBALANCE: Final = "rebalance"
RENAME: Final = "rename"
DUB: Final = "dub"
THREAD: Final = "thread"
PAGE: Final = "page"
REVOKE: Final = "revoke"
AGAIN: Final = "again"
SUBTITLES: Final = "subtitles"
TRANSCRIPT_FILE = "transcript.json"
TRANSCRIPT_FORMATS = (*(form.suffix for form in EXPORT_FORMATS), "json")
"""Ends of the names of a transcript's files, in the order in which they are offered."""


def buttons_for(job_id: str, result: Result, *, pages: bool = False) -> ResultButtons:
    """The buttons that make sense below a result; `pages`: there are pages for results."""
    names = {artefact.name for artefact in result.artefacts}
    separated = any(PurePosixPath(name).parent.name == "stems" for name in names)
    spoken = TRANSCRIPT_FILE in names and bool(result.speakers)
    wanted = {REBALANCE: separated, RENAME: spoken, DUB: separated, THREAD: spoken, PAGE: pages and bool(names)}
    return ResultButtons(
        job_id=job_id,
        actions=tuple(action for action, sensible in wanted.items() if sensible),
        formats=tuple(suffix for suffix in TRANSCRIPT_FORMATS if spoken and f"transcript.{suffix}" in names),
    )
