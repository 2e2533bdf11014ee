import os
from pathlib import Path

import pytest

from worker.queue import worker_name
from worker.queue.worker_name import new_worker_name, process_has_ended

ENDED_PID = 2**22 + 1
"""Beyond the highest process id of Linux."""


def name_of(pid: int) -> str:
    """The name of a worker of this machine with that process."""
    return f"{new_worker_name().rsplit('-', 2)[0]}-{pid}-abcdef"


def test_a_worker_of_this_machine_lives_as_long_as_its_process() -> None:
    assert not process_has_ended(new_worker_name())
    assert not process_has_ended(name_of(os.getppid()))
    assert process_has_ended(name_of(ENDED_PID))
    assert not process_has_ended(f"elsewhere-1-1-{ENDED_PID}-abcdef"), "nobody here knows the processes of others"


def test_a_process_of_before_a_reboot_says_nothing_about_a_worker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    alive, ended = name_of(os.getpid()), name_of(ENDED_PID)
    (tmp_path / "boot_id").write_text("00000000-1111-4222-8333-444444444444\n")
    monkeypatch.setattr(worker_name, "BOOT_ID_FILE", tmp_path / "boot_id")
    worker_name.machine.cache_clear()
    try:
        assert not process_has_ended(ended), "it may be of another machine of the same name"
        assert new_worker_name().rsplit("-", 2)[0] != alive.rsplit("-", 2)[0]
        assert process_has_ended(name_of(ENDED_PID))
    finally:
        monkeypatch.undo()
        worker_name.machine.cache_clear()
