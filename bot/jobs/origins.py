"""Where a job is asked for, and how its person is answered: a command, a button or form, or a message for the bot."""

from abc import ABC, abstractmethod
from contextlib import suppress
from functools import partial
from typing import Any, Final

import discord
from msgspec import structs

from bot import error_handler
from bot.messages.embeds import EmbedMessage
from bot.permissions import check_interaction_may_post, check_may_post, check_may_use, check_member_may_use
from bot.retry import retry_transient
from worker.protocol import ReplyTo

_NO_MENTIONS: Final = discord.AllowedMentions.none()


class JobOrigin(ABC):
    """A person who asks for a job.

    Args:
        reply: The place of the answer, as it is known before there is one.

    """

    def __init__(self, reply: ReplyTo) -> None:
        self.reply = reply

    @property
    @abstractmethod
    def is_answered(self) -> bool:
        """Tell whether the person has an answer, so that an error has to take its place."""

    @abstractmethod
    def check_may_post(self) -> None:
        """Raise `RefusedError` where the bot may not post."""

    @abstractmethod
    def check_may_use(self, roles: tuple[int, ...]) -> None:
        """Raise `RefusedError` for a person without any of the roles."""

    @abstractmethod
    async def acknowledge(self, content: EmbedMessage) -> str | None:
        """Answer in public, at once; return the id of the message of the job where it is known."""

    @abstractmethod
    async def show(self, content: EmbedMessage) -> None:
        """Show what happens to the clip, unless `acknowledge` did."""

    @abstractmethod
    async def post(self, content: EmbedMessage) -> str:
        """Post a further message, beside the one of `acknowledge`; return its id."""

    @abstractmethod
    async def answer_error(self, error: BaseException) -> bool:
        """Tell the person what went wrong; return False when Discord did not take the answer."""


class InteractionOrigin(JobOrigin):
    """A command, a button or a form."""

    def __init__(self, interaction: discord.Interaction[Any]) -> None:
        super().__init__(_reply_to(interaction))
        self._interaction = interaction

    @property
    def is_answered(self) -> bool:
        """Tell whether the interaction was acknowledged."""
        return self._interaction.response.is_done()

    def check_may_post(self) -> None:
        """Check the place; where the bot is no member, the token of the interaction is enough."""
        if self.reply.outside is not True:
            check_interaction_may_post(self._interaction)

    def check_may_use(self, roles: tuple[int, ...]) -> None:
        """Check the person."""
        check_may_use(self._interaction, roles)

    async def acknowledge(self, content: EmbedMessage) -> str | None:
        """Acknowledge the interaction."""
        # Whether a message is private is fixed here: the result is for everybody in the channel.
        acknowledged = await self._interaction.response.defer(thinking=True)
        message_id = None if acknowledged is None else acknowledged.message_id
        return None if message_id is None else str(message_id)

    async def show(self, content: EmbedMessage) -> None:
        """Fill the message."""
        with suppress(*error_handler.NETWORK_ERRORS):
            await self._interaction.edit_original_response(embed=content.embed)

    async def post(self, content: EmbedMessage) -> str:
        """Post a follow-up."""
        send = partial(self._interaction.followup.send, embed=content.embed, wait=True, allowed_mentions=_NO_MENTIONS)
        return str((await retry_transient(send)).id)

    async def answer_error(self, error: BaseException) -> bool:
        """Answer in private."""
        return await error_handler.answer_error(self._interaction, error)


class MessageOrigin(JobOrigin):
    """A message with a clip that is for the bot: a mention, a reply that notifies it, a direct message.

    Args:
        message: The message.
        me: The bot as it is there.
        locale: Language of the person, as far as it is known.
        size_limit: Bytes that a file may have there.

    """

    def __init__(
        self, message: discord.Message, me: discord.abc.User, application_id: int, *, locale: str, size_limit: int
    ) -> None:
        guild_id = None if message.guild is None else str(message.guild.id)
        super().__init__(
            ReplyTo(
                application_id=str(application_id),
                channel_id=str(message.channel.id),
                user_id=str(message.author.id),
                guild_id=guild_id,
                size_limit=size_limit,
                locale=locale,
            )
        )
        self._message = message
        self._me = me
        self._answer: discord.Message | None = None

    @property
    def is_answered(self) -> bool:
        """Tell whether the bot has posted its message."""
        return self._answer is not None

    def check_may_post(self) -> None:
        """Check the channel."""
        if isinstance(self._me, discord.Member) and not isinstance(self._message.channel, discord.DMChannel):
            rights = self._message.channel.permissions_for(self._me)
            check_may_post(rights, self.reply.channel_id, in_thread=isinstance(self._message.channel, discord.Thread))

    def check_may_use(self, roles: tuple[int, ...]) -> None:
        """Check the person."""
        person = self._message.author
        if isinstance(person, discord.Member):
            check_member_may_use(person, roles, manages=person.guild_permissions.manage_guild)

    async def acknowledge(self, content: EmbedMessage) -> str | None:
        """Reply to the message; a repeated event of the same message gives no second answer."""
        self._answer = await retry_transient(
            partial(
                self._message.channel.send,
                embed=content.embed,
                reference=self._message.to_reference(fail_if_not_exists=False),
                allowed_mentions=_NO_MENTIONS,
                nonce=str(self._message.id),
            )
        )
        return str(self._answer.id)

    async def show(self, content: EmbedMessage) -> None:
        """Nothing is left to show."""

    async def post(self, content: EmbedMessage) -> str:
        """Reply once more."""
        reference = self._message.to_reference(fail_if_not_exists=False)
        send = partial(
            self._message.channel.send, embed=content.embed, reference=reference, allowed_mentions=_NO_MENTIONS
        )
        return str((await retry_transient(send)).id)

    async def answer_error(self, error: BaseException) -> bool:
        """Say it in the bot's answer, or in a reply, or else in a direct message: a message has no private answer."""
        text = error_handler.describe_message_error(self._message.id, error, self.reply.locale)
        if self._answer is not None:
            with suppress(*error_handler.NETWORK_ERRORS):
                edit = partial(self._answer.edit, content=text, embed=None, view=None, allowed_mentions=_NO_MENTIONS)
                await retry_transient(edit)
                return True
        reference = self._message.to_reference(fail_if_not_exists=False)
        reply = partial(self._message.channel.send, text, reference=reference, allowed_mentions=_NO_MENTIONS)
        for answer in (reply, partial(self._message.author.send, text, allowed_mentions=_NO_MENTIONS)):
            with suppress(*error_handler.NETWORK_ERRORS):
                await retry_transient(answer)
                return True
        return False


def _reply_to(interaction: discord.Interaction[Any]) -> ReplyTo:
    reply = ReplyTo(
        application_id=str(interaction.application_id),
        channel_id=str(interaction.channel_id or 0),
        user_id=str(interaction.user.id),
        guild_id=None if interaction.guild_id is None else str(interaction.guild_id),
        interaction_token=interaction.token,
        interaction_expires=interaction.expires_at.timestamp(),
        size_limit=interaction.filesize_limit,
        locale=interaction.locale.value,
    )
    return structs.replace(reply, outside=True) if is_outside(interaction) else reply


def is_outside(interaction: discord.Interaction[Any]) -> bool:
    """Tell whether the bot is no member of the place: another server, a group, a chat of two people."""
    if interaction.guild_id is None:
        return interaction.context.private_channel is True
    return interaction.client.get_guild(interaction.guild_id) is None
