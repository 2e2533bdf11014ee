import asyncio
import sys
import threading

import pytest

from worker.engine import process_group
from worker.engine.process_group import kill_group, kill_overgrown_group


async def test_a_group_is_watched_off_the_loop_and_only_while_it_has_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process_group, "CHECK_INTERVAL_S", 0.05)
    counted_in = set[int]()
    count = process_group.count_group

    def count_and_note(pid: int) -> int:
        counted_in.add(threading.get_ident())
        return count(pid)

    monkeypatch.setattr(process_group, "count_group", count_and_note)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "import time; time.sleep(60)"), start_new_session=True
    )
    watching = asyncio.create_task(kill_overgrown_group(process.pid))
    await asyncio.sleep(0.3)
    assert not watching.done()
    kill_group(process.pid)
    await process.wait()
    assert await asyncio.wait_for(watching, 5) is False
    assert counted_in
    assert threading.get_ident() not in counted_in


async def test_a_group_with_too_many_processes_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_group, "CHECK_INTERVAL_S", 0.05)
    monkeypatch.setattr(process_group, "MAX_PROCESSES", 2)
    process = await asyncio.create_subprocess_exec(*("sh", "-c", "sleep 60 & sleep 60 & wait"), start_new_session=True)
    assert await asyncio.wait_for(kill_overgrown_group(process.pid), 10) is True
    assert await process.wait() == -9
