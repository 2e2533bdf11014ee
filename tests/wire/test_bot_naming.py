"""Speakers are named by members of the server: chosen in a form, or by themselves; nobody is ever notified."""

import io
import json
import time
import zipfile
from pathlib import Path

import pytest

from tests.wire import forms, rights
from tests.wire.acts import SUBMIT
from tests.wire.answers import CHINESE, id_for, in_chinese, private, shows
from tests.wire.light import LightStack
from tests.wire.objects import Interaction
from tests.wire.shapes import COMPONENTS_V2, Json
from tests.wire.talks import confirmed, find, ids, named, talk, told

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


def pings(light: LightStack, first: int) -> list[object]:
    """What the bot sent since that could notify somebody."""
    sent: list[object] = []
    for exchange in light.fake.recorder.exchanges[first:]:
        body = exchange.payload if isinstance(exchange.payload, dict) else {}
        data = body.get("data") or body
        allowed = data.get("allowed_mentions")
        if allowed is not None and allowed.get("parse") != []:
            sent.append(data)
        if "@everyone" in json.dumps(data, ensure_ascii=False) and data.get("type") is None and "custom_id" not in data:
            sent.append(data)
    return sent


async def test_a_member_is_chosen_and_found_by_id_whatever_the_name(light: LightStack, tmp_path: Path) -> None:
    first = len(light.fake.recorder.exchanges)
    mia = await light.fake.add_person(f"mia{time.monotonic_ns()}")
    mia["global_name"] = "@everyone *Mia* <@1>"
    of = await talk(light, tmp_path, "The artichoke is ripe.", "An artichoke, you say.")
    listed = await of.listed(by=of.asker)
    assert listed.flags & COMPONENTS_V2
    assert sorted(listed.files) == ["speaker-1.ogg", "speaker-2.ogg"]
    assert "The artichoke is ripe." in listed.text
    opened = await light.fake.click(ids(listed, "who")[0], listed, by=of.asker)
    assert opened.callback is not None
    assert set(forms.fields_of(opened.callback["data"])) == {"member", "name"}
    await light.fake.submit(opened, member=[mia])
    await told(light, listed, "Renamed.")
    assert f"<@{mia['id']}>" in listed.text
    assert sorted(listed.files) == ["speaker-1.ogg", "speaker-2.ogg"]
    job = await of.rewritten("\\*Mia\\*")
    assert list(job.request.names.values()) == ["@everyone *Mia* <@1>"]
    assert "@everyone" not in of.message.text
    assert f"<@{mia['id']}>" not in of.message.text
    assert not pings(light, first)
    mia["global_name"] = "Renamed elsewhere"
    assert "ripe" in (await find(light, "artichoke", mia, True)).text
    # Another member with the name of before is not the one who spoke.
    other = await light.fake.add_person(f"other{time.monotonic_ns()}")
    other["global_name"] = "@everyone *Mia* <@1>"
    await find(light, "artichoke", other, False)
    # Whoever has left is found all the same.
    del light.fake.world.users[mia["id"]]
    await find(light, "artichoke", mia, True)


async def test_a_typed_name_is_no_member_any_longer(light: LightStack, tmp_path: Path) -> None:
    ned = await light.fake.add_person(f"ned{time.monotonic_ns()}")
    of = await talk(light, tmp_path, "Brambles everywhere.", "Indeed.")
    await named(of, ned)
    await of.rewritten(ned["global_name"])
    await find(light, "brambles", ned, True)
    listed = await of.listed(by=of.asker)
    opened = await light.fake.click(ids(listed, "who")[0], listed, by=of.asker, locale=CHINESE)
    assert opened.callback is not None
    assert forms.fields_of(opened.callback["data"])["name"]["value"] == ned["global_name"]
    await light.fake.submit(opened, name="Neddy", locale=CHINESE)
    await told(light, listed, in_chinese("renamed"))
    assert f"<@{ned['id']}>" not in listed.text
    await of.rewritten("Neddy")
    await find(light, "brambles", ned, False)
    # An empty name takes the name back.
    listed = await of.listed(by=of.asker)
    opened = await light.fake.click(ids(listed, "who")[0], listed, by=of.asker)
    await light.fake.submit(opened, name="")
    assert (await of.rewritten("Speaker 1")).request.names == {}


