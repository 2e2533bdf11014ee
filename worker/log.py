"""Configures logging to standard error or a file, as JSON for machines or as lines for people."""

import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Final, Literal, TypeAlias

import structlog
from structlog.typing import EventDict, Processor

MIN_PRIVATE_CHARS: Final = 4
"""Shorter names of files say nothing about anybody, and words of ours may hold them."""
_PRIVATE_NAMES: Final[ContextVar[tuple[str, ...]]] = ContextVar("stemcord_private_names", default=())

LogFormat: TypeAlias = Literal["auto", "console", "json"]


@contextmanager
def log_to_file(path: Path, log_format: LogFormat, level: str) -> Generator[None]:
    """Append all logs to a file for the length of the block."""
    root, known = logging.getLogger(), structlog.get_config()
    handlers, number = root.handlers, root.level
    with _log_file(path) as stream:
        configure_logging(log_format, level, stream)
        try:
            yield
        finally:
            root.handlers = handlers
            root.setLevel(number)
            structlog.configure(**known)


@contextmanager
def _log_file(path: Path) -> Generator[IO[str]]:
    stream = path.open("a", encoding="utf-8")
    try:
        yield stream
    finally:
        # What is still in its buffer does not fit on a full disk.
        with suppress(OSError):
            stream.close()


class _LogHandler(logging.StreamHandler[IO[str]]):
    """Drops a line that cannot be written: a full disk would be told for each line, with a stack trace."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - as the standard library names it
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)


@contextmanager
def private_names(*names: str) -> Generator[None]:
    """Keep what people called their files out of the log for the length of the block."""
    token = _PRIVATE_NAMES.set(tuple(name for name in names if len(name) >= MIN_PRIVATE_CHARS))
    try:
        yield
    finally:
        _PRIVATE_NAMES.reset(token)


def _redact_names(_: object, __: str, event: EventDict) -> EventDict:
    for name in _PRIVATE_NAMES.get():
        for key, value in event.items():
            if isinstance(value, str) and name in value:
                event[key] = value.replace(name, "<file>")
    return event


def configure_logging(log_format: LogFormat, level: str, stream: IO[str] | None = None) -> None:
    """Send the logs of structlog and of the standard library to one stream.

    Args:
        log_format: `auto` means lines on a terminal and JSON elsewhere.
        level: The lowest level that is logged.
        stream: Standard error by default.
    """
    target: IO[str] = sys.stderr if stream is None else stream
    lines = log_format == "console" or (log_format == "auto" and target.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _redact_names,
    ]
    render: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=target.isatty())]
        if lines
        else [structlog.processors.format_exc_info, _redact_names, structlog.processors.JSONRenderer()]
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _LogHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    # arq's own lines repeat ours.
    logging.getLogger("arq").setLevel(max(number, logging.WARNING))
