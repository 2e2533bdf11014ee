"""The names of a server's members go with its clips, once those who manage it turn that on."""

import io
import time
import zipfile
from pathlib import Path

import pytest

from pipeline.types import Request
from tests.wire import rights
from tests.wire.answers import CHINESE, in_chinese, private, shows
from tests.wire.light import LightStack
from tests.wire.shapes import Json

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


async def sent(light: LightStack, folder: Path, person: Json) -> Request:
    """Have a person send a clip; give the request of its job, which is done then."""
    clip = folder / f"{time.monotonic_ns()}.mp4"
    clip.write_bytes(clip.name.encode() * 50)
    job = await light.job(of=await light.fake.slash("separate", clip=clip, by=person))
    await light.finish(await light.take(job), job)
    await light.confirmed()
    return job.request


async def test_names_go_with_clips_while_they_are_turned_on(light: LightStack, tmp_path: Path) -> None:
    manager = await light.fake.add_person("gloria", rights.MANAGE_GUILD)
    person = await light.fake.add_person("gabor")
    assert (await sent(light, tmp_path, person)).people_names == ()
    turned_on = await private(light, await light.fake.slash("glossary members", by=manager, enabled=True))
    assert turned_on.text.startswith("The names of the members are used from now on")
    listed = await private(light, await light.fake.slash("glossary list", by=person))
    assert "The names of the members are used, too." in listed.text
    request = await sent(light, tmp_path, person)
    assert {"Gloria", "Gabor"} <= set(request.people_names)
    assert "Stemcord" not in request.people_names
    assert request.glossary_terms == ()
    copy = await private(light, await light.fake.slash("privacy", by=person, export=True))
    await shows(light, copy, lambda m: bool(m.files), 20)
    with zipfile.ZipFile(io.BytesIO(next(iter(copy.files.values())).data)) as archive:
        data = archive.read("data.json").decode()
    assert request.task in data
    assert "Gloria" not in data
    light.fake.world.tells_members = False
    try:
        # One that has read no names yet.
        await light.kill_bot()
        await light.start_bot()
        assert (await sent(light, tmp_path, person)).people_names == (), "a clip is worth more than a name"
        assert light.logged("member_names_missing")
    finally:
        light.fake.world.tells_members = True
    turned_off = await private(light, await light.fake.slash("glossary members", by=manager, enabled=False))
    assert turned_off.text == "The names of the members are not used for new clips."
    assert (await sent(light, tmp_path, person)).people_names == ()


async def test_who_may_not_and_what_discord_does_not_tell(light: LightStack) -> None:
    person = await light.fake.add_person("greta", rights.MANAGE_MESSAGES)
    manager = await light.fake.add_person("gina", rights.MANAGE_GUILD)
    options = {"enabled": True, "locale": CHINESE}
    refused = await private(light, await light.fake.slash("glossary members", by=person, **options))
    assert refused.text == in_chinese("not-manager")
    light.fake.world.tells_members = False
    try:
        await light.kill_bot()
        await light.start_bot()
        untold = await private(light, await light.fake.slash("glossary members", by=manager, **options))
    finally:
        light.fake.world.tells_members = True
    assert untold.text == f"{in_chinese('members-refused')} {in_chinese('members-refused-hint')}"
    listed = await private(light, await light.fake.slash("glossary list", by=person))
    assert "members are used" not in listed.text
