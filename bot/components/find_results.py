"""Buttons below what was found: excerpts to hear, and links to pages at the second."""

from functools import partial
from typing import Final

import discord

from bot.audition.sample import whole_sound_of
from bot.components.custom_ids import Action, CustomId
from bot.components.listen import send_sample
from bot.components.persistent_item import PersistentItem
from bot.components.views import ActionView
from bot.database.models import JobRecord
from bot.exceptions import RefusedError
from bot.i18n.translator import Translator, translator_for
from bot.messages.formatting import format_duration
from bot.retry import ack_deadline
from bot.search.finder import Findings
from bot.search.visibility import ChannelVisibility
from bot.services import Interaction
from bot.web.signed_links import PageAddresses

EXCERPT_S: Final = 5.0
LEAD_S: Final = 0.5
"""Of an excerpt before the word that was found."""
TENTHS_PER_S: Final = 10


async def find_view(
    translator: Translator, findings: Findings, pages: PageAddresses | None, user_id: str
) -> ActionView | None:
    """Build the buttons; None when nothing was found. Raises `DatabaseError`."""
    if not findings.hits:
        return None
    view = ActionView()
    for number, hit in enumerate(findings.hits, 1):
        target = CustomId(Action.EXCERPT, hit.line.job_id, detail=f"{number}-{int(hit.seconds * TENTHS_PER_S)}")
        view.add_button(translator.format("button-excerpt", number=number), target)
    addresses: dict[str, str] = {}
    for number, hit in enumerate(findings.hits, 1):
        if pages is None:
            break
        job_id = hit.line.job_id
        if job_id not in addresses:
            addresses[job_id] = (await pages.create(job_id, user_id)).url
        label = translator.format("button-page-at", number=number)
        url = f"{addresses[job_id]}#t={hit.seconds:.1f}"
        view.add_item(discord.ui.Button(label=label, url=url, row=1))
    return view


class ExcerptButton(PersistentItem, action=Action.EXCERPT):
    """Sends some seconds of a recording as a voice message, in private."""

    async def act(self, interaction: Interaction) -> None:
        """Check once more that the person may hear it, and send it."""
        # Discord may have to be asked who sees a private thread, which takes longer than a first answer may.
        await interaction.response.defer(ephemeral=True, thinking=True)
        record = await _visible(interaction, self.target.job_id)
        if record.result is None:
            raise RefusedError("result-gone", "result-gone-hint")
        seconds = _seconds(self.target.detail)
        sound, begin = whole_sound_of(record.result, record.job.source)
        first = max(seconds - LEAD_S, 0.0)
        translator = translator_for(interaction.locale.value)
        await interaction.edit_original_response(content=translator.format("excerpt-coming"))
        stretch = (max(first - begin, 0.0), EXCERPT_S)
        await send_sample(interaction, partial(interaction.client.services.sampler.cut, sound, stretch), "excerpt")
        text = translator.format("excerpt-here", start=format_duration(first), end=format_duration(first + EXCERPT_S))
        await interaction.edit_original_response(content=text)


async def _visible(interaction: Interaction, job_id: str) -> JobRecord:
    """Return a job of which the person may see the channel now. Raises `RefusedError`."""
    async with ack_deadline():
        record = await interaction.client.services.repository.job(job_id)
    if record is None or record.guild_id != str(interaction.guild_id or ""):
        raise RefusedError("result-gone", "result-gone-hint")
    if not record.guild_id:
        visible = record.user_id == str(interaction.user.id)
    else:
        visible = await ChannelVisibility(interaction).may_read(record.channel_id)
    if not visible:
        raise RefusedError("not-visible")
    return record


def _seconds(detail: str) -> float:
    """Read the time of a custom id. Raises `RefusedError` for one that was forged."""
    _, sign, tenths = detail.partition("-")
    if not sign or not tenths.isascii() or not tenths.isdecimal() or len(tenths) > 7:
        raise RefusedError("button-gone", "button-gone-hint")
    return int(tenths) / TENTHS_PER_S
