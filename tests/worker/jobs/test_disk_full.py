"""Disks that are really full."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.errors import DiskFullError
from tests.worker.conftest import System
from worker.app import WorkerApp
from worker.protocol import Failed, Finished


@pytest.fixture(autouse=True)
def no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.jobs.attempts.RETRY_DELAY_S", 0.1)


@pytest.fixture
def mount_scratch(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Gives the folder for temporary files a small disk of its own."""
    folder = tmp_path / "scratch"
    folder.mkdir()

    def mount(options: str) -> Path:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False)
        if mounted.returncode:
            pytest.skip("only root can mount a disk")
        return folder

    yield mount
    if folder.is_mount():
        subprocess.run(["umount", "-l", folder], check=True)


async def failure_of(system: System, how: str) -> str:
    job = await system.job(first=how)
    await system.queue.submit(job)
    last = (await system.events(job))[-1]
    assert isinstance(last, Failed)
    return last.failure.message


async def test_a_stage_that_meets_a_full_disk_says_so(system: System) -> None:
    await system.start()
    assert "The disk of the worker is full." in await failure_of(system, "write to a full disk")


@pytest.mark.parametrize("how", ["fill the disk", "map more than fits"])
async def test_a_full_scratch_folder_is_told(mount_scratch: Callable[[str], Path], system: System, how: str) -> None:
    mount_scratch("size=3m")
    await system.start()
    assert "The disk of the worker is full." in await failure_of(system, how)
    after = await system.job("after.json")
    await system.queue.submit(after)
    assert isinstance((await system.events(after))[-1], Finished), "there is room again"


async def test_a_disk_that_others_fill_is_told(mount_scratch: Callable[[str], Path], system: System) -> None:
    folder = mount_scratch("size=3m")
    await system.start()
    fill = ["dd", "if=/dev/zero", f"of={folder / 'others'}", "bs=4k"]
    assert subprocess.run(fill, check=False, capture_output=True).returncode == 1
    message = await failure_of(system, "ok")
    assert "disk" in message
    assert "full" in message


async def test_a_worker_that_cannot_begin_for_lack_of_room_says_so(
    mount_scratch: Callable[[str], Path], system: System
) -> None:
    folder = mount_scratch("size=3m,nr_inodes=2")
    with pytest.raises(DiskFullError, match="full"):
        await WorkerApp(kind="media", settings=system.settings).serve()
    assert list(folder.iterdir()) == []
