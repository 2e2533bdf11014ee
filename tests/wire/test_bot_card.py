"""The card of a result: what stands in it, in one message through all edits, with buttons that outlive the bot."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from pipeline.types import Speaker, SpeakerStem, Transcript
from tests.wire.answers import id_for, private, shows
from tests.wire.light import LightStack
from tests.wire.objects import Message
from tests.wire.shapes import COMPONENTS_V2, Json, walk
from worker.protocol import Job

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
TRANSCRIPT = (
    b'{"language":"en","duration":61.4,"speakers":[{"id":"A","name":"Speaker 1"},{"id":"B","name":"Speaker 2"}],'
    b'"turns":[{"start":3.2,"end":5.0,"speaker":"A","text":"Look at **this** @everyone","overlap":false,"words":[]},'
    b'{"start":6.0,"end":7.0,"speaker":"B","text":"Good evening.","overlap":false,"words":[]}]}'
)
FILES = {
    "report.png": b"p" * 50,
    "final.mp4": b"f" * 100,
    "stems/vocals.flac": b"v" * 900,
    "stems/background.flac": b"b" * 500,
    "stems/music.flac": b"m",
    "stems/sfx.flac": b"s",
    "stems/ambient.flac": b"a",
    "audio.wav": b"w",
    "transcript.txt": b"text",
    "transcript.srt": b"1\n",
    "transcript.json": TRANSCRIPT,
}
GALLERY, FILE, CONTAINER = 12, 13, 17


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "talk.mp4"
    path.write_bytes(b"a clip of some length")
    return path


@pytest_asyncio.fixture(loop_scope="session")
async def made(light: LightStack, clip: Path) -> tuple[Message, Job]:
    """A result with everything."""
    asked = await light.fake.slash("process", clip=clip)
    job = await light.job(of=asked)
    await light.finish(await light.take(job), job, FILES, notes=("Two sound tracks.",))
    message = await shows(light, asked.original, lambda m: bool(m.files), 10)
    await light.confirmed()
    return message, job


def of_type(message: Message, kind: int) -> list[Json]:
    return [component for component in walk(message.components) if component["type"] == kind]


async def test_everything_has_its_place_within_discords_limits(made: tuple[Message, Job]) -> None:
    message, _ = made
    assert message.flags & COMPONENTS_V2
    assert (message.content, message.embeds) == ("", [])
    everything = walk(message.components)
    assert len(everything) <= 40
    assert len(of_type(message, CONTAINER)) == 1
    shown = [item["media"]["url"].partition("?")[0] for each in of_type(message, GALLERY) for item in each["items"]]
    assert [url.rpartition("/")[2] for url in shown] == ["final.mp4", "report.png"]
    listed = [each["name"] for each in of_type(message, FILE)]
    assert len(listed) == 8
    assert set(listed) | {"final.mp4", "report.png"} == set(message.files)
    text = message.text
    for part in ("Voice", "Background", "Music", "Sound effects", "Ambience"):
        assert f"**{part}**" in text
    assert "0:03 **Speaker 1** Look at \\*\\*this" in text
    assert "@everyone" not in text
    assert "Two sound tracks." not in "".join(c.get("content", "") for c in everything)


async def test_all_buttons_answer_after_a_restart(light: LightStack, made: tuple[Message, Job]) -> None:
    message, _ = made
    await light.kill_bot()
    await light.start_bot()
    for action, title in (("rebalance", "Rebalance"), ("dub", "Dub")):
        opened = await light.fake.click(id_for(message, action), message)
        assert opened.callback is not None
        assert opened.callback["data"]["title"] == title
    notes = await private(light, await light.fake.choose(id_for(message, "more"), message, "notes"))
    assert notes.text == "- Two sound tracks."
    facts = await private(light, await light.fake.choose(id_for(message, "more"), message, "facts"))
    assert "92 % of the clip" in facts.text
    chosen = await private(light, await light.fake.choose(id_for(message, "subtitles"), message, "srt"))
    assert "transcript.srt" in chosen.files
    thread = await private(light, await light.fake.click(id_for(message, "thread"), message))
    assert "The transcript is in" in thread.text
    lines = await private(light, await light.fake.click(id_for(message, "fix"), message))
    assert lines.menus
    people = await private(light, await light.fake.click(id_for(message, "rename"), message))
    assert id_for(people, "names")
    sample = await private(light, await light.fake.choose(id_for(message, "listen"), message, "vocals"))
    # The file is no sound; the worker that would say so is the test itself.
    assert sample.text
    await light.fake.click(id_for(message, "tracks"), message)
    again = await light.job(of=light.fake.world.person["id"])
    assert again.request.wants_speaker_stems
    await light.finish(await light.take(again), again, FILES)
    await light.confirmed()
    stranger = await light.fake.add_person("stella")
    refused = await private(light, await light.fake.choose(id_for(message, "more"), message, "facts", by=stranger))
    assert refused.text.startswith("Only the person who asked")


async def test_edits_of_a_result_replace_the_card_in_its_message(light: LightStack, made: tuple[Message, Job]) -> None:
    message, job = made
    heard = await private(light, await light.fake.click(id_for(message, "rename"), message))
    opened = await light.fake.click(id_for(heard, "names"), heard)
    fields: dict[str, Any] = {"speaker-0": "Ann"}
    await light.fake.submit(opened, **fields)
    again = await light.job(of=light.fake.world.person["id"])
    assert (again.card, again.replaces) == (True, True)
    assert again.request.names == {"A": "Ann", "B": "Speaker 2"}
    renamed = msgspec.json.decode(TRANSCRIPT.replace(b"Speaker 1", b"Ann"), type=Transcript)
    files = {**FILES, "transcript.json": msgspec.json.encode(renamed)}
    await light.finish(await light.take(again), again, files, speakers=renamed.speakers)
    await shows(light, message, lambda m: "**Ann** Look" in m.text, 10)
    await light.confirmed()
    assert message.flags & COMPONENTS_V2
    assert len(message.files) == 10
    assert again.id in id_for(message, "rename")
    assert job.id not in id_for(message, "rename")


async def test_the_result_is_shared_as_a_card(light: LightStack, made: tuple[Message, Job]) -> None:
    _, job = made
    other = await light.fake.make_channel("other")
    await light.fake.slash("share", result=job.id, to=other)
    posted = await light.fake.wait_for_message(lambda m: m.channel_id == other["id"], 10)
    assert posted.flags & COMPONENTS_V2
    assert "shares this result" in posted.text
    assert len(walk(posted.components)) <= 40


async def test_tracks_of_many_speakers_are_taken_by_discord(light: LightStack, clip: Path) -> None:
    people = tuple(Speaker(id=f"S{n}", name=f"*Ann* @here {n} " + "n" * 80) for n in range(1, 23))
    stems = tuple(SpeakerStem(speaker=each.id, file=f"stems/speaker-{n}.flac") for n, each in enumerate(people, 1))
    asked = await light.fake.slash("process", clip=clip, speaker_tracks=True)
    job = await light.job(of=asked)
    assert job.request.wants_speaker_stems
    files = {**FILES, **{stem.file: b"s" for stem in stems}}
    await light.finish(await light.take(job), job, files, speakers=people, speaker_stems=stems)
    message = await shows(light, asked.original, lambda m: bool(m.files), 10)
    assert len(message.files) == 10
    assert "More files than a message has room for" in message.text
    (menu,) = [each for each in walk(message.components) if "listen" in str(each.get("custom_id"))]
    assert len(menu["options"]) == 25
    await light.confirmed()
