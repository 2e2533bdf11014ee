"""References to what is in the store: a job refers to its clip and its cache entries, a cache entry to its files.

    claims/<target>/<owner>    an empty object for each reference to a cache entry (by its key) or file (by its digest)
    holdings/<job>/<target>    the same references, found from the job

What nothing refers to can be deleted; so when two people sent the same clip, deleting one job keeps what the other
one uses.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import obstore
from obstore.store import ObjectStore

from worker.store.errors import store_errors

REQUEST_TIMEOUT_S: Final = 60.0


class References:
    """Counts references. Every method raises `StoreError` when the store is away."""

    def __init__(self, remote: ObjectStore, folder: Path | None) -> None:
        self._remote = remote
        self._folder = folder

    async def add_for_job(self, job_id: str, targets: Iterable[str]) -> None:
        """Let a job refer to cache entries (by key) or files (by digest), until `remove_for_job`."""
        await self._put(
            [path for target in targets for path in (_reference_path(target, job_id), _job_path(job_id, target))]
        )

    async def remove_for_job(self, job_id: str, target: str) -> None:
        """Remove one reference of a job; an interrupted call can be repeated."""
        await self.remove(target, job_id)
        # Last, since `of_job` finds by it what is left to do.
        await self._delete(_job_path(job_id, target))

    async def of_job(self, job_id: str) -> list[str]:
        """List everything that a job refers to."""
        return await self._names(f"holdings/{job_id}")

    async def add(self, owner: str, targets: Iterable[str]) -> None:
        """Let a cache entry refer to its files."""
        await self._put([_reference_path(target, owner) for target in targets])

    async def remove(self, target: str, owner: str) -> None:
        """Remove the reference of a cache entry to a file."""
        await self._delete(_reference_path(target, owner))

    async def owners(self, target: str) -> set[str]:
        """List everything that refers to a cache entry or file."""
        return set(await self._names(f"claims/{target}"))

    async def _put(self, paths: list[str]) -> None:
        with store_errors("given a reference"):
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                await asyncio.gather(*(obstore.put_async(self._remote, path, b"") for path in paths))

    async def _delete(self, path: str) -> None:
        with store_errors("told to drop a reference"), contextlib.suppress(FileNotFoundError):
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                await obstore.delete_async(self._remote, path)
            if self._folder is not None:
                with contextlib.suppress(OSError):
                    # Only when it is empty.
                    (self._folder / path).parent.rmdir()

    async def _names(self, prefix: str) -> list[str]:
        with store_errors("asked for references"):
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                return await asyncio.to_thread(self._list, prefix)

    def _list(self, prefix: str) -> list[str]:
        # In a thread: a process that ends right after the library's own asynchronous listing may abort.
        found = obstore.list_with_delimiter(self._remote, prefix)  # pyright: ignore[reportUnknownMemberType]
        return [one["path"].rpartition("/")[2] for one in found["objects"]]


def _reference_path(target: str, owner: str) -> str:
    return f"claims/{target}/{owner}"


def _job_path(job_id: str, target: str) -> str:
    return f"holdings/{job_id}/{target}"
