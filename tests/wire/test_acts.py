"""The people of the fake: they may what Discord lets them, and fill in forms only as Discord's client does."""

from pathlib import Path
from typing import Any

import pytest

from tests.wire import forms, rights
from tests.wire.objects import ApiError, Attachment
from tests.wire.shapes import Json
from tests.wire.world import Knobs, World

FORM: Json = {
    "custom_id": "form",
    "title": "A form",
    "components": [
        {
            "type": 18,
            "label": "Mix",
            "component": {"type": 3, "custom_id": "mix", "options": [{"value": "a", "default": True}, {"value": "b"}]},
        },
        {"type": 18, "label": "Name", "component": {"type": 4, "custom_id": "name", "value": "Ann", "max_length": 5}},
        {"type": 18, "label": "File", "component": {"type": 19, "custom_id": "file", "min_values": 1, "max_values": 1}},
    ],
}


def upload(path: Path) -> Attachment:
    return Attachment(id="7", filename=path.name, content_type="audio/wav", data=b"sound", folder="x/y")


def values(data: Json) -> list[Any]:
    return [label["component"].get("value", label["component"].get("values")) for label in data["components"]]


def test_a_form_keeps_what_it_shows_and_takes_what_is_given() -> None:
    data = forms.filled(FORM, {"file": [Path("voice.wav")]}, upload)
    assert values(data) == [["a"], "Ann", ["7"]]
    assert data["resolved"]["attachments"]["7"]["filename"] == "voice.wav"
    assert values(forms.filled(FORM, {"mix": ["b"], "name": "Bob", "file": [Path("a.wav")]}, upload))[:2] == [
        ["b"],
        "Bob",
    ]


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"colour": "red"}, LookupError),
        ({"mix": ["c"]}, ValueError),
        ({"mix": ["a", "b"]}, ValueError),
        ({"name": "Barbara"}, ValueError),
        ({"name": ""}, ValueError),
        ({"file": []}, ValueError),
        ({"file": [Path("a.wav"), Path("b.wav")]}, ValueError),
    ],
)
def test_a_form_takes_nothing_else(given: dict[str, Any], wrong: type[Exception]) -> None:
    with pytest.raises(wrong):
        forms.filled(FORM, {"file": [Path("voice.wav")], **given}, upload)


def test_rights_come_from_roles_and_from_the_channel() -> None:
    world = World(Knobs())
    person, moderator = world.add_person("ann"), world.add_person("mo", rights.MANAGE_MESSAGES)
    channel = world.channels[world.channel_id]
    assert world.rights(world.person["id"], channel["id"]) == rights.EVERYTHING
    assert world.rights(person["id"], channel["id"]) == rights.USUAL
    assert world.rights(moderator["id"], channel["id"]) == rights.USUAL | rights.MANAGE_MESSAGES
    channel["permission_overwrites"] = [
        rights.overwrite(world.guild_id, member=False, deny=rights.SEND),
        rights.overwrite(moderator["id"], member=True, allow=rights.SEND),
    ]
    assert not world.rights(person["id"], channel["id"]) & rights.SEND
    assert world.rights(moderator["id"], channel["id"]) & rights.SEND
    channel["permission_overwrites"] = [rights.overwrite(person["id"], member=True, deny=rights.VIEW)]
    assert world.rights(person["id"], channel["id"]) == 0


@pytest.mark.parametrize(
    ("held", "wanted", "code"), [(0, rights.SEND, 50001), (rights.VIEW | rights.SEND, rights.ATTACH, 50013)]
)
def test_what_is_missing_is_said_as_discord_says_it(held: int, wanted: int, code: int) -> None:
    with pytest.raises(ApiError) as refused:
        rights.need(held, wanted)
    assert (refused.value.status, refused.value.body["code"]) == (403, code)
    rights.need(rights.USUAL, rights.SEND | rights.ATTACH)
