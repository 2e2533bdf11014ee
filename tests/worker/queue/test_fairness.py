"""Whose job is taken next, what somebody who waits is told, and how a film lets a short clip pass."""

import asyncio
import time
from dataclasses import replace
from typing import Any

from msgspec import structs

from tests.worker.conftest import TIMEOUT_S, System
from worker.protocol import Finished, Job, ReplyTo, Started
from worker.queue.fairness import (
    MAX_WEIGHT_S,
    MIN_WEIGHT_S,
    SMALL_WEIGHT_S,
    VIDEO_BYTES_PER_SECOND,
    estimate_weight,
    share_of,
)
from worker.queue.keys import MEDIA
from worker.queue.scripts import order_scripts

LONG_BYTES = 12_000_000
"""A clip whose length is not known counts as long by its size."""


async def job_of(system: System, server: str, name: str, *, seconds: float = 60.0, **plan: Any) -> Job:
    """A job of a server whose clip looks as large as one of that length."""
    reply = ReplyTo(application_id="1", channel_id="2", user_id="3", guild_id=server)
    job = await system.job(f"{name}.json", options={"reply_to": reply}, tag=name, **plan)
    source = replace(job.source, size=int(seconds * VIDEO_BYTES_PER_SECOND), media_type="video/mp4")
    return structs.replace(job, source=source)


async def taken(system: System) -> list[str]:
    """The jobs in the order in which workers take them."""
    return await system.queue.connection.members(MEDIA.queue)


async def test_a_server_that_sends_many_clips_queues_behind_itself(system: System) -> None:
    many = [await job_of(system, "large", f"large-{number}") for number in range(5)]
    for job in many:
        await system.queue.submit(job)
    one = await job_of(system, "small", "one")
    await system.queue.submit(one)
    order = await taken(system)
    assert order.index(one.id) == 1
    assert [job for job in order if job != one.id] == [job.id for job in many]
    assert await system.queue.position(one.id) == 1
    assert [await system.queue.position(job.id) for job in many] == [0, 2, 3, 4, 5]
    assert [state.position for state in await system.queue.jobs()] == [0, 2, 3, 4, 5, 1]


async def test_a_job_that_is_run_again_counts_as_much_as_before(system: System) -> None:
    film = await job_of(system, "a", "film", seconds=7200)
    await system.queue.submit(film)
    (before,) = await system.queue.connection.fields(MEDIA.record(film.id))
    assert await system.queue.cancel(film.id)
    assert await system.queue.replay(film.id)
    (after,) = await system.queue.connection.fields(MEDIA.record(film.id))
    assert float(after["weight"]) == float(before["weight"]) == MAX_WEIGHT_S


async def test_a_short_clip_is_taken_before_a_film_but_not_for_ever(system: System) -> None:
    film = await job_of(system, "a", "film", seconds=7200)
    await system.queue.submit(film)
    short = await job_of(system, "b", "short", seconds=30)
    await system.queue.submit(short)
    assert await taken(system) == [short.id, film.id]
    place = float((await system.queue.connection.fields(MEDIA.record(film.id)))[0]["place"])
    assert place / 1000 - time.time() <= MAX_WEIGHT_S, "no job that comes later than that overtakes it"


async def test_a_job_keeps_its_place_when_it_is_tried_again(system: System) -> None:
    first, second = [await job_of(system, server, server) for server in "ab"]
    for job in (first, second):
        await system.queue.submit(job)
    before = await taken(system)
    await system.lose_lease(first)
    await system.queue.ensure_enqueued(MEDIA, first.id)
    assert await taken(system) == before


def test_weights_stay_within_reason() -> None:
    assert estimate_weight(10, "video/mp4") == MIN_WEIGHT_S
    assert estimate_weight(1 << 40, "video/mp4") == MAX_WEIGHT_S
    assert estimate_weight(16_000 * 90, "audio/mpeg") == 90


async def test_the_share_is_the_servers_or_the_persons(system: System, reply_to: ReplyTo) -> None:
    alone = await system.job(options={"reply_to": reply_to})
    assert share_of(alone).owner == "user-3"
    on_server = structs.replace(alone, reply_to=structs.replace(reply_to, guild_id="9"))
    assert share_of(on_server).owner == "9"
    assert share_of(structs.replace(on_server, replaces=True)).weight_s == MIN_WEIGHT_S
    assert share_of(structs.replace(on_server, prefetch=True)).weight_s == MAX_WEIGHT_S


async def test_large_jobs_leave_a_slot_to_small_ones(system: System) -> None:
    films = [await job_of(system, str(number), f"film-{number}", seconds=3600) for number in range(3)]
    for job in films:
        await system.queue.submit(job)
    small = await job_of(system, "4", "small")
    await system.queue.submit(small)

    async def claim(*own: str) -> list[str]:
        arguments = ("test:progress:", MEDIA.record_prefix, 60_000, 3, 2, SMALL_WEIGHT_S, *own)
        return await system.queue.connection.run(order_scripts.CLAIM, [MEDIA.queue], arguments)

    first = await claim()
    assert small.id in first
    # Which films come first is chance where two were sent in one millisecond.
    large = [job for job in first if job != small.id]
    assert len(large) == 2
    assert set(large) < {film.id for film in films}
    assert await claim(*large) == [], "the third film waits although a slot is free"


async def test_somebody_who_waits_is_told_how_long(system: System) -> None:
    assert (await system.queue.outlook_of_new(await job_of(system, "a", "x"))).wait_s is None, "nobody knows yet"
    await system.start()
    for number in range(2):
        done = await system.job(f"done-{number}.json", tag=number, second="sleep", seconds=2)
        await system.queue.submit(done)
        assert isinstance((await system.events(done))[-1], Finished)
    busy = [await system.job(f"busy-{n}.json", tag=f"busy-{n}", second="sleep", seconds=60) for n in range(3)]
    for job in busy:
        await system.queue.submit(job)
    await system.wait_for_run("second", 3)
    waiting = [await job_of(system, "a", f"waiting-{number}") for number in range(4)]
    for job in waiting:
        await system.queue.submit(job)
    outlooks = [await system.queue.outlook(job.id) for job in waiting]
    waits = [outlook.wait_s for outlook in outlooks if outlook is not None and outlook.wait_s is not None]
    assert [outlook.position for outlook in outlooks if outlook is not None] == [0, 1, 2, 3]
    assert waits == sorted(waits)
    assert waits[3] - waits[0] > 10
    assert (await system.queue.outlook_of_new(waiting[0])).position >= 4
    assert await system.queue.outlook(busy[0].id) is None


async def test_a_short_clip_behind_a_film_on_one_worker_is_done_meanwhile(system: System) -> None:
    await system.start()
    film = await system.job("film.json", second="sleep", seconds=40, padding="x" * LONG_BYTES)
    await system.queue.submit(film)
    await system.wait_for_run("second")
    asked = time.monotonic()
    short = await system.job("short.json")
    await system.queue.submit(short)
    events = await asyncio.wait_for(system.events(short), TIMEOUT_S)
    took = time.monotonic() - asked
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    print(f"done after {took:.1f} s")
    assert took < 20
    assert await system.status(film) == "running"
