"""`/upload`: gives a link to a page for clips that Discord does not take."""

import time
from typing import Any

import discord
from discord import app_commands

from bot.commands.localization import help_order, localized, options
from bot.commands.option_choices import TASKS
from bot.exceptions import RefusedError
from bot.i18n.translator import translator_for
from bot.jobs.origins import InteractionOrigin
from bot.messages.formatting import format_size
from bot.retry import ack_deadline
from bot.services import Services
from bot.uploads.tickets import UploadTicket, new_upload_id
from pipeline.types import Task


def setup(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the command."""

    @tree.command(
        name=localized("command-upload"), description=localized("command-upload-description"), extras=help_order(55)
    )
    @options(task="task")
    @app_commands.choices(task=TASKS)
    async def upload(interaction: discord.Interaction[Any], task: str | None = None) -> None:
        uploads = None if services.pages is None else services.pages.uploads
        if uploads is None:
            raise RefusedError("no-pages")
        origin = InteractionOrigin(interaction)
        reply = origin.reply
        origin.check_may_post()
        if reply.guild_id is not None:
            async with ack_deadline():
                settings = await services.repository.guild(reply.guild_id)
            origin.check_may_use(settings.roles)
        ticket = UploadTicket(
            id=new_upload_id(),
            expires=int(time.time() + uploads.lifetime_s),
            task=Task(task or Task.ALL),
            application_id=reply.application_id,
            channel_id=reply.channel_id,
            user_id=reply.user_id,
            guild_id=reply.guild_id,
            locale=reply.locale,
            outside=reply.outside is True,
        )
        translator = translator_for(reply.locale)
        view = discord.ui.View()
        view.add_item(discord.ui.Button[Any](label=translator.format("button-upload"), url=uploads.address(ticket)))
        limit = format_size(services.settings.max_size)
        key = "upload-link-outside" if ticket.outside else "upload-link"
        text = translator.format(key, limit=limit, when=f"<t:{ticket.expires}:R>")
        await interaction.response.send_message(text, view=view, ephemeral=True)
