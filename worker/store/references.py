"""Who still needs what is in the store: a job claims its clip and the memos that it used, a memo claims its files.

    claims/<thing>/<holder>     an empty object for each claim on a memo (by its key) or a file (by its digest)
    holdings/<holder>/<thing>   the same, seen from a job

What nothing claims any more can go; so a clip that two people sent keeps all that the other's job used.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import obstore
from obstore.store import ObjectStore

from worker.store.errors import named_errors

LIMIT: Final = 60.0
"""Seconds for one request."""


class References:
    """Every method raises `StoreError` when the store is away."""

    def __init__(self, remote: ObjectStore, folder: Path | None) -> None:
        self._remote = remote
        self._folder = folder

    async def add_for_job(self, job_id: str, things: Iterable[str]) -> None:
        """A job needs memos or files from now on, until `let_go`."""
        await self._mark([mark for thing in things for mark in (_claim(thing, job_id), _holding(job_id, thing))])

    async def remove_for_job(self, job_id: str, thing: str) -> None:
        """A job needs a thing no longer; its holding goes last, so that what is cut off can be done again."""
        await self.remove(thing, job_id)
        await self._delete(_holding(job_id, thing))

    async def of_job(self, job_id: str) -> list[str]:
        """All that a job holds."""
        return await self._names(f"holdings/{job_id}")

    async def add(self, holder: str, things: Iterable[str]) -> None:
        """A memo needs its files."""
        await self._mark([_claim(thing, holder) for thing in things])

    async def remove(self, thing: str, holder: str) -> None:
        """A memo needs a file no longer."""
        await self._delete(_claim(thing, holder))

    async def owners(self, thing: str) -> set[str]:
        """Who claims a thing."""
        return set(await self._names(f"claims/{thing}"))

    async def _mark(self, paths: list[str]) -> None:
        with named_errors("given a claim"):
            async with asyncio.timeout(LIMIT):
                await asyncio.gather(*(obstore.put_async(self._remote, path, b"") for path in paths))

    async def _delete(self, path: str) -> None:
        with named_errors("told to drop a claim"), contextlib.suppress(FileNotFoundError):
            async with asyncio.timeout(LIMIT):
                await obstore.delete_async(self._remote, path)
            if self._folder is not None:
                with contextlib.suppress(OSError):
                    # Only when it is empty.
                    (self._folder / path).parent.rmdir()

    async def _names(self, prefix: str) -> list[str]:
        with named_errors("asked for claims"):
            async with asyncio.timeout(LIMIT):
                return await asyncio.to_thread(self._list, prefix)

    def _list(self, prefix: str) -> list[str]:
        # In a thread: a process that ends right after the library's own asynchronous listing may abort.
        found = obstore.list_with_delimiter(self._remote, prefix)  # pyright: ignore[reportUnknownMemberType]
        return [one["path"].rpartition("/")[2] for one in found["objects"]]


def _claim(thing: str, holder: str) -> str:
    return f"claims/{thing}/{holder}"


def _holding(job_id: str, thing: str) -> str:
    return f"holdings/{job_id}/{thing}"
