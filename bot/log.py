"""The bot's log: one JSON object a line on stderr, for machines; people are answered in Discord."""

import logging
import sys
import traceback

import structlog
from structlog.typing import EventDict


def stack_frames(error: BaseException) -> list[str]:
    """Where it happened, and not what: an error's own words may be a person's."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]


def _add_location(_: object, __: str, event: EventDict) -> EventDict:
    """Name an exception and its place."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info
    if isinstance(error, BaseException):
        event.setdefault("error", type(error).__name__)
        event["frames"] = stack_frames(error)
    return event


def configure_log() -> None:
    """Set up structlog for this process; discord.py speaks up from warnings on."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_location,
            structlog.processors.JSONRenderer(),
        ],
        # Looked up at each use, since a stream that was replaced meanwhile may be closed.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
