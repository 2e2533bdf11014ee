import hashlib
import os
from pathlib import Path

import pytest

from pipeline.errors import DamagedFileError, StoreError
from pipeline.types import Artefact
from worker.store import Store, media_type_of

CONTENT = os.urandom(3_000_000)


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store.open((tmp_path / "a store").as_uri() if request.param == "folder" else "memory://")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.flac"
    path.write_bytes(CONTENT)
    return path


async def test_a_file_comes_back_as_it_went_in(store: Store, clip: Path, tmp_path: Path) -> None:
    artefact = await store.put(clip, name="stems/vocals.flac")
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert artefact == Artefact(name="stems/vocals.flac", digest=digest, size=len(CONTENT), media_type="audio/flac")
    assert await store.has_digest(digest)
    target = await store.fetch(artefact, tmp_path / "back.flac")
    assert target.read_bytes() == CONTENT
    assert await store.read(artefact, max_bytes=len(CONTENT)) == CONTENT
    assert clip.read_bytes() == CONTENT


async def test_what_was_put_does_not_change_with_the_file(store: Store, clip: Path) -> None:
    artefact = await store.put(clip, name="clip.flac")
    with clip.open("r+b") as stream:
        stream.write(b"other")
    assert await store.read(artefact, max_bytes=len(CONTENT)) == CONTENT


async def test_equal_files_are_kept_once(clip: Path, tmp_path: Path) -> None:
    store = Store.open((tmp_path / "s").as_uri())
    await store.put(clip, name="a.flac")
    await store.put(clip, name="b.flac")
    assert len([path for path in (tmp_path / "s").rglob("*") if path.is_file()]) == 1


async def test_what_is_done_with_a_result_does_nothing_to_the_store(clip: Path, tmp_path: Path) -> None:
    store = Store.open((tmp_path / "s").as_uri())
    artefact = await store.put(clip, name="a.flac")
    result = await store.fetch(artefact, tmp_path / "result.flac")
    with result.open("r+b") as stream:
        stream.write(b"edited")
    assert (await store.fetch(artefact, tmp_path / "again.flac")).read_bytes() == CONTENT


async def test_files_of_the_store_are_read_only(clip: Path, tmp_path: Path) -> None:
    store = Store.open((tmp_path / "s").as_uri())
    artefact = await store.put(clip, name="a.flac")
    blob = tmp_path / "s/blobs" / artefact.digest[:2] / artefact.digest
    assert blob.stat().st_mode & 0o777 == 0o444
    result = await store.fetch(artefact, tmp_path / "result.flac")
    assert result.stat().st_mode & 0o200, "the copy is the person's own"
    await store.delete(artefact.digest)
    assert not blob.exists()


async def test_a_byte_that_changed_is_found_and_the_file_removed(clip: Path, tmp_path: Path) -> None:
    store = Store.open((tmp_path / "s").as_uri())
    artefact = await store.put(clip, name="a.flac")
    blob = tmp_path / "s/blobs" / artefact.digest[:2] / artefact.digest
    for ask in (lambda: store.fetch(artefact, tmp_path / "x"), lambda: store.read(artefact, max_bytes=len(CONTENT))):
        flip(blob)
        with pytest.raises(DamagedFileError, match="damaged"):
            await ask()
        assert not await store.contains(artefact)
        await store.put(clip, name="a.flac")
    flip(blob)
    await store.put(clip, name="a.flac")
    assert (await store.fetch(artefact, tmp_path / "x")).read_bytes() == CONTENT


def flip(blob: Path) -> None:
    """Change one byte, as a failing disk or a careless program does."""
    blob.chmod(0o644)
    with blob.open("r+b") as stream:
        first = stream.read(1)
        stream.seek(0)
        stream.write(bytes([first[0] ^ 1]))


async def test_a_cache_entry_is_kept(store: Store) -> None:
    assert await store.get_cache_entry("key") is None
    await store.put_cache_entry("key", b"first")
    await store.put_cache_entry("key", b"second")
    assert await store.get_cache_entry("key") == b"second"


async def test_a_missing_file_is_named(store: Store, tmp_path: Path) -> None:
    missing = Artefact(name="gone.flac", digest="0" * 64, size=5, media_type="audio/flac")
    assert not await store.has_digest(missing.digest)
    with pytest.raises(StoreError, match=r"gone\.flac") as caught:
        await store.fetch(missing, tmp_path / "x")
    assert caught.value.hint == "Send the clip again."
    with pytest.raises(StoreError, match="not there"):
        await store.read(missing, max_bytes=10)
    assert list(tmp_path.glob("*x*")) == []


async def test_a_damaged_file_is_not_handed_out(clip: Path, tmp_path: Path) -> None:
    store = Store.open((tmp_path / "s").as_uri())
    artefact = await store.put(clip, name="a.flac")
    blob = tmp_path / "s/blobs" / artefact.digest[:2] / artefact.digest
    blob.chmod(0o644)
    blob.write_bytes(CONTENT[:-1])
    with pytest.raises(StoreError, match="damaged"):
        await store.fetch(artefact, tmp_path / "x")
    assert not (tmp_path / "x").exists()
    assert not await store.contains(artefact)
    await store.put(clip, name="a.flac")
    assert (await store.fetch(artefact, tmp_path / "x")).read_bytes() == CONTENT


async def test_only_a_digest_is_looked_for(store: Store) -> None:
    with pytest.raises(StoreError, match="sha256"):
        await store.has_digest("../../etc/passwd")


async def test_a_large_file_is_not_read_at_once(store: Store, clip: Path) -> None:
    artefact = await store.put(clip, name="a.flac")
    with pytest.raises(StoreError, match="larger"):
        await store.read(artefact, max_bytes=1000)


def test_a_store_that_cannot_be_opened() -> None:
    with pytest.raises(StoreError) as caught:
        Store.open("file:///dev/null/store")
    assert "STEMCORD_STORE_URL" in caught.value.hint
    with pytest.raises(StoreError):
        Store.open("ftp://example.org/x")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("transcript.vtt", "text/vtt"),
        ("a.TextGrid", "text/plain"),
        ("final.m4a", "audio/mp4"),
        ("x", "application/octet-stream"),
    ],
)
def test_media_types(name: str, expected: str) -> None:
    assert media_type_of(name) == expected
