"""Turns metrics and traces on for the life of a process."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

import structlog

from pipeline.errors import ValidationError
from worker.telemetry.current import METRICS, TRACER
from worker.telemetry.settings import TelemetrySettings

T = TypeVar("T")
CLOSE_TIMEOUT_S: Final = 8.0
"""How long the end of a process waits for its last spans to be sent."""


@asynccontextmanager
async def open_telemetry(settings: TelemetrySettings, *, service: str, instance: str) -> AsyncGenerator[None]:
    """Turn on what the settings ask for until the block ends.

    Args:
        settings: Of this process.
        service: bot, media or asr.
        instance: What tells this process from others of its kind.

    Raises:
        ValidationError: A package is missing, or the port is taken.
    """
    async with contextlib.AsyncExitStack() as stack:
        try:
            if settings.metrics_port:
                from worker.telemetry.metrics import Metrics, serve_metrics

                metrics = Metrics()
                stack.enter_context(serve_metrics(metrics, settings.metrics_host, settings.metrics_port))
                stack.enter_context(_set(METRICS, metrics))
            if settings.traces_url:
                from worker.telemetry.tracer import Tracer

                tracer = Tracer(settings.traces_url, service=service, instance=instance)
                stack.push_async_callback(_close, tracer.close)
                stack.enter_context(_set(TRACER, tracer))
        except ImportError as error:
            raise ValidationError(
                "The packages for metrics and traces are missing.",
                hint="Run `make env`, or install stemcord[telemetry].",
                detail=repr(error),
            ) from error
        except OSError as error:
            raise ValidationError(
                f"Metrics cannot be shown on port {settings.metrics_port}.",
                hint="Set STEMCORD_METRICS_PORT to a free port.",
                detail=repr(error),
            ) from error
        yield


@contextlib.contextmanager
def _set(variable: ContextVar[T], value: T) -> Generator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


async def _close(close: Callable[[], None]) -> None:
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await asyncio.to_thread(close)
    except TimeoutError:
        structlog.get_logger().warning("the last spans were not sent in time")
