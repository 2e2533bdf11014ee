"""Where every use of a button, a menu or a form comes in, also of one that is older than this process of the bot."""

from collections.abc import Mapping
from typing import Any, cast

import discord

from bot import error_handler as errors
from bot.components.cancel import CANCEL, cancel
from bot.components.custom_ids import ID
from bot.components.delete_data import ASK, SURE, Forgetting
from bot.components.modals import read_form
from bot.components.result_actions import Board, unknown_button
from bot.jobs.result_buttons import SUBTITLES
from pipeline.errors import AudioProcessingError
from worker.queue import Queue


class Door:
    """One for the bot."""

    def __init__(self, board: Board, queue: Queue, forgetting: Forgetting | None) -> None:
        self._board = board
        self._queue = queue
        self._forgetting = forgetting

    async def enter(self, interaction: discord.Interaction[Any]) -> None:
        """Do it, or say in private why not."""
        try:
            await self._enter(interaction)
        except (AudioProcessingError, *errors.NETWORK_ERRORS) as error:
            await errors.answer(interaction, error)

    async def _enter(self, interaction: discord.Interaction[Any]) -> None:
        data = cast("Mapping[str, Any]", interaction.data or {})
        match = ID.fullmatch(str(data.get("custom_id", "")))
        if match is None:
            raise unknown_button()
        action, job_id, page = match["action"], match["job"] or "", int(match["page"] or 0)
        if interaction.type is discord.InteractionType.modal_submit:
            await self._board.submit(interaction, action, job_id, page, read_form(data))
        elif action == CANCEL:
            await cancel(interaction, self._queue, job_id)
        elif action == SUBTITLES:
            await self._board.choose(interaction, job_id, "".join(map(str, data.get("values") or ())))
        elif action == ASK and self._forgetting is not None:
            await self._forgetting.ask(interaction)
        elif action == SURE and self._forgetting is not None:
            await self._forgetting.forget(interaction)
        else:
            await self._board.press(interaction, action, job_id, page)
