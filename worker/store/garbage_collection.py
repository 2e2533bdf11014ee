"""Deletes what a job left in the store and no other job needs: memos, what they name, and the clip itself."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from worker.protocol import decode_memo

if TYPE_CHECKING:
    from worker.store.artefact_store import Store

Needed: TypeAlias = Callable[[str], Awaitable[bool]]
"""Whether something outside of the store still refers to a file."""


async def release(store: "Store", job_id: str, needed: Needed) -> None:
    """Take back all that a job holds, and delete what then nothing needs.

    Cut off at any place it can be done again. Raises `StoreError`, and what `needed` raises.
    """
    for thing in await store.claims.held_by(job_id):
        if await store.claims.on(thing) <= {job_id}:
            memo = await store.recall(thing)
            if memo is None:
                await _discard(store, thing, needed)
            else:
                await _forget(store, thing, memo, needed)
        await store.claims.let_go(job_id, thing)


async def _forget(store: "Store", key: str, memo: bytes, needed: Needed) -> None:
    for digest in _digests(memo):
        if await store.claims.on(digest) <= {key}:
            await _discard(store, digest, needed)
        await store.claims.unclaim(digest, key)
    await store.forget(key)


async def _discard(store: "Store", digest: str, needed: Needed) -> None:
    if not await needed(digest):
        await store.discard(digest)


def _digests(memo: bytes) -> set[str]:
    try:
        return {artefact.digest for artefact in decode_memo(memo).artefacts.values()}
    except msgspec.DecodeError:
        return set()
