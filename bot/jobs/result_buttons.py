"""Decides which buttons a result has, from what is in it."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from bot.audition.sample import VOCALS_FILE, names_of_tracks, sounds_of
from bot.components.custom_ids import Action
from bot.discord_limits import MAX_MENU_OPTIONS
from bot.messages.embeds import ResultButtons
from pipeline.catalog import EXPORT_FORMATS
from pipeline.types import Result

TRANSCRIPT_FILE: Final = "transcript.json"
TRANSCRIPT_FORMATS: Final = (*(form.suffix for form in EXPORT_FORMATS), "json")
"""Suffixes of the transcript's files, in the order of the menu."""


def buttons_for(
    job_id: str, result: Result, *, pages: bool = False, outside: bool = False, doubts: Sequence[str] = ()
) -> ResultButtons:
    """Return the buttons of a result.

    Args:
        job_id: The job.
        result: What it gave.
        pages: Whether the bot serves pages.
        outside: Whether the bot is no member of the place, so that it opens no threads, and needs a press to write.
        doubts: Names of people whom speakers perhaps are.

    """
    names = {artefact.name for artefact in result.artefacts}
    has_stems = any(PurePosixPath(name).parent.name == "stems" for name in names)
    has_speech = TRANSCRIPT_FILE in names and bool(result.speakers)
    available = {
        Action.REBALANCE: has_stems,
        Action.RENAME: has_speech,
        Action.FIX: has_speech,
        Action.TRACKS: VOCALS_FILE in names and has_speech and not result.speaker_stems,
        Action.DUB: has_stems,
        Action.THREAD: has_speech and not outside,
        Action.PAGE: pages and bool(names),
        Action.FETCH: outside,
    }
    return ResultButtons(
        job_id=job_id,
        actions=tuple(action for action, is_available in available.items() if is_available),
        sounds=sounds_of(result)[:MAX_MENU_OPTIONS],
        speakers=names_of_tracks(result),
        doubts=tuple(doubts),
        formats=tuple(suffix for suffix in TRANSCRIPT_FORMATS if has_speech and f"transcript.{suffix}" in names),
    )
