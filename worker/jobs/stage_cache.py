"""Runs a stage in this worker's engine, unless the store already has its result."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

import msgspec
import structlog

from pipeline.errors import AudioProcessingError, Cancelled, EncryptionKeyError, EngineError
from pipeline.graph.codec import decode_output, encode_params, files_of
from pipeline.graph.stage import AnyStage, InputsT, ModelParams, OutputT, ParamsT, Stage
from pipeline.models.loader import own_model_digest
from pipeline.types import Artefact, DraftLine, JsonValue
from worker.engine.lanes import Lanes
from worker.engine.progress import StageProgressCallback
from worker.engine.supervisor import EngineSupervisor
from worker.jobs.weights import fetch_missing_weights
from worker.protocol import CONTRACT_VERSION, StageResult, decode_cache_entry, encode
from worker.store import Store
from worker.store.scratch import Scratch
from worker.telemetry import current_metrics, span

MAX_SUFFIX_CHARS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCall:
    """A stage with the inputs and parameters of one run, as plain data."""

    stage: AnyStage
    inputs: Mapping[str, Artefact]
    """By field name, as `pipeline.graph.codec.files_of` lists them."""
    params: Mapping[str, JsonValue]
    """As `pipeline.graph.codec.encode_params` gives them."""
    model: str | None = None
    """The model of the catalogue that a person's own checkpoint may stand in for."""


def call_of(stage: Stage[InputsT, ParamsT, OutputT], inputs: InputsT, params: ParamsT) -> StageCall:
    """Return a stage with its inputs and parameters as plain data."""
    return StageCall(
        stage=stage,
        inputs=files_of(inputs, Artefact),
        params=encode_params(params),
        model=(params.model or None) if isinstance(params, ModelParams) else None,
    )


def cache_key(call: StageCall, *, own_weights: str = "", salt: str = "") -> str:
    """Hash everything that the output of a stage depends on.

    Args:
        call: The stage, of which name and version count, the digests of its inputs, and its parameters in any order.
        own_weights: The digest of checkpoints that a person put in place of the catalogue's, empty without any.
        salt: Keeps the results of one job apart from those of all others.

    Returns:
        A sha256 in hexadecimal.
    """
    content = {
        "contract": CONTRACT_VERSION,
        "stage": call.stage.name,
        "version": call.stage.version,
        "params": dict(call.params),
        "inputs": {name: artefact.digest for name, artefact in call.inputs.items()},
    }
    if own_weights:
        content["own weights"] = own_weights
    if salt:
        content["salt"] = salt
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()


