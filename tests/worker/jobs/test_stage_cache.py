import asyncio
import base64
import dataclasses
import hashlib
import json
from pathlib import Path

from pipeline.types import Artefact
from tests.worker.conftest import System
from tests.worker.store.test_artefact_store import flip
from tests.worker.toy_stages import TOYS, ToyInputs, ToyParams
from worker.engine.supervisor import EngineSupervisor
from worker.jobs.stage_cache import StageCache, StageCall, cache_key, output_files
from worker.jobs.stage_runner import StageRunner
from worker.protocol import Finished, StageResult, encode
from worker.store import Store, read_keyring
from worker.store.scratch import Scratch

PARAMS = ToyParams(stage="first", model="htdemucs")


async def test_exchanged_weights_do_not_give_the_old_result(system: System, tmp_path: Path) -> None:
    plan = (await system.job()).source
    home, scratch = tmp_path / "own", Scratch(tmp_path / "scratch")
    own = home / "checkpoints" / "htdemucs-12345678.th"
    own.parent.mkdir(parents=True)
    # As if the weights were unpacked: no hub is asked for them.
    (home / "models" / "htdemucs-0").mkdir(parents=True)
    engine = EngineSupervisor(home, scratch=tmp_path)
    runner = StageRunner(
        stage_cache=StageCache(store=system.store, engine=engine, scratch=scratch),
        queue=system.queue,
        publish=lambda progress, given=0.0: None,
        cancelled=asyncio.Event(),
        job_id="job",
        worker="one",
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


def test_links_are_no_output(tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    out = tmp_path / "out"
    out.mkdir()
    (out / "made").touch()
    (out / "linked").symlink_to(tmp_path / "secret")
    assert output_files(out) == [out / "made"]


async def test_only_a_model_of_the_parameters_counts(system: System, tmp_path: Path) -> None:
    own = tmp_path / "checkpoints" / "htdemucs-12345678.th"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"one")
    scratch = Scratch(tmp_path / "scratch")
    cache = StageCache(store=system.store, engine=EngineSupervisor(tmp_path, scratch=scratch.root), scratch=scratch)
    line = f"{own.name} {hashlib.sha256(b'one').hexdigest()}\n"
    assert await cache.own_weights("htdemucs") == hashlib.sha256(line.encode()).hexdigest()
    for model in (None, "htdemucs_ft", "../htdemucs"):
        assert await cache.own_weights(model) == ""
    scratch.close()


def test_keys_tell_own_weights_apart() -> None:
    call = StageCall(stage=TOYS["first"], inputs={}, params={"model": "htdemucs"})
    keys = {cache_key(call, own_weights=own) for own in ("", "1" * 64, "2" * 64)}
    assert len(keys) == 3


async def test_a_stage_is_done_once(system: System) -> None:
    await system.start()
    for name in ("a.json", "b.json"):
        job = await system.job(name)
        await system.queue.submit(job)
        last = (await system.events(job))[-1]
        assert isinstance(last, Finished)
        assert [timing.reused for timing in last.result.timings] == [name == "b.json"] * 2
    assert (system.runs("first"), system.runs("second")) == (1, 1)


async def test_what_no_key_decrypts_is_made_again(tmp_path: Path) -> None:
    scratch, engine = Scratch(tmp_path / "scratch"), EngineSupervisor(tmp_path, scratch=tmp_path)
    url, entry = (tmp_path / "store").as_uri(), encode(StageResult(output={}, artefacts={}, engine_seconds=1.0))
    await Store.open(url, read_keyring("lost:" + base64.b64encode(b"l" * 32).decode())).put_cache_entry("0" * 64, entry)
    for keys in (read_keyring("new:" + base64.b64encode(b"n" * 32).decode()), None):
        cache = StageCache(store=Store.open(url, keys), engine=engine, scratch=scratch)
        assert await cache.get("0" * 64, TOYS["first"]) is None
    scratch.close()


async def test_a_lost_file_is_made_again(system: System) -> None:
    await system.start()
    job = await system.job()
    await system.queue.submit(job)
    last = (await system.events(job))[-1]
    assert isinstance(last, Finished)
    digest = last.result.artefacts[0].digest
    (system.settings.home / "store/blobs" / digest[:2] / digest).unlink()
    again = await system.job()
    await system.queue.submit(again)
    assert isinstance((await system.events(again))[-1], Finished)
    assert await system.store.has_digest(digest)


async def test_a_damaged_file_is_made_again(system: System) -> None:
    await system.start()
    job = await system.job()
    await system.queue.submit(job)
    last = (await system.events(job))[-1]
    assert isinstance(last, Finished)
    entries = {path: json.loads(path.read_bytes()) for path in (system.settings.home / "store/stages").iterdir()}
    for path, entry in entries.items():
        digest = next(iter(entry["artefacts"].values()))["digest"]
        if entry["output"]["stage"] == "first":
            flip(system.settings.home / "store/blobs" / digest[:2] / digest)
        else:
            path.unlink()
    again = await system.job()
    await system.queue.submit(again)
    events = await system.events(again)
    assert isinstance(events[-1], Finished)
    assert events[-1].result.artefacts == last.result.artefacts
    assert (system.runs("first"), system.runs("second")) == (2, 2)
    assert json.loads(await system.store.read(last.result.artefacts[0], max_bytes=10_000))["tally"] == str(system.tally)


async def test_equal_work_at_the_same_time_is_done_once(system: System) -> None:
    await system.start()
    jobs = [await system.job("clip.json", first="sleep", seconds=1.0) for _ in range(2)]
    for job in jobs:
        await system.queue.submit(job)
    for job in jobs:
        assert isinstance((await system.events(job))[-1], Finished)
    assert system.runs("first") == 1


def test_keys_depend_on_all_that_matters_and_on_nothing_else() -> None:
    stage = TOYS["first"]
    one = Artefact(name="a.mp4", digest="1" * 64, size=1, media_type="video/mp4")
    call = StageCall(stage=stage, inputs={"source": one}, params={"a": 1, "b": 2})
    key = cache_key(call)
    renamed = dataclasses.replace(one, name="b.mp4")
    same = dataclasses.replace(call, inputs={"source": renamed}, params={"b": 2, "a": 1})
    assert cache_key(same) == key
    others = [
        cache_key(dataclasses.replace(call, stage=dataclasses.replace(stage, version=2))),
        cache_key(dataclasses.replace(call, stage=TOYS["second"])),
        cache_key(dataclasses.replace(call, inputs={"sound": one})),
        cache_key(dataclasses.replace(call, inputs={"source": dataclasses.replace(one, digest="2" * 64)})),
        cache_key(dataclasses.replace(call, params={"a": 1, "b": 3})),
        cache_key(call, salt="job"),
    ]
    assert len({key, *others}) == 7


OLD_ENTRY = {"kind": "performed", "facts": {"pid": 1}, "engine_seconds": 0.1}


async def test_an_entry_that_cannot_be_decoded_is_absent(system: System) -> None:
    await system.start()
    for entry in (None, b"", b"not JSON", json.dumps(OLD_ENTRY).encode()):
        for path in (system.settings.home / "store/stages").glob("*.json"):
            path.write_bytes(entry or b"")
        job = await system.job()
        await system.queue.submit(job)
        assert isinstance((await system.events(job))[-1], Finished)
    assert (system.runs("first"), system.runs("second")) == (4, 4)


async def test_a_result_that_does_not_fit_the_contract_is_absent(system: System, tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "scratch")
    cache = StageCache(store=system.store, engine=EngineSupervisor(tmp_path, scratch=scratch.root), scratch=scratch)
    plan = (await system.job()).source
    fitting = {"plan": {"$file": "first.json"}, "stage": "first", "pid": 1}
    for key, output in (("a" * 64, fitting), ("b" * 64, {"stage": "first"}), ("c" * 64, {**fitting, "pid": "one"})):
        result = StageResult(output=output, artefacts={"first.json": plan}, engine_seconds=0.1)
        await system.store.put_cache_entry(key, encode(result))
    assert await cache.get("a" * 64, TOYS["first"]) is not None
    assert await cache.get("b" * 64, TOYS["first"]) is None
    assert await cache.get("c" * 64, TOYS["first"]) is None
    scratch.close()
