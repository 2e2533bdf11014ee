"""What messages offer only where the operator set it up."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

Doubts: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]
"""Tells by the id of a job who its speakers perhaps are, by their voices, as long as nobody has answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What this bot has beside its commands."""

    pages: bool = False
    """Results have pages."""
    summarizer: str = ""
    """Host that summarises transcripts; empty: none does."""
    doubts: Doubts | None = None
    """None: nobody is found by their voice."""


NO_FEATURES: Final = Features()
