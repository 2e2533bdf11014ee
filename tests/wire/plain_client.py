"""A small bot on unmodified discord.py, to prove the fake before the real bot is tried on it."""

import io
import os
from typing import Any

import discord
from discord import app_commands

Interaction = discord.Interaction[Any]


class Client(discord.Client):
    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True, guild_messages=True))
        self.tree = app_commands.CommandTree(self)

    async def setup_hook(self) -> None:
        await self.tree.sync()


client = Client()


class Buttons(discord.ui.View):
    @discord.ui.button(label="Again", custom_id="again")
    async def again(self, interaction: Interaction, _button: discord.ui.Button[Any]) -> None:
        await interaction.response.edit_message(content="pressed", view=None)


@client.tree.command(description="Gives a file back")
@app_commands.describe(clip="what to give back", times="how often")
async def echo(
    interaction: Interaction, clip: discord.Attachment, times: app_commands.Range[int, 1, 3] = 1, big: bool = False
) -> None:
    await interaction.response.defer(thinking=True)
    data = await clip.read() * times
    await interaction.edit_original_response(content="working")
    file = discord.File(io.BytesIO(data), "back.bin", description="the same bytes")
    try:
        message = await interaction.edit_original_response(content="done", attachments=[file], view=Buttons())
    except discord.HTTPException as error:
        await interaction.edit_original_response(content=f"{error.status} {error.code}")
        return
    kept = message.attachments
    await message.edit(content="done, kept", attachments=[*kept, discord.File(io.BytesIO(b"2"), "second.txt")])
    channel = client.get_partial_messageable(int(interaction.channel_id or 0))
    later = await channel.fetch_message(message.id)
    await later.edit(content=f"by bot token, {interaction.filesize_limit}, {len(later.attachments)} files")
    await interaction.followup.send("only you", ephemeral=True)


@client.tree.command(description="Says something private")
async def whisper(interaction: Interaction, word: str = "psst") -> None:
    await interaction.response.send_message(word, ephemeral=True)
    original = await interaction.original_response()
    channel = client.get_partial_messageable(int(interaction.channel_id or 0))
    try:
        await channel.get_partial_message(original.id).edit(content="not possible")
    except discord.NotFound as error:
        await interaction.followup.send(f"{error.code}", ephemeral=True)
    await interaction.user.send("hello in private")


@client.tree.command(description="Says it with parts")
async def layout(interaction: Interaction) -> None:
    file = discord.File(io.BytesIO(b"three"), "three.txt")
    view = discord.ui.LayoutView()
    parts = (discord.ui.TextDisplay("first"), discord.ui.Separator(), discord.ui.File("attachment://three.txt"))
    view.add_item(discord.ui.Container(*parts))
    await interaction.response.send_message(view=view, file=file)


@client.tree.command(description="Sends the same twice")
async def twice(interaction: Interaction) -> None:
    await interaction.response.defer()
    channel = client.get_partial_messageable(int(interaction.channel_id or 0))
    ids = {(await channel.send(embed=discord.Embed(title="once"), nonce="n1")).id for _ in range(2)}
    await interaction.followup.send(f"{len(ids)} message")


@client.tree.context_menu(name="Weigh this")
async def weigh(interaction: Interaction, message: discord.Message) -> None:
    await interaction.response.send_message(f"{sum(a.size for a in message.attachments)} bytes")


client.run(os.environ["DISCORD_TOKEN"])
