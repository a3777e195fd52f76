"""Bind values such as the task id to every log line of the work in hand."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType

_EMPTY: Mapping[str, str] = MappingProxyType({})
_CONTEXT: ContextVar[Mapping[str, str]] = ContextVar("log_context", default=_EMPTY)


@contextmanager
def log_context(**values: str) -> Iterator[None]:
    """Add ``values`` to every line logged inside the block; they are cleared when it ends."""
    token = _CONTEXT.set({**_CONTEXT.get(), **values})
    try:
        yield
    finally:
        _CONTEXT.reset(token)


class ContextFilter(logging.Filter):
    """Give each record a ``log_context`` field: ``key=value`` pairs, or ``-`` when there are none."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, with its context written into it."""
        record.log_context = " ".join(f"{key}={value}" for key, value in _CONTEXT.get().items()) or "-"
        return True


class UtcFormatter(logging.Formatter):
    """Write times in UTC with milliseconds, whatever the machine's zone."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802, ARG002  logging's
        """Return the record's time as ISO 8601."""
        return datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds")
