"""A stage in a real engine attacks; the system lets it have nothing."""

import asyncio
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.errors import EngineDiedError
from tests.worker.toy_stages import TOYS, ignore_progress
from worker.engine.confinement.landlock import SCOPE_VERSION, has_landlock, landlock_version
from worker.engine.confinement.memory import cgroup_limits, memory_bytes, reader_memory_bytes
from worker.engine.confinement.policy import shortfalls
from worker.engine.confinement.seccomp import ARCHITECTURES, build_filter, has_seccomp
from worker.engine.environment import child_environment, select_variables
from worker.engine.process_group import count_group
from worker.engine.supervisor import EngineSupervisor

ATTACK = dataclasses.replace(TOYS["first"], function="tests.worker.engine.hostile_stages:attack")
REFUSED = "PermissionError"


@pytest.fixture(params=["warm", "forking"])
async def engine(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    for name in ("home/checkpoints", "scratch/out"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "home/bot.sqlite").write_text("the names of all people")
    (tmp_path / "home/checkpoints/weights.th").write_text("weights")
    forking = request.param == "forking"
    engine = EngineSupervisor(tmp_path / "home", "cpu", scratch=tmp_path / "scratch", forking=forking)
    yield engine
    await engine.close()


async def run_attack(engine: EngineSupervisor, home: Path, **plan: Any) -> dict[str, Any]:
    scratch = home.parent / "scratch"
    source = scratch / "plan.json"
    files = {"secret": str(home / "bot.sqlite"), "weights": str(home / "checkpoints/weights.th")}
    source.write_text(json.dumps(files | {"worker": os.getpid()} | plan))
    await engine.run_stage(
        *(ATTACK, {"plan": source}, {"stage": "first"}, scratch / "out"),
        *(ignore_progress, asyncio.Event(), 30.0),
    )
    return json.loads((scratch / "out/found.json").read_text())


async def test_a_hostile_stage_gets_nothing(engine: EngineSupervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISCORD_TOKEN", "STEMCORD_PAGE_SECRET", "AWS_SECRET_ACCESS_KEY", "STEMCORD_DATABASE_URL"):
        monkeypatch.setenv(name, "secret")
    found = await run_attack(engine, engine.home)
    assert "secret" not in found["environment"].values()
    assert found["environment"]["HOME"].startswith(str(engine.home))
    assert found["weights"] == "weights"
    assert found["a huge list"] == "MemoryError"
    assert found["a huge file"] == "OSError"
    if has_seccomp():
        assert found["internet socket"] == found["local socket"] == found["leave the process group"] == REFUSED
        assert "Operation not permitted" in found["ffmpeg opens a connection"]
        assert found["empty a foreign file"] == found["empty a file that is only read"] == REFUSED
        assert found["change rights"] == found["change rights of what can be read"] == REFUSED
        assert found["change rights of an open file"] == found["change an owner"] == found["label a file"] == REFUSED
    if has_landlock():
        assert found["read a foreign file"] == found["write a foreign file"] == REFUSED
        assert found["link in scratch"] == found["link among models"] == REFUSED
        assert found["list a foreign folder"] == found["write weights"] == REFUSED
        assert found["read the worker's environment"] == REFUSED
        assert "Permission denied" in found["ffmpeg reads a foreign file"]
    if landlock_version() >= SCOPE_VERSION:
        assert found["signal the worker"] == REFUSED


async def test_a_fork_bomb_ends_with_the_engine(engine: EngineSupervisor) -> None:
    await engine.start()
    group = engine.pid
    assert group is not None
    started = time.monotonic()
    with pytest.raises(EngineDiedError, match="processes"):
        await run_attack(engine, engine.home, bomb=True)
    assert time.monotonic() - started < 30
    async with asyncio.timeout(20):
        while count_group(group) > sum(_is_zombie(pid) for pid in psutil.pids()):
            await asyncio.sleep(0.05)
    assert (await run_attack(engine, engine.home))["weights"] == "weights"


def test_tuning_is_passed_on_and_nothing_else() -> None:
    environment = {"OMP_NUM_THREADS": "2", "CUDA_VISIBLE_DEVICES": "0", "LC_ALL": "C", "PATH": "/bin"}
    secrets = {"HF_TOKEN": "x", "STEMCORD_REDIS_URL": "x", "GITHUB_TOKEN": "x", "HOME": "/root", "AWS_PROFILE": "x"}
    assert select_variables(environment | secrets) == environment


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_jumps_of_the_filter_stay_inside_it(machine: str) -> None:
    program = build_filter(machine)
    jumps = [place + 1 + max(yes, no) for place, (_, yes, no, _) in enumerate(program) if yes or no]
    assert jumps
    assert max(jumps) < len(program)


def test_what_cannot_be_had_is_named() -> None:
    named = " ".join(shortfalls())
    assert ("Landlock" in named) == (not has_landlock())
    assert ("seccomp" in named) == (not has_seccomp())
    assert ("root" in named) == (os.geteuid() == 0)


@pytest.mark.parametrize(
    ("version", "filters", "named"),
    [
        (1, True, ["no Landlock"]),
        (2, True, ["signal other processes"]),
        (2, False, ["signal other processes", "and empty them"]),
        (5, False, ["signal other processes", "change the rights of files"]),
        (6, True, []),
    ],
)
def test_what_an_old_kernel_lacks_is_named(
    version: int, filters: bool, named: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.engine.confinement.policy.landlock_version", lambda: version)
    monkeypatch.setattr("worker.engine.confinement.policy.has_landlock", lambda: version >= 2)
    monkeypatch.setattr("worker.engine.confinement.policy.has_seccomp", lambda: filters)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    found = shortfalls()
    assert len(found) == len(named)
    assert all(part in one for part, one in zip(named, found, strict=True))


@pytest.mark.parametrize("version", [1, 2])
def test_files_move_between_folders_whatever_the_kernel(tmp_path: Path, version: int) -> None:
    run_confined(
        tmp_path,
        """
        for folder in ("draft", "final"):
            (scratch / folder).mkdir()
        (scratch / "draft" / "a").touch()
        (scratch / "draft" / "a").rename(scratch / "final" / "a")
        assert not refused, refused
        """,
        f"landlock.landlock_version = lambda: {min(version, landlock_version())}",
    )


def test_linked_weights_and_an_ffmpeg_of_one_s_own_can_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("disk/folder", "opt/bin", "opt/lib", "home/checkpoints", "home/models", "programs"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("disk/big.ckpt", "disk/folder/part.bin", "opt/lib/libof.so"):
        (tmp_path / name).write_text("content")
    (tmp_path / "home/checkpoints/big.ckpt").symlink_to(tmp_path / "disk/big.ckpt")
    (tmp_path / "home/models/folder").symlink_to(tmp_path / "disk/folder")
    shutil.copy("/bin/true", tmp_path / "opt/bin/ffmpeg")
    (tmp_path / "programs/ffmpeg").symlink_to(tmp_path / "opt/bin/ffmpeg")
    for name, value in (("PATH", str(tmp_path / "programs")), ("IMAGEIO_FFMPEG_EXE", str(tmp_path / "opt/bin/ffmpeg"))):
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            shutil.rmtree(tmp_path / "scratch", ignore_errors=True)
            run_confined(
                tmp_path,
                f"""
                import subprocess
                for name in ("checkpoints/big.ckpt", "models/folder/part.bin", "../opt/lib/libof.so"):
                    assert (home / name).read_text() == "content"
                subprocess.run({str(tmp_path / "opt/bin/ffmpeg")!r}, check=True)
                """,
            )


def test_what_others_of_the_account_run_does_not_count(tmp_path: Path) -> None:
    # The kernel counts them over all containers, where this process cannot see them.
    run_confined(
        tmp_path,
        "assert resource.getrlimit(resource.RLIMIT_NPROC) == before",
        """
        import os, resource
        if os.getuid() == 0:
            os.setresuid(12345, 0, 0)  # root is exempt from such a limit
        before = resource.getrlimit(resource.RLIMIT_NPROC)
        """,
    )


def test_nothing_is_emptied_and_no_rights_change_on_a_kernel_without_such_rules(tmp_path: Path) -> None:
    (tmp_path / "home/checkpoints").mkdir(parents=True)
    weights = tmp_path / "home/checkpoints/weights.th"
    weights.write_text("weights")
    run_confined(
        tmp_path,
        """
        import os, subprocess
        def is_refused(action):
            try:
                action()
            except PermissionError:
                return True
            return False
        weights = home / "checkpoints/weights.th"
        assert is_refused(lambda: os.truncate(weights, 0))
        assert is_refused(lambda: os.open(weights, os.O_RDONLY | os.O_TRUNC))
        assert is_refused(lambda: weights.chmod(0o666))
        (scratch / "made").write_text("made")
        with (scratch / "made").open("r+") as made:
            made.truncate(1)
        subprocess.run(["true"], check=True)
        """,
        f"landlock.landlock_version = lambda: {min(2, landlock_version())}",
    )
    assert weights.read_text() == "weights"


def test_a_long_clip_may_take_processor_time(tmp_path: Path) -> None:
    run_confined(
        tmp_path,
        "assert resource.getrlimit(resource.RLIMIT_CPU) == before",
        "import resource\nbefore = resource.getrlimit(resource.RLIMIT_CPU)",
    )


def test_memory_is_that_of_the_own_group(tmp_path: Path) -> None:
    root, listed = tmp_path / "cgroup", tmp_path / "listed"
    for group, limit in (("", "max"), ("outer", "3000"), ("outer/inner", "2000"), ("memory/old", "1000")):
        (root / group).mkdir(parents=True, exist_ok=True)
        name = "memory.limit_in_bytes" if "old" in group else "memory.max"
        (root / group / name).write_text(f"{limit}\n")
    for line, expected in (
        ("0::/outer/inner", [2000, 3000]),
        ("0::/", []),
        ("0::/gone", []),
        ("4:memory:/old\n3:cpu:/outer", [1000]),
    ):
        listed.write_text(f"{line}\n")
        assert list(cgroup_limits(root, listed)) == expected
    assert list(cgroup_limits(root, tmp_path / "none")) == []
    assert 0 < memory_bytes() <= psutil.virtual_memory().total + psutil.swap_memory().total


def test_who_reads_strangers_files_has_little_memory_and_so_have_its_programs(tmp_path: Path) -> None:
    assert reader_memory_bytes() <= memory_bytes()
    run_confined(
        tmp_path,
        f"""
        import subprocess, sys
        def is_refused(size):
            try:
                bytearray(size)
            except MemoryError:
                return True
            return False
        limit = {reader_memory_bytes()}
        assert is_refused(limit) and not is_refused(limit // 4)
        made = subprocess.run([sys.executable, "-c", f"bytearray({{limit}})"], capture_output=True, text=True)
        assert "MemoryError" in made.stderr, made
        """,
        reads_strangers=True,
    )


def test_a_limit_that_cannot_be_set_is_told(tmp_path: Path) -> None:
    run_confined(
        tmp_path,
        "assert refused == ['limits: no memory is known'], refused",
        """
        def unknown():
            raise OSError("no memory is known")
        policy.memory_bytes = unknown
        """,
    )


async def test_what_the_system_refuses_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "from worker.engine.confinement import policy\n"
        "def unknown(): raise OSError('no memory is known')\n"
        "policy.memory_bytes = unknown\n"
    )
    environment = child_environment()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), environment["PYTHONPATH"]]))
        engine = EngineSupervisor(tmp_path / "home", "cpu", scratch=tmp_path)
        await engine.start()
    async with asyncio.timeout(20):
        said = ""
        while "less confined: limits: no memory is known" not in said:
            await asyncio.sleep(0.1)
            said += "".join(capsys.readouterr())
    assert "warning" in said
    await engine.close()


def run_confined(folder: Path, inside: str, before: str = "", *, reads_strangers: bool = False) -> None:
    """Run lines in a process that confines itself first."""
    source = f"""
from pathlib import Path
from worker.engine.confinement import landlock, policy
home, scratch = Path({str(folder / "home")!r}), Path({str(folder / "scratch")!r})
scratch.mkdir()
{textwrap.dedent(before)}
refused = policy.confine(home, scratch, "cpu", reads_strangers={reads_strangers})
{textwrap.dedent(inside)}
"""
    made = subprocess.run([sys.executable, "-c", source], check=False, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr


def _is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
