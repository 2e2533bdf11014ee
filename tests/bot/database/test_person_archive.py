"""The zip with everything about a person: each file is in it, and only a few are made at a time."""

import asyncio
import zipfile
from pathlib import Path

from bot.database.person_archive import MAX_AT_ONCE, PersonArchives
from bot.database.person_export import PersonExport
from pipeline.types import Artefact
from worker.store import Store

SIZE_LIMIT = 10_000_000
NAMES = ("001-a/sent/1-ta?lk.mp4", "001-a/sent/1-ta*lk.mp4", "001-a/sent/1-TA_lk.mp4", "001-a/sent/2-1-ta_lk.mp4")


class GatedStore(Store):
    """A store whose files come when the gate is opened."""

    asked = 0

    def hold(self) -> asyncio.Event:
        self.gate = asyncio.Event()
        return self.gate

    async def fetch(self, artefact: Artefact, target: Path) -> Path:
        self.asked += 1
        await self.gate.wait()
        return await super().fetch(artefact, target)


async def put(store: Store, folder: Path, text: str) -> Artefact:
    path = folder / "given"
    path.write_text(text)
    return await store.put(path, name="talk.mp4")


async def test_names_that_become_equal_stay_apart(store: Store, tmp_path: Path) -> None:
    files = [(name, await put(store, tmp_path, name)) for name in NAMES]
    export = PersonExport(data={}, files=tuple(files))
    async with PersonArchives(store).make(export, SIZE_LIMIT) as path:
        with zipfile.ZipFile(path) as archive:
            inside = {name: archive.read(name).decode() for name in archive.namelist() if name != "data.json"}
    assert len({name.casefold() for name in inside}) == len(NAMES)
    assert set(inside.values()) == set(NAMES)
    assert all(name.startswith("001-a/sent/") and name.endswith("lk.mp4") for name in inside)


async def test_a_few_are_made_at_a_time(tmp_path: Path) -> None:
    store = GatedStore.open((tmp_path / "store").as_uri())
    gate = store.hold()
    export = PersonExport(data={}, files=(("001-a/sent/1-talk.mp4", await put(store, tmp_path, "clip")),))
    archives = PersonArchives(store)
    sizes: list[int] = []

    async def make() -> None:
        async with archives.make(export, SIZE_LIMIT) as path:
            sizes.append(path.stat().st_size)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(MAX_AT_ONCE + 2):
            tasks.create_task(make())
        async with asyncio.timeout(5):
            while store.asked < MAX_AT_ONCE:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert store.asked == MAX_AT_ONCE
        gate.set()
    assert len(sizes) == MAX_AT_ONCE + 2
