"""What is sent: one input of a kind, with its name and what lies beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["media", "reference", "dub track", "dub zip", "manifest", "transcript", "edits", "voice-book"]
KINDS: tuple[Kind, ...] = (
    "media",
    "reference",
    "dub track",
    "dub zip",
    "manifest",
    "transcript",
    "edits",
    "voice-book",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostileInput:
    """A file as a stranger would send it."""

    kind: Kind
    name: str
    content: bytes
    made: str
    """How it was made."""
    beside: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    """Further files of its folder, by name."""
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """Other names for speakers, for a transcript."""
    max_duration: float = 60.0
    """Seconds that a clip may last."""
    thorough: bool = True
    """Run the later stages that read the same file, too."""
