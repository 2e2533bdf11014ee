from dataclasses import replace
from pathlib import Path

from bot.outcome import Attachable, Outcome, fetched
from pipeline.types import Request, Task
from tests.bot.world import PlayedWorker, make_result
from worker.protocol import Job


async def make_job(played: PlayedWorker, task: Task) -> Job:
    return Job(id="0" * 32, request=Request(task=task), source=await played.keep("talk.mp4", b"clip"), submitted=0.0)


def with_files(job: Job, sizes: dict[str, int]) -> Outcome:
    files = tuple(Attachable(name=name, path=Path(name), size=size) for name, size in sizes.items())
    return Outcome(job=job, user_id="1", result=make_result(job.request), transcript=None, files=files)


async def test_files_come_in_the_order_people_want_them(played: PlayedWorker) -> None:
    job = await make_job(played, Task.REMIX)
    names = ["report.png", "final.m4a", "stems/vocals.flac", "final.mp4", "other.bin"]
    artefacts = tuple([await played.keep(name, name.encode()) for name in names])
    result = replace(make_result(job.request), artefacts=artefacts)
    async with fetched(job, "1", result, played.store, 1000) as outcome:
        assert [file.name for file in outcome.files] == ["final.mp4", "final.m4a", "report.png", "vocals.flac"]
        assert outcome.files[0].path.read_bytes() == b"final.mp4"
        folder = outcome.files[0].path.parent
    assert not folder.exists()


async def test_large_file_is_not_fetched_but_named(played: PlayedWorker) -> None:
    job = await make_job(played, Task.SEPARATE)
    artefacts = (await played.keep("stems/vocals.flac", b"v" * 11), await played.keep("report.png", b"p"))
    result = replace(make_result(job.request), artefacts=artefacts)
    async with fetched(job, "1", result, played.store, 10) as outcome:
        files, left_out = outcome.choose(10)
        assert [file.name for file in files] == ["report.png"]
        assert [file.name for file in left_out] == ["vocals.flac"]
        assert not left_out[0].path.exists()


async def test_ten_files_at_most(played: PlayedWorker) -> None:
    outcome = with_files(await make_job(played, Task.SEPARATE), {f"{i}.flac": 1 for i in range(14)})
    files, left_out = outcome.choose(5)
    assert len(files) == 10
    assert left_out == ()


async def test_unreadable_transcript_costs_only_the_preview(played: PlayedWorker) -> None:
    job = await make_job(played, Task.TRANSCRIBE)
    artefacts = (await played.keep("transcript.json", b"not json"), await played.keep("transcript.txt", b"text"))
    result = replace(make_result(job.request), artefacts=artefacts)
    async with fetched(job, "1", result, played.store, 1000) as outcome:
        assert outcome.transcript is None
        assert len(outcome.files) == 2
