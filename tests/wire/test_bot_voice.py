"""A voice is kept by the yes of its own person alone, found with doubt where there is some, and forgotten at once."""

import io
import json
import time
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.voices.consent import CONSENT_VERSION
from tests.wire.answers import CHINESE, in_chinese, private, shows
from tests.wire.light import LightStack
from tests.wire.openapi import Description
from tests.wire.talks import find, ids, named, talk, told
from tests.wire.voices import (
    STRANGE,
    SURE,
    UNSURE,
    command,
    described,
    enrolled,
    like,
    new_voice,
    queued,
    rows,
    said_so,
    stored,
    voiced_bot,
)

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def voiced(tmp_path_factory: pytest.TempPathFactory, description: Description) -> AsyncIterator[LightStack]:
    """The bot with a voice-book."""
    async with voiced_bot(tmp_path_factory.mktemp("voice"), description) as stack:
        yield stack


async def test_without_a_key_there_is_no_voice_book(light: LightStack) -> None:
    answer = await command(light, "enable", light.fake.world.person)
    assert answer.text.startswith("A voice-book needs a key that encrypts the voices")
    assert "STEMCORD_ENCRYPTION_KEYS" in answer.text
    assert (await command(light, "status", light.fake.world.person)).text == "This server has no voice-book."


async def test_it_is_off_until_somebody_who_may_turns_it_on(voiced: LightStack, tmp_path: Path) -> None:
    light, owner = voiced, voiced.fake.world.person
    eve = await light.fake.add_person(f"eve{time.monotonic_ns()}")
    await command(light, "disable", owner)
    assert (await command(light, "enrol", eve, locale=CHINESE)).text.startswith(in_chinese("voice-off"))
    for name in ("enable", "disable"):
        assert "Only people who may manage this server" in (await command(light, name, eve)).text
    assert (await command(light, "status", eve)).text.startswith("This server has no voice-book.")
    assert (await command(light, "enable", owner)).text.startswith("The voice-book is on.")
    assert "Your voice is not in it" in (await command(light, "status", eve)).text
    assert "no clip here" in (await command(light, "enrol", eve)).text
    # Turning it off deletes what is in it.
    fay, _ = await enrolled(light, tmp_path, "fay")
    assert rows(light, fay)
    assert "deleted" in (await command(light, "disable", owner)).text
    assert not rows(light)
    await command(light, "enable", owner)


async def test_no_voice_without_its_own_persons_yes(voiced: LightStack, tmp_path: Path) -> None:
    light, before = voiced, len(rows(voiced))
    ann = await light.fake.add_person(f"ann{time.monotonic_ns()}")
    voice = new_voice()
    of = await talk(light, tmp_path, "Whose voice is it?", voices=described(voice))
    await named(of, ann)
    await of.rewritten()
    # Somebody else said that it is hers: she is not asked, and nobody can agree for her.
    assert "no clip here" in (await command(light, "enrol", ann)).text
    listed = await of.listed(by=of.asker)
    assert not ids(listed, "enrol")
    token = ids(listed, "who")[0].rpartition("/")[2]
    job = ids(listed, "who")[0].rpartition("/")[0].rpartition(":")[2]
    for person in (of.asker, ann):
        forged = {"custom_id": f"stemcord:agree:{job}/{token}-{CONSENT_VERSION}", "component_type": 2, "id": 1}
        answer = await private(light, await light.fake.use(forged, of.message, by=person))
        assert answer.text.startswith("Only your own voice can be kept")
    hers = await of.listed(by=ann)
    await light.fake.click(ids(hers, "notme")[0], hers, by=ann)
    await of.rewritten()
    await said_so(of, ann)
    # With her own word there is a text, and still no voice until the yes.
    hers = await of.listed(by=ann)
    asked = await private(light, await light.fake.click(ids(hers, "enrol")[0], hers, by=ann, locale=CHINESE))
    assert "生物识别数据" in asked.text
    asked = await command(light, "enrol", ann)
    for part in ("biometric", "365 days", "/voice forget", f"text {CONSENT_VERSION}"):
        assert part in asked.text
    assert len(rows(light)) == before
    (agree,) = asked.buttons
    old = {"custom_id": agree.rpartition("-")[0] + "-0", "component_type": 2, "id": 1}
    assert "text has changed" in (await private(light, await light.fake.use(old, of.message, by=ann))).text
    assert len(rows(light)) == before
    files, keys, now = stored(light), await queued(light), time.time()
    await light.kill_bot()
    await light.start_bot()
    await light.fake.click(agree, asked, by=ann)
    await told(light, asked, "Your voice is kept.")
    ((_, sealed, seconds, version, consented, _, _),) = rows(light, ann)
    assert (seconds, version) == (12.0, CONSENT_VERSION)
    assert now <= consented <= time.time()
    # It is encrypted, and in the database alone.
    assert voice.astype("float32").tobytes() not in sealed
    assert stored(light) == files
    assert await queued(light) == keys
    assert light.bot is not None
    assert f"{voice[0]:.4f}" not in light.bot.output
    assert "Your voice is kept here since" in (await command(light, "status", ann)).text


