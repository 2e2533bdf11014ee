"""A stage whose weights a person replaced is done anew; its result is kept for those weights alone."""

import asyncio
import hashlib
from pathlib import Path

from tests.worker.conftest import System
from tests.worker.toys import TOYS, ToyInputs, ToyParams
from worker.engine.supervisor import EngineSupervisor
from worker.jobs.scratch import Scratch
from worker.jobs.stage_cache import StageCache, StageCall, cache_key
from worker.jobs.stage_runner import StageRunner

PARAMS = ToyParams(stage="first", model="htdemucs")


async def test_exchanged_weights_do_not_give_the_old_result(system: System, tmp_path: Path) -> None:
    plan = (await system.job()).source
    home, scratch = tmp_path / "own", Scratch(tmp_path / "scratch")
    own = home / "checkpoints" / "htdemucs-12345678.th"
    own.parent.mkdir(parents=True)
    engine = EngineSupervisor(home)
    runner = StageRunner(
        stage_cache=StageCache(store=system.store, engine=engine, scratch=scratch),
        queue=system.queue,
        publish=lambda progress: None,
        cancelled=asyncio.Event(),
        job_id="job",
    )
    reused: list[bool] = []
    try:
        for weights in (None, b"one", b"one", b"two", b"one", None):
            own.unlink(missing_ok=True)
            if weights is not None:
                own.write_bytes(weights)
            reused.append((await runner(TOYS["first"], ToyInputs(plan=plan), PARAMS)).reused)
    finally:
        await engine.close()
        scratch.close()
    assert reused == [False, False, True, False, True, True]
    assert system.runs("first") == 3


async def test_only_a_model_of_the_parameters_counts(system: System, tmp_path: Path) -> None:
    own = tmp_path / "checkpoints" / "htdemucs-12345678.th"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"one")
    scratch = Scratch(tmp_path / "scratch")
    cache = StageCache(store=system.store, engine=EngineSupervisor(tmp_path), scratch=scratch)
    line = f"{own.name} {hashlib.sha256(b'one').hexdigest()}\n"
    assert await cache.own_weights("htdemucs") == hashlib.sha256(line.encode()).hexdigest()
    for model in (None, "htdemucs_ft", "../htdemucs"):
        assert await cache.own_weights(model) == ""
    scratch.close()


def test_keys_tell_own_weights_apart() -> None:
    call = StageCall(stage=TOYS["first"], inputs={}, params={"model": "htdemucs"})
    keys = {cache_key(call, own_weights=own) for own in ("", "1" * 64, "2" * 64)}
    assert len(keys) == 3
