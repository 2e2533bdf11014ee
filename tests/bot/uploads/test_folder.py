"""Unfinished uploads on disk."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import pytest

from bot.database.deletion import DataDeletion
from bot.exceptions import PageError, RefusedError
from bot.uploads.expiry import expire_uploads
from bot.uploads.folder import IDLE_S, UploadFolder
from bot.uploads.rate import MinimumRate
from bot.uploads.records import UploadInfo, with_outcome

IDS = [f"{number:032x}" for number in range(1, 30)]
DAY_S = 86400.0
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def folder(tmp_path: Path) -> UploadFolder:
    return UploadFolder(tmp_path / "uploads", max_size=1000)


def upload(user_id: str = "7", *, length: int = 10, name: str = "film.mp4") -> UploadInfo:
    return UploadInfo(name=name, length=length, user_id=user_id, expires=time.time() + DAY_S)


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for each in data:
        yield each


async def test_two_unfinished_uploads_a_person(folder: UploadFolder) -> None:
    for upload_id in IDS[:2]:
        await folder.create(upload_id, upload())
    with pytest.raises(RefusedError) as refused:
        await folder.create(IDS[2], upload())
    assert refused.value.key == "uploads-own"
    await folder.create(IDS[0], upload(name="other.mp4"))
    await folder.create(IDS[2], upload("8"))
    await folder.finish(IDS[1], with_outcome(upload(), ""))
    await folder.create(IDS[3], upload())


async def test_what_others_announced_is_not_free(folder: UploadFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 50))
    await folder.create(IDS[0], upload(length=20))
    with pytest.raises(RefusedError) as refused:
        await folder.create(IDS[1], upload("8", length=6))
    assert refused.value.key == "uploads-many"
    await folder.create(IDS[1], upload("8", length=5))


async def test_a_used_link_stays_used_until_it_ends(folder: UploadFolder) -> None:
    info = upload()
    await folder.create(IDS[0], info)
    await folder.finish(IDS[0], with_outcome(info, ""))
    await folder.remove(IDS[0])
    folder.remove_expired(time.time() + 2 * IDLE_S)
    known = await folder.info(IDS[0])
    assert known is not None
    assert known.done
    folder.remove_expired(info.expires + 1)
    assert await folder.info(IDS[0]) is None


async def test_what_is_over_goes_every_hour(folder: UploadFolder, tmp_path: Path) -> None:
    for number, upload_id in enumerate(IDS[:3]):
        await folder.create(upload_id, upload(str(number)))
    for upload_id in IDS[:2]:
        os.utime(folder.path(upload_id), (0, time.time() - IDLE_S - 1))
    with folder.hold(IDS[1]):
        async with expire_uploads(folder, interval_s=0.01), asyncio.timeout(5):
            while (tmp_path / "uploads" / IDS[0]).exists():
                await asyncio.sleep(0.01)
        assert await folder.info(IDS[1]) is not None, "bytes are coming"
    assert await folder.info(IDS[2]) is not None


async def test_one_writer_at_a_time(folder: UploadFolder) -> None:
    with folder.hold(IDS[0], "upload-submitting"):
        with pytest.raises(PageError) as refused, folder.hold(IDS[0]):
            pass
        assert (refused.value.status, refused.value.key) == (423, "upload-submitting")
        with folder.hold(IDS[1]):
            pass
    with folder.hold(IDS[0]):
        pass


HOLDER = """
import sys
from pathlib import Path
from bot.uploads.folder import UploadFolder
with UploadFolder(Path(sys.argv[1]), max_size=1).hold("a1"):
    print(flush=True)
    sys.stdin.read()
"""


@pytest.mark.integration
async def test_another_process_that_takes_over_waits_too(folder: UploadFolder, tmp_path: Path) -> None:
    command = (sys.executable, "-c", HOLDER, str(tmp_path / "uploads"))
    other = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert await asyncio.wait_for(other.stdout.readline(), 20) == b"\n"
    with pytest.raises(PageError) as locked, folder.hold("a1"):
        pass
    assert locked.value.status == HTTPStatus.LOCKED
    with folder.hold("b2"):
        pass
    # Also one that was killed gives it back.
    other.kill()
    await other.wait()
    with folder.hold("a1"):
        pass


async def test_a_person_is_forgotten_while_bytes_come(tmp_path: Path) -> None:
    folder = UploadFolder(tmp_path, max_size=100)
    await folder.create(IDS[0], upload("7", name="secret.mp4"))
    await folder.create(IDS[1], upload("8"))

    async def forgotten_between() -> AsyncIterator[bytes]:
        yield b"12345"
        await folder.remove_person("7")
        yield b"67890"

    with pytest.raises(PageError) as refused:
        await folder.append(IDS[0], upload(), 0, forgotten_between())
    assert refused.value.status == 410
    await folder.finish(IDS[0], with_outcome(upload(name="secret.mp4"), ""))
    kept = b"".join(path.read_bytes() for path in (tmp_path / IDS[0]).iterdir())
    assert b"secret" not in kept
    assert await folder.export_person("7") == []
    known = await folder.info(IDS[0])
    assert known is not None
    assert known.done, "or the link could be used again"
    assert [each["name"] for each in await folder.export_person("8")] == ["film.mp4"]


async def test_a_trickle_is_cut_and_can_go_on(tmp_path: Path) -> None:
    now = [0.0]
    folder = UploadFolder(tmp_path, max_size=100, rate=lambda: MinimumRate(1.0, 30.0, lambda: now[0]))
    info = upload(length=100)
    await folder.create(IDS[0], info)

    async def trickle() -> AsyncIterator[bytes]:
        for _ in range(50):
            now[0] += 2.0
            yield b"x"

    with pytest.raises(PageError) as refused:
        await folder.append(IDS[0], info, 0, trickle())
    assert (refused.value.status, refused.value.key) == (408, "upload-slow")
    assert await folder.offset(IDS[0]) == 15
    assert await folder.append(IDS[0], info, 15, pieces(b"x" * 85)) == 100


def test_a_fast_start_pays_for_nothing_later() -> None:
    now = [0.0]
    rate = MinimumRate(10.0, 30.0, lambda: now[0])
    rate.add(100_000)
    now[0] = 30.0
    rate.add(1)
    now[0] = 59.0
    rate.add(1)
    now[0] = 61.0
    with pytest.raises(TimeoutError):
        rate.add(1)


async def test_deletion_of_a_person_reaches_uploads(folder: UploadFolder) -> None:
    await folder.create(IDS[0], upload())
    # Neither the database nor the store is asked for uploads.
    deletion = DataDeletion(None, None, uploads=folder)  # type: ignore[arg-type]
    assert await deletion.delete_person_uploads("7") == 1
    assert not folder.path(IDS[0]).exists()