async def test_a_short_voice_and_that_of_another_are_refused(voiced: LightStack, tmp_path: Path) -> None:
    light = voiced
    bea, voice = await enrolled(light, tmp_path, "bea")
    for name, given, seconds, said in (
        ("cal", new_voice(), 3.0, "Too little of this voice"),
        ("dan", like(voice, SURE), 20.0, "like that of somebody else"),
    ):
        person = await light.fake.add_person(f"{name}{time.monotonic_ns()}")
        of = await talk(light, tmp_path, "Me too.", by=person, voices=described(given, seconds=seconds))
        if name == "dan":
            # It was found to be hers, which the asker takes back in one press.
            await of.rewritten(bea["global_name"])
            listed = await of.listed(by=person)
            await light.fake.click(ids(listed, "voiceno")[0], listed, by=person)
            await of.rewritten()
        await said_so(of, person)
        asked = await command(light, "enrol", person)
        (agree,) = asked.buttons
        refused = await light.fake.click(agree, asked, by=person)
        assert said in (await private(light, refused)).text
        assert not rows(light, person)


async def test_a_known_voice_is_named_and_a_wrong_name_taken_back_in_one_press(
    voiced: LightStack, tmp_path: Path
) -> None:
    light = voiced
    gus, voice = await enrolled(light, tmp_path, "gus")
    of = await talk(
        light, tmp_path, "Kumquats again.", "Nobody knows me.", voices=described(like(voice, SURE), new_voice())
    )
    job = await of.rewritten(gus["global_name"], "Speaker 2")
    assert list(job.request.names.values()) == [gus["global_name"]]
    await find(light, "kumquats", gus, True)
    stranger = await light.fake.add_person(f"hal{time.monotonic_ns()}")
    assert not ids(await of.listed(by=stranger), "voiceno")
    listed = await of.listed(by=of.asker)
    (wrong,) = ids(listed, "voiceno")
    refused = await private(light, await light.fake.click(wrong, listed, by=stranger))
    assert refused.text.startswith("Only the person who asked")
    await light.fake.click(wrong, listed, by=of.asker)
    await told(light, listed, "The name is taken back.")
    assert (await of.rewritten("Speaker 1")).request.names == {}
    assert rows(light, gus)[0][-2:] == (0, 1)
    again = await private(
        light, await light.fake.use({"custom_id": wrong, "component_type": 2, "id": 1}, listed, by=of.asker)
    )
    assert again.text.startswith("This was answered already")
    # It counts: what was just enough before is now in doubt.
    of = await talk(light, tmp_path, "Once more.", voices=described(like(voice, 0.795)))
    await of.rewritten("perhaps")


async def test_doubt_is_shown_and_answered_and_teaches(voiced: LightStack, tmp_path: Path) -> None:
    light = voiced
    ida, voice = await enrolled(light, tmp_path, "ida")
    before = rows(light, ida)[0]
    of = await talk(
        light, tmp_path, "Is it her?", "Or her?", voices=described(like(voice, UNSURE), like(voice, STRANGE))
    )
    await of.rewritten(f"Speaker 1 (perhaps {ida['global_name']}?)", "Speaker 2")
    stranger = await light.fake.add_person(f"jan{time.monotonic_ns()}")
    assert not ids(await of.listed(by=stranger), "voiceyes")
    assert len(ids(await of.listed(by=of.asker), "voiceyes")) == 1
    hers = await of.listed(by=ida)
    (right,) = ids(hers, "voiceyes")
    await light.kill_bot()
    await light.start_bot()
    await light.fake.click(right, hers, by=ida)
    await told(light, hers, "Renamed.")
    await of.rewritten(ida["global_name"])
    after = rows(light, ida)[0]
    assert (after[2], after[5]) == (24.0, 1)
    assert after[1] != before[1]
    assert after[3:5] == before[3:5], "the yes is that of before"


