"""What messages offer only where the operator set it up."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What this bot has beside its commands."""

    pages: bool = False
    """Results have pages."""
    summarizer: str = ""
    """Host that summarises transcripts; empty: none does."""


NO_FEATURES: Final = Features()
