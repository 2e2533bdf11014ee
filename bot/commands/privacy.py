"""`/privacy`: what is kept about a person, and how it is deleted."""

from typing import Any

import discord
from discord import app_commands

from bot import errors, limits
from bot.cards import WORKING
from bot.commands.names import localised
from bot.keeping import Keeper
from bot.language import Speech, speech_for
from pipeline.errors import AudioProcessingError
from worker.queue import Queue

USUAL_DAYS = 7
"""Days that the queue keeps an ended job."""


def add_privacy(tree: app_commands.CommandTree[Any], keeper: Keeper, queue: Queue) -> None:
    """Put the command into the tree."""

    @tree.command(name=localised("command-privacy"), description=localised("command-privacy-description"))
    async def privacy(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        speech = speech_for(interaction.locale.value)
        days = USUAL_DAYS
        if interaction.guild_id is not None:
            days = (await keeper.guild(str(interaction.guild_id))).retention_days or USUAL_DAYS
        embed = discord.Embed(
            title=speech.say("privacy-title"), description=speech.say("privacy-text", days=days), colour=WORKING
        )
        await interaction.edit_original_response(embed=embed, view=DeleteView(speech, keeper, queue))


class DeleteView(discord.ui.View):
    """A button, and behind it one that asks again; both end with the interaction's token."""

    def __init__(self, speech: Speech, keeper: Keeper, queue: Queue) -> None:
        super().__init__(timeout=limits.TOKEN_LIFE)
        self._speech = speech
        self._keeper = keeper
        self._queue = queue
        ask = discord.ui.Button[DeleteView](label=speech.say("button-delete"), style=discord.ButtonStyle.danger)
        ask.callback = self._ask
        self.add_item(ask)

    async def on_error(
        self, interaction: discord.Interaction[Any], error: Exception, item: discord.ui.Item[Any], /
    ) -> None:
        """Tell the person in private."""
        await errors.answer(interaction, error)

    async def _ask(self, interaction: discord.Interaction[Any]) -> None:
        self.clear_items()
        sure = discord.ui.Button[DeleteView](
            label=self._speech.say("button-delete-sure"), style=discord.ButtonStyle.danger
        )
        sure.callback = self._delete
        self.add_item(sure)
        await interaction.response.edit_message(content=self._speech.say("privacy-sure"), embed=None, view=self)

    async def _delete(self, interaction: discord.Interaction[Any]) -> None:
        self.stop()
        await interaction.response.defer()
        try:
            count = await self._forget(str(interaction.user.id))
        except AudioProcessingError as error:
            await errors.answer(interaction, error)
            return
        text = self._speech.say("privacy-deleted", count=count)
        await interaction.edit_original_response(content=text, embed=None, view=None)

    async def _forget(self, user_id: str) -> int:
        """How many jobs are gone; one that runs is stopped and goes with its record."""
        gone = set(await self._keeper.forget_user(user_id))
        for state in await self._queue.jobs():
            reply = state.job.reply_to
            if reply is not None and reply.user_id == user_id:
                await self._queue.cancel(state.job.id)
                await self._queue.discard(state.job.id)
                gone.add(state.job.id)
        return len(gone)
