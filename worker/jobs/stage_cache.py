"""One stage done here: recalled from the store, or performed by this worker's engine and remembered."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

import msgspec

from pipeline.graph.stage import Stage
from pipeline.models.loader import own_model_digest
from pipeline.types import Artefact, JsonValue
from worker.engine.supervisor import Engine, OnProgress
from worker.jobs.scratch import Scratch
from worker.protocol import Performed, decode_memo, encode
from worker.store import Store

SUFFIX_LIMIT: Final = 16


def memo_key(
    stage: Stage,
    inputs: Mapping[str, Artefact],
    params: Mapping[str, JsonValue],
    *,
    own_weights: str = "",
    salt: str = "",
) -> str:
    """The sha256 of all that the stage's output depends on; a salt keeps a fresh job's outputs apart.

    `own_weights` is the digest of what a person put in place of the catalogue's weights, which `params` name.
    """
    content = {
        "stage": stage.name,
        "version": stage.version,
        "params": dict(params),
        "inputs": {name: artefact.digest for name, artefact in inputs.items()},
    }
    if own_weights:
        content["own weights"] = own_weights
    if salt:
        content["salt"] = salt
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """A worker's store, engine and scratch room."""

    store: Store
    engine: Engine
    scratch: Scratch
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary[str, asyncio.Lock])

    async def own_weights(self, params: Mapping[str, JsonValue]) -> str:
        """The digest of a person's own checkpoints that a stage of these parameters would use; empty without any."""
        model = params.get("model")
        return await asyncio.to_thread(own_model_digest, self.engine.home, model) if isinstance(model, str) else ""

    async def recall(self, key: str) -> Performed | None:
        """What is remembered under the key, unless it or one of its files is gone or damaged."""
        memo = await self.store.recall(key)
        if memo is None:
            return None
        try:
            performed = decode_memo(memo)
        except msgspec.DecodeError:
            return None
        for artefact in performed.artefacts.values():
            if not await self.store.holds(artefact):
                return None
        return performed

    async def perform(
        self,
        stage: Stage,
        inputs: Mapping[str, Artefact],
        params: Mapping[str, JsonValue],
        *,
        keys: Sequence[str],
        on_progress: OnProgress,
        cancelled: asyncio.Event,
        limit: float,
    ) -> tuple[Performed, bool]:
        """The stage's output, and True when it was recalled; equal work that is under way is waited for."""
        lock = self._locks.setdefault(keys[0], asyncio.Lock())
        async with lock:
            remembered = await self.recall(keys[0])
            if remembered is not None:
                return remembered, True
            with self.scratch.folder() as folder:
                paths = await self._fetch(inputs, folder)
                out = folder / "out"
                out.mkdir()
                facts, seconds = await self.engine.perform(stage, paths, params, out, on_progress, cancelled, limit)
                artefacts = await self._keep(out)
            performed = Performed(facts=facts, artefacts=artefacts, engine_seconds=seconds)
            for key in keys:
                await self.store.claims.claim(key, [artefact.digest for artefact in artefacts.values()])
                await self.store.remember(key, encode(performed))
            return performed, False

    async def _fetch(self, inputs: Mapping[str, Artefact], folder: Path) -> dict[str, Path]:
        """Inputs under the names the stage knows; only a plain suffix is taken over from the person's file name."""
        paths: dict[str, Path] = {}
        for name, artefact in inputs.items():
            suffix = Path(artefact.name).suffix
            plain = suffix if suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= SUFFIX_LIMIT else ""
            paths[name] = await self.store.fetch(artefact, folder / f"{name}{plain}")
        return paths

    async def _keep(self, out: Path) -> dict[str, Artefact]:
        files = await asyncio.to_thread(lambda: sorted(path for path in out.iterdir() if path.is_file()))
        return {path.name: await self.store.put(path, name=path.name) for path in files}
