"""Runs a stage as several smaller ones, which many workers take side by side."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.errors import AudioProcessingError
from pipeline.graph.stage import InputsT, OutputT, ParamsT, PartParams, Stage, StageRun, load_parted
from pipeline.types import DraftLine
from worker.jobs.stage_cache import StageCall, call_of, decode_result
from worker.protocol import StageResult, owner_of

if TYPE_CHECKING:
    from worker.jobs.stage_runner import StageRunner

PARTS_SHARE: Final = 0.95
"""Of the work that is the parts'; the rest is that of the last stage, which joins them."""


@dataclass(slots=True, kw_only=True)
class PartedRun:
    """One run of a stage by its parts, each of which is kept until the whole is there."""

    runner: "StageRunner"
    call: StageCall
    """The stage as a whole."""
    _done: dict[str, float] = field(default_factory=dict[str, float])
    """What of the whole is done, by the key of each part."""
    _reused: float = 0.0
    """What of it was kept by an earlier attempt."""
    _waiting: set[str] = field(default_factory=set[str])
    """Keys of the parts that are asked for."""
    _keys: list[str] = field(default_factory=list[str])
    _engine_seconds: float = 0.0

    async def run(self, inputs: object, params: object, keys: tuple[str, ...]) -> StageResult | None:
        """Run the stage by its parts and keep the result under its own keys; None to have it run as a whole.

        Raises:
            AudioProcessingError: What a part raised.
        """
        try:
            request = await load_parted(self.call.stage.parted)(self._execute, inputs, params)
            if request is None:
                return None
            last, _ = await self._run(call_of(request.stage, request.inputs, request.params), 1.0 - PARTS_SHARE)
        except AudioProcessingError as error:
            error.stage = self.call.stage.name
            await self.runner.unfollow(self._waiting)
            raise
        result = msgspec.structs.replace(last, engine_seconds=self._engine_seconds)
        cache = self.runner.stage_cache
        await cache.keep(keys, result)
        for key in self._keys:
            await cache.store.release_cache_entry(owner_of(self.runner.job_id), key)
        return result

    async def _execute(
        self, stage: Stage[InputsT, ParamsT, OutputT], inputs: InputsT, params: ParamsT
    ) -> StageRun[OutputT]:
        share = PARTS_SHARE * params.share if isinstance(params, PartParams) else 0.0
        result, reused = await self._run(call_of(stage, inputs, params), share)
        output = decode_result(result, stage)
        return StageRun(output=output, engine_seconds=result.engine_seconds, reused=reused)

    async def _run(self, call: StageCall, share: float) -> tuple[StageResult, bool]:
        keys = await self.runner.keys_of(call)
        self._keys += keys

        def on_progress(fraction: float, message: str = "", draft: tuple[DraftLine, ...] = ()) -> None:
            # A part that is made again begins at 0, and the whole does not go back.
            self._done[keys[0]] = max(self._done.get(keys[0], 0.0), share * fraction)
            whole = min(1.0, sum(self._done.values()))
            computed = max(0.0, whole - self._reused)
            self.runner.publish_work(self.call, whole, message, draft, computed=computed)

        result = await self.runner.stage_cache.get(keys[0], call.stage)
        reused = result is not None
        if result is None:
            self._waiting.add(keys[0])
            result, reused = await self.runner.run_call(call, keys, on_progress)
            self._waiting.remove(keys[0])
            self._engine_seconds += result.engine_seconds
        if reused:
            self._reused += share
        on_progress(1.0)
        return result, reused
