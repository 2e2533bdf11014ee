import asyncio
import dataclasses
import time

import msgspec
import pytest

from pipeline.errors import QueueError
from pipeline.types import Request, Task
from tests.worker.conftest import System
from worker.protocol import Failed, Finished, Progressed, ReplyTo, Started, Stopped
from worker.queue.keys import MEDIA
from worker.queue.reaper import Reaper


async def test_a_job_goes_round(system: System) -> None:
    await system.start()
    job = await system.job(second="sleep", seconds=1.0)
    await system.queue.submit(job)
    events = await system.events(job)
    assert isinstance(events[0], Started)
    assert events[0].attempt == 1
    assert isinstance(events[-1], Finished)
    published = [
        event.progress for event in events if isinstance(event, Progressed) and event.progress.stage == "second"
    ]
    assert any(0 < progress.fraction < 1 and progress.message == "sleeping" for progress in published)
    assert published[-1].fraction == 1.0
    assert 3 <= len(published) <= 8, "about four a second"
    assert events[-1].result.artefacts[0].name == "second.json"
    assert await system.status(job) == "finished"


async def test_a_job_may_shorten_what_a_clip_may_last(system: System) -> None:
    await system.start()
    short, long = [await system.job(options={"max_duration": seconds}) for seconds in (0.5, 1e9)]
    for job in (short, long):
        await system.queue.submit(job)
    failed, finished = (await system.events(short))[-1], (await system.events(long))[-1]
    assert isinstance(failed, Failed)
    assert failed.failure.type == "LimitError"
    assert isinstance(finished, Finished)


async def test_events_are_replayed_from_the_start(system: System) -> None:
    await system.start()
    job = await system.job()
    await system.queue.submit(job)
    first = await system.events(job)
    assert await system.events(job) == first


async def test_a_follower_that_comes_late_sees_the_end(system: System) -> None:
    job = await system.job(first="sleep", seconds=0.5)
    await system.queue.submit(job)
    following = asyncio.create_task(system.events(job))
    await asyncio.sleep(0.2)
    await system.start()
    assert isinstance((await following)[-1], Finished)


async def test_submitting_twice_is_submitting_once(system: System) -> None:
    await system.start()
    job = await system.job()
    await system.queue.submit(job)
    await system.queue.submit(job)
    await system.events(job)
    await system.queue.submit(job)
    await asyncio.sleep(0.5)
    assert system.runs("first") == 1
    assert len(await system.queue.jobs()) == 1


async def test_positions(system: System) -> None:
    jobs = [await system.job(f"{number}.json", number=number) for number in range(3)]
    for job in jobs:
        await system.queue.submit(job)
    assert [await system.queue.position(job.id) for job in jobs] == [0, 1, 2]
    assert await system.queue.cancel(jobs[0].id)
    assert [await system.queue.position(job.id) for job in jobs] == [None, 0, 1]
    assert await system.queue.position("nobody") is None


async def test_cancelling_a_job_that_waits(system: System) -> None:
    job = await system.job()
    await system.queue.submit(job)
    assert await system.queue.cancel(job.id)
    assert await system.events(job) == [Stopped()]
    assert not await system.queue.cancel(job.id)
    assert not await system.queue.cancel("nobody")
    await system.start()
    await asyncio.sleep(0.5)
    assert system.runs("first") == 0
    assert await system.status(job) == "stopped"


async def test_cancelling_a_job_that_runs(system: System) -> None:
    await system.start()
    job = await system.job(first="sleep", seconds=30)
    await system.queue.submit(job)
    await system.wait_for_run("first")
    asked = time.monotonic()
    assert await system.queue.cancel(job.id)
    assert isinstance((await system.events(job))[-1], Stopped)
    assert time.monotonic() - asked < 3
    after = await system.job("after.json", other=True)
    await system.queue.submit(after)
    assert isinstance((await system.events(after))[-1], Finished), "the next job is not hit by it"


async def test_a_stopped_job_can_be_replayed(system: System) -> None:
    job = await system.job()
    await system.queue.submit(job)
    await system.queue.cancel(job.id)
    assert await system.queue.replay(job.id)
    await system.start()
    events = await system.events(job)
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    assert not await system.queue.replay(job.id), "a finished job is not run again"
    assert not await system.queue.replay("nobody")


async def test_only_an_ended_job_is_discarded(system: System) -> None:
    job = await system.job()
    await system.queue.submit(job)
    assert not await system.queue.discard(job.id)
    await system.queue.cancel(job.id)
    assert await system.queue.discard(job.id)
    assert await system.queue.state(job.id) is None
    with pytest.raises(QueueError, match="no job"):
        await system.events(job)