async def test_this_is_me_of_two_people_and_after_a_restart(light: LightStack, tmp_path: Path) -> None:
    tom = await light.fake.add_person(f"tom{time.monotonic_ns()}")
    uma = await light.fake.add_person(f"uma{time.monotonic_ns()}")
    of = await talk(light, tmp_path, "A cormorant dives.", "It does.")
    seen = await of.listed(by=tom)
    hers = await of.listed(by=uma, locale=CHINESE)
    assert not ids(seen, "who")
    assert not ids(seen, "names")
    await light.kill_bot()
    await light.start_bot()
    await light.fake.click(ids(seen, "thisisme")[0], seen, by=tom)
    await told(light, seen, f"You are “{tom['global_name']}” there.")
    assert len(ids(seen, "notme")) == 1
    pressed = await light.fake.click(ids(hers, "thisisme")[0], hers, by=uma, locale=CHINESE)
    answer = await private(light, pressed)
    for part in (f"<@{tom['id']}>", f"<@{of.asker['id']}>", "不是我"):
        assert part in answer.text
    # Another speaker is free, while the first name is still written.
    await light.fake.click(ids(hers, "thisisme")[1], hers, by=uma, locale=CHINESE)
    await shows(light, hers, lambda m: bool(ids(m, "notme")), 10)
    await of.rewritten(tom["global_name"])
    await of.rewritten(tom["global_name"], uma["global_name"])
    assert of.names == [tom["global_name"], uma["global_name"]]
    await find(light, "cormorant", tom, True)
    # The asker takes it over by the form, as for any name, and is told so.
    listed = await of.listed(by=of.asker)
    refused = await private(light, await light.fake.click(ids(listed, "thisisme")[0], listed, by=of.asker))
    assert "Name …" in refused.text
    await named(of, uma)
    await of.rewritten()
    assert of.names == [uma["global_name"]] * 2
    await find(light, "cormorant", tom, False)


async def test_not_me_takes_a_name_back_that_others_gave(light: LightStack, tmp_path: Path) -> None:
    vic = await light.fake.add_person(f"vic{time.monotonic_ns()}")
    of = await talk(light, tmp_path, "Dandelions in May.")
    await named(of, vic)
    await of.rewritten(vic["global_name"])
    mine = await of.listed(by=vic)
    stranger = await light.fake.add_person(f"sly{time.monotonic_ns()}")
    (taken,) = ids(mine, "notme")
    forged = {"custom_id": taken, "component_type": 2, "id": 1}
    await light.fake.use(forged, mine, by=stranger)
    assert of.names == [vic["global_name"]]
    await light.fake.click(taken, mine, by=vic)
    await told(light, mine, "Your name is taken back.")
    assert (await of.rewritten("Speaker 1")).request.names == {}
    await find(light, "dandelions", vic, False)


async def test_apps_and_people_who_left_cannot_be_chosen(light: LightStack, tmp_path: Path) -> None:
    of = await talk(light, tmp_path, "Hello.")
    listed = await of.listed(by=of.asker)
    gone = await light.fake.add_person(f"gone{time.monotonic_ns()}")
    del light.fake.world.users[gone["id"]]
    for chosen, said in ((light.fake.world.bot, "name-app"), (gone, "name-left")):
        opened = await light.fake.click(ids(listed, "who")[0], listed, by=of.asker)
        sent = await light.fake.submit(opened, member=[chosen], locale=CHINESE)
        assert (await private(light, sent)).text.startswith(in_chinese(said))
    opened = await light.fake.click(ids(listed, "who")[0], listed, by=of.asker)
    assert opened.callback is not None
    sent = await forged(light, opened, "123456789012345678")
    assert (await private(light, sent)).text.startswith("This person is not on the server.")
    assert of.names == ["Speaker 1"]


async def forged(light: LightStack, opened: Interaction, user_id: str) -> Interaction:
    """A form as no client sends it: a webhook, or whoever has that id."""
    assert opened.callback is not None
    field: Json = {"type": 5, "id": 2, "custom_id": "member", "values": [user_id]}
    data: Json = {
        "custom_id": opened.callback["data"]["custom_id"],
        "components": [{"type": 18, "id": 1, "component": field}],
    }
    payload: Json = {"data": data, "locale": "en-US", "message": opened.payload["message"]}
    return await light.fake.act(SUBMIT, payload, by=opened.user, trigger=opened)


