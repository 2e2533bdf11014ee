"""The store in an S3 bucket: real HTTP to a small bucket of our own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pipeline.errors import StoreError
from tests.worker.store.bucket import Bucket
from worker.store import Store


@pytest.fixture
async def bucket(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bucket]:
    async with Bucket.start() as bucket:
        for name, value in bucket.environment.items():
            monkeypatch.setenv(name, value)
        yield bucket


async def test_files_and_cache_entries_go_round(bucket: Bucket, tmp_path: Path) -> None:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(bytes(range(256)) * 1000)
    store = Store.open("s3://clips/team")
    artefact = await store.put(clip, name="clip.wav")
    assert list(bucket.objects) == [f"/clips/team/blobs/{artefact.digest[:2]}/{artefact.digest}"]
    assert (await store.fetch(artefact, tmp_path / "back.wav")).read_bytes() == clip.read_bytes()
    await store.put_cache_entry("key", b"entry")
    assert await store.get_cache_entry("key") == b"entry"
    assert await store.get_cache_entry("other") is None
    assert await store.contains(artefact)
    assert not await store.has_digest("0" * 64)


async def test_damaged_bytes_are_not_handed_out(bucket: Bucket, tmp_path: Path) -> None:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"sound" * 100)
    store = Store.open("s3://clips")
    artefact = await store.put(clip, name="clip.wav")
    bucket.objects = dict.fromkeys(bucket.objects, b"noise" * 100)
    with pytest.raises(StoreError):
        await store.fetch(artefact, tmp_path / "back.wav")
    assert not (tmp_path / "back.wav").exists()


async def test_what_nothing_refers_to_is_deleted(bucket: Bucket, tmp_path: Path) -> None:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"sound")
    store = Store.open("s3://clips/team")
    source = await store.put(clip, name="clip.wav")

    async def needed(_: str) -> bool:
        return False

    for job in ("ann", "ben"):
        await store.references.add_for_job(job, [source.digest])
    assert await store.references.owners(source.digest) == {"ann", "ben"}
    await store.release_job("ann", needed)
    assert await store.has_digest(source.digest)
    await store.release_job("ben", needed)
    assert bucket.objects == {}
