"""Where buttons and forms come in: what nobody knows is answered, and so is what breaks."""

from collections.abc import Callable
from typing import Any

import discord
import pytest

from bot.client import StemcordClient
from bot.components.custom_ids import CUSTOM_ID_PATTERN, custom_id
from bot.components.modals import read_submission
from bot.components.result_actions import ResultActions
from tests.bot.components.test_result_actions import Place, answer_of, place
from tests.bot.world import has_cancel_button

__all__ = ["place"]
JOB = "0123456789abcdef" * 2


@pytest.mark.parametrize(("action", "job_id", "page"), [("dub", JOB, 0), ("names", JOB, 4), ("forget", "", 0)])
def test_an_id_says_what_it_is_for(action: str, job_id: str, page: int) -> None:
    match = CUSTOM_ID_PATTERN.fullmatch(custom_id(action, job_id, page))
    assert match is not None
    assert (match["action"], match["job"] or "", int(match["page"] or 0)) == (action, job_id, page)


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
    monkeypatch.setattr(ResultActions, "press", break_down)
    pressed = await place.press("Dub")
    assert answer_of(pressed).content.startswith("Something went wrong in the bot")
    assert len(place.env.errors) == 1
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
