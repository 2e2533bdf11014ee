"""A new process of the bot takes over from the old one: nothing is done twice and nothing is lost."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.wire.answers import id_for, shows
from tests.wire.light import LightStack, pages_of
from tests.wire.objects import Interaction, Message
from tests.wire.openapi import Description
from tests.wire.processes import Program

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

PACE_S = 0.3
"""Between commands while a process starts: how many there are is not the point, and each takes its time later."""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "talk.mp4"
    path.write_bytes(b"a clip of some length")
    return path


@pytest_asyncio.fixture(loop_scope="session")
async def stack(tmp_path: Path, description: Description) -> AsyncIterator[LightStack]:
    settings = {**pages_of(), "STEMCORD_JOBS_AT_ONCE": "0"}
    async with LightStack.start(tmp_path, settings=settings) as light:
        yield light
        assert not (found := light.fake.violations(description)), found


async def logs(program: Program, event: str, limit: float = 60.0) -> None:
    """Waits until a process has logged an event."""
    async with asyncio.timeout(limit):
        while f'"{event}"' not in program.output:
            assert program.running, program.output[-3000:]
            await asyncio.sleep(0.05)


async def end(program: Program) -> None:
    program.process.send_signal(signal.SIGTERM)
    assert await program.wait(60) == 0, program.output[-3000:]
    assert "job_not_delivered" not in program.output


async def finish(stack: LightStack, asked: Interaction) -> Message:
    """The result in the message of a command."""
    job = await stack.job(of=asked)
    await stack.finish(await stack.take(job), job)
    await shows(stack, asked.original, lambda m: "vocals.flac" in m.files, 30)
    assert asked.original is not None
    return asked.original


async def ask(stack: LightStack, clip: Path, count: int) -> list[Interaction]:
    return [await stack.fake.slash("separate", clip=clip) for _ in range(count)]


async def use_old_things(stack: LightStack, clip: Path, posted_before: Message) -> Message:
    """A button of an older result, and a mention; both are answered once."""
    assert (await stack.fake.click(id_for(posted_before, "rebalance"), posted_before)).callback is not None
    person = stack.fake.world.add_person("mia")
    posted = await stack.fake.post("separate", files=[clip], mention=True, by=person)
    job = await stack.job(of=person["id"])
    await stack.finish(await stack.take(job), job)
    return posted


async def test_every_command_gets_one_result(stack: LightStack, clip: Path) -> None:
    fake, old = stack.fake, stack.bot
    assert old is not None
    result = await finish(stack, *await ask(stack, clip, 1))
    asked = await ask(stack, clip, 2)
    running = [await stack.take(await stack.job(of=each)) for each in asked]
    identified = fake.gateway.identified
    new = await stack.start_beside()
    while fake.gateway.identified == identified:
        asked += await ask(stack, clip, 1)
        await asyncio.sleep(PACE_S)
    asked += await ask(stack, clip, 8)
    posted = await use_old_things(stack, clip, result)
    ending = asyncio.create_task(end(old))
    asked += await ask(stack, clip, 8)
    await ending
    await logs(new, "handover_taken")
    asked += await ask(stack, clip, 2)
    jobs = [await stack.job(of=each) for each in asked]
    for lease, job in zip(running, jobs, strict=False):
        await stack.finish(lease, job)
        await shows(stack, asked[jobs.index(job)].original, lambda m: "vocals.flac" in m.files, 30)
    for each in asked[len(running) :]:
        await finish(stack, each)
    await stack.confirmed()
    assert len(await stack.queue.jobs()) == len(asked) + 2, "an event made two jobs"
    assert len([m for m in fake.world.in_order if "vocals.flac" in m.files]) == len(asked) + 2
    assert len([m for m in fake.messages if m.reference and m.reference["message_id"] == posted.id]) == 1
    callbacks = [e for e in fake.recorder.exchanges if e.path.endswith("/callback")]
    assert [e.status for e in callbacks] == [200] * (len(asked) + 2), "an event was answered twice"


async def test_a_job_that_ends_in_between_is_delivered_once(stack: LightStack, clip: Path) -> None:
    old = stack.bot
    assert old is not None
    asked = await ask(stack, clip, 6)
    jobs = [await stack.job(of=each) for each in asked]
    taken = [(await stack.take(job), job) for job in jobs]
    new = await stack.start_beside()
    await logs(new, "handover_joined")
    for lease, job in taken:
        await stack.finish(lease, job)
        await asyncio.sleep(0.4)
    await logs(new, "handover_taken")
    await end(old)
    for each in asked:
        await shows(stack, each.original, lambda m: "vocals.flac" in m.files, 30)
    await stack.confirmed()
    assert len([m for m in stack.fake.world.in_order if m.files]) == len(asked)
    assert (old.output + new.output).count('"job_delivered"') == len(asked)


async def test_the_old_one_goes_on_when_the_new_one_dies(stack: LightStack, clip: Path) -> None:
    old = stack.bot
    assert old is not None
    asked = await ask(stack, clip, 1)
    new = await stack.start_beside()
    await logs(new, "handover_taken")
    asked += await ask(stack, clip, 1)
    await stack.job(of=asked[1])
    new.signal_group(signal.SIGKILL)
    await new.process.wait()
    await logs(old, "handover_taken")
    asked += await ask(stack, clip, 1)
    for each in asked:
        await finish(stack, each)
    await stack.confirmed()
