"""Deletes what a job left in the store and no other job needs: memos, what they name, and the clip itself."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from worker.protocol import decode_cache_entry

if TYPE_CHECKING:
    from worker.store.artefact_store import Store

IsReferenced: TypeAlias = Callable[[str], Awaitable[bool]]
"""Whether something outside of the store still refers to a file."""


async def release(store: "Store", job_id: str, needed: IsReferenced) -> None:
    """Take back all that a job holds, and delete what then nothing needs.

    Cut off at any place it can be done again. Raises `StoreError`, and what `needed` raises.
    """
    for thing in await store.references.of_job(job_id):
        if await store.references.owners(thing) <= {job_id}:
            memo = await store.get_cache_entry(thing)
            if memo is None:
                await _discard(store, thing, needed)
            else:
                await _forget(store, thing, memo, needed)
        await store.references.remove_for_job(job_id, thing)


async def _forget(store: "Store", key: str, memo: bytes, needed: IsReferenced) -> None:
    for digest in _digests(memo):
        if await store.references.owners(digest) <= {key}:
            await _discard(store, digest, needed)
        await store.references.remove(digest, key)
    await store.delete_cache_entry(key)


async def _discard(store: "Store", digest: str, needed: IsReferenced) -> None:
    if not await needed(digest):
        await store.delete(digest)


def _digests(memo: bytes) -> set[str]:
    try:
        return {artefact.digest for artefact in decode_cache_entry(memo).artefacts.values()}
    except msgspec.DecodeError:
        return set()
