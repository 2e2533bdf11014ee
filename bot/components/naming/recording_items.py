"""The question whether a voice is to be kept by a recording, and its yes.

The question itself holds the address of the recording: before the yes nothing of it is stored, and it ends with the
address, after a day.
"""

from typing import Final
from urllib.parse import unquote, urlsplit

import discord

from bot.clips.attachments import UNKNOWN_SIZE, Clip, clip_from_json
from bot.components.custom_ids import Action, CustomId
from bot.components.naming.voice_items import consent_text
from bot.components.persistent_item import PersistentItem
from bot.components.views import ActionView
from bot.exceptions import RefusedError
from bot.i18n.translator import Translator
from bot.messages.embeds import COLOUR_WORKING
from bot.messages.formatting import escape
from bot.permissions import check_may_use
from bot.retry import ack_deadline
from bot.services import Interaction
from bot.voices.consent import CONSENT_VERSION

ID_FORM: Final = "032x"
"""The id of the person who may say yes stands where other buttons have that of a job."""


class AgreeRecordingButton(PersistentItem, action=Action.AGREE_RECORDING):
    """Has a recording fetched and the person's voice kept, after their yes."""

    async def act(self, interaction: Interaction) -> None:
        """Have the recording heard with the time and the version of the text."""
        if self.target.job_id != format(interaction.user.id, ID_FORM):
            raise RefusedError("voice-other-recording", "voice-other-recording-hint")
        if self.target.detail != str(CONSENT_VERSION):
            raise RefusedError("voice-text-changed", "voice-text-changed-hint")
        message = interaction.message
        clip = None if message is None else _recording_in(message, interaction.client.user)
        if message is None or clip is None:
            raise RefusedError("button-gone", "button-gone-hint")
        services, guild_id = interaction.client.services, str(interaction.guild_id or "")
        services.downloader.check(clip)
        async with ack_deadline():
            settings = await services.repository.guild(guild_id)
            check_may_use(interaction, settings.roles)
            if not await interaction.client.voices.books.is_enabled(guild_id):
                raise RefusedError("voice-off", "voice-off-hint")
        await services.recordings.submit(interaction, clip, settings, message_id=message.id, consent=CONSENT_VERSION)


def recording_form(
    translator: Translator, clip: Clip, user_id: int, left_days: float
) -> tuple[str, discord.Embed, ActionView]:
    """Return the text about what is kept, the recording, and the button that says yes to this version of the text."""
    embed = discord.Embed(title=escape(clip.name), url=clip.url, colour=COLOUR_WORKING)
    embed.set_footer(text=clip.content_type or None)
    view = ActionView()
    target = CustomId(Action.AGREE_RECORDING, format(user_id, ID_FORM), detail=str(CONSENT_VERSION))
    view.add_button(translator.format("button-agree"), target, discord.ButtonStyle.primary)
    text = f"{consent_text(translator, left_days, 'recording')}\n{translator.format('voice-consent-recording')}"
    return text, embed, view


def _recording_in(message: discord.Message, me: discord.ClientUser | None) -> Clip | None:
    """Return the recording that a question of the bot is about; None for any other message."""
    if me is None or message.author.id != me.id or not message.flags.ephemeral:
        return None
    for embed in message.embeds:
        if embed.url:
            name, kind = unquote(urlsplit(embed.url).path), embed.footer.text
            return clip_from_json({"filename": name, "url": embed.url, "size": UNKNOWN_SIZE, "content_type": kind})
    return None
