"""Fetches the weights of a stage before its engine, which has no network, needs them."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from pipeline.catalog import MODELS, Model
from pipeline.errors import Cancelled, ModelMissingError
from pipeline.models.checkpoints import checkpoint_path, own_checkpoints
from pipeline.models.loader import Models
from pipeline.types import JsonValue

FETCH_TIMEOUT_S: Final = 3600.0
"""Seconds that the download of a model may take."""


def missing_models(home: Path, params: Mapping[str, JsonValue]) -> list[Model]:
    """Return the models that parameters name and whose files a hub has and this machine has not."""
    named = [MODELS[value] for value in params.values() if isinstance(value, str) and value in MODELS]
    return [model for model in named if model.hub and not _is_here(home, model)]


async def fetch_missing_weights(
    home: Path, params: Mapping[str, JsonValue], on_progress: Callable[[float, str], None], cancelled: asyncio.Event
) -> None:
    """Download the weights that a stage with these parameters lacks; they are not interpreted.

    What was downloaded before a cancellation or the time limit is kept, and the next attempt goes on from there.

    Raises:
        Cancelled: The job was cancelled.
        ModelError: The weights cannot be had, or not within `FETCH_TIMEOUT_S`.
    """
    for model in await asyncio.to_thread(missing_models, home, params):
        await _fetch(home, model, on_progress, cancelled)


async def _fetch(home: Path, model: Model, on_progress: Callable[[float, str], None], cancelled: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    abandoned = threading.Event()

    def report(fraction: float, message: str) -> None:
        if abandoned.is_set():
            raise Cancelled("The job was cancelled.")
        loop.call_soon_threadsafe(on_progress, fraction, message)

    fetching = _run_in_thread(lambda: Models(home).fetched(model.name, report))
    stopping = asyncio.create_task(cancelled.wait())
    try:
        await asyncio.wait({fetching, stopping}, timeout=FETCH_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        if cancelled.is_set():
            raise Cancelled("The job was cancelled.")
        if not fetching.done():
            raise ModelMissingError(
                f"The weights of {model.name} could not be fetched within {FETCH_TIMEOUT_S / 60:.0f} minutes.",
                hint=f"Run `stemcord models fetch {model.name}`; it goes on where this broke off.",
            )
        fetching.result()
    finally:
        abandoned.set()
        stopping.cancel()
        fetching.cancel()


def _run_in_thread(work: Callable[[], object]) -> "asyncio.Future[None]":
    """Run blocking work in a thread that nobody has to wait for, since a hub may keep it waiting."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except Exception as caught:  # noqa: BLE001 - it is raised where the work is waited for
            error = caught
        # The loop is gone when the worker ended meanwhile.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, error)

    threading.Thread(target=run, name="weights", daemon=True).start()
    return done


def _is_here(home: Path, model: Model) -> bool:
    unpacked = any((home / "models").glob(f"{model.name}-*"))
    files = all(checkpoint_path(file, home).is_file() for file in model.hub)
    return unpacked or files or bool(own_checkpoints(home, model))
