"""The form that takes a new voice track for a result."""

from dataclasses import replace
from typing import Any

import discord

from bot.components.custom_ids import id_of
from bot.components.modals import Filled, Form
from bot.exceptions import RefusedError
from bot.i18n.translator import Speech
from bot.jobs.attachments import Clip
from bot.jobs.result_buttons import DUB
from pipeline.types import Request, Task


class DubForm(Form):
    """Asks for one file."""

    def __init__(self, speech: Speech, job_id: str) -> None:
        super().__init__(speech.say("form-dub"), id_of(DUB, job_id))
        file = discord.ui.FileUpload[Any](custom_id="dub", min_values=1, max_values=1)
        self.ask(file, speech.say("form-dub-file"), speech.say("form-dub-hint"))


def track_of(filled: Filled) -> Clip:
    """The file that was uploaded; raises `RefusedError` when it is not one."""
    if len(filled.files) != 1:
        raise RefusedError("not-one-file", "not-one-file-hint", count=len(filled.files))
    return filled.files[0]


def dubbed(request: Request) -> Request:
    """The request for a result with another voice."""
    return replace(request, task=Task.ALL if request.task is Task.ALL else Task.REMIX)
