"""Which channels a person may read at this moment; nothing of an earlier answer is used again."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import discord

from bot.error_handler import NETWORK_ERRORS
from bot.exceptions import DiscordUnavailableError

MAX_ASKED_CHANNELS: Final = 12
"""Channels for one answer that only Discord knows, such as archived threads; the others count as hidden."""
ASK_TIMEOUT_S: Final = 10.0


class ChannelVisibility:
    """Tells for one interaction which channels its person may read.

    The person's roles come with the interaction, what channels allow comes over the gateway; what neither tells is
    asked of Discord.
    """

    def __init__(self, interaction: discord.Interaction[Any]) -> None:
        self._guild = interaction.guild
        self._user = interaction.user
        self._known: dict[str, bool] = {}
        self._asked = 0

    def possible(self, channel_ids: Iterable[str]) -> list[str]:
        """Leave out the channels that are known to be hidden, also by what Discord was asked."""
        return [channel_id for channel_id in channel_ids if self._recall(channel_id) is not False]

    async def may_read(self, channel_id: str) -> bool:
        """Tell whether the person may read a channel and what was posted there before.

        Raises:
            DiscordUnavailableError: Discord did not answer.

        """
        found = self._recall(channel_id)
        if found is None:
            found = await self._ask(channel_id)
        self._known[channel_id] = found
        return found

    def _recall(self, channel_id: str) -> bool | None:
        found = self._known.get(channel_id)
        return self._look_up(channel_id) if found is None else found

    def _look_up(self, channel_id: str) -> bool | None:
        """Tell it from what is known; None where Discord must be asked."""
        if self._guild is None or not isinstance(self._user, discord.Member):
            return False
        channel = self._guild.get_channel_or_thread(int(channel_id))
        return None if channel is None else self._permits(channel)

    def _permits(self, channel: discord.abc.GuildChannel | discord.Thread) -> bool | None:
        """Tell whether a channel lets the person read; None for a private thread, whose members Discord knows."""
        if not isinstance(self._user, discord.Member):
            return False
        try:
            rights = channel.permissions_for(self._user)
        except discord.ClientException:
            # The channel of the thread is gone or hidden from the bot.
            return False
        if not (rights.view_channel and rights.read_message_history):
            return False
        is_closed = isinstance(channel, discord.Thread) and channel.is_private() and not rights.manage_threads
        return None if is_closed else True

    async def _ask(self, channel_id: str) -> bool:
        self._asked += 1
        if self._asked > MAX_ASKED_CHANNELS or self._guild is None:
            return False
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                number = int(channel_id)
                channel = self._guild.get_channel_or_thread(number) or await self._guild.fetch_channel(number)
                found = self._permits(channel)
                if found is None and isinstance(channel, discord.Thread):
                    await channel.fetch_member(self._user.id)
                    return True
                return found is True
        except (discord.NotFound, discord.Forbidden, discord.InvalidData):
            return False
        except NETWORK_ERRORS as error:
            raise DiscordUnavailableError(
                "Discord cannot be reached right now.", detail=type(error).__name__
            ) from error
