"""The bot's log: one JSON object a line on stderr, for machines; people are answered in Discord."""

import logging
import sys

import structlog


def configure_log() -> None:
    """Set up structlog for this process; discord.py speaks up from warnings on."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        # Looked up at each use, since a stream that was replaced meanwhile may be closed.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
