"""One event, one line: JSON for machines, plain words for people. Both hide secrets and are inert.

The names are those of the Elastic Common Schema where it has one, and our own for what a line is about; FIELDS is all
there is, and docker/logging maps every one of them.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType

import orjson

from moondev.logs.context import EMPTY, KEYS, current
from moondev.logs.inert import inert, inert_lines
from moondev.logs.redaction import redaction
from moondev.traces.ids import trace_about

MESSAGE_CHARACTERS = 8_000
VALUE_CHARACTERS = 200
# The end of a traceback says what happened; its beginning is mostly frameworks.
TRACEBACK_CHARACTERS = 24_000
CUT = " … "
# Every name a line may carry, and of what kind its value is.
FIELDS: Mapping[str, str] = MappingProxyType({
    "@timestamp": "date",
    "log.level": "keyword",
    "message": "text",
    "log.logger": "keyword",
    "service.name": "keyword",
    "service.environment": "keyword",
    "host.hostname": "keyword",
    "process.pid": "long",
    "process.thread.name": "keyword",
    "trace.id": "keyword",
    "error.type": "keyword",
    "error.message": "text",
    "error.stack_trace": "text",
    **dict.fromkeys(KEYS, "keyword"),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """A log record as it may be shown: rendered, inert, without secrets. `source`: the logger, and the thread."""

    message: str
    source: tuple[str, str]
    about: Mapping[str, str]
    error_type: str = ""
    error_message: str = ""
    stack: str = ""


def event_of(record: logging.LogRecord) -> Event:
    """Return what may be shown of a record. Never raises: a line that cannot be written as meant says so."""
    about = {**current(), **getattr(record, "about", EMPTY)}
    message, logger, thread, *values = _shown(
        [_rendered(record), record.name, record.threadName or "", *about.values()]
    )
    shown = Event(message, (logger, thread), dict(zip(about, values, strict=True)))
    if record.exc_info is None and not record.stack_info and not record.exc_text:
        return shown
    kind, words, stack = _error(record)
    return replace(shown, error_type=kind, error_message=words, stack=stack)


class JsonLines(logging.Formatter):
    """Writes each event as one line of JSON with the names of FIELDS."""

    def __init__(self, service: str, environment: str, host: str) -> None:
        """Write in the name of one process: `service` of `environment` on `host`."""
        super().__init__()
        self._origin = {"service.name": service, "service.environment": environment, "host.hostname": host}

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        event = event_of(record)
        line: dict[str, object] = {
            "@timestamp": datetime.fromtimestamp(record.created, tz=UTC),
            "log.level": record.levelname.lower(),
            "message": event.message,
            **event.about,
            "log.logger": event.source[0],
            "process.thread.name": event.source[1],
            **self._origin,
            "process.pid": record.process,
        }
        trace = trace_about(event.about)
        if trace:
            line["trace.id"] = trace
        if event.error_type:
            line |= {"error.type": event.error_type, "error.message": event.error_message}
        if event.stack:
            line["error.stack_trace"] = event.stack
        return orjson.dumps(line, option=orjson.OPT_UTC_Z).decode()


class PlainLines(logging.Formatter):
    """Writes each event for people; whatever follows the first line is set off, so that nothing passes for an event."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback below it."""
        event = event_of(record)
        when = datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds")
        about = " ".join(f"{key}={value}" for key, value in event.about.items()) or "-"
        line = f"{when} {record.levelname:<7} {record.process} {event.source[0]} [{about}] {event.message}"
        if not event.stack:
            return line
        return "\n".join([line, *(f"    | {below}" for below in event.stack.splitlines())])


def _rendered(record: logging.LogRecord) -> str:
    """Return the message with its arguments. What cannot be put together is shown apart instead of being lost."""
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001  an argument's __str__ may raise anything; logging must not
        return f"{_safe_repr(record.msg)} does not go with {_safe_repr(record.args)} ({type(error).__name__})"


def _safe_repr(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001  the same
        return f"<{type(value).__name__} that cannot be shown>"


def _shown(texts: list[str]) -> list[str]:
    """Return a message and its values as they may be shown. Nearly always they may, which one look at all finds out."""
    whole = " ".join(texts)
    if len(texts[0]) <= MESSAGE_CHARACTERS and inert(whole) == whole and redaction()(whole) == whole:
        return texts
    return [_clean(texts[0], MESSAGE_CHARACTERS), *(_clean(text, VALUE_CHARACTERS) for text in texts[1:])]


def _clean(text: str, most: int) -> str:
    # Hidden first: cut in two, or with its line ends spelt out, a secret may not look like one any more.
    hidden = redaction()(text)
    return inert(hidden if len(hidden) <= most else hidden[:most] + CUT)


def _error(record: logging.LogRecord) -> tuple[str, str, str]:
    """Return type, message and traceback of the error that a record carries."""
    kind, words, stack = "", "", record.exc_text or ""
    # logger.error(..., exc_info=error) has been made a triple by logging; a triple of nothing has no error.
    if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
        error = record.exc_info[1]
        kind, words = type(error).__name__, _clean(_message_of(error), MESSAGE_CHARACTERS)
        stack = _traceback(error)
    if record.stack_info:
        stack = f"{stack}\n{record.stack_info}" if stack else record.stack_info
    hidden = redaction()(stack)
    if len(hidden) > TRACEBACK_CHARACTERS:
        hidden = CUT + hidden[-TRACEBACK_CHARACTERS:]
    return kind, words, inert_lines(hidden)


def _message_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  an error's __str__ may raise anything
        return _safe_repr(error)


def _traceback(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error)).rstrip("\n")
    except Exception:  # noqa: BLE001  the same
        return f"{type(error).__name__} that cannot be shown, raised at {_where(error)}"


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else sys.executable
