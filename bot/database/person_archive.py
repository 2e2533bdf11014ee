"""The zip with everything about a person."""

import asyncio
import itertools
import re
import tempfile
import zipfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from bot.database.person_export import PersonExport
from pipeline.errors import StoreError
from worker.store import Store

OVERHEAD_BYTES: Final = 64 * 1024
"""Of a zip, for its directory and small growth by packing."""
FETCH_TIMEOUT_S: Final = 300.0
MAX_AT_ONCE: Final = 2
"""Archives that are made at the same time; the others wait, since each takes room on the disk."""
_UNSAFE: Final = re.compile(r"[^\w.() \-/]")


class PersonArchives:
    """Makes archives, a few at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turns = asyncio.Semaphore(MAX_AT_ONCE)

    @asynccontextmanager
    async def make(self, export: PersonExport, size_limit: int) -> AsyncGenerator[Path]:
        """Write the zip into a folder that exists until the block ends.

        Small files come first, as many as fit; `data.json` names those that are left out.

        Args:
            export: What there is.
            size_limit: Bytes of the zip.

        """
        folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="stemcord-")
        try:
            target = Path(folder.name) / "my-data.zip"
            async with self._turns:
                with await asyncio.to_thread(zipfile.ZipFile, target, "w", zipfile.ZIP_DEFLATED) as archive:
                    left_out = await self._add_files(archive, export, size_limit)
                    data = msgspec.json.format(msgspec.json.encode({**export.data, "left_out": left_out}), indent=1)
                    await asyncio.to_thread(archive.writestr, "data.json", data)
            yield target
        finally:
            await asyncio.to_thread(folder.cleanup)

    async def _add_files(self, archive: zipfile.ZipFile, export: PersonExport, size_limit: int) -> list[str]:
        """Add what fits and can be fetched; return the names of the others."""
        left_out: list[str] = []
        taken: set[str] = set()
        room = size_limit - OVERHEAD_BYTES - len(msgspec.json.encode(export.data))
        fetched = Path(str(archive.filename)).with_name("file")
        for name, artefact in sorted(export.files, key=lambda entry: entry[1].size):
            if artefact.size > room:
                left_out.append(name)
                continue
            try:
                async with asyncio.timeout(FETCH_TIMEOUT_S):
                    path = await self._store.fetch(artefact, fetched)
            except (StoreError, TimeoutError):
                left_out.append(name)
                continue
            await asyncio.to_thread(archive.write, path, _free_place(name, taken))
            await asyncio.to_thread(path.unlink)
            room -= artefact.size
        return left_out


def _free_place(name: str, taken: set[str]) -> str:
    """Return a safe place for a file that no other has, also where case does not count, and take it."""
    safe = _UNSAFE.sub("_", name).replace("..", "_")
    folder, slash, file = safe.rpartition("/")
    numbered = (f"{folder}{slash}{number}-{file}" for number in itertools.count(2))
    free = next(place for place in itertools.chain([safe], numbered) if place.casefold() not in taken)
    taken.add(free.casefold())
    return free
