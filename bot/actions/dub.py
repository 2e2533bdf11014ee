"""The form that takes a new voice track for a result."""

from dataclasses import replace
from typing import Any

import discord

from bot.actions.forms import Form, Submit
from bot.intake import Clip, clip_of
from bot.language import Speech
from pipeline.types import Request, Task


class DubForm(Form):
    """Asks for one file."""

    def __init__(self, speech: Speech, submit: Submit) -> None:
        super().__init__(speech.say("form-dub"), submit)
        self._file = discord.ui.FileUpload[Any](custom_id="dub", min_values=1, max_values=1)
        self.ask(self._file, speech.say("form-dub-file"), speech.say("form-dub-hint"))

    def track(self) -> Clip:
        """The file that was uploaded."""
        return clip_of(self._file.values[0])


def dubbed(request: Request) -> Request:
    """The request for a result with another voice."""
    return replace(request, task=Task.ALL if request.task is Task.ALL else Task.REMIX)
