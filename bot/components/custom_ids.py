"""Custom ids of buttons, menus and forms.

A custom id names the action and the job, so that a component works as long as its message is there, also after a
restart. The ids of messages that are already posted must keep their meaning.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Action(StrEnum):
    """What a component does; the values are part of posted messages."""

    CANCEL = "cancel"
    CANCEL_ALL = "cancelall"
    AGAIN = "again"
    REBALANCE = "rebalance"
    RENAME = "rename"
    SPEAKER_NAMES = "names"
    NAME_SPEAKER = "who"
    THIS_IS_ME = "thisisme"
    NOT_ME = "notme"
    TRACKS = "tracks"
    ENROL = "enrol"
    AGREE = "agree"
    AGREE_RECORDING = "agreeheard"
    PERHAPS = "perhaps"
    VOICE_RIGHT = "voiceyes"
    VOICE_WRONG = "voiceno"
    DUB = "dub"
    THREAD = "thread"
    PAGE = "page"
    FETCH = "fetch"
    MORE = "more"
    LISTEN = "listen"
    EXCERPT = "excerpt"
    REVOKE = "revoke"
    SUBTITLES = "subtitles"
    FIX = "fix"
    LINES = "lines"
    LINE = "line"
    GO_TO = "goto"
    SPLIT_LINE = "split"
    UNDO = "undo"
    MIX_AGAIN = "mixagain"
    EXPORT_DATA = "export"
    DELETE_DATA = "forget"
    CONFIRM_DELETE_DATA = "forgetsurely"


_TARGET: Final = r"(?::(?P<job>[0-9a-f]{32})(?:/(?P<detail>[0-9a-z-]{1,40}))?)?(?::(?P<page>[0-9]))?"
_PATTERN: Final = re.compile(rf"stemcord:(?P<action>[a-z]+){_TARGET}")


@dataclass(frozen=True, slots=True)
class CustomId:
    """The content of a custom id."""

    action: Action
    job_id: str = ""
    page: int = 0
    """For actions whose choices do not fit into one form."""
    detail: str = ""
    """What of the job is meant; its form is up to the action."""

    def __str__(self) -> str:
        detail = f"/{self.detail}" if self.detail else ""
        job = f":{self.job_id}{detail}" if self.job_id else ""
        page = f":{self.page}" if self.page else ""
        return f"stemcord:{self.action}{job}{page}"

    @classmethod
    def parse(cls, custom_id: str) -> "CustomId | None":
        """Read a custom id; None for one of another bot or version."""
        match = _PATTERN.fullmatch(custom_id)
        if match is None or match["action"] not in list(Action):
            return None
        return cls(Action(match["action"]), match["job"] or "", int(match["page"] or 0), match["detail"] or "")


def pattern_for(action: Action) -> re.Pattern[str]:
    """Return the pattern of the custom ids of one action."""
    return re.compile(rf"stemcord:{action}{_TARGET}")
