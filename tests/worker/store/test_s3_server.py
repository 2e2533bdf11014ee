"""The store on a whole S3 server (moto's), through a network that fails."""

import asyncio
import base64
import hashlib
import logging
import os
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from pipeline.errors import StoreError
from tests.worker.conftest import TIMEOUT_S, System
from tests.worker.store.cut_proxy import CutProxy
from worker.protocol import Finished
from worker.store import Store, read_keyring
from worker.store.encrypted_files import stored_size

BUCKET = "clips"
LARGE_BYTES = 20_000_000
"""More than two parts of an upload."""
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@dataclass
class Server:
    """A running server, a client of another make, and the proxy before it."""

    client: Any
    proxy: CutProxy

    def head(self, digest: str) -> dict[str, Any]:
        """What the server knows of a file."""
        return self.client.head_object(Bucket=BUCKET, Key=f"team/blobs/{digest[:2]}/{digest}", ChecksumMode="ENABLED")


@pytest.fixture
def moto_port() -> Iterator[int]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    yield port
    # What it holds outlives the server.
    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/moto-api/reset", method="POST"))
    server.stop()


@pytest.fixture
async def server(moto_port: int, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "eu-central-1"}
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{moto_port}", **keys)
    place = {"LocationConstraint": keys["region_name"]}
    await asyncio.to_thread(client.create_bucket, Bucket=BUCKET, CreateBucketConfiguration=place)
    async with CutProxy.start(moto_port) as proxy:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "eu-central-1",
            "AWS_ALLOW_HTTP": "true",
        }.items():
            monkeypatch.setenv(name, value)
        yield Server(client, proxy)
    client.close()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(os.urandom(LARGE_BYTES))
    return path


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def test_a_large_file_goes_round_in_parts_with_checksums(server: Server, clip: Path, tmp_path: Path) -> None:
    store = Store.open(f"s3://{BUCKET}/team")
    artefact = await store.put(clip, name="clip.mp4")
    known = await asyncio.to_thread(server.head, artefact.digest)
    assert known["ContentLength"] == LARGE_BYTES
    assert known["ETag"].strip('"').endswith("-3"), "three parts"
    assert "ChecksumSHA256" in known
    back = await store.fetch(artefact, tmp_path / "back.mp4")
    assert digest_of(back) == artefact.digest
    some = b"".join([part async for part in store.stream(artefact, 9_000_000, 9_000_100)])
    assert some == clip.read_bytes()[9_000_000:9_000_100]


@pytest.mark.parametrize("after", [0, 200_000, 9_000_000], ids=["at once", "within a part", "between parts"])
async def test_connections_that_are_cut_are_tried_again(server: Server, clip: Path, tmp_path: Path, after: int) -> None:
    store = Store.open(f"s3://{BUCKET}/team")
    server.proxy.cuts, server.proxy.cut_after_bytes = 3, after
    artefact = await store.put(clip, name="clip.mp4")
    server.proxy.cut_all()
    server.proxy.cuts = 1
    back = await store.fetch(artefact, tmp_path / "back.mp4")
    assert digest_of(back) == artefact.digest
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")], "nothing half is left"


async def test_a_bucket_that_is_not_there_is_told(server: Server, clip: Path) -> None:
    with pytest.raises(StoreError):
        await Store.open("s3://elsewhere/team").put(clip, name="clip.mp4")


async def test_what_nothing_refers_to_is_deleted(server: Server, clip: Path) -> None:
    store = Store.open(f"s3://{BUCKET}/team")
    source = await store.put(clip, name="clip.mp4")

    async def needed(_: str) -> bool:
        return False

    for job in ("ann", "ben"):
        await store.references.add_for_job(job, [source.digest])
    await store.release_job("ann", needed)
    assert await store.has_digest(source.digest)
    await store.release_job("ben", needed)
    left = await asyncio.to_thread(server.client.list_objects_v2, Bucket=BUCKET)
    assert left["KeyCount"] == 0


async def test_jobs_run_through_a_store_that_is_away_for_some_time(system: System, server: Server) -> None:
    url = f"s3://{BUCKET}/team"
    settings = system.settings.model_copy(update={"store_url": url})
    on_s3 = replace(system, settings=settings, store=Store.open(url))
    await on_s3.start()
    jobs = [await on_s3.job(f"{number}.json", tag=number, second="sleep", seconds=0.5) for number in range(4)]
    for job in jobs:
        await on_s3.queue.submit(job)
    await on_s3.wait_for_run("second")
    server.proxy.down = True
    server.proxy.cut_all()
    await asyncio.sleep(3)
    server.proxy.down = False
    async with asyncio.timeout(TIMEOUT_S * 2):
        for job in jobs:
            last = [event async for event in on_s3.queue.events(job.id)][-1]
            assert isinstance(last, Finished)


async def test_an_encrypted_file_goes_round_in_parts_and_gives_ranges(server: Server, tmp_path: Path) -> None:
    clip = tmp_path / "clip.flac"
    clip.write_bytes(os.urandom(LARGE_BYTES))
    store = Store.open(f"s3://{BUCKET}/team", read_keyring("a:" + base64.b64encode(b"k" * 32).decode()))
    artefact = await store.put(clip, name="clip.flac")
    key = f"team/encrypted/{artefact.digest[:2]}/{artefact.digest}"
    size = (await asyncio.to_thread(server.client.head_object, Bucket=BUCKET, Key=key))["ContentLength"]
    assert size == stored_size(LARGE_BYTES)
    assert await store.put(clip, name="clip.flac") == artefact, "it is there"
    assert (await store.fetch(artefact, tmp_path / "back")).read_bytes() == clip.read_bytes()
    start, end = 10_000_000, 13_000_000
    assert b"".join([piece async for piece in store.stream(artefact, start, end)]) == clip.read_bytes()[start:end]
    with pytest.raises(StoreError, match="the key a"):
        await Store.open(f"s3://{BUCKET}/team", read_keyring("a:" + base64.b64encode(b"x" * 32).decode())).fetch(
            artefact, tmp_path / "never"
        )
    await store.delete(artefact.digest)
    assert not await store.has_digest(artefact.digest)
