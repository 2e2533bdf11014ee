"""A bot with two connections to the gateway, each for a part of the servers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.wire.answers import id_for, private, shows
from tests.wire.light import LightStack
from tests.wire.openapi import Description

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sharded(tmp_path_factory: pytest.TempPathFactory, description: Description) -> AsyncIterator[LightStack]:
    settings = {"STEMCORD_SHARDS": "2"}
    async with LightStack.start(tmp_path_factory.mktemp("sharded"), settings=settings) as stack:
        yield stack
        assert not (found := stack.fake.violations(description)), found


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "talk.mp4"
    path.write_bytes(b"a clip of some length")
    return path


async def test_both_shards_identify_and_one_has_the_server(sharded: LightStack) -> None:
    identified = [frame.payload["d"]["shard"] for frame in sharded.fake.recorder.received(2)]
    assert sorted(identified) == [[0, 2], [1, 2]]
    assert (int(sharded.fake.world.guild_id) >> 22) % 2 == 1


async def test_a_server_and_direct_messages_are_served_on_shards_of_their_own(sharded: LightStack, clip: Path) -> None:
    person = sharded.fake.world.add_person("shirin")
    for private_place in (False, True):
        asked = await sharded.fake.slash("separate", clip=clip, by=person, private=private_place)
        job = await sharded.job(of=asked)
        await sharded.finish(await sharded.take(job), job)
        message = await shows(sharded, asked.original, lambda m: bool(m.files), 20)
        facts = await private(sharded, await sharded.fake.choose(id_for(message, "more"), message, "facts", by=person))
        assert "Route" in facts.text
    posted = await sharded.fake.post(files=[clip], mention=True, by=person)
    job = await sharded.job(of=person["id"])
    assert job.reply_to is not None
    assert job.reply_to.guild_id == sharded.fake.world.guild_id
    await sharded.finish(await sharded.take(job), job)
    answer = await sharded.fake.wait_for_message(lambda m: (m.reference or {}).get("message_id") == posted.id, 10)
    await shows(sharded, answer, lambda m: bool(m.files), 20)


async def test_one_shard_that_is_dropped_resumes_while_the_other_goes_on(sharded: LightStack, clip: Path) -> None:
    resumed = sharded.fake.gateway.resumed
    await sharded.fake.gateway.drop(shard=1)
    told = await private(sharded, await sharded.fake.slash("help", private=True))
    assert told.text
    asked = await sharded.fake.slash("separate", clip=clip, timeout=20)
    assert sharded.fake.gateway.resumed == resumed + 1
    job = await sharded.job(of=asked)
    await sharded.finish(await sharded.take(job), job)
    await shows(sharded, asked.original, lambda m: bool(m.files), 20)
