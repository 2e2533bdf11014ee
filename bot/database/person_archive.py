"""The zip with everything about a person."""

import asyncio
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
_UNSAFE: Final = re.compile(r"[^\w.() \-/]")


@asynccontextmanager
async def make_archive(export: PersonExport, store: Store, size_limit: int) -> AsyncGenerator[Path]:
    """Write the zip into a folder that exists until the block ends.

    Small files come first, as many as fit; `data.json` names those that are left out.

    Args:
        export: What there is.
        store: Where the files are.
        size_limit: Bytes of the zip.

    """
    folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="stemcord-")
    try:
        root = Path(folder.name)
        left_out: list[str] = []
        room = size_limit - OVERHEAD_BYTES - len(msgspec.json.encode(export.data))
        with await asyncio.to_thread(zipfile.ZipFile, root / "my-data.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, artefact in sorted(export.files, key=lambda entry: entry[1].size):
                if artefact.size > room:
                    left_out.append(name)
                    continue
                try:
                    async with asyncio.timeout(FETCH_TIMEOUT_S):
                        path = await store.fetch(artefact, root / "file")
                except (StoreError, TimeoutError):
                    left_out.append(name)
                    continue
                await asyncio.to_thread(archive.write, path, _UNSAFE.sub("_", name).replace("..", "_"))
                await asyncio.to_thread(path.unlink)
                room -= artefact.size
            data = msgspec.json.format(msgspec.json.encode({**export.data, "left_out": left_out}), indent=1)
            await asyncio.to_thread(archive.writestr, "data.json", data)
        yield root / "my-data.zip"
    finally:
        await asyncio.to_thread(folder.cleanup)
