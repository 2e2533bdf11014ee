from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

import pipeline.graph.compact
from bot.audition.sample import STEMS, sound_of
from bot.components.layouts import build_layout
from bot.i18n.translator import Translator
from bot.jobs.result_buttons import buttons_for
from bot.jobs.result_files import Attachment, ResultMessage, compact_name, fetch_result
from bot.messages.cards import CardMessage, label_of
from pipeline.types import Request, SoundFormat, Speaker, SpeakerStem, Task
from tests.bot.world import PlayedWorker, make_result, walk
from worker.protocol import Job

ENGLISH = Translator("en")


async def make_job(played: PlayedWorker, task: Task) -> Job:
    return Job(id="0" * 32, request=Request(task=task), source=await played.keep("talk.mp4", b"clip"), submitted=0.0)


def with_files(job: Job, sizes: dict[str, int]) -> ResultMessage:
    files = tuple(Attachment(name=name, path=Path(name), size=size) for name, size in sizes.items())
    return ResultMessage(job=job, user_id="1", result=make_result(job.request), transcript=None, files=files)


async def test_files_come_in_the_order_people_want_them(played: PlayedWorker) -> None:
    job = await make_job(played, Task.REMIX)
    names = ["report.png", "final.m4a", "stems/vocals.flac", "final.mp4", "other.bin"]
    artefacts = tuple([await played.keep(name, name.encode()) for name in names])
    result = replace(make_result(job.request), artefacts=artefacts)
    async with fetch_result(job, "1", result, played.store, 1000) as result_message:
        assert [file.name for file in result_message.files] == ["final.mp4", "final.m4a", "report.png", "vocals.flac"]
        assert result_message.files[0].path.read_bytes() == b"final.mp4"
        folder = result_message.files[0].path.parent
    assert not folder.exists()


@pytest.mark.parametrize("task", [Task.REMIX, Task.ALL])
async def test_each_form_of_the_mix_comes(played: PlayedWorker, task: Task) -> None:
    job = await make_job(played, task)
    names = [*(f"final.{form}" for form in SoundFormat), "final.mkv"]
    artefacts = tuple([await played.keep(name, name.encode()) for name in names])
    result = replace(make_result(job.request), artefacts=artefacts)
    async with fetch_result(job, "1", result, played.store, 1000) as result_message:
        found = [file.name for file in result_message.files]
    assert found[:2] == ["final.mkv", "final.m4a"]
    assert sorted(found) == sorted(names)


async def test_large_file_is_not_fetched_but_named(played: PlayedWorker) -> None:
    job = await make_job(played, Task.SEPARATE)
    artefacts = (await played.keep("stems/vocals.flac", b"v" * 11), await played.keep("report.png", b"p"))
    result = replace(make_result(job.request), artefacts=artefacts)
    async with fetch_result(job, "1", result, played.store, 10) as result_message:
        choice = result_message.select_files(10)
        assert [file.name for file in choice.files] == ["report.png"]
        assert [file.name for file in choice.left_out] == ["vocals.flac"]
        assert not choice.left_out[0].path.exists()


async def test_smaller_copy_goes_where_the_file_is_too_large(played: PlayedWorker) -> None:
    job = structs.replace(await make_job(played, Task.SEPARATE), card=True)
    sounds = {"stems/vocals.flac": b"v" * 20, "compact/vocals.opus": b"o" * 8, "stems/background.flac": b"b" * 9}
    artefacts = tuple([await played.keep(name, data) for name, data in sounds.items()])
    result = replace(make_result(job.request), artefacts=artefacts)
    async with fetch_result(job, "1", result, played.store, 15) as result_message:
        choice = result_message.select_files(15)
        assert [file.name for file in choice.files] == ["vocals.opus", "background.flac"]
        assert choice.files[0].path.read_bytes() == b"o" * 8
        assert ([file.name for file in choice.replaced], choice.left_out) == (["vocals.flac"], ())
        text = str(result_message.content(choice))
        assert "→ vocals.opus" in text.replace("\\", "")
        assert [file.name for file in result_message.select_files(5).left_out] == ["vocals.flac", "background.flac"]
    assert compact_name("stems/vocals.flac") == pipeline.graph.compact.compact_name("stems/vocals.flac")


