"""Sets up the log: one JSON object a line on stderr."""

import logging
import sys
import traceback

import stamina.instrumentation
import structlog
from structlog.typing import EventDict


def stack_frames(error: BaseException) -> list[str]:
    """Return where an error happened, without its message, which may contain personal content."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]


def _add_location(_: object, __: str, event: EventDict) -> EventDict:
    """Replace an exception by its type and place."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info
    if isinstance(error, BaseException):
        event.setdefault("error", type(error).__name__)
        event["frames"] = stack_frames(error)
    return event


def _log_retry(details: stamina.instrumentation.RetryDetails) -> None:
    """Log a retry without the message of its error, which may contain personal content."""
    log = structlog.get_logger(__name__)
    log.warning("will_retry", error=type(details.caused_by).__name__, attempt=details.retry_num)


def configure_log() -> None:
    """Set up structlog for this process; discord.py logs from warnings on."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_location,
            structlog.processors.JSONRenderer(),
        ],
        # Looked up at each use, since a replaced stream may be closed.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    stamina.instrumentation.set_on_retry_hooks([_log_retry])
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
