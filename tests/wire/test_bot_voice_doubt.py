"""Whether a speaker is somebody is asked on the card of the result itself, as long as nobody has answered."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.wire.answers import CHINESE, in_chinese, private, shows
from tests.wire.light import LightStack
from tests.wire.objects import Message
from tests.wire.openapi import Description
from tests.wire.shapes import Json, walk
from tests.wire.talks import ids, named, talk, told
from tests.wire.voices import SURE, UNSURE, command, described, enrolled, like, new_voice, rows, voiced_bot

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def voiced(tmp_path_factory: pytest.TempPathFactory, description: Description) -> AsyncIterator[LightStack]:
    """The bot with a voice-book."""
    async with voiced_bot(tmp_path_factory.mktemp("doubt"), description) as stack:
        yield stack


def label(message: Message) -> str:
    """Of the question on a card; empty where nothing is asked."""
    asked = ids(message, "perhaps")
    assert len(walk(message.components)) <= 40
    return str(message.buttons[asked[0]]["label"]) if asked else ""


async def pressed(light: LightStack, card: Message, by: Json) -> Message:
    """The private list that the question opens."""
    (asked,) = ids(card, "perhaps")
    answer = await private(light, await light.fake.click(asked, card, by=by))
    return await shows(light, answer, lambda m: bool(m.buttons), 10)


async def test_the_card_asks_and_opens_the_answers(voiced: LightStack, tmp_path: Path) -> None:
    light = voiced
    ida, voice = await enrolled(light, tmp_path, "ida")
    of = await talk(light, tmp_path, "Who is it?", "Is it her?", voices=described(new_voice(), like(voice, UNSURE)))
    await of.rewritten("perhaps")
    assert label(of.message) == f"Perhaps {ida['global_name']}?"
    stranger = await light.fake.add_person(f"jan{time.monotonic_ns()}")
    (question,) = ids(of.message, "perhaps")
    refused = await light.fake.click(question, of.message, by=stranger, locale=CHINESE)
    assert (await private(light, refused)).text == in_chinese("voice-not-asked")
    await light.kill_bot()
    await light.start_bot()
    assert len(ids(await pressed(light, of.message, of.asker), "voiceyes")) == 1
    hers = await pressed(light, of.message, ida)
    assert "Is it her?" in hers.text
    (right,) = ids(hers, "voiceyes")
    await light.fake.click(right, hers, by=ida)
    await told(light, hers, "Renamed.")
    await of.rewritten(ida["global_name"])
    assert label(of.message) == ""
    late = {"custom_id": question, "component_type": 2, "id": 1}
    answered = await private(light, await light.fake.use(late, of.message, by=of.asker))
    assert answered.text.startswith("This was answered already")
    assert rows(light, ida)[0][5] == 1


async def test_a_no_and_forgetting_take_the_question_away(voiced: LightStack, tmp_path: Path) -> None:
    light = voiced
    kim, voice = await enrolled(light, tmp_path, "kim")
    lou, other = await enrolled(light, tmp_path, "lou")
    voices = described(like(voice, UNSURE), like(other, UNSURE))
    of = await talk(light, tmp_path, "Is it Kim?", "Is it Lou?", voices=voices)
    await of.rewritten("perhaps")
    assert label(of.message).endswith("(and 1 more)")
    listed = await pressed(light, of.message, of.asker)
    await light.fake.click(ids(listed, "voiceno")[0], listed, by=of.asker)
    await told(light, listed, "The name is taken back.")
    await of.rewritten("Speaker 1")
    assert label(of.message) == f"Perhaps {lou['global_name']}?"
    await command(light, "forget", lou)
    await of.rewritten("Speaker 2")
    assert label(of.message) == ""
    # A name that is sure is no question.
    sure = await talk(light, tmp_path, "It is Kim.", voices=described(like(voice, SURE)))
    await sure.rewritten()
    assert label(sure.message) == ""
    assert rows(light, kim)


async def test_a_guess_goes_with_the_voice_that_it_came_from(voiced: LightStack, tmp_path: Path) -> None:
    light = voiced
    mia, voice = await enrolled(light, tmp_path, "mia")
    asked = await talk(light, tmp_path, "Is it Mia?", voices=described(like(voice, UNSURE)))
    await asked.rewritten("perhaps")
    sure = await talk(light, tmp_path, "It is Mia.", voices=described(like(voice, SURE)))
    await sure.rewritten(mia["global_name"])
    await command(light, "disable", light.fake.world.person)
    await asked.rewritten("Speaker 1")
    assert label(asked.message) == ""
    assert mia["global_name"] in sure.message.text
    await command(light, "enable", light.fake.world.person)
    # A voice whose time is over.
    ned, voice = await enrolled(light, tmp_path, "ned")
    asked = await talk(light, tmp_path, "Is it Ned?", voices=described(like(voice, UNSURE)))
    await asked.rewritten("perhaps")
    del light.fake.world.users[ned["id"]]
    await light.kill_bot()
    await light.start_bot()
    await asked.rewritten("Speaker 1")
    assert label(asked.message) == ""
    assert not rows(light, ned)


async def test_a_clip_that_is_run_again_is_looked_at_for_itself(voiced: LightStack, tmp_path: Path) -> None:
    light = voiced
    ola, voice = await enrolled(light, tmp_path, "ola")
    of = await talk(light, tmp_path, "Is it Ola?", "I am.", voices=described(like(voice, UNSURE), new_voice()))
    await of.rewritten("perhaps")
    await named(of, of.asker)
    job = await of.rewritten("perhaps", of.asker["global_name"])
    (rename,) = ids(of.message, "rename")
    forged = {"custom_id": rename.replace("rename", "again"), "component_type": 2, "id": 1}
    pressed = await light.fake.use(forged, of.message, by=of.asker)
    again = await light.job(of=pressed)
    assert list(job.request.names.values()) != list(again.request.names.values())
    assert list(again.request.names.values()) == [of.asker["global_name"]], "a guess is not what somebody said"
    await light.finish(await light.take(again), again)
    await command(light, "forget", ola)
    await of.rewritten("Speaker 1")
    assert "perhaps" not in of.message.text
