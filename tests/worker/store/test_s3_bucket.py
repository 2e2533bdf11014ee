"""The store in an S3 bucket: real HTTP to a small bucket of our own."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from pipeline.errors import StoreError
from worker.store import Store


class Bucket:
    """Objects by path; answers PUT, HEAD, GET, deletions and listings as S3 does (Amazon S3 API reference)."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    async def handle(self, request: web.Request) -> web.Response:
        if request.method == "PUT":
            self.objects[request.path] = await request.read()
            return web.Response(headers={"ETag": '"1"'})
        if request.method == "POST" and "delete" in request.query:
            return self.delete(request.path, await request.text())
        if "list-type" in request.query:
            return self.listing(request)
        content = self.objects.get(request.path)
        if content is None:
            return web.Response(
                status=404, text="<Error><Code>NoSuchKey</Code></Error>", content_type="application/xml"
            )
        headers = {"ETag": '"1"', "Last-Modified": "Sun, 22 Nov 2026 12:00:00 GMT"}
        return web.Response(body=content, headers=headers)

    def delete(self, path: str, order: str) -> web.Response:
        """The objects that an order names (DeleteObjects)."""
        keys = re.findall(r"<Key>([^<]+)</Key>", order)
        for key in keys:
            self.objects.pop(f"{path.rstrip('/')}/{key}", None)
        deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        return web.Response(text=f"<DeleteResult>{deleted}</DeleteResult>", content_type="application/xml")

    def listing(self, request: web.Request) -> web.Response:
        """The objects right below a prefix (ListObjectsV2)."""
        root, prefix = f"{request.path.rstrip('/')}/", request.query["prefix"]
        keys = [path.removeprefix(root) for path in sorted(self.objects) if path.startswith(root + prefix)]
        contents = "".join(
            f"<Contents><Key>{key}</Key><LastModified>2026-11-22T12:00:00.000Z</LastModified>"
            f"<Size>{len(self.objects[root + key])}</Size></Contents>"
            for key in keys
            if "/" not in key.removeprefix(prefix)
        )
        text = f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
        return web.Response(text=text, content_type="application/xml")


@pytest.fixture
async def bucket(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bucket]:
    bucket = Bucket()
    app = web.Application(client_max_size=1 << 26)
    app.router.add_route("*", "/{path:.*}", bucket.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    yield bucket
    await runner.cleanup()


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
