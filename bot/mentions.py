"""Clips in messages that are for the bot: those that mention it, replies that notify it, direct messages.

Discord shows what is in these, and in no others, to a bot without the privileged intent for message content.
"""

import re
from typing import Final

import discord

from bot.clips.attachments import all_clips, clips_of
from bot.database.upload_limits import usual_limit
from bot.error_handler import NETWORK_ERRORS
from bot.i18n.translator import ENGLISH, LOCALES, Translator, translator_for
from bot.jobs.origins import MessageOrigin
from bot.retry import retry_transient
from bot.services import Services
from pipeline.errors import StemcordError
from pipeline.types import Task

_TASKS: Final = {
    Translator(locale).format(f"command-{name}").casefold(): task
    for locale in LOCALES
    for name, task in (("separate", Task.SEPARATE), ("transcribe", Task.TRANSCRIBE), ("remix", Task.REMIX))
}
"""What a person can write beside the clip, in each language; without any of these words all is done."""
_NAMES: Final = re.compile(
    "|".join(rf"(?a:\b{re.escape(name)}\b)" if name.isascii() else re.escape(name) for name in _TASKS)
)
"""Chinese has no spaces between words, so its names are found within the text, and English ones also beside it."""


class MentionIntake:
    """Submits the clips of messages for the bot."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def handle(self, message: discord.Message, client: discord.Client) -> None:
        """Submit the clips of a message that is for the bot; others, and those of bots, are left alone."""
        me = client.user
        if me is None or message.author.bot or not is_for(message, me):
            return
        if not await self._services.gate.admits(message.id):
            return
        attachments = clips_of(message)
        if not attachments:
            if message.guild is None and message.type is discord.MessageType.default:
                await self._explain(message)
            return
        origin = await self._origin(message, client)
        try:
            task = task_of(message.content)
            await self._services.batches.submit(origin, all_clips(attachments), task, {})
        except (StemcordError, *NETWORK_ERRORS) as error:
            await origin.answer_error(error)

    async def _origin(self, message: discord.Message, client: discord.Client) -> MessageOrigin:
        me = client.user if message.guild is None else message.guild.me
        assert me is not None
        size_limit = usual_limit(message.guild)
        application_id = client.application_id or me.id
        return MessageOrigin(message, me, application_id, locale=await self._locale(message), size_limit=size_limit)

    async def _locale(self, message: discord.Message) -> str:
        """Return the language of the person's last command, or else that of the server: a message names none."""
        try:
            latest = await self._services.repository.jobs_of(str(message.author.id), None, 1)
        except StemcordError:
            latest = []
        if latest and latest[0].job.reply_to is not None:
            return latest[0].job.reply_to.locale
        return ENGLISH if message.guild is None else message.guild.preferred_locale.value

    async def _explain(self, message: discord.Message) -> None:
        text = translator_for(await self._locale(message)).format("send-a-clip")
        await retry_transient(lambda: message.channel.send(text, nonce=str(message.id)))


def is_for(message: discord.Message, me: discord.abc.User) -> bool:
    """Tell whether a message is for the bot; a mention of everybody is not."""
    return message.guild is None or any(user.id == me.id for user in message.mentions)


def task_of(text: str) -> Task:
    """Return what the text beside a clip asks for."""
    found = _NAMES.search(text.casefold())
    return Task.ALL if found is None else _TASKS[found[0]]
