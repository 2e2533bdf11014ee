"""Jobs in the queue that another version of Stemcord sent."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.worker.conftest import System
from worker.protocol import CONTRACT_VERSION, Failed, Finished
from worker.queue.keys import ASR, MEDIA, UNDELIVERED
from worker.queue.scripts import job_scripts as scripts

DATA = Path(__file__).parents[1] / "data"
MESSAGE = "This job was sent by another version of Stemcord."


async def submit_json(system: System, name: str, **fields: Any) -> str:
    """Put the stored JSON of a job into the queue as it is, and return the id."""
    data = json.dumps(json.loads((DATA / name).read_bytes()) | fields).encode()
    job_id = str(json.loads(data)["id"])
    keys = [MEDIA.record(job_id), MEDIA.index, MEDIA.active, UNDELIVERED]
    assert await system.queue.connection.run(scripts.SUBMIT, keys, (job_id, data, 1.0, "1"))
    await system.queue.ensure_enqueued(MEDIA, job_id)
    return job_id


def stage_job(**fields: Any) -> bytes:
    return json.dumps({"keys": ["key"], "inputs": {}, "params": {}, "limit": 1.0} | fields).encode()


async def test_a_job_of_version_1_runs(system: System) -> None:
    source = (await system.job()).source
    clip = {"name": source.name, "digest": source.digest, "size": source.size, "media_type": source.media_type}
    job_id = await submit_json(system, "job_version_1.json", source=clip)
    await system.start()
    events = [event async for event in system.queue.events(job_id)]
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize("name", ["job_version_99.json", "job_undecodable.json"])
async def test_a_job_of_another_version_fails_with_a_clear_message(system: System, name: str) -> None:
    job_id = await submit_json(system, name)
    own = await system.job()
    await system.queue.submit(own)
    assert [state.job.id for state in await system.queue.jobs()] == [job_id, own.id]
    assert await system.queue.position(own.id) == 1
    assert not await system.queue.is_idle(besides=own.id)
    await system.start()
    events = [event async for event in system.queue.events(job_id)]
    assert isinstance(events[-1], Failed)
    assert (events[-1].failure.type, events[-1].failure.message) == ("ValidationError", MESSAGE)
    assert events[-1].failure.hint == "Send the clip again."
    assert isinstance((await system.events(own))[-1], Finished), "the worker goes on"
    state = await system.queue.state(job_id)
    assert state is not None
    assert (state.status, state.attempts, state.error) == ("failed", 1, MESSAGE)
    waiting = await system.queue.undelivered()
    assert [(job.id, job.reply_to is None) for job in waiting] == [(job_id, False)]
    assert await system.queue.discard(job_id)


async def test_a_result_of_another_version_ends_the_job_with_a_clear_message(system: System) -> None:
    job = await system.job()
    await system.queue.submit(job)
    stream = MEDIA.events(job.id)
    for event in (b'{"kind":"progressed","stage":1}', b'{"kind":"finished","result":{}}'):
        await system.queue.connection.run(
            "return redis.call('XADD', KEYS[1], '*', 'event', ARGV[1])", [stream], [event]
        )
    (event,) = [event async for event in system.queue.events(job.id)]
    assert isinstance(event, Failed)
    assert event.failure.message == MESSAGE


async def test_a_stage_of_another_version_fails_with_a_clear_message(system: System) -> None:
    for job_id, data in (
        ("stage-a", b'{"id": "stage-a", "stage": "first"}'),
        ("stage-b", stage_job(id="stage-b", stage="unknown", contract=CONTRACT_VERSION)),
        ("stage-c", stage_job(id="stage-c", stage="first")),
        ("stage-d", stage_job(id="stage-d", stage="first", contract=CONTRACT_VERSION - 1)),
    ):
        names = [ASR.record(job_id), ASR.index, ASR.active, ASR.events(job_id), ASR.followers(job_id)]
        assert await system.queue.connection.run(scripts.RESTART, names, [job_id, 1.0, data, "job", 60])
        await system.queue.ensure_enqueued(ASR, job_id)
    await system.start("asr")
    for job_id in ("stage-a", "stage-b", "stage-c", "stage-d"):
        events = [event async for event in system.queue.stage_events(ASR, job_id)]
        assert isinstance(events[-1], Failed)
        assert events[-1].failure.message == MESSAGE
