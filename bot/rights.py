"""Who may use the bot in a server, and what a limit that is reached says."""

from collections.abc import Collection
from typing import Any, Literal

import discord

from bot.refusals import QuotaError, RefusedError


def check_may_use(interaction: discord.Interaction[Any], roles: Collection[int]) -> None:
    """Raise `RefusedError` unless the person has one of the roles, or manages the server; no roles: all may."""
    member = interaction.user
    if not roles or not isinstance(member, discord.Member) or interaction.permissions.manage_guild:
        return
    if not any(role.id in roles for role in member.roles):
        raise RefusedError("role-missing", roles=", ".join(f"<@&{role}>" for role in roles))


def check_may_post(interaction: discord.Interaction[Any]) -> None:
    """Raise `RefusedError` where the bot itself may not post: a result that takes long could not be brought there."""
    if interaction.guild_id is None:
        return
    rights = interaction.app_permissions
    in_thread = isinstance(interaction.channel, discord.Thread)
    may_send = rights.send_messages_in_threads if in_thread else rights.send_messages
    if not (rights.view_channel and rights.attach_files and may_send):
        raise RefusedError("may-not-post-bot", "post-mend", channel=f"<#{interaction.channel_id}>")


def over_quota(
    kind: Literal["at-once", "length", "person", "server"],
    *,
    limit: int,
    used: int = 0,
    resets_at: float | None = None,
) -> QuotaError:
    """The refusal for a limit: clips at a time, or minutes of a clip or of a day; `resets_at` is Unix time."""
    mend = "quota-at-once-mend" if kind == "at-once" else "clip-large-mend" if kind == "length" else ""
    left = max(limit - used, 0)
    return QuotaError(f"quota-{kind}", mend, resets_at=resets_at, used=used, limit=limit, left=left)
