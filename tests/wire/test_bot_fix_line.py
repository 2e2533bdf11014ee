"""A line of a transcript is put right in Discord: button, list, form, way back, for one person and for two at once."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.database.engine import Database
from bot.database.transcript_edits import TranscriptEdits
from tests.wire import forms, rights
from tests.wire.acts import COMPONENT, SUBMIT
from tests.wire.answers import CHINESE, answers, id_for, in_chinese, private, result_of, shows
from tests.wire.objects import Interaction, Message
from tests.wire.shapes import Json
from tests.wire.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

LIMIT = 60.0
"""Seconds until the files of a result follow an edit, on a machine that others use."""


async def listed(stack: Stack, result: Message, **act: Any) -> Message:
    """The private list of lines."""
    pressed = await stack.fake.click(id_for(result, "fix"), result, **act)
    return await shows(stack, await private(stack, pressed), lambda m: bool(m.menus), 10)


def lines_of(shown: Message) -> list[Json]:
    (menu,) = shown.menus.values()
    return menu["options"]


async def opened(stack: Stack, shown: Message, index: int = 0, **act: Any) -> Interaction:
    """The form of a line that is listed."""
    place = lines_of(shown)[index]["value"]
    return await stack.fake.choose(id_for(shown, "line"), shown, place, **act)


def form_of(interaction: Interaction) -> Mapping[str, Json]:
    assert interaction.callback is not None
    assert interaction.callback["type"] == 9, interaction.callback
    return forms.fields_of(interaction.callback["data"])


def text_of(interaction: Interaction) -> str:
    return form_of(interaction)["text"]["value"]


async def saved(stack: Stack, shown: Message, begins: str = "Saved.") -> Message:
    return await shows(stack, shown, lambda m: m.text.startswith(begins), 15)


async def follows(stack: Stack, result: Message, *said: str, gone: str = "") -> None:
    """The files of the message say it, and no other message came."""

    def follows_now(message: Message) -> bool:
        files = [message.files.get(name) for name in ("transcript.txt", "transcript.srt")]
        texts = [" ".join(file.data.decode().split()) for file in files if file is not None]
        told = [all(each in text for each in said) and not (gone and gone in text) for text in texts]
        return len(texts) == len(files) and all(told)

    await shows(stack, result, follows_now, LIMIT)


async def history(stack: Stack, result: Message) -> list[tuple[str, str]]:
    """What was done to a transcript, and by whom."""
    job_id = id_for(result, "fix").rpartition(":")[2]
    async with Database.open(f"sqlite:///{stack.folder / 'home' / 'bot.sqlite3'}") as database:
        kept = await TranscriptEdits(database).history(job_id)
        return [(str(each.edit.__struct_config__.tag), each.author) for each in kept]


@pytest_asyncio.fixture(loop_scope="session")
async def own(stack: Stack, scene: Path) -> Message:
    """A transcript of one's own."""
    return await result_of(stack, await stack.fake.slash("transcribe", clip=scene, language="en"))


async def test_a_word_is_put_right_and_back_also_after_restarts(stack: Stack, own: Message) -> None:
    posted = [m for m in stack.fake.messages if not m.ephemeral]
    shown = await listed(stack, own)
    assert re.match(r"0:00 Speaker 1: ", lines_of(shown)[0]["label"])
    await stack.kill_bot()
    await stack.start_bot()
    form = await opened(stack, shown)
    before = text_of(form)
    assert [option["label"] for option in form_of(form)["speaker"]["options"]][-1] == "A new speaker"
    await stack.kill_bot()
    await stack.start_bot()
    await stack.fake.submit(form, text=f"Halcyon {before}")
    await saved(stack, shown)
    assert "**Speaker 1** Halcyon" in shown.text
    await follows(stack, own, "Halcyon")
    assert "Halcyon" in own.text, "the message shows the transcript, too"
    await stack.kill_bot()
    await stack.start_bot()
    await stack.fake.click(id_for(shown, "undo"), shown)
    await saved(stack, shown, "Undone:")
    await follows(stack, own, gone="Halcyon")
    await stack.fake.click(id_for(shown, "undo"), shown)
    await saved(stack, shown)
    await follows(stack, own, "Halcyon")
    person = stack.fake.world.person["id"]
    assert await history(stack, own) == [("set_words", person), ("replace", person), ("replace", person)]
    assert [m for m in stack.fake.messages if not m.ephemeral] == posted
    assert not [m for m in stack.fake.messages if m.interaction is form]


