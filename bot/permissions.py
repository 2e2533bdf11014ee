"""Checks who may use the bot and its buttons."""

from collections.abc import Collection
from typing import Any

import discord

from bot.exceptions import RefusedError
from worker.protocol import ReplyTo


def check_may_use(interaction: discord.Interaction[Any], roles: Collection[int]) -> None:
    """Raise `RefusedError` unless the person has one of the roles or manages the server; no roles: everybody may."""
    if isinstance(interaction.user, discord.Member):
        check_member_may_use(interaction.user, roles, manages=interaction.permissions.manage_guild)


def check_member_may_use(member: discord.Member, roles: Collection[int], *, manages: bool) -> None:
    """Raise `RefusedError` unless the member has one of the roles or manages the server; no roles: everybody may."""
    if roles and not manages and not any(role.id in roles for role in member.roles):
        raise RefusedError("role-missing", roles=", ".join(f"<@&{role}>" for role in roles))


def check_interaction_may_post(interaction: discord.Interaction[Any]) -> None:
    """Raise `RefusedError` where the bot itself may not post, since a late result could not be delivered there."""
    if interaction.guild_id is not None:
        in_thread = isinstance(interaction.channel, discord.Thread)
        check_may_post(interaction.app_permissions, str(interaction.channel_id), in_thread=in_thread)


def check_may_post(rights: discord.Permissions, channel_id: str, *, in_thread: bool) -> None:
    """Raise `RefusedError` unless the bot's rights in a channel are enough to post a result there."""
    may_send = rights.send_messages_in_threads if in_thread else rights.send_messages
    if not (rights.view_channel and rights.attach_files and may_send):
        raise RefusedError("may-not-post-bot", "post-hint", channel=f"<#{channel_id}>")


def check_may_act(interaction: discord.Interaction[Any], reply: ReplyTo | None, refusal: str) -> None:
    """Raise `RefusedError` unless the person asked for the job, or moderates and sees its channel.

    Args:
        interaction: The button or form.
        reply: Where the job was asked for.
        refusal: Key of the text for people who may not.

    """
    if not may_act(interaction, reply):
        raise RefusedError(refusal)


def may_act(interaction: discord.Interaction[Any], reply: ReplyTo | None) -> bool:
    """Tell whether the person asked for the job, or moderates its channel; raises what `check_may_see` raises."""
    rights = _rights(interaction, reply)
    return rights.manage_messages or (reply is not None and reply.user_id == str(interaction.user.id))


def check_may_see(interaction: discord.Interaction[Any], reply: ReplyTo | None) -> None:
    """Raise `RefusedError` unless the person asked for the job, or sees the channel of its result now."""
    _rights(interaction, reply)
    asked = reply is not None and reply.user_id == str(interaction.user.id)
    elsewhere = reply is not None and reply.channel_id != str(interaction.channel_id)
    if elsewhere and interaction.guild is None and not asked:
        raise RefusedError("not-visible")


def _rights(interaction: discord.Interaction[Any], reply: ReplyTo | None) -> discord.Permissions:
    """Return what a person may do in the channel of a result. Raises `RefusedError` where it is not seen."""
    if reply is None or (reply.guild_id or "") != str(interaction.guild_id or ""):
        raise RefusedError("result-gone", "result-gone-hint")
    asked = reply.user_id == str(interaction.user.id)
    rights = interaction.permissions
    if reply.channel_id != str(interaction.channel_id) and interaction.guild is not None:
        # The result was shared to another channel.
        channel = interaction.guild.get_channel_or_thread(int(reply.channel_id))
        if channel is None or not isinstance(interaction.user, discord.Member):
            raise RefusedError("not-visible")
        rights = channel.permissions_for(interaction.user)
        # Seeing a channel does not mean seeing its private threads.
        closed = isinstance(channel, discord.Thread) and channel.is_private() and not rights.manage_threads
        if not rights.view_channel or (closed and not asked):
            raise RefusedError("not-visible")
    return rights
