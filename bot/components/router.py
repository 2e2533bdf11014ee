"""Where every use of a button, a menu or a form comes in, also of one that is older than this process of the bot."""

from collections.abc import Mapping
from typing import Any, cast

import discord

from bot import error_handler
from bot.components.cancel import CANCEL, cancel
from bot.components.custom_ids import CUSTOM_ID_PATTERN
from bot.components.delete_data import CONFIRM_DELETE_DATA, DELETE_DATA, DeleteDataActions
from bot.components.modals import read_submission
from bot.components.result_actions import ResultActions, unknown_button
from bot.jobs.result_buttons import SUBTITLES
from pipeline.errors import AudioProcessingError
from worker.queue import Queue


class ComponentRouter:
    """One for the bot."""

    def __init__(self, board: ResultActions, queue: Queue, forgetting: DeleteDataActions) -> None:
        self._board = board
        self._queue = queue
        self._forgetting = forgetting

    async def dispatch(self, interaction: discord.Interaction[Any]) -> None:
        """Do it, or say in private why not."""
        try:
            await self._enter(interaction)
        except (AudioProcessingError, *error_handler.NETWORK_ERRORS) as error:
            await error_handler.answer_error(interaction, error)

    async def _enter(self, interaction: discord.Interaction[Any]) -> None:
        data = cast("Mapping[str, Any]", interaction.data or {})
        match = CUSTOM_ID_PATTERN.fullmatch(str(data.get("custom_id", "")))
        if match is None:
            raise unknown_button()
        action, job_id, page = match["action"], match["job"] or "", int(match["page"] or 0)
        if interaction.type is discord.InteractionType.modal_submit:
            await self._board.submit(interaction, action, job_id, page, read_submission(data))
        elif action == CANCEL:
            await cancel(interaction, self._queue, job_id)
        elif action == SUBTITLES:
            await self._board.choose(interaction, job_id, "".join(map(str, data.get("values") or ())))
        elif action == DELETE_DATA:
            await self._forgetting.ask(interaction)
        elif action == CONFIRM_DELETE_DATA:
            await self._forgetting.delete(interaction)
        else:
            await self._board.press(interaction, action, job_id, page)