async def test_a_line_is_split_given_joined_and_deleted(stack: Stack, own: Message) -> None:
    shown = await listed(stack, own)
    count = len(lines_of(shown))
    first, *rest = text_of(await opened(stack, shown)).split()
    await stack.fake.submit(await opened(stack, shown), text=f"{first}\n{' '.join(rest)}")
    await shows(stack, shown, lambda m: len(lines_of(m)) == count + 1, 15)
    form = await opened(stack, shown, 1)
    assert text_of(form) == " ".join(rest)
    await stack.fake.submit(form, speaker=["new"])
    await shows(stack, shown, lambda m: "**Speaker 4**" in m.text, 15)
    assert "Speaker 4: " in lines_of(shown)[1]["label"]
    await follows(stack, own, "Speaker 4")
    await stack.fake.submit(await opened(stack, shown, 0), then=["join"])
    await shows(stack, shown, lambda m: len(lines_of(m)) == count, 15)
    second = text_of(await opened(stack, shown, 1))
    await stack.fake.submit(await opened(stack, shown, 1), then=["delete"])
    await shows(stack, shown, lambda m: m.text.startswith("Deleted:"), 15)
    await follows(stack, own, gone=" ".join(second.split()[:4]))
    done = [what for what, _ in await history(stack, own)]
    assert done == ["split", "give", "merge", "delete"]


async def test_a_line_that_a_form_cannot_hold_is_split(stack: Stack, own: Message) -> None:
    shown = await listed(stack, own)
    count = len(lines_of(shown))
    await stack.fake.submit(await opened(stack, shown), text="word " * 790 + "end. Begin", then=["join"])
    await shows(stack, shown, lambda m: len(lines_of(m)) == count - 1, 15)
    await opened(stack, shown)
    assert re.match(r"This line has 4,\d+ characters", shown.text)
    await stack.fake.click(id_for(shown, "split"), shown)
    await saved(stack, shown)
    assert len(lines_of(shown)) == count
    assert len(text_of(await opened(stack, shown))) < 4000
    await stack.fake.click(id_for(shown, "undo"), shown)
    await saved(stack, shown, "Undone:")
    assert len(lines_of(shown)) == count - 1
    await follows(stack, own, "end. Begin")


async def test_of_two_people_the_second_is_told_and_loses_nothing(stack: Stack, own: Message) -> None:
    mika = await stack.fake.add_person("mika", rights.MANAGE_MESSAGES)
    mine = await listed(stack, own, locale=CHINESE)
    theirs = await listed(stack, own, by=mika)
    form = await opened(stack, mine, locale=CHINESE)
    other = await opened(stack, theirs, by=mika)
    await stack.fake.submit(other, by=mika, text="The words of Mika")
    await saved(stack, theirs)
    await stack.fake.submit(form, text="My `own` words ```", locale=CHINESE)
    await saved(stack, mine, "未保存")
    assert f"<@{mika['id']}>" in mine.text
    assert re.search(r"<t:\d+:R>", mine.text)
    assert "The words of Mika" in mine.text
    assert "My `own` words '''" in mine.text
    again = await opened(stack, mine, locale=CHINESE)
    assert text_of(again) == "The words of Mika"
    await stack.fake.submit(again, text="My own words", locale=CHINESE)
    await saved(stack, mine, "已保存")
    assert not mine.embeds
    await follows(stack, own, "My own words")
    await stack.fake.click(id_for(theirs, "undo"), theirs, by=mika)
    await saved(stack, theirs, "Not saved:")
    assert "My own words" in theirs.text
    await follows(stack, own, "My own words")


async def test_what_cannot_be_saved_is_given_back(stack: Stack, own: Message) -> None:
    shown = await listed(stack, own)
    form = await opened(stack, shown)
    for text, told in [("x" * 4000, "more than 200"), (" \n ", "no words")]:
        await stack.fake.submit(form, text=text)
        await shows(stack, shown, lambda m, told=told: told in m.text, 15)
        assert text.strip() in shown.text
        assert shown.menus
    assert form.callback is not None
    custom_id = form.callback["data"]["custom_id"]
    for text in ("x" * 10_000, "y " * 5000):
        await forged(stack, shown, form, custom_id, text)
        await shows(stack, shown, lambda m: "too large" in m.text, 15)
    await forged(stack, shown, form, custom_id, "Cle\x00an wo\x1brds\ud83d")
    await saved(stack, shown)
    assert "Clean words" in shown.text
    target = custom_id.rpartition("/")[0]
    for number, wrong in enumerate(("99-0-00000000", "0-9999-00000000", "0-0-00000000")):
        await forged(stack, shown, form, f"{target}/{wrong}", f"Lost words {number}")
        await shows(stack, shown, lambda m, number=number: f"Lost words {number}" in m.text, 15)
    answer = await private(stack, await forged(stack, shown, form, f"{target}/1", "Lost words"))
    assert "Lost words" in answer.text
    await follows(stack, own, "Clean words")
    assert [what for what, _ in await history(stack, own)] == ["set_words"]


async def test_a_line_that_no_menu_offers_is_refused(stack: Stack, own: Message) -> None:
    shown = await listed(stack, own)
    for wrong in ([], ["1-2"], ["9-0-00000000"], ["0-60-00000000"], ["0-0-00000000"]):
        data = {"custom_id": id_for(shown, "line"), "component_type": 3, "id": 1, "values": wrong}
        answer = await private(stack, await stack.fake.use(data, shown))
        assert answer.text.startswith(
            ("This button is no longer known.", "Your change is of", "This line is no longer")
        )
    for wrong in ("0-1-0", "5-6-0", "1-0-0", "x"):
        data = {"custom_id": f"{id_for(shown, 'line').partition('/')[0]}/{wrong}".replace(":line:", ":undo:")}
        sent = await stack.fake.use({**data, "component_type": 2, "id": 1}, shown)
        assert (await private(stack, sent)).text.startswith(("Your change is of", "This button is no longer known."))


