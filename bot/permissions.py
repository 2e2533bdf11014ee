"""Who may use the bot in a server, and what a limit that is reached says."""

from collections.abc import Collection
from typing import Any, Literal

import discord

from bot.exceptions import QuotaError, RefusedError
from worker.protocol import ReplyTo


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
        raise RefusedError("may-not-post-bot", "post-hint", channel=f"<#{interaction.channel_id}>")


def check_may_act(interaction: discord.Interaction[Any], reply: ReplyTo | None, refusal: str) -> None:
    """Raise `RefusedError` unless the person asked for the job, or moderates and sees the channel of the job."""
    if reply is None or (reply.guild_id or "") != str(interaction.guild_id or ""):
        raise RefusedError("result-gone", "result-gone-hint")
    asked = reply.user_id == str(interaction.user.id)
    rights = interaction.permissions
    if reply.channel_id != str(interaction.channel_id) and interaction.guild is not None:
        # The button was shared into another channel.
        channel = interaction.guild.get_channel_or_thread(int(reply.channel_id))
        if channel is None or not isinstance(interaction.user, discord.Member):
            raise RefusedError("not-visible")
        rights = channel.permissions_for(interaction.user)
        # Who sees the channel does not see a private thread in it, unless invited.
        closed = isinstance(channel, discord.Thread) and channel.is_private() and not rights.manage_threads
        if not rights.view_channel or (closed and not asked):
            raise RefusedError("not-visible")
    if not asked and not rights.manage_messages:
        raise RefusedError(refusal)


def over_quota(
    kind: Literal["at-once", "length", "person", "server"],
    *,
    limit: int,
    used: int = 0,
    resets_at: float | None = None,
) -> QuotaError:
    """The refusal for a limit: clips at a time, or minutes of a clip or of a day; `resets_at` is Unix time."""
    hint = "quota-at-once-hint" if kind == "at-once" else "clip-large-hint" if kind == "length" else ""
    left = max(limit - used, 0)
    return QuotaError(f"quota-{kind}", hint, resets_at=resets_at, used=used, limit=limit, left=left)
