"""Recordings by which people have their own voice kept: how they are sent and heard, and what is left of them."""

import hashlib
import time
from pathlib import Path

from tests.wire.light import LightStack
from tests.wire.objects import Message
from tests.wire.shapes import Json
from tests.wire.voices import command, database, queued, stored
from worker.protocol import Job, StageResult, encode
from worker.queue.lease import Lease

KEPT, GONE = "Your voice is kept.", "The recording is deleted"


def recording(folder: Path, name: str = "it is me.ogg") -> Path:
    path = folder / name
    path.write_bytes(f"some seconds of speech {time.monotonic_ns()}".encode())
    return path


def recorded_jobs(light: LightStack) -> list[str]:
    """Every job that the database knows, with the files of those that are gone."""
    with database(light) as connection:
        jobs = connection.execute("SELECT id FROM jobs").fetchall()
        files = connection.execute("SELECT job_id FROM job_files").fetchall()
        indexed = connection.execute("SELECT job_id FROM search_documents").fetchall()
    return sorted({row[0] for row in (*jobs, *files, *indexed)})


def statuses(light: LightStack, job_id: str) -> list[str]:
    with database(light) as connection:
        return [row[0] for row in connection.execute("SELECT status FROM jobs WHERE id = ?", [job_id])]


async def left(light: LightStack) -> tuple[set[str], set[bytes], list[str]]:
    """What is kept where, but for whose voice is whose."""
    # No worker takes the ids of jobs out of arq's queue here; a share says for a time how much a server asks for.
    order, others = (b"stemcord:media", b"stemcord:media:pace"), (b"arq:job:", b"stemcord:media:share:")
    keys = {key for key in await queued(light) if key not in order and not key.startswith(others)}
    return stored(light), keys, recorded_jobs(light)


async def somebody(light: LightStack, name: str) -> Json:
    return await light.fake.add_person(f"{name}{time.monotonic_ns()}")


async def agreed(light: LightStack, folder: Path, person: Json) -> tuple[Message, Job]:
    """A recording is sent and agreed to; the job that hears it, and the private message."""
    asked = await command(light, "enrol", person, recording=recording(folder))
    (agree,) = asked.buttons
    await light.fake.click(agree, asked, by=person)
    assert "is being heard" in asked.text
    assert not asked.buttons
    return asked, await light.job(of=person["id"])


async def hear(light: LightStack, job: Job, *voices: bytes, lease: Lease | None = None) -> None:
    """The worker hears these voices, keeps its stages as workers do, and ends the job."""
    (light.folder / "heard.json").write_bytes(*voices)
    lease = lease or await light.take(job)
    artefact = await light.store.put(light.folder / "heard.json", name="voices-embeddings.json")
    key = hashlib.sha256(job.id.encode()).hexdigest()
    await light.store.references.add_for_job(job.id, [job.source.digest, key])
    await light.store.references.add(key, [artefact.digest])
    entry = StageResult(output={}, artefacts={artefact.name: artefact}, engine_seconds=1.0)
    await light.store.put_cache_entry(key, encode(entry))
    await light.finish(lease, job, {}, voices=artefact)


async def is_gone(light: LightStack, before: tuple[set[str], set[bytes], list[str]]) -> None:
    """Nothing more is kept than before."""
    end = time.monotonic() + 10
    while (now := await left(light)) != before:
        assert time.monotonic() < end, [
            sorted(map(str, set(one) ^ set(other))) for one, other in zip(now, before, strict=True)
        ]


def public(light: LightStack) -> list[Message]:
    return [message for message in light.fake.messages if not message.ephemeral]