async def forged(stack: Stack, shown: Message, trigger: Interaction, custom_id: str, text: str) -> Interaction:
    """A form as no client sends it."""
    field: Json = {"type": 4, "id": 2, "custom_id": "text", "value": text}
    data: Json = {"custom_id": custom_id, "components": [{"type": 18, "id": 1, "component": field}]}
    payload: Json = {"data": data, "locale": "en-US", "message": shown.to_json()}
    return await stack.fake.act(SUBMIT, payload, trigger=trigger)


async def test_a_line_that_is_gone_is_said_to_be(stack: Stack, own: Message) -> None:
    shown, later = await listed(stack, own), await listed(stack, own)
    form = await opened(stack, later)
    await stack.fake.submit(await opened(stack, shown), then=["delete"])
    await saved(stack, shown, "Deleted:")
    pressed = await opened(stack, later)
    assert (await private(stack, pressed)).text.startswith("This line is no longer there.")
    await stack.fake.submit(form, text="Into the void")
    await shows(stack, later, lambda m: "Into the void" in m.text and "Not saved:" in m.text, 15)


async def test_strangers_change_nothing(stack: Stack, own: Message) -> None:
    stranger = await stack.fake.add_person("sven")
    pressed = await stack.fake.click(id_for(own, "fix"), own, by=stranger, locale=CHINESE)
    assert (await private(stack, pressed)).text.startswith("只有提交者本人")
    shown = await listed(stack, own)
    form = await opened(stack, shown)
    for action, more in [("line", {"component_type": 3, "values": [lines_of(shown)[0]["value"]]}), ("undo", {})]:
        custom_id = id_for(shown, "line").replace(":line:", f":{action}:")
        data = {"custom_id": custom_id, "component_type": 2, "id": 1, **more}
        chosen = await stack.fake.act(COMPONENT, {"data": data, "message": own.to_json()}, by=stranger)
        assert (await private(stack, chosen)).text.startswith("Only the person who asked")
    sent = await stack.fake.submit(form, by=stranger, text="Gotcha", locale=CHINESE)
    assert (await private(stack, sent)).text.startswith("只有提交者本人")
    assert len(answers(stack, sent)) == 1
    assert await history(stack, own) == []


async def test_a_mix_that_goes_by_turns_is_made_again_when_asked_for(stack: Stack, scene: Path) -> None:
    asked = await stack.fake.slash("process", clip=scene, language="en", mix="podcast")
    own = await result_of(stack, asked)
    posted = [m for m in stack.fake.messages if not m.ephemeral]
    mixed = own.files["final.mp4"].data
    shown = await listed(stack, own)
    assert not any(":mixagain:" in each for each in shown.buttons)
    text = text_of(await opened(stack, shown))
    await stack.fake.submit(await opened(stack, shown), then=["delete"])
    await saved(stack, shown, "Deleted:")
    await follows(stack, own, gone=" ".join(text.split()[:4]))
    assert own.files["final.mp4"].data == mixed, "the picture and the mix stay"
    await stack.fake.click(id_for(shown, "mixagain"), shown, locale=CHINESE)
    await saved(stack, shown, in_chinese("mixing-again"))
    assert not any(":mixagain:" in each for each in shown.buttons)
    await shows(stack, own, lambda m: "final.mp4" in m.files and m.files["final.mp4"].data != mixed, LIMIT)
    assert [m for m in stack.fake.messages if not m.ephemeral] == posted


async def test_edits_go_with_a_result_that_is_made_again_and_with_nothing_else(
    stack: Stack, own: Message, scene: Path
) -> None:
    shown = await listed(stack, own)
    await stack.fake.submit(await opened(stack, shown), text="Halcyon days")
    await saved(stack, shown)
    await follows(stack, own, "Halcyon days")
    done = await history(stack, own)
    again = await asked_again(stack, own)
    assert "Halcyon days" in again.files["transcript.txt"].data.decode()
    assert await history(stack, again) == done
    further = await listed(stack, again)
    await stack.fake.submit(await opened(stack, further), text="Other days")
    await saved(stack, further)
    await follows(stack, again, "Other days")
    assert "Halcyon days" in own.files["transcript.txt"].data.decode()
    assert await history(stack, own) == done
    fresh = await result_of(stack, await stack.fake.slash("transcribe", clip=scene, language="en"))
    assert "Halcyon" not in fresh.files["transcript.txt"].data.decode()
    assert await history(stack, fresh) == []


async def asked_again(stack: Stack, result: Message) -> Message:
    """The result of the button that runs a job again, in the list of jobs."""
    jobs = await private(stack, await stack.fake.slash("jobs"))
    newest = next(key for key in jobs.buttons if ":again:" in key)
    assert newest.rpartition(":")[2] == id_for(result, "fix").rpartition(":")[2]
    return await result_of(stack, await stack.fake.click(newest, jobs))
