"""Where lines go: to standard error, in one of two styles, from every library alike."""

from __future__ import annotations

import logging
import logging.config
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from moondev.counting.files import PROCESS_VARIABLE

STYLES = frozenset({"json", "plain"})
# They bring handlers of their own, which would write past the redaction.
_BRING_THEIR_OWN = ("uvicorn", "uvicorn.error", "uvicorn.access", "celery", "celery.task", "tornado", "py.warnings")
# Their debug lines hold whole addresses, and with them tokens of bots and webhooks.
_TELL_TOO_MUCH = {"urllib3": "INFO", "apprise": "WARNING"}


def logging_config(*, style: str, level: str, environment: str, service: str, host: str) -> dict[str, Any]:
    """Return the logging configuration of a process, as ``logging.config.dictConfig`` takes it."""
    written = {
        "json": {"()": "moondev.logs.lines.JsonLines", "service": service, "environment": environment, "host": host},
        "plain": {"()": "moondev.logs.lines.PlainLines"},
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": written[style]},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "loggers": {
            **{name: {"handlers": [], "propagate": True} for name in _BRING_THEIR_OWN},
            **{name: {"level": floor} for name, floor in _TELL_TOO_MUCH.items()},
        },
        "root": {"handlers": ["stderr"], "level": level},
    }


def configure(config: Mapping[str, Any]) -> None:
    """Set logging up, and send what nobody caught, and what Python warns of, the same way. Safe to call twice."""
    logging.config.dictConfig(dict(config))
    logging.captureWarnings(capture=True)
    # A line that cannot be written is not worth a dump of what it was about: arguments may hold anything.
    logging.raiseExceptions = False
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def this_service() -> str:
    """Return what this process is called: as who started it says, supervisor or container, else by its command line."""
    return os.environ.get(PROCESS_VARIABLE, "") or service_name(sys.argv)


def service_name(argv: Sequence[str]) -> str:
    """Return what a process is called, by its command line: ``orders-binance``, ``risk_guard``, ``web``."""
    if not argv:
        return "python"
    path, arguments = Path(argv[0]), list(argv[1:])
    program = path.parent.name if path.name == "__main__.py" else path.name
    if program == "manage.py" and arguments:
        return "-".join(word for word in arguments[:2] if not word.startswith("-")) + _option(arguments, "--venue", "-")
    if program == "celery":
        worker = _option(arguments, "--hostname").partition("@")[0]
        return worker or next((word for word in arguments if word in {"beat", "worker", "flower"}), program)
    return "web" if program == "uvicorn" else program


def _option(arguments: Sequence[str], name: str, before: str = "") -> str:
    """Return the value of an option, written ``--name value`` or ``--name=value``; empty when it is not there."""
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if word == name and following:
            return before + following
        if word.startswith(f"{name}="):
            return before + word.partition("=")[2]
    return ""


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("moondev.uncaught").critical("nobody caught this, the process ends", exc_info=error)


def _uncaught_in_thread(happened: threading.ExceptHookArgs) -> None:
    if happened.exc_value is None or isinstance(happened.exc_value, SystemExit):
        return
    name = happened.thread.name if happened.thread is not None else "a thread"
    logging.getLogger("moondev.uncaught").critical("nobody caught this, %s ends", name, exc_info=happened.exc_value)