async def test_a_follower_learns_that_the_job_was_discarded(system: System) -> None:
    job = await system.job()
    await system.queue.submit(job)
    following = asyncio.create_task(system.events(job))
    await asyncio.sleep(0.2)
    await system.queue.connection.run("return redis.call('DEL', KEYS[1])", [MEDIA.record(job.id)], [])
    with pytest.raises(QueueError, match="was discarded"):
        await asyncio.wait_for(following, 6)


async def test_answers_are_owed_until_confirmed(system: System, reply_to: ReplyTo) -> None:
    silent = await system.job("a.json")
    asked = await system.job("b.json", options={"reply_to": reply_to})
    await system.queue.submit(silent)
    await system.queue.submit(asked)
    assert await system.queue.undelivered() == [asked]
    await system.queue.confirm_delivery(asked.id)
    assert await system.queue.undelivered() == []


async def test_a_replayed_job_is_answered_again(system: System, reply_to: ReplyTo) -> None:
    job = await system.job(options={"reply_to": reply_to})
    await system.queue.submit(job)
    assert await system.queue.cancel(job.id)
    await system.queue.confirm_delivery(job.id)
    assert await system.queue.undelivered() == []
    assert await system.queue.replay(job.id)
    assert await system.queue.undelivered() == [job]


async def test_a_prefetch_job_gives_way(system: System) -> None:
    await system.start()
    prefetch = await system.job("a.json", first="sleep", seconds=30, options={"prefetch": True})
    await system.queue.submit(prefetch)
    await system.wait_for_run("first")
    same = dataclasses.replace(prefetch.request, task=Task.TRANSCRIBE)
    await system.queue.submit(msgspec.structs.replace(prefetch, id="same clip", request=same, prefetch=False))
    await asyncio.sleep(1.0)
    assert await system.status(prefetch) == "running", "work on the same clip is not in the way"
    assert await system.queue.cancel("same clip")
    other = await system.job("b.json", other=True)
    await system.queue.submit(other)
    assert isinstance((await system.events(prefetch))[-1], Stopped)
    assert isinstance((await system.events(other))[-1], Finished)


async def test_idle_time_is_used_to_prefetch(system: System) -> None:
    system.settings = system.settings.model_copy(update={"look_ahead": True})
    await system.start()
    job = await system.job(options={"request": Request(task=Task.SEPARATE, speaker_stems=True)})
    await system.queue.submit(job)
    await system.events(job)
    prefetch = msgspec.structs.replace(job, id=f"ahead-{job.id}")
    await system.events(prefetch)
    state = await system.queue.state(prefetch.id)
    assert state is not None
    assert (state.job.prefetch, state.job.request.task, state.job.reply_to) == (True, Task.TRANSCRIBE, None)
    assert not state.job.request.wants_speaker_stems, "as a person asks for a transcript"
    assert await system.queue.state(f"ahead-{prefetch.id}") is None


async def test_workers_are_seen_and_leave(system: System) -> None:
    assert await system.queue.workers() == []
    await system.start("media")
    await system.start("asr")
    assert sorted(worker.kind for worker in await system.queue.workers()) == ["asr", "media"]
    await system.stop()
    assert await system.queue.workers() == []


OTHER_VERSIONS = {
    "another status": "redis.call('HSET', KEYS[1], 'status', 'paused')",
    "no job": "redis.call('HDEL', KEYS[1], 'job')",
    "no attempts": "redis.call('HDEL', KEYS[1], 'attempts')",
    "no hash": "redis.call('DEL', KEYS[1]) redis.call('SET', KEYS[1], 'x')",
    "bytes that are no text": "redis.call('HSET', KEYS[1], 'job', '\\255', 'status', '\\255')",
}


@pytest.mark.parametrize("change", OTHER_VERSIONS.values(), ids=OTHER_VERSIONS.keys())
async def test_a_record_of_another_version_disturbs_nobody(system: System, reply_to: ReplyTo, change: str) -> None:
    strange, plain = [await system.job(name, options={"reply_to": reply_to}) for name in ("a.json", "b.json")]
    await system.queue.submit(strange)
    await system.queue.connection.run(change, [MEDIA.record(strange.id)], [])
    await system.queue.submit(plain)
    await Reaper(system.queue, "media", "test").scan()
    assert [state.status for state in await system.queue.jobs()] == ["unreadable", "queued"]
    assert await system.queue.undelivered() == [plain]
    state = await system.queue.state(plain.id)
    assert state is not None
    assert state.position == 0
    await system.start()
    assert isinstance((await system.events(plain))[-1], Finished)
    assert await system.queue.discard(strange.id)
    assert [state.job for state in await system.queue.jobs()] == [plain]
