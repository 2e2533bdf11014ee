"""Where buttons and forms come in: what nobody knows is answered, and so is what breaks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord

from bot.client import StemcordClient
from bot.components import router
from bot.components.custom_ids import CustomId
from bot.components.dub import DubButton, DubModal
from bot.components.modals import read_submission
from bot.components.naming.forms import RenameModal
from bot.components.persistent_item import PersistentItem
from bot.components.rebalance import STEM_FADERS, RebalanceModal
from bot.i18n.translator import Translator
from pipeline.types import Speaker, Transcript
from tests.bot.components.test_result_actions import Place, answer_of, place
from tests.bot.world import has_cancel_button

__all__ = ["place"]
POSTED = json.loads((Path(__file__).parent / "posted_components.json").read_text(encoding="utf-8"))
"""Components and forms as version 0.1.0 posts them."""
CLASSES = {
    "again": "AgainButton",
    "cancel": "CancelButton",
    "dub": "DubButton",
    "forget": "DeleteDataButton",
    "forgetsurely": "ConfirmDeleteDataButton",
    "names": "SpeakerNamesButton",
    "page": "PageButton",
    "rebalance": "RebalanceButton",
    "rename": "RenameButton",
    "revoke": "RevokeButton",
    "subtitles": "TranscriptMenu",
    "thread": "ThreadButton",
}


def view_of(rows: list[dict[str, Any]]) -> discord.ui.View:
    """The same components, as the version before posted them."""
    view = discord.ui.View(timeout=None)
    view.stop()
    for item in (item for row in rows for item in row["components"]):
        if item["type"] == discord.ComponentType.button.value:
            view.add_item(discord.ui.Button(label=item["label"], custom_id=item["custom_id"]))
        else:
            options = [discord.SelectOption(label=each["label"], value=each["value"]) for each in item["options"]]
            view.add_item(
                discord.ui.Select(placeholder=item["placeholder"], options=options, custom_id=item["custom_id"])
            )
    return view


@pytest.mark.parametrize("name", POSTED["messages"])
async def test_every_button_that_was_posted_before_still_does_its_action(
    name: str,
    env: simcord.Env,
    channel: simcord.ChannelHandle,
    alice: simcord.MemberActor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    acted: list[str] = []

    async def record(item: PersistentItem, interaction: discord.Interaction) -> None:
        acted.append(f"{type(item).__name__} {item.target}")
        await interaction.response.defer()

    for kind in router.ITEMS:
        monkeypatch.setattr(kind, "act", record)
    place = env.bot.get_channel(channel.id)
    assert isinstance(place, discord.TextChannel)
    message = await place.send("posted", view=view_of(POSTED["messages"][name]))
    items = [item for row in POSTED["messages"][name] for item in row["components"]]
    for item in items:
        if item["type"] == discord.ComponentType.button.value:
            await alice.click(message, label=item["label"])
        else:
            await alice.select(message, ["srt"])
    assert acted == [f"{CLASSES[item['custom_id'].split(':')[1]]} {item['custom_id']}" for item in items]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("result", "This result is no longer kept."),
        ("rename", "This result"),
        ("progress", "This job has already ended."),
    ],
)
async def test_a_button_of_a_job_that_nobody_knows_is_answered(
    name: str, answer: str, env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor
) -> None:
    place = env.bot.get_channel(channel.id)
    assert isinstance(place, discord.TextChannel)
    message = await place.send("posted", view=view_of(POSTED["messages"][name]))
    items = [item for row in POSTED["messages"][name] for item in row["components"]]
    for item in items:
        if item["type"] == discord.ComponentType.button.value:
            done = await alice.click(message, label=item["label"])
        else:
            done = await alice.select(message, ["srt"])
        shown: Any = (done.followups or [done.response])[0]
        assert shown.ephemeral
        assert shown.content.startswith(answer)


def test_forms_that_were_shown_before_are_the_same_now() -> None:
    english, job_id = Translator("en"), POSTED["job_id"]
    speakers = [Speaker(id=f"S{number}", name=f"Speaker {number + 1}") for number in range(7)]
    transcript = Transcript(language="en", duration=1.0, speakers=tuple(speakers), turns=())
    forms = {
        "rebalance": RebalanceModal(english, job_id, STEM_FADERS),
        "rename": RenameModal(english, job_id, 0, speakers[:5], transcript),
        "rename-second": RenameModal(english, job_id, 1, speakers[5:], transcript),
        "dub": DubModal(english, job_id),
    }
    for name, form in forms.items():
        before = POSTED["forms"][name]
        assert fields_of(form.to_dict()) == fields_of(before)
        target = CustomId.parse(before["custom_id"])
        assert target is not None
        assert router.MODALS[target.action] is type(form)


def fields_of(form: Any) -> list[str]:
    """The ids of a form and of its fields."""
    return [form["custom_id"], *(label["component"]["custom_id"] for label in form["components"])]


@pytest.mark.parametrize("custom_id", ["", "other:dub", "stemcord:dance", "stemcord:dub:XYZ", "stemcord:dub::1:2"])
def test_an_id_of_another_bot_or_version_is_none(custom_id: str) -> None:
    assert CustomId.parse(custom_id) is None


def test_a_form_is_read_by_the_ids_of_its_fields() -> None:
    attachment = {
        "id": "5",
        "filename": "../voice.wav",
        "url": "https://x/y",
        "size": 3,
        "content_type": "audio/wav; a",
    }
    label: list[dict[str, Any]] = [
        {"type": 18, "component": {"type": 3, "custom_id": "mix", "values": ["podcast"]}},
        {"type": 18, "component": {"type": 4, "custom_id": "voice", "value": "1"}},
        {"type": 18, "component": {"type": 19, "custom_id": "dub", "values": ["5"]}},
        {"type": 1, "components": [{"type": 4, "custom_id": "old", "value": "2"}]},
        {"type": 10, "content": "words"},
    ]
    submitted = read_submission({"components": label, "resolved": {"attachments": {"5": attachment}}})
    assert submitted.texts == {"voice": "1", "old": "2"}
    assert submitted.choices == {"mix": ["podcast"], "dub": ["5"]}
    (file,) = submitted.files
    assert (file.name, file.size, file.content_type) == ("voice.wav", 3, "audio/wav")


def test_a_form_without_anything_is_empty() -> None:
    submitted = read_submission({})
    assert (submitted.texts, submitted.choices, list(submitted.files)) == ({}, {}, [])


async def test_what_breaks_is_told_and_logged_without_its_words(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("the secret of talk.mp4")

    await place.bring()
    monkeypatch.setattr(DubButton, "act_on", break_down)
    pressed = await place.press("Dub")
    assert answer_of(pressed).content.startswith("Something went wrong in the bot")
    log = capsys.readouterr().err
    assert "RuntimeError" in log
    assert "break_down" in log
    assert "secret" not in log


async def test_a_form_that_was_open_when_the_bot_was_started_anew(
    place: Place, make_client: Callable[[], StemcordClient]
) -> None:
    await place.bring()
    shown = await place.press("Rebalance")
    await place.env.restart_bot(make_client())
    done = await place.alice.submit_modal(shown, {"mix": ["podcast"]})
    assert done.response is not None
    assert (await place.newest()).request.mix == "podcast"


async def test_nothing_of_a_message_is_kept_in_memory(place: Place) -> None:
    await place.bring()
    await place.press("Rebalance")
    assert isinstance(place.env.bot, discord.Client)
    assert place.env.bot.persistent_views == []
    assert not has_cancel_button(place.result.response)
