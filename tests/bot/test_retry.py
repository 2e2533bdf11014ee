"""What is tried again, and what is not."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
import stamina

from bot import discord_limits
from bot.exceptions import AckTimeoutError, TransientError, UploadTimeoutError
from bot.jobs.result_files import Attachment, ResultMessage
from bot.jobs.routes import MAX_SLOW_TRIES, Message, Route, deliver, try_route
from bot.messages.embeds import EmbedMessage
from bot.retry import ack_deadline, retry_transient
from pipeline.types import Artefact, Request
from tests.bot.world import make_result
from worker.protocol import Job, ReplyTo

REPLY = ReplyTo(application_id="1", channel_id="2", user_id="3")
JOB = Job(
    id="1" * 32,
    request=Request(),
    source=Artefact(name="talk.mp4", digest="0" * 64, size=1, media_type="video/mp4"),
    submitted=0.0,
    reply_to=REPLY,
)


def http_error(status: int) -> discord.HTTPException:
    return discord.HTTPException(cast("Any", SimpleNamespace(status=status, reason="")), "")


class Act:
    """Fails with each error in turn, then gives an answer."""

    def __init__(self, *errors: Exception) -> None:
        self.left = list(errors)

    async def __call__(self, *_: object) -> str:
        if self.left:
            raise self.left.pop(0)
        return "done"


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


async def test_trouble_that_ends_is_waited_out() -> None:
    assert await retry_transient(Act(http_error(503), ConnectionResetError())) == "done"


@pytest.mark.parametrize("status", [403, 404, 401])
async def test_what_will_not_change_is_not_tried_again(status: int) -> None:
    act = Act(http_error(status))
    with pytest.raises(discord.HTTPException):
        await retry_transient(act)
    assert act.left == []


async def test_it_ends_at_some_time() -> None:
    with pytest.raises(TimeoutError):
        await retry_transient(Act(*[TimeoutError() for _ in range(3)]))


async def hang(_: Message) -> None:
    await asyncio.sleep(5)


def post_of(path: Path, *names: str) -> Message:
    return Message(
        job=JOB,
        reply=REPLY,
        content=EmbedMessage(embed=discord.Embed()),
        files=[Attachment(name=name, path=path / name, size=1) for name in names],
    )


@pytest.mark.parametrize(("names", "expected"), [(["a"], UploadTimeoutError), ([], TransientError)])
async def test_a_request_does_not_hang(
    names: list[str], expected: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord_limits, "REQUEST_TIMEOUT_S", 0.01)
    with pytest.raises(expected):
        await try_route(Route(name="channel", send=hang, size_limit=1), post_of(tmp_path, *names))


async def test_a_line_that_is_too_slow_for_the_files_gets_fewer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord_limits, "REQUEST_TIMEOUT_S", 0.02)
    sent: list[list[str]] = []

    async def send(post: Message) -> None:
        sent.append([file.name for file in post.files])
        if any(file.size > 10 for file in post.files):
            await hang(post)

    files = tuple(Attachment(name=name, path=tmp_path / name, size=size) for name, size in {"a": 20, "b": 3}.items())
    result_message = ResultMessage(job=JOB, user_id="3", result=make_result(), transcript=None, files=files)
    assert await deliver(Route(name="channel", send=send, size_limit=100), result_message, REPLY)
    assert sent == [["a", "b"]] * MAX_SLOW_TRIES + [["b"]]


async def test_what_takes_too_long_is_given_up_in_words() -> None:
    with pytest.raises(AckTimeoutError, match="in time"):
        async with ack_deadline(0.01):
            await asyncio.sleep(5)


async def test_what_is_there_in_time_goes_on() -> None:
    async with ack_deadline(5):
        await asyncio.sleep(0)