async def test_ten_files_at_most(played: PlayedWorker) -> None:
    result_message = with_files(await make_job(played, Task.SEPARATE), {f"{i}.flac": 1 for i in range(14)})
    choice = result_message.select_files(5)
    assert len(choice.files) == 10
    assert [file.name for file in choice.no_room] == ["10.flac", "11.flac", "12.flac", "13.flac"]
    assert choice.left_out == ()


async def test_tracks_of_many_speakers_stay_within_discords_limits(played: PlayedWorker) -> None:
    job = structs.replace(await make_job(played, Task.ALL), card=True)
    people = tuple(Speaker(id=f"S{number}", name=f"**Ann** {number} " + "n" * 90) for number in range(1, 26))
    stems = tuple(SpeakerStem(speaker=person.id, file=f"stems/speaker-{n}.flac") for n, person in enumerate(people, 1))
    others = [*(f"stems/{name}.flac" for name in STEMS), "final.flac", "report.png", "speaker-stems.json"]
    files = [*others, *(stem.file for stem in stems)]
    artefacts = tuple([await played.keep(name, name.encode()) for name in files])
    result = replace(make_result(job.request), artefacts=artefacts, speakers=people, speaker_stems=stems)
    async with fetch_result(job, "1", result, played.store, 1000) as message:
        choice = message.select_files(1000)
        assert len(choice.files) == 10
        assert [file.name for file in choice.files[-3:]] == ["speaker-1.flac", "speaker-2.flac", "speaker-3.flac"]
        assert [file.name for file in choice.no_room][:2] == ["speaker-4.flac", "speaker-5.flac"]
        card = message.content(choice)
        assert isinstance(card, CardMessage)
        assert "room for:** speaker-4.flac, speaker-5.flac" in card.warnings
        everything = list(walk(build_layout(card, ENGLISH).to_components()))
        assert len(everything) <= 40
        (menu,) = [item for item in everything if str(item.get("custom_id", "")).startswith("stemcord:listen:")]
        values = [option["value"] for option in menu["options"]]
        assert values[:8] == ["vocals", "background", "music", "sfx", "ambient", "final", "speaker-1", "speaker-2"]
        assert len(values) == 25
        assert all(1 <= len(option["label"]) <= 100 for option in menu["options"])
        assert "**\\*\\*Ann" in next(item["content"] for item in everything if "Ann" in item.get("content", ""))


async def test_who_left_the_transcript_is_called_as_the_track(played: PlayedWorker) -> None:
    job = await make_job(played, Task.ALL)
    stems = (
        SpeakerStem(speaker="A", file="stems/speaker-1.flac"),
        SpeakerStem(speaker="Z", file="stems/speaker-2.flac"),
    )
    artefacts = tuple([await played.keep(stem.file, b"s") for stem in stems])
    result = replace(make_result(job.request), artefacts=artefacts, speaker_stems=stems)
    buttons = buttons_for(job.id, result)
    assert buttons.sounds == ("speaker-1", "speaker-2")
    assert [label_of(ENGLISH, name, buttons.speakers) for name in buttons.sounds] == ["Speaker 1", "speaker-2"]
    assert sound_of(result, "speaker-2") == artefacts[1]
    assert sound_of(result, "speaker-3") is None


async def test_unreadable_transcript_costs_only_the_preview(played: PlayedWorker) -> None:
    job = await make_job(played, Task.TRANSCRIBE)
    artefacts = (await played.keep("transcript.json", b"not json"), await played.keep("transcript.txt", b"text"))
    result = replace(make_result(job.request), artefacts=artefacts)
    async with fetch_result(job, "1", result, played.store, 1000) as result_message:
        assert result_message.transcript is None
        assert len(result_message.files) == 2
