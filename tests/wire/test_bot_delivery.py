"""Results land: with an expired token, under a size limit, after a crash, when the message is gone."""

from pathlib import Path

import pytest

from tests.wire.conftest import SAMPLE
from tests.wire.stack import Stack
from tests.wire.test_bot_jobs import JOB_LIMIT, finish

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]


async def test_a_result_lands_after_the_token_expired(stack: Stack, scene: Path) -> None:
    life = stack.fake.knobs.token_life
    interaction = await stack.fake.slash("separate", clip=scene)
    stack.fake.knobs.token_life = 0.0
    try:
        message = await finish(stack, interaction)
    finally:
        stack.fake.knobs.token_life = life
    assert "vocals.flac" in message.files
    refused = [e for e in stack.fake.recorder.exchanges if e.status == 401 and interaction.token in e.path]
    assert refused
    by_bot = stack.fake.recorder.requests("PATCH", containing=f"/channels/{message.channel_id}/messages/{message.id}")
    assert by_bot[-1].status == 200
    assert by_bot[-1].uploads


async def test_a_place_that_takes_less_than_it_says_still_gets_a_result(stack: Stack, scene: Path) -> None:
    fault = stack.fake.faults.too_large("PATCH", "/messages/")
    message = await finish(stack, await stack.fake.slash("separate", clip=scene))
    assert fault.times == 0
    assert "Too large to post here" in message.text
    assert message.files


async def test_a_file_over_the_limit_is_named_and_left_out(stack: Stack, scene: Path) -> None:
    limit = stack.fake.knobs.size_limit
    stack.fake.knobs.size_limit = 300_000
    try:
        message = await finish(stack, await stack.fake.slash("separate", clip=scene))
    finally:
        stack.fake.knobs.size_limit = limit
    assert "vocals.flac" not in message.files
    assert "vocals.flac" in message.text
    assert not [e for e in stack.fake.recorder.exchanges if e.status == 413 and not e.injected]


async def test_a_result_lands_when_the_message_is_gone(stack: Stack, scene: Path) -> None:
    interaction = await stack.fake.slash("separate", clip=scene)
    assert interaction.original is not None
    interaction.original.deleted = True
    posted = await stack.fake.wait_for_message(
        lambda m: m.id > interaction.id and "vocals.flac" in m.files, timeout=JOB_LIMIT
    )
    assert posted.interaction is None
    assert posted.channel_id == stack.fake.world.channel_id
    assert stack.fake.world.person["id"] in posted.text


async def test_a_service_that_is_down_for_a_moment_is_waited_for(stack: Stack, scene: Path) -> None:
    down = stack.fake.faults.unavailable("PATCH", "/messages/", times=2)
    limited = stack.fake.faults.rate_limited("PATCH", "/messages/", wait=0.5)
    message = await finish(stack, await stack.fake.slash("separate", clip=scene))
    assert (down.times, limited.times) == (0, 0)
    assert "vocals.flac" in message.files


async def test_a_bot_that_crashed_brings_the_result_when_it_is_back(stack: Stack, scene: Path) -> None:
    interaction = await stack.fake.slash("remix", clip=SAMPLE, route="cinematic", voice=0.9)
    message = interaction.original
    assert message is not None
    await stack.fake.wait(lambda: bool(message.buttons), 60, "the job on its way")
    await stack.kill_bot()
    await stack.start_bot()
    assert (await finish(stack, interaction)).files
    assert "vocals.flac" in (await finish(stack, await stack.fake.slash("separate", clip=scene))).files


async def test_the_gateway_may_drop_the_bot(stack: Stack, scene: Path) -> None:
    resumed = stack.fake.gateway.resumed
    await stack.fake.gateway.drop()
    interaction = await stack.fake.slash("separate", clip=scene, timeout=15)
    assert stack.fake.gateway.resumed == resumed + 1
    assert (await finish(stack, interaction)).files
