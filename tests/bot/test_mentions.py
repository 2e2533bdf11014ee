"""What the text beside a clip asks for."""

import pytest

from bot.mentions import task_of
from pipeline.types import Task

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("", Task.ALL),
        ("look at this", Task.ALL),
        ("please Transcribe this!", Task.TRANSCRIBE),
        ("<@123> separate, then transcribe", Task.SEPARATE),
        ("unseparated remixes", Task.ALL),
        ("分离", Task.SEPARATE),
        ("帮我分离人声", Task.SEPARATE),
        ("请转写一下", Task.TRANSCRIBE),
        ("<@123>混音吧", Task.REMIX),
        ("先转写再分离", Task.TRANSCRIBE),
        ("帮我remix一下", Task.REMIX),
    ],
)
def test_the_first_task_that_is_named_counts(text: str, task: Task) -> None:
    assert task_of(text) is task
