"""Log events in, one line of JSON each out; never an escalation's text, whatever an exception's message holds."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, TextIO

import structlog

from riskmodel.redaction import redact

ADDRESSES = ("link", "IP address")  # of what the service talks to: whoever keeps it running needs them
FRAMES = 5  # of a traceback, the innermost
LEVELS = logging.getLevelNamesMapping()

Event = MutableMapping[str, Any]


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's events of a level and above to a stream, standard error if None."""
    stream, number = stream or sys.stderr, LEVELS[level.upper()]
    prepare: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_error,
    ]
    render = structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[*prepare, render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*prepare, shorten_asyncio, mask_event],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    logging.getLogger("alembic").setLevel(max(number, logging.WARNING))  # it tells of every plugin it has


def name_error(logger: Any, method: str, event: Event) -> Event:
    """Replace an exception by its class and where it was raised: its message may quote a text."""
    found = event.pop("exc_info", None)
    error = sys.exc_info()[1] if found is True else found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
        event["raised_at"] = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def shorten_asyncio(logger: Any, method: str, event: Event) -> Event:
    """Drop what asyncio says of a task: it quotes the exception's message."""
    record = event.get("_record")
    if isinstance(record, logging.LogRecord) and record.name == "asyncio":
        event["event"] = "asyncio reports a fault"
    return event


def mask_event(logger: Any, method: str, event: Event) -> Event:
    """Mask personal data in what a library says: it may quote what it was given. Our own events hold none."""
    event["event"] = redact(str(event["event"]), leave=ADDRESSES)
    return event
