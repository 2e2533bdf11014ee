import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from pipeline.errors import EngineDiedError
from tests.worker.conftest import System
from tests.worker.engine.test_supervisor import EngineUnderTest
from worker.engine.supervisor import EngineSupervisor
from worker.store.scratch import Scratch, remove_abandoned, scratch_for, temporary_files_in


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
    (tmp_path / "worker-notes").mkdir()
    (left / ".lock").touch()
    (left / "large.wav").touch()
    living = Scratch(tmp_path)
    assert not left.exists()
    with living.folder() as folder:
        other = Scratch(tmp_path)
        assert folder.exists(), "a living worker keeps its room"
        other.close()
    living.close()
    assert [path.name for path in tmp_path.iterdir()] == ["worker-notes"], "what is not locked is not ours"


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


async def test_temporary_files_of_a_killed_engine_go_with_the_order(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "scratch")
    engine = EngineSupervisor(tmp_path, "cpu", scratch=scratch.root)
    with scratch.folder() as order:
        tested = EngineUnderTest(engine, order)
        await engine.start()
        killing = subprocess.Popen(
            [sys.executable, "-c", KILL_WHEN_WRITTEN, str(order), str(engine.pid)], stdout=subprocess.DEVNULL
        )
        with pytest.raises(EngineDiedError):
            await tested.perform("leave files", seconds=60)
        assert killing.wait(10) == 0
        assert bytes_in(order) > 2_000_000
        assert {path.name for path in scratch.root.iterdir()} <= {".lock", order.name}
    assert bytes_in(scratch.root) == 0
    await engine.close()
    scratch.close()


KILL_WHEN_WRITTEN = """
import os, pathlib, signal, sys, time
order, engine = pathlib.Path(sys.argv[1]), int(sys.argv[2])
while len(list((order / "temporary").glob("toy-*"))) < 3:
    time.sleep(0.05)
os.kill(engine, signal.SIGKILL)
"""


def test_temporary_files_of_a_killed_process_go_with_the_next_sweep(tmp_path: Path) -> None:
    source = f"""
    import tempfile, time
    from pathlib import Path
    from worker.store.scratch import scratch_for, temporary_files_in
    with scratch_for(Path({str(tmp_path)!r}), "bot-") as scratch, temporary_files_in(scratch):
        file = tempfile.NamedTemporaryFile()
        file.write(bytes(1_000_000))
        file.flush()
        print("written", flush=True)
        time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(source)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        remove_abandoned(tmp_path / "scratch")
        assert bytes_in(tmp_path / "scratch") >= 1_000_000, "it still lives"
        process.kill()
    remove_abandoned(tmp_path / "scratch")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_temporary_files_lie_where_they_are_told(tmp_path: Path) -> None:
    before = tempfile.gettempdir()
    with temporary_files_in(tmp_path), tempfile.NamedTemporaryFile() as file:
        assert Path(file.name).parent == tmp_path
        assert os.environ["TMPDIR"] == str(tmp_path)
    assert tempfile.gettempdir() == before


def test_where_commands_look_for_each_other_stays_the_same(tmp_path: Path) -> None:
    # The socket of the broker of a home with a long path is in the system's folder.
    before = tempfile.gettempdir()
    with scratch_for(tmp_path, "command-"):
        assert tempfile.gettempdir() == before


def test_a_home_that_cannot_be_written_needs_no_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with scratch_for(Path("/dev/null/home"), "bot-") as folder:
        assert folder.is_relative_to(tmp_path)
    assert not folder.exists()


def test_a_folder_of_a_person_is_cleared_of_nothing_else(tmp_path: Path) -> None:
    for name in (".stemcord-killed", "worker-notes", "mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".lock").touch()
    Scratch(tmp_path, ".stemcord-").close()
    assert {path.name for path in tmp_path.iterdir()} == {"worker-notes", "mine"}