def decode_result(result: StageResult, stage: Stage[InputsT, ParamsT, OutputT]) -> OutputT:
    """Build a stage's typed output. Raises `EngineError` when another version wrote it."""
    try:
        return decode_output(result.output, result.artefacts, stage.output)
    except (msgspec.ValidationError, KeyError) as error:
        raise EngineError(
            f"The result of the step {stage.name} cannot be read.",
            hint="Update all workers to the same version, then try again.",
            detail=repr(error),
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCache:
    """Finds results of stages in the store, or runs the stages and keeps their results there."""

    store: Store
    engine: EngineSupervisor
    scratch: Scratch
    lanes: Lanes | None = None
    """The engine and its express lane; None: every stage waits for its turn."""
    reader: Lanes | None = None
    """Runs the stages that are isolated; None: the engine does."""
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary[str, asyncio.Lock])

    async def own_weights(self, model: str | None) -> str:
        """Hash the person's own checkpoints that would be used in place of a model; empty without any."""
        return "" if model is None else await asyncio.to_thread(own_model_digest, self.engine.home, model)

    async def get(self, key: str, stage: AnyStage) -> StageResult | None:
        """Look up a stage's result; None when it, or one of its files, is missing or does not fit its contract.

        One that no key decrypts is made again: without the key it would be in the way for as long as it is kept.
        """
        try:
            entry = await self.store.get_cache_entry(key)
        except EncryptionKeyError as error:
            structlog.get_logger().warning("stage result not decrypted", stage=stage.name, error=error.message)
            return None
        if entry is None:
            return None
        try:
            result = decode_cache_entry(entry)
            decode_output(result.output, result.artefacts, stage.output)
        except (msgspec.DecodeError, KeyError):
            return None
        for artefact in result.artefacts.values():
            if not await self.store.contains(artefact):
                return None
        return result

    async def get_or_run(
        self,
        call: StageCall,
        *,
        keys: Sequence[str],
        on_progress: StageProgressCallback,
        cancelled: asyncio.Event,
        limit: float,
        on_engine: Callable[[], None] | None = None,
        clip_seconds: float = 0.0,
    ) -> tuple[StageResult, bool]:
        """Return the result of a stage, from the store when it is there; equal work that is under way is waited for.

        Args:
            call: The stage to run, with its inputs and parameters.
            keys: Cache keys under which the result is kept; it is looked up under the first.
            on_progress: Called with the fraction done and a message.
            cancelled: Set when the stage should stop.
            limit: Seconds that the engine may take.
            on_engine: Called when the engine begins with the stage, and maybe again.
            clip_seconds: How long the clip is, or about; 0 when that is not known.

        Returns:
            The result, and True when it came from the store.
        """
        lock = self._locks.setdefault(keys[0], asyncio.Lock())
        async with lock:
            cached = await self.get(keys[0], call.stage)
            if cached is not None:
                return cached, True
            await fetch_missing_weights(self.engine.home, call.params, on_progress, cancelled)
            with self.scratch.folder() as folder:
                paths = await self._fetch(call.inputs, folder)
                out = folder / "out"
                out.mkdir()
                on_step = _call_first(on_engine, on_progress)
                async with self._engine_for(call.stage, clip_seconds) as engine:
                    running = engine.run_stage(call.stage, paths, call.params, out, on_step, cancelled, limit)
                    output, seconds = await _measured(call, running)
                artefacts = await self._store_outputs(out)
            result = StageResult(output=output, artefacts=artefacts, engine_seconds=seconds)
            await self.keep(keys, result)
            return result, False

    async def keep(self, keys: Sequence[str], result: StageResult) -> None:
        """Keep the result of a stage under its keys."""
        for key in keys:
            await self.store.references.add(key, [artefact.digest for artefact in result.artefacts.values()])
            await self.store.put_cache_entry(key, encode(result))

    def _engine_for(self, stage: AnyStage, clip_seconds: float) -> AbstractAsyncContextManager[EngineSupervisor]:
        lanes = self.reader if stage.isolated and self.reader is not None else self.lanes
        return nullcontext(self.engine) if lanes is None else lanes.choose(clip_seconds)

    async def _fetch(self, inputs: Mapping[str, Artefact], folder: Path) -> dict[str, Path]:
        """Fetch the inputs under the names that the stage knows.

        Only a plain suffix is taken over from the file name that the person chose.
        """
        paths: dict[str, Path] = {}
        for name, artefact in inputs.items():
            suffix = Path(artefact.name).suffix
            plain = suffix if suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= MAX_SUFFIX_CHARS else ""
            paths[name] = await self.store.fetch(artefact, folder / f"{name}{plain}")
        return paths

    async def _store_outputs(self, out: Path) -> dict[str, Artefact]:
        files = await asyncio.to_thread(output_files, out)
        return {path.name: await self.store.put(path, name=path.name) for path in files}


async def _measured(
    call: StageCall, running: Awaitable[tuple[dict[str, JsonValue], float]]
) -> tuple[dict[str, JsonValue], float]:
    """Await a run of a stage by an engine, as a span, and note its time or its failure."""
    metrics = current_metrics()
    name = call.stage.name
    try:
        with span("engine", attributes={"stemcord.stage": name}):
            output, seconds = await running
    except AudioProcessingError as error:
        if metrics is not None and not isinstance(error, Cancelled):
            metrics.count_stage_failure(name, type(error).__name__)
        raise
    if metrics is not None:
        metrics.observe_stage(name, str(call.params.get("model") or "none"), seconds)
    return output, seconds


def output_files(out: Path) -> list[Path]:
    """Return the files that a stage left; links, with which it could name files that it cannot read, are none."""
    return sorted(path for path in out.iterdir() if path.is_file() and not path.is_symlink())


def _call_first(on_engine: Callable[[], None] | None, on_progress: StageProgressCallback) -> StageProgressCallback:
    """Have the engine's signs of progress, the first of which it gives at once, also tell that it works."""
    if on_engine is None:
        return on_progress

    def on_step(fraction: float, message: str, draft: tuple[DraftLine, ...] = ()) -> None:
        on_engine()
        on_progress(fraction, message, draft)

    return on_step