async def test_who_may_not_name_others_opens_no_form(light: LightStack, tmp_path: Path) -> None:
    of = await talk(light, tmp_path, "Hello.", "Hi.")
    listed = await of.listed(by=of.asker)
    stranger = await light.fake.add_person(f"sam{time.monotonic_ns()}")
    for action in ("who", "names"):
        pressed = await light.fake.click(ids(listed, action)[0], listed, by=stranger)
        assert (await private(light, pressed)).text.startswith("Only the person who asked")
    opened = await light.fake.click(ids(listed, "who")[0], listed, by=of.asker)
    sent = await light.fake.submit(opened, by=stranger, member=[stranger])
    assert (await private(light, sent)).text.startswith("Only the person who asked")
    moderator = await light.fake.add_person(f"mo{time.monotonic_ns()}", rights.MANAGE_MESSAGES)
    assert len(ids(await of.listed(by=moderator), "who")) == 2
    # Whoever does not see the channel any longer is told nothing.
    hidden = rights.overwrite(stranger["id"], member=True, deny=rights.VIEW)
    elsewhere = await light.fake.make_channel("elsewhere")
    await light.fake.slash("share", result=id_for(of.message, "rename").rpartition(":")[2], to=elsewhere, by=of.asker)
    shared = await light.fake.wait_for_message(lambda m: m.channel_id == elsewhere["id"], 10)
    await light.fake.change_channel(light.fake.world.channel_id, overwrites=[hidden])
    try:
        pressed = await light.fake.click(id_for(shared, "rename"), shared, by=stranger)
        assert (await private(light, pressed)).text.startswith("You cannot see the channel")
    finally:
        await light.fake.change_channel(light.fake.world.channel_id, overwrites=[])


async def test_where_the_bot_is_no_member_there_is_no_list_of_members(light: LightStack, tmp_path: Path) -> None:
    place = light.fake.world.add_strange_guild("strangers")
    wes = await light.fake.add_person(f"wes{time.monotonic_ns()}")
    of = await talk(light, tmp_path, "Far from home.", by=wes, at=place["id"])
    listed = await of.listed(by=wes)
    opened = await light.fake.click(ids(listed, "who")[0], listed, by=wes)
    assert opened.callback is not None
    assert set(forms.fields_of(opened.callback["data"])) == {"name"}
    await light.fake.click(ids(listed, "thisisme")[0], listed, by=wes)
    await told(light, listed, f"You are “{wes['global_name']}” there.")
    again = await light.job(of=wes["id"])
    await light.finish(await light.take(again), again)
    await confirmed(light, again)


async def test_more_than_five_speakers_have_several_lists(light: LightStack, tmp_path: Path) -> None:
    of = await talk(light, tmp_path, *(f"Line number {number}." for number in range(7)))
    listed = await of.listed(by=of.asker)
    assert len(ids(listed, "who")) == 5
    (more,) = ids(listed, "rename")
    await light.fake.click(more, listed, by=of.asker)
    await shows(light, listed, lambda m: len(ids(m, "who")) == 2, 10)
    assert sorted(listed.files) == ["speaker-6.ogg", "speaker-7.ogg"]
    yan = await light.fake.add_person(f"yan{time.monotonic_ns()}")
    opened = await light.fake.click(ids(listed, "who")[1], listed, by=of.asker)
    await light.fake.submit(opened, member=[yan])
    await told(light, listed, "Renamed.")
    await of.rewritten()
    assert of.names[6] == yan["global_name"]


async def test_a_copy_has_it_and_deletion_takes_the_name_off(light: LightStack, tmp_path: Path) -> None:
    zoe = await light.fake.add_person(f"zoe{time.monotonic_ns()}")
    of = await talk(light, tmp_path, "Elderberries again.")
    await named(of, zoe)
    await of.rewritten(zoe["global_name"])
    await find(light, "elderberries", zoe, True)
    asked = await private(light, await light.fake.slash("privacy", by=zoe, export=True))
    await shows(light, asked, lambda m: bool(m.files), 20)
    with zipfile.ZipFile(io.BytesIO(next(iter(asked.files.values())).data)) as archive:
        data = json.loads(archive.read("data.json"))
    (entry,) = data["named_as_speaker"]
    assert entry["name"] == zoe["global_name"]
    assert data["jobs"] == []
    shown = await private(light, await light.fake.slash("privacy", by=zoe))
    for _ in range(2):
        await light.fake.click(next(key for key in shown.buttons if "forget" in key), shown, by=zoe)
    await told(light, shown, "nothing to delete")
    assert (await of.rewritten("Speaker 1")).request.names == {}
    await find(light, "elderberries", zoe, False)
    assert zoe["id"].encode() not in (light.folder / "home" / "bot.sqlite3").read_bytes()