async def test_forgetting_leaves_nothing_and_finds_nothing(voiced: LightStack, tmp_path: Path) -> None:
    light = voiced
    kim, voice = await enrolled(light, tmp_path, "kim")
    lou, other = await enrolled(light, tmp_path, "lou")
    of = await talk(light, tmp_path, "Lychees for all.", voices=described(like(voice, SURE)))
    await of.rewritten(kim["global_name"])
    assert rows(light, kim)
    assert (await command(light, "forget", kim)).text.startswith("Your voice is deleted.")
    assert not rows(light, kim)
    later = await talk(light, tmp_path, "Who am I?", "And I?", voices=described(voice, other))
    job = await later.rewritten(lou["global_name"], "Speaker 1")
    assert list(job.request.names.values()) == [lou["global_name"]]
    assert kim["global_name"] in of.message.text
    assert (await command(light, "forget", kim, past=True)).text.startswith("No voice of yours")
    assert (await of.rewritten("Speaker 1")).request.names == {}
    await find(light, "lychees", kim, False)


async def test_forgetting_takes_back_what_was_only_a_guess(voiced: LightStack, tmp_path: Path) -> None:
    light = voiced
    pia, voice = await enrolled(light, tmp_path, "pia")
    sure = await talk(light, tmp_path, "It is her.", voices=described(like(voice, SURE)))
    await sure.rewritten(pia["global_name"])
    asked = await talk(light, tmp_path, "Is it her?", "I am.", voices=described(like(voice, UNSURE), new_voice()))
    await asked.rewritten("perhaps")
    await named(asked, pia)
    await asked.rewritten("perhaps")
    assert (await command(light, "forget", pia)).text.startswith("Your voice is deleted.")
    job = await asked.rewritten("Speaker 1")
    assert list(job.request.names.values()) == [pia["global_name"]], "what a person said stays"
    assert "perhaps" not in asked.message.text
    assert pia["global_name"] in asked.message.text
    assert pia["global_name"] in sure.message.text
    assert not ids(await asked.listed(by=asked.asker), "voiceyes")


async def test_a_clip_from_before_the_yes_is_left_alone(voiced: LightStack, tmp_path: Path) -> None:
    light, voice = voiced, new_voice()
    ola = await light.fake.add_person(f"ola{time.monotonic_ns()}")
    earlier = await talk(light, tmp_path, "Before the yes.", voices=described(voice))
    own = await talk(light, tmp_path, "My own voice.", by=ola, voices=described(voice))
    await said_so(own, ola)
    asked = await command(light, "enrol", ola)
    (agree,) = asked.buttons
    await light.fake.click(agree, asked, by=ola)
    await told(light, asked, "Your voice is kept.")
    # A start looks at the results of the last minutes once more.
    await light.kill_bot()
    await light.start_bot()
    later = await talk(light, tmp_path, "After the yes.", voices=described(voice))
    await later.rewritten(ola["global_name"])
    assert "Speaker 1" in earlier.message.text
    assert not ids(await earlier.listed(by=earlier.asker), "voiceno")


async def test_a_copy_has_the_yes_and_never_the_vector(voiced: LightStack, tmp_path: Path) -> None:
    light = voiced
    mel, voice = await enrolled(light, tmp_path, "mel")
    doubtful = await talk(light, tmp_path, "Perhaps.", voices=described(like(voice, UNSURE)))
    await doubtful.rewritten("perhaps")
    asked = await private(light, await light.fake.slash("privacy", by=mel, export=True))
    await shows(light, asked, lambda m: bool(m.files), 20)
    with zipfile.ZipFile(io.BytesIO(next(iter(asked.files.values())).data)) as archive:
        data, names = json.loads(archive.read("data.json")), archive.namelist()
    (entry,) = data["enrolled_voices"]
    assert entry["text_version"] == CONSENT_VERSION
    assert "vector" not in json.dumps(data)
    assert not [name for name in names if "voices-embeddings" in name]
    shown = await private(light, await light.fake.slash("privacy", by=mel))
    for _ in range(2):
        await light.fake.click(next(key for key in shown.buttons if "forget" in key), shown, by=mel)
    await shows(light, shown, lambda m: not m.buttons, 20)
    assert not rows(light, mel)
    await doubtful.rewritten("Speaker 1")
    assert mel["global_name"] not in doubtful.message.text


async def test_whoever_leaves_is_forgotten(voiced: LightStack, tmp_path: Path) -> None:
    light = voiced
    ned, voice = await enrolled(light, tmp_path, "ned")
    del light.fake.world.users[ned["id"]]
    of = await talk(light, tmp_path, "Gone.", voices=described(like(voice, SURE)))
    await light.kill_bot()
    await light.start_bot()
    await light.fake.wait(lambda: not rows(light, ned), 20, "the voice to be deleted")
    assert of.names == ["Speaker 1"]
