"""The button and the form that replace the voices of a result."""

from dataclasses import replace
from typing import ClassVar

from bot.clips.attachments import Clip
from bot.components.custom_ids import Action, CustomId
from bot.components.modals import Modal, SubmittedModal
from bot.components.result_actions import ResultItem, find_result
from bot.exceptions import RefusedError
from bot.file_types import DUB_TYPES, TypedFileUpload
from bot.i18n.translator import Translator, translator_for
from bot.jobs.history import HistoryEntry
from bot.services import Interaction
from pipeline.types import Request, Result, Task


class DubButton(ResultItem, action=Action.DUB):
    """Opens the form."""

    async def act_on(self, interaction: Interaction, entry: HistoryEntry, result: Result) -> None:
        """Show the form."""
        await interaction.response.send_modal(DubModal(translator_for(interaction.locale.value), entry.job.id))


class DubModal(Modal):
    """Asks for one file, the new voice track."""

    action: ClassVar[Action] = Action.DUB

    def __init__(self, translator: Translator, job_id: str) -> None:
        super().__init__(translator.format("form-dub"), CustomId(self.action, job_id))
        file = TypedFileUpload(file_types=DUB_TYPES, custom_id="dub", min_values=1, max_values=1)
        self.add_field(file, translator.format("form-dub-file"), translator.format("form-dub-hint"))

    @classmethod
    async def submitted(cls, interaction: Interaction, target: CustomId, fields: SubmittedModal) -> None:
        """Submit the clip of the result with the new voice track."""
        entry, _ = await find_result(interaction, target.job_id)
        request = dub_request(entry.job.request)
        await interaction.client.services.submitter.resubmit(interaction, entry.job, request, uploaded_track(fields))


def uploaded_track(fields: SubmittedModal) -> Clip:
    """Return the uploaded file. Raises `RefusedError` unless there is exactly one."""
    if len(fields.files) != 1:
        raise RefusedError("not-one-file", "not-one-file-hint", count=len(fields.files))
    return fields.files[0]


def dub_request(request: Request) -> Request:
    """Return the request for the same result with another voice track."""
    return replace(request, task=Task.ALL if request.task is Task.ALL else Task.REMIX)
