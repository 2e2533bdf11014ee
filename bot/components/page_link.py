"""Buttons for links to the page of a result."""

import discord

from bot.components.custom_ids import Action, CustomId
from bot.components.persistent_item import PersistentItem
from bot.components.result_actions import find_entry
from bot.components.views import ActionView
from bot.database.models import OPEN_STATUSES
from bot.exceptions import RefusedError
from bot.i18n.translator import translator_for
from bot.services import Interaction
from bot.web.signed_links import PageAddresses


class PageButton(PersistentItem, action=Action.PAGE):
    """Gives the person a link, in private, also to a job that still runs."""

    async def act(self, interaction: Interaction) -> None:
        """Create a link and send it with a button that revokes it."""
        entry = await find_entry(interaction, self.target.job_id)
        if entry.result is None and entry.status not in OPEN_STATUSES:
            raise RefusedError("result-gone", "result-gone-hint")
        pages = _served_pages(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        address = await pages.create(entry.job.id, str(interaction.user.id))
        translator = translator_for(interaction.locale.value)
        view = ActionView()
        view.add_item(discord.ui.Button(label=translator.format("button-page"), url=address.url))
        view.add_button(translator.format("button-revoke"), CustomId(Action.REVOKE, entry.job.id))
        text = translator.format("page-here-sign-in" if pages.sign_in else "page-here", when=f"<t:{address.expires}:R>")
        await interaction.edit_original_response(content=text, view=view)


class RevokeButton(PersistentItem, action=Action.REVOKE):
    """Revokes every link to the page of a job, also while it runs."""

    async def act(self, interaction: Interaction) -> None:
        """Revoke and say how many links still worked."""
        entry = await find_entry(interaction, self.target.job_id)
        pages = _served_pages(interaction)
        await interaction.response.defer()
        count = await pages.revoke(entry.job.id)
        text = translator_for(interaction.locale.value).format("links-revoked", count=count)
        await interaction.edit_original_response(content=text, view=None)


def _served_pages(interaction: Interaction) -> PageAddresses:
    pages = interaction.client.services.pages
    if pages is None:
        raise RefusedError("no-pages")
    return pages
