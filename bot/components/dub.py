"""The form that takes a new voice track for a result."""

from dataclasses import replace
from typing import Any

import discord

from bot.components.custom_ids import custom_id
from bot.components.modals import Modal, SubmittedModal
from bot.exceptions import RefusedError
from bot.i18n.translator import Translator
from bot.jobs.attachments import Clip
from bot.jobs.result_buttons import DUB
from pipeline.types import Request, Task


class DubModal(Modal):
    """Asks for one file."""

    def __init__(self, translator: Translator, job_id: str) -> None:
        super().__init__(translator.format("form-dub"), custom_id(DUB, job_id))
        file = discord.ui.FileUpload[Any](custom_id="dub", min_values=1, max_values=1)
        self.add_field(file, translator.format("form-dub-file"), translator.format("form-dub-hint"))


def uploaded_track(submitted: SubmittedModal) -> Clip:
    """The file that was uploaded; raises `RefusedError` when it is not one."""
    if len(submitted.files) != 1:
        raise RefusedError("not-one-file", "not-one-file-hint", count=len(submitted.files))
    return submitted.files[0]


def dub_request(request: Request) -> Request:
    """The request for a result with another voice."""
    return replace(request, task=Task.ALL if request.task is Task.ALL else Task.REMIX)
