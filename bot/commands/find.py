"""`/find`: looks for words in transcripts that the person may see."""

import re
import time
from dataclasses import replace
from typing import Any, Final

import discord
from discord import app_commands

from bot.commands.localization import help_order, localized, options
from bot.components.find_results import find_view
from bot.exceptions import RefusedError
from bot.i18n.translator import translator_for
from bot.messages.findings import findings_embed
from bot.permissions import check_may_use
from bot.retry import retry_transient
from bot.search.index import Filters, speaker_key
from bot.search.since import read_since
from bot.search.visibility import ChannelVisibility
from bot.services import Services

MAX_NAME_CHARS: Final = 100
_MENTION: Final = re.compile(r"<@!?(\d{1,20})>", re.ASCII)


class PlaceId(app_commands.Transformer):
    """Takes any channel, thread or category by its id alone, since the bot may not know an archived thread."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        """Return the kind of option."""
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        """Return what Discord offers."""
        kinds = discord.ChannelType
        threads = (kinds.public_thread, kinds.private_thread, kinds.news_thread)
        return [kinds.text, kinds.news, kinds.voice, kinds.stage_voice, kinds.forum, kinds.category, *threads]

    async def transform(self, interaction: discord.Interaction[Any], value: app_commands.AppCommandChannel, /) -> int:
        """Return the id."""
        return value.id


def setup(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the command."""

    @tree.command(
        name=localized("command-find"), description=localized("command-find-description"), extras=help_order(65)
    )
    @options(words="words", by="by", since="since", channel="in")
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    @app_commands.allowed_installs(guilds=True, users=False)
    async def find(
        interaction: discord.Interaction[Any],
        words: str,
        by: str | None = None,
        since: str | None = None,
        channel: app_commands.Transform[int, PlaceId] | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id = "" if interaction.guild_id is None else str(interaction.guild_id)
        if guild_id:
            check_may_use(interaction, (await services.repository.guild(guild_id)).roles)
        filters = Filters(
            guild_id=guild_id, user_id=str(interaction.user.id), since=read_since(since or "", time.time())
        )
        if channel is not None:
            filters = replace(filters, channels=_channels_in(interaction.guild, channel))
        if by is not None and by.strip():
            filters = await _spoken_by(interaction, filters, by.strip())
        findings = await services.search.finder.find(words, filters, ChannelVisibility(interaction))
        if filters.member and not filters.speakers and not findings.hits:
            # Whoever has left is found by what was said here, or is not known at all.
            raise RefusedError("find-nobody", "find-nobody-hint")
        translator = translator_for(interaction.locale.value)
        jobs = await services.repository.jobs_by_id(list({hit.line.job_id for hit in findings.hits}))
        embed = findings_embed(translator, words, findings, jobs)
        view = await find_view(translator, findings, services.pages, filters.user_id)
        await interaction.edit_original_response(embed=embed, view=view)


def _channels_in(guild: discord.Guild | None, place_id: int) -> list[str]:
    """Return the ids of a channel and its open threads, of a forum's posts, or of all that is in a category."""
    inside = {place_id}
    if guild is not None:
        inside |= {channel.id for channel in guild.channels if channel.category_id == place_id}
        inside |= {thread.id for thread in guild.threads if thread.parent_id in inside}
    return [str(channel_id) for channel_id in inside]


async def _spoken_by(interaction: discord.Interaction[Any], filters: Filters, by: str) -> Filters:
    """Restrict filters to a person, whoever has that name now, or to speakers whose name has a text.

    Where nobody said who a speaker is, the names count that a member has here; whoever has left has none.
    """
    mentioned = _MENTION.fullmatch(by)
    if mentioned is None:
        return replace(filters, speaker_part=speaker_key(by[:MAX_NAME_CHARS]))
    guild, number = interaction.guild, int(mentioned[1])
    try:
        if guild is not None:
            person: discord.Member | discord.User = await retry_transient(lambda: guild.fetch_member(number))
        else:
            person = await retry_transient(lambda: interaction.client.fetch_user(number))
    except discord.NotFound:
        return replace(filters, member=str(number))
    names = {name for name in (person.display_name, person.global_name, person.name) if name}
    return replace(filters, member=str(number), speakers=frozenset(map(speaker_key, names)))
