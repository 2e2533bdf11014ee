"""A store whose files and cache entries are encrypted."""

import base64
import os
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from deploy.cli.checks import check_encryption
from pipeline.errors import DamagedFileError, EncryptionKeyError
from worker.protocol import StageResult, encode
from worker.settings import WorkerSettings
from worker.store import Keyring, Store, read_keyring
from worker.store.artefact_store import STREAM_CHUNK_BYTES
from worker.store.encrypted_files import (
    CHUNK_BYTES,
    HEADER_BYTES,
    STORED_CHUNK_BYTES,
    EncryptedFiles,
    plain_size,
    stored_size,
)

CONTENT = os.urandom(10 * 1024 * 1024 + 17)


def keyring(*names: str) -> Keyring:
    entries = [f"{name}:{base64.b64encode(name.encode().ljust(32, b'.')).decode()}" for name in names]
    keys = read_keyring(", ".join(entries))
    assert keys is not None
    return keys


@pytest.fixture(params=["folder", "memory"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return (tmp_path / "store").as_uri() if request.param == "folder" else "memory://"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.flac"
    path.write_bytes(CONTENT)
    return path


def bytes_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, len(CONTENT)])
async def test_a_file_comes_back_as_it_went_in(address: str, tmp_path: Path, size: int) -> None:
    store = Store.open(address, keyring("a"))
    clip = tmp_path / "clip.flac"
    clip.write_bytes(CONTENT[:size])
    artefact = await store.put(clip, name="vocals.flac")
    assert (artefact.size, plain_size(stored_size(size))) == (size, size)
    assert await store.contains(artefact)
    assert (await store.fetch(artefact, tmp_path / "back.flac")).read_bytes() == CONTENT[:size]
    assert await store.read(artefact, max_bytes=size) == CONTENT[:size]
    await store.delete(artefact.digest)
    assert not await store.has_digest(artefact.digest)


async def test_any_range_can_be_read(address: str, clip: Path) -> None:
    store = Store.open(address, keyring("a"))
    artefact = await store.put(clip, name="vocals.flac")
    edges = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, 130 * CHUNK_BYTES + 5, len(CONTENT) - 1, len(CONTENT))
    for start in edges:
        for end in edges:
            assert b"".join([piece async for piece in store.stream(artefact, start, end)]) == CONTENT[start:end]


async def test_nothing_lies_in_the_clear(tmp_path: Path, clip: Path) -> None:
    clip.write_bytes(b"a secret word " * 10_000)
    store = Store.open((tmp_path / "store").as_uri(), keyring("a"))
    await store.put(clip, name="transcript.txt")
    await store.put_cache_entry("0" * 64, b"another secret")
    assert await store.get_cache_entry("0" * 64) == b"another secret"
    assert b"secret" not in bytes_in(tmp_path / "store")


async def test_without_keys_all_lies_as_it_always_did(tmp_path: Path, clip: Path) -> None:
    artefact = await Store.open((tmp_path / "store").as_uri()).put(clip, name="a.flac")
    path = tmp_path / "store" / "blobs" / artefact.digest[:2] / artefact.digest
    assert [each for each in (tmp_path / "store").rglob("*") if each.is_file()] == [path]
    assert path.read_bytes() == CONTENT


async def test_what_was_there_before_is_still_read(tmp_path: Path, clip: Path) -> None:
    plain = Store.open((tmp_path / "store").as_uri())
    artefact = await plain.put(clip, name="a.flac")
    await plain.put_cache_entry("0" * 64, b"entry")
    store = Store.open((tmp_path / "store").as_uri(), keyring("a"))
    assert await store.read(artefact, max_bytes=len(CONTENT)) == CONTENT
    assert await store.get_cache_entry("0" * 64) == b"entry"
    await store.put(clip, name="a.flac")
    await store.delete(artefact.digest)
    assert CONTENT[:1000] not in bytes_in(tmp_path / "store")


