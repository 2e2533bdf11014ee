"""Sends voice messages, which discord.py cannot send yet.

https://discord.com/developers/docs/resources/message#voice-messages
"""

from pathlib import Path
from typing import Any

import discord
from discord.http import handle_message_parameters
from discord.webhook.async_ import async_context

from bot.audition.sample import Sample


class VoiceFile(discord.File):
    """The one file of a voice message."""

    def __init__(self, path: Path, filename: str, sample: Sample) -> None:
        super().__init__(path, filename=filename)
        self._sample = sample

    def to_dict(self, index: int) -> dict[str, Any]:
        """Return the file as it is announced to Discord."""
        return {
            **super().to_dict(index),
            "duration_secs": round(self._sample.duration, 3),
            "waveform": self._sample.waveform,
        }


async def send_voice_message(interaction: discord.Interaction[Any], file: VoiceFile) -> None:
    """Send a private voice message as a follow-up. Raises `discord.HTTPException` where Discord takes none."""
    webhook = interaction.followup
    with handle_message_parameters(file=file, flags=discord.MessageFlags(voice=True, ephemeral=True)) as params:
        await async_context.get().execute_webhook(
            webhook.id,
            str(webhook.token),
            session=webhook.session,
            proxy=webhook.proxy,
            proxy_auth=webhook.proxy_auth,
            payload=params.payload,
            multipart=params.multipart,
            files=list(params.files or ()),
            wait=True,
        )
