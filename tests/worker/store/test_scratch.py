from pathlib import Path

from tests.worker.conftest import System
from worker.store.scratch import Scratch


async def test_scratch_room_is_cleared(system: System) -> None:
    await system.start()
    for how in ("ok", "refuse", "be killed"):
        job = await system.job(first=how, options={"prefetch": True})
        await system.queue.submit(job)
        if how != "be killed":
            await system.events(job)
    await system.wait_for_run("first", 3)
    await system.stop()
    assert list((system.settings.home / "scratch").iterdir()) == []


def test_scratch_of_a_killed_worker_is_cleared_by_the_next(tmp_path: Path) -> None:
    left = tmp_path / "worker-left"
    left.mkdir()
    (left / ".lock").touch()
    (left / "large.wav").touch()
    living = Scratch(tmp_path)
    assert not left.exists()
    with living.folder() as folder:
        other = Scratch(tmp_path)
        assert folder.exists(), "a living worker keeps its room"
        other.close()
    living.close()
    assert list(tmp_path.iterdir()) == []