async def test_older_keys_decrypt(tmp_path: Path, clip: Path) -> None:
    url = (tmp_path / "store").as_uri()
    artefact = await Store.open(url, keyring("old")).put(clip, name="a.flac")
    rotated = Store.open(url, keyring("new", "old"))
    assert await rotated.read(artefact, max_bytes=len(CONTENT)) == CONTENT
    clip.write_bytes(b"later")
    later = await rotated.put(clip, name="b.flac")
    with pytest.raises(EncryptionKeyError, match="the key new, which is not here"):
        await Store.open(url, keyring("old")).read(later, max_bytes=10)


async def test_a_wrong_or_missing_key_is_named_and_nothing_is_deleted(tmp_path: Path, clip: Path) -> None:
    url = (tmp_path / "store").as_uri()
    store = Store.open(url, keyring("a"))
    artefact = await store.put(clip, name="a.flac")
    wrong = read_keyring("a:" + base64.b64encode(b"x" * 32).decode())
    for other, words in ((Store.open(url), "this process has no key"), (Store.open(url, wrong), "does not decrypt")):
        with pytest.raises(EncryptionKeyError, match=words):
            await other.fetch(artefact, tmp_path / "back.flac")
        with pytest.raises(EncryptionKeyError, match=words):
            await other.read(artefact, max_bytes=len(CONTENT))
        with pytest.raises(EncryptionKeyError, match=words):
            _ = [piece async for piece in other.stream(artefact, 0, 10)]
    assert await store.read(artefact, max_bytes=len(CONTENT)) == CONTENT


def cut(stored: bytes) -> bytes:
    return stored[:-100_000]


def cut_between_chunks(stored: bytes) -> bytes:
    return stored[: HEADER_BYTES + 3 * STORED_CHUNK_BYTES]


def cut_in_the_header(stored: bytes) -> bytes:
    return stored[:20]


def change_a_bit(stored: bytes) -> bytes:
    return stored[:5000] + bytes([stored[5000] ^ 1]) + stored[5001:]


def exchange_chunks(stored: bytes) -> bytes:
    header, body = stored[:HEADER_BYTES], stored[HEADER_BYTES:]
    return (
        header
        + body[STORED_CHUNK_BYTES:][:STORED_CHUNK_BYTES]
        + body[:STORED_CHUNK_BYTES]
        + body[2 * STORED_CHUNK_BYTES :]
    )


@pytest.mark.parametrize("damage", [cut, cut_between_chunks, cut_in_the_header, change_a_bit, exchange_chunks])
async def test_a_damaged_file_is_noticed_and_made_again(
    tmp_path: Path, clip: Path, damage: Callable[[bytes], bytes]
) -> None:
    url = (tmp_path / "store").as_uri()
    store = Store.open(url, keyring("a"))
    artefact = await store.put(clip, name="a.flac")
    path = tmp_path / "store" / "encrypted" / artefact.digest[:2] / artefact.digest
    stored = path.read_bytes()
    for ask in (
        lambda: store.fetch(artefact, tmp_path / "back.flac"),
        lambda: Store.open(url, keyring("a")).read(artefact, max_bytes=len(CONTENT)),
    ):
        path.write_bytes(damage(stored))
        with pytest.raises(DamagedFileError):
            await ask()
        assert not await store.has_digest(artefact.digest)
    path.write_bytes(damage(stored))
    await store.put(clip, name="a.flac")
    assert await store.read(artefact, max_bytes=len(CONTENT)) == CONTENT


async def test_what_no_key_decrypts_any_more_is_put_again(tmp_path: Path, clip: Path) -> None:
    lost = Store.open((tmp_path / "store").as_uri(), keyring("lost"))
    for content in (CONTENT, b""):
        clip.write_bytes(content)
        artefact = await lost.put(clip, name="a.flac")
        store = Store.open((tmp_path / "store").as_uri(), keyring("new"))
        await store.put(clip, name="a.flac")
        assert (await store.fetch(artefact, tmp_path / "back.flac")).read_bytes() == content


