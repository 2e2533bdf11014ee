"""Asks Discord what the person of a link and the bot may do by now where the result of an upload goes."""

import asyncio
from dataclasses import dataclass
from typing import Final

import discord

from bot.error_handler import NETWORK_ERRORS
from bot.exceptions import DiscordUnavailableError, RefusedError
from bot.permissions import check_may_post, check_member_may_use
from bot.retry import retry_transient
from bot.uploads.tickets import UploadTicket

ASK_TIMEOUT_S: Final = 30.0
"""For Discord to answer, with the repeats, and for the bot to be connected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRights:
    """A person and the bot in a channel of a server."""

    member: discord.Member
    channel_id: str
    person: discord.Permissions
    """Of the person there."""
    bot: discord.Permissions
    """Of the bot there."""
    in_thread: bool

    def check_may_post(self) -> None:
        """Raise `RefusedError` where the bot may not post."""
        check_may_post(self.bot, self.channel_id, in_thread=self.in_thread)

    def check_may_use(self, roles: tuple[int, ...]) -> None:
        """Raise `RefusedError` unless the person sees the channel, may use commands there and has one of the roles."""
        if not (self.person.view_channel and self.person.use_application_commands):
            raise _no_longer()
        check_member_may_use(self.member, roles, manages=self.member.guild_permissions.manage_guild)


async def read_rights(client: discord.Client, ticket: UploadTicket) -> PlaceRights | None:
    """Return the rights of today; None in private chats and where the bot is no member and cannot ask.

    Raises:
        RefusedError: The person, the channel or the bot is no longer there.
        DiscordUnavailableError: Discord did not answer.

    """
    if ticket.guild_id is None or ticket.outside:
        return None
    try:
        async with asyncio.timeout(ASK_TIMEOUT_S):
            await client.wait_until_ready()
            return await retry_transient(lambda: _ask(client, ticket))
    except (discord.NotFound, discord.Forbidden) as error:
        raise _no_longer() from error
    except (*NETWORK_ERRORS, RuntimeError) as error:
        raise DiscordUnavailableError("Discord cannot be reached right now.", detail=type(error).__name__) from error


async def _ask(client: discord.Client, ticket: UploadTicket) -> PlaceRights:
    guild = client.get_guild(int(ticket.guild_id or 0))
    if guild is None:
        raise _no_longer()
    if guild.unavailable:
        raise DiscordUnavailableError("Discord cannot be reached right now.", detail="the server is unavailable")
    channel_id = int(ticket.channel_id)
    channel = guild.get_channel_or_thread(channel_id) or await guild.fetch_channel(channel_id)
    member = await guild.fetch_member(int(ticket.user_id))
    person = channel.permissions_for(member)
    in_thread = isinstance(channel, discord.Thread)
    if in_thread and channel.is_private() and not person.manage_threads:
        await channel.fetch_member(member.id)
    return PlaceRights(
        member=member,
        channel_id=ticket.channel_id,
        person=person,
        bot=channel.permissions_for(guild.me),
        in_thread=in_thread,
    )


def _no_longer() -> RefusedError:
    return RefusedError("upload-not-allowed", "upload-not-allowed-hint")
