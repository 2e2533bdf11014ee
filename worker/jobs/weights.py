"""Fetches the weights of a stage before its engine, which has no network, needs them."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from pipeline.catalog import MODELS, Model
from pipeline.errors import Cancelled
from pipeline.models.checkpoints import checkpoint_path, own_checkpoints
from pipeline.models.loader import Models
from pipeline.types import JsonValue
from worker.engine.supervisor import StageProgressCallback


def missing_models(home: Path, params: Mapping[str, JsonValue]) -> list[Model]:
    """Return the models that parameters name and whose files a hub has and this machine has not."""
    named = [MODELS[value] for value in params.values() if isinstance(value, str) and value in MODELS]
    return [model for model in named if model.hub and not _is_here(home, model)]


async def fetch_missing_weights(
    home: Path, params: Mapping[str, JsonValue], on_progress: StageProgressCallback, cancelled: asyncio.Event
) -> None:
    """Download the weights that a stage with these parameters lacks; they are not interpreted.

    Raises:
        Cancelled: The job was cancelled.
        ModelError: The weights cannot be had.
    """
    loop = asyncio.get_running_loop()

    def report(fraction: float, message: str) -> None:
        if cancelled.is_set():
            raise Cancelled("The job was cancelled.")
        loop.call_soon_threadsafe(on_progress, fraction, message)

    for model in await asyncio.to_thread(missing_models, home, params):
        await asyncio.to_thread(Models(home).fetched, model.name, report)


def _is_here(home: Path, model: Model) -> bool:
    unpacked = any((home / "models").glob(f"{model.name}-*"))
    files = all(checkpoint_path(file, home).is_file() for file in model.hub)
    return unpacked or files or bool(own_checkpoints(home, model))
