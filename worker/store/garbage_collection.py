"""Deletes what a job left in the store and no other job needs: cache entries, their files, and the clip itself."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from worker.protocol import decode_cached_files

if TYPE_CHECKING:
    from worker.store.artefact_store import Store

IsReferenced: TypeAlias = Callable[[str], Awaitable[bool]]
"""Tells whether something outside of the store still refers to the file with a digest."""


async def not_in_results(_digest: str) -> bool:
    """Say of every file that nothing outside of the store refers to it, as is so of what is in no result."""
    return False


async def release_job(store: "Store", job_id: str, is_referenced: IsReferenced) -> None:
    """Remove all references of a job and delete what nothing refers to any more.

    An interrupted call can be repeated.

    Raises:
        StoreError: The store is away.
        Exception: Whatever `is_referenced` raises.
    """
    for target in await store.references.of_job(job_id):
        await release_target(store, job_id, target, is_referenced)


async def release_target(store: "Store", job_id: str, target: str, is_referenced: IsReferenced) -> None:
    """Remove one reference of a job, and delete what it referred to when nothing else does.

    Raises:
        StoreError: The store is away.
        Exception: Whatever `is_referenced` raises.
    """
    # First: of two jobs that go at once, the later one then finds nobody else.
    await store.references.remove(target, job_id)
    await release_unclaimed(store, target, is_referenced)
    await store.references.remove_for_job(job_id, target)


async def release_unclaimed(store: "Store", target: str, is_referenced: IsReferenced) -> None:
    """Delete a cache entry with its files, or a file, that nothing refers to.

    Raises:
        StoreError: The store is away.
        Exception: Whatever `is_referenced` raises.
    """
    if await store.references.owners(target):
        return
    entry = await store.get_cache_entry(target)
    if entry is None:
        await _delete_file(store, target, is_referenced)
    else:
        await _delete_cache_entry(store, target, entry, is_referenced)


async def _delete_cache_entry(store: "Store", key: str, entry: bytes, is_referenced: IsReferenced) -> None:
    for digest in decode_cached_files(entry):
        await store.references.remove(digest, key)
        if not await store.references.owners(digest):
            await _delete_file(store, digest, is_referenced)
    await store.delete_cache_entry(key)


async def _delete_file(store: "Store", digest: str, is_referenced: IsReferenced) -> None:
    if not await is_referenced(digest):
        await store.delete(digest)
