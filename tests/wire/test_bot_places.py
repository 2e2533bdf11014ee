"""The bot where a person takes it along: other servers, groups, direct messages; what it can do there, and when."""

from pathlib import Path

import pytest

from tests.wire.answers import id_for, private, shows
from tests.wire.light import FILES, LightStack
from tests.wire.objects import Message
from tests.wire.shapes import Json

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "talk.mp4"
    path.write_bytes(b"a clip of some length")
    return path


def place_of(light: LightStack, kind: str) -> Json:
    """A place of which the bot is no member."""
    world = light.fake.world
    if kind == "server":
        return world.add_strange_guild("elsewhere")
    return world.add_group(world.person, world.add_person("gale"))


def refused(light: LightStack) -> list[str]:
    return [str(e) for e in light.fake.recorder.exchanges if e.status in (401, 403, 404)]


async def test_commands_say_where_they_are_offered(light: LightStack) -> None:
    everywhere = {"separate", "transcribe", "remix", "process", "dub", "jobs", "privacy", "help", "clip", "upload"}
    for command in light.fake.world.all_commands():
        if command["name"] in everywhere or command["type"] == 3:
            assert (command["integration_types"], command["contexts"]) == ([0, 1], [0, 1, 2]), command["name"]
        elif command["name"] == "find":
            assert (command["integration_types"], command["contexts"]) == ([0], [0, 1]), command["name"]
        else:
            assert (command["integration_types"], command["contexts"]) == ([0], [0]), command["name"]


@pytest.mark.parametrize("kind", ["server", "group"])
async def test_where_the_bot_is_no_member_a_result_comes_by_edits_alone(
    light: LightStack, clip: Path, kind: str
) -> None:
    before = len(refused(light))
    place = place_of(light, kind)
    asked = await light.fake.slash("separate", clip=clip, at=place["id"])
    job = await light.job(of=asked)
    lease = await light.take(job)
    await light.report_progress(lease, "separate", 0.5)
    await shows(light, asked.original, lambda m: "50 %" in m.text, 10)
    await light.finish(lease, job)
    message = await shows(light, asked.original, lambda m: "vocals.flac" in m.files, 10)
    await light.confirmed()
    assert asked.follow_ups == 0
    assert not [m for m in light.fake.messages if m.channel_id == place["id"] and m is not message]
    assert len(refused(light)) == before, "the bot's own token was tried where it is no member"
    assert "Show it here" in message.text
    assert "Thread" not in message.text


async def test_before_its_token_ends_the_message_says_so_and_a_press_brings_another(
    light: LightStack, clip: Path
) -> None:
    place = place_of(light, "server")
    asked = await light.fake.slash("separate", clip=clip, at=place["id"], age=12 * 60 + 1)
    job = await light.job(of=asked)
    lease = await light.take(job)
    message = await shows(light, asked.original, lambda m: "Discord lets the bot write here no longer" in m.text, 10)
    assert "direct message" in message.text
    asked.age = 16 * 60
    pressed = await light.fake.click(id_for(message, "fetch"), message)
    answer = await private(light, pressed)
    assert "15 more minutes" in answer.text
    await light.report_progress(lease, "separate", 0.25)
    await shows(light, message, lambda m: "25 %" in m.text and "no longer" not in m.text, 10)
    await light.finish(lease, job)
    await shows(light, message, lambda m: "vocals.flac" in m.files, 10)
    await light.confirmed()


async def test_after_the_token_ended_the_result_comes_directly_and_here_when_asked(
    light: LightStack, clip: Path
) -> None:
    place = place_of(light, "group")
    person = light.fake.world.add_person("lena")
    asked = await light.fake.slash("separate", clip=clip, at=place["id"], by=person, age=14 * 60 + 50)
    job = await light.job(of=asked)
    lease = await light.take(job)
    message = await shows(light, asked.original, lambda m: "no longer" in m.text, 10)
    asked.age = 16 * 60
    light.fake.knobs.token_life, life = 14 * 60, light.fake.knobs.token_life
    try:
        await light.finish(lease, job)
        direct = light.fake.world.private_channel(person["id"])["id"]
        found = lambda: [m for m in light.fake.messages if m.channel_id == direct and "vocals.flac" in m.files]  # noqa: E731
        await light.fake.wait(lambda: bool(found()), 20, "the result in a direct message")
        await light.confirmed()
    finally:
        light.fake.knobs.token_life = life
    assert not message.files
    await light.fake.click(id_for(message, "fetch"), message, by=person)
    await shows(light, message, lambda m: set(m.files) == {Path(name).name for name in FILES}, 10)


async def test_a_command_for_servers_is_refused_where_the_bot_is_no_member(light: LightStack) -> None:
    place = place_of(light, "server")
    with pytest.raises(LookupError, match="not offered"):
        await light.fake.slash("settings", at=place["id"])


async def test_in_a_direct_message_the_bot_is_at_home(light: LightStack, clip: Path) -> None:
    person = light.fake.world.add_person("dora")
    asked = await light.fake.slash("separate", clip=clip, private=True, by=person, age=14 * 60 + 50)
    job = await light.job(of=asked)
    lease = await light.take(job)
    asked.age = 16 * 60
    await light.finish(lease, job)
    message = await shows(light, asked.original, lambda m: "vocals.flac" in m.files, 10)
    assert "no longer" not in message.text
    assert isinstance(message, Message)