async def test_what_is_encrypted_is_deleted_without_a_key_too(tmp_path: Path, clip: Path) -> None:
    url = (tmp_path / "store").as_uri()
    artefact = await Store.open(url, keyring("a")).put(clip, name="a.flac")
    await Store.open(url).delete(artefact.digest)
    assert bytes_in(tmp_path / "store") == b""


async def test_a_job_of_kept_stages_that_cannot_be_read_keeps_all_its_files(tmp_path: Path, clip: Path) -> None:
    url = (tmp_path / "store").as_uri()
    encrypted = Store.open(url, keyring("a"))
    artefact = await encrypted.put(clip, name="a.flac")
    entry = StageResult(output={}, artefacts={"a.flac": artefact}, engine_seconds=1.0)
    await encrypted.references.add("0" * 64, [artefact.digest])
    await encrypted.put_cache_entry("0" * 64, encode(entry))
    await encrypted.references.add_for_job("job", ["0" * 64])
    with pytest.raises(EncryptionKeyError, match="this process has no key"):
        await Store.open(url).release_job("job", nowhere)
    assert await encrypted.references.of_job("job") == ["0" * 64]
    await encrypted.release_job("job", nowhere)
    assert bytes_in(tmp_path / "store") == b""


async def nowhere(_: str) -> bool:
    """What is referred to outside of the store: nothing."""
    return False


async def test_slow_readers_hold_little_memory_and_get_small_pieces(tmp_path: Path, clip: Path) -> None:
    store = Store.open((tmp_path / "store").as_uri(), keyring("a"))
    artefact = await store.put(clip, name="a.flac")
    async with aclosing(store.stream(artefact, 0, artefact.size)) as pieces:
        assert max([len(piece) async for piece in pieces]) == STREAM_CHUNK_BYTES
    async with aclosing(
        EncryptedFiles(store._remote, keyring("a")).stream(artefact.digest, artefact.size, 0, artefact.size)
    ) as pieces:
        assert max([len(piece) async for piece in pieces]) == 1024 * 1024


async def test_a_file_that_was_put_again_by_another_process_is_read(tmp_path: Path, clip: Path) -> None:
    url = (tmp_path / "store").as_uri()
    one, other = Store.open(url, keyring("a")), Store.open(url, keyring("a"))
    artefact = await one.put(clip, name="a.flac")
    assert b"".join([piece async for piece in one.stream(artefact, 0, 10)]) == CONTENT[:10]
    await other.delete(artefact.digest)
    await other.put(clip, name="a.flac")
    assert b"".join([piece async for piece in one.stream(artefact, 0, 10)]) == CONTENT[:10]


@pytest.mark.parametrize("setting", ["a", "a:???", "a:c2hvcnQ=", "a b:" + "A" * 44, "/no/such/file"])
def test_keys_that_are_none_are_named_and_not_shown(setting: str) -> None:
    with pytest.raises(EncryptionKeyError) as refused:
        read_keyring(setting)
    assert "STEMCORD_ENCRYPTION_KEYS" in refused.value.hint
    assert "c2hvcnQ" not in str(refused.value)


def test_the_doctor_says_whether_it_is_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMCORD_HOME", str(tmp_path))
    assert check_encryption(WorkerSettings()).detail.startswith("off")
    keys = tmp_path / "keys"
    keys.write_text(f"new:{base64.b64encode(b'k' * 32).decode()}\nold:{base64.b64encode(b'o' * 32).decode()}\n")
    monkeypatch.setenv("STEMCORD_ENCRYPTION_KEYS", str(keys))
    assert check_encryption(WorkerSettings()).detail == (
        "on: the store and a database in a file are encrypted with the key new, 1 older keys still decrypt"
    )
    keys.write_text("nonsense")
    assert check_encryption(WorkerSettings()).status == "missing"
    assert "nonsense" not in repr(WorkerSettings())
