"""What the commands need of the bot's records."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from bot.jobs.history import Ledger
from pipeline.types import Preset


@dataclass(frozen=True, slots=True, kw_only=True)
class GuildSettings:
    """What a server allows and uses where a person chooses nothing; None: as the bot is set up."""

    guild_id: str
    preset: Preset | None = None
    language: str | None = None
    """What is spoken; None: it is detected."""
    max_duration: float | None = None
    """Seconds of a clip."""
    jobs_at_once: int | None = None
    """Of one person."""
    minutes_per_day_person: int | None = None
    minutes_per_day_guild: int | None = None
    roles: tuple[int, ...] = ()
    """That may use the bot; none: everybody."""
    retention_days: int | None = None


class Keeper(Ledger, Protocol):
    """Keeps settings and jobs."""

    async def guild(self, guild_id: str) -> GuildSettings:
        """The settings of a server; those without any change for one that is not known."""
        ...

    async def save_guild(self, settings: GuildSettings) -> None:
        """Keep them."""
        ...

    async def forget_user(self, user_id: str, late: Collection[str] = ()) -> list[str]:
        """Delete what is kept about a person; the ids of the jobs that are gone. `late` ones have not stopped yet."""
        ...
