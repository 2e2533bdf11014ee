"""What may go wrong around a job, and how a test sees that it was brought to an end all the same."""

import asyncio
import json
import time
from typing import Any

from tests.wire.objects import Interaction, Message
from tests.wire.shapes import Json
from tests.wire.stack import Stack
from worker.protocol import Job
from worker.queue import Queue


async def delete_channel(stack: Stack, channel_id: str) -> None:
    """Somebody deletes a channel with all its messages; the bot hears of it."""
    world = stack.fake.world
    channel = world.channels.pop(channel_id)
    for message in world.messages.values():
        message.deleted = message.deleted or message.channel_id == channel_id
    await stack.fake.gateway.dispatch("CHANNEL_DELETE", channel)
    world.touch()


def said_directly(stack: Stack, person: Json) -> list[Message]:
    """What the bot wrote to a person, oldest first."""
    place = stack.fake.world.private_channel(person["id"])["id"]
    return [m for m in stack.fake.messages if m.channel_id == place and m.author is stack.fake.world.bot]


async def job_of(stack: Stack, interaction: Interaction, limit: float = 20.0) -> Job:
    """The job that a command became, once the queue has it."""
    end = time.monotonic() + limit
    async with Queue.connect(stack.broker_url) as queue:
        while time.monotonic() < end:
            for state in await queue.jobs():
                reply = state.job.reply_to
                if reply is not None and reply.interaction_token == interaction.token:
                    return state.job
            await asyncio.sleep(0.05)
    raise AssertionError(f"no job came of it\n{stack.report()}")


async def confirmed(stack: Stack, limit: float = 60.0) -> None:
    """Waits until no job is left whose person has no answer."""
    end = time.monotonic() + limit
    async with Queue.connect(stack.broker_url) as queue:
        while left := await queue.undelivered():
            assert time.monotonic() < end, f"unconfirmed: {[job.id for job in left]}\n{stack.report()}"
            await asyncio.sleep(0.1)


def logged(stack: Stack, event: str, **fields: Any) -> list[Json]:
    """The bot's log lines about an event that have these values."""
    assert stack.bot is not None
    lines = [json.loads(line) for line in stack.bot.output.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event and fields.items() <= line.items()]
