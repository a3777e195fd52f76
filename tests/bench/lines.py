"""What one line of the log costs, from the call to the written bytes, beside a line of the standard library's own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from moondev.logs import log_context, said
from moondev.logs.lines import JsonLines, PlainLines
from moondev.logs.redaction import redaction
from tests.bench.figures import Spread
from tests.bench.results import Row, Section
from tests.bench.servers import BenchError

LINES = 500
ROUNDS = 40
ABOUT = {
    "tick": "48121", "strategy": "turtle-btc", "account": "3", "venue": "hyperliquid", "order": "91822",
    "client_order": "41580a00-2100-5a34-8eea-24cec9d33bd8", "venue_order": "1795733445984830",
}  # fmt: skip
STEP = ("order %s -> %s (%s): %s %s %s @ %s", "sending", "open", "send", "buy", "1.6892", "ETH", "3569.8")


def run() -> list[Section]:
    """Write an order's step in each style, in turn, to a file; then a line with a secret, and one with an error."""
    error = _error()
    with TemporaryDirectory() as folder:
        log = _Log(Path(folder))
        cases: dict[str, Callable[[], None]] = {
            "of the standard library, no context, nothing hidden": lambda: log.step("standard"),
            "plain, of an order's step": lambda: log.step("plain"),
            "JSON, of an order's step": lambda: log.step("json"),
            "JSON, with a password to hide": lambda: log.say("json", "%s is away", "redis://:hunter2@cache:6379/0"),
            "JSON, with an error and its traceback": lambda: log.fail("json", error),
            "not written: its level is off": lambda: log.whisper("json"),
        }
        spent: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(ROUNDS):
            for name, case in cases.items():
                spent[name].append(_one(case))
        log.close()
        if "hunter2" in "".join(path.read_text(encoding="utf-8") for path in Path(folder).iterdir()):
            raise BenchError("a password is in the log")
    spent["context of a tick bound and let go"] = [_one(_bind) for _ in range(ROUNDS)]
    setting = f"CPU of a thousand lines (so a line takes as many microseconds), {ROUNDS} rounds of {LINES}, in turn"
    rows = [Row(name, Spread.of(values), cpu_ms=sum(values) / len(values)) for name, values in spent.items()]
    return [Section("lines", setting, rows)]


class _Log:
    """Loggers that write to a file each, in one style each."""

    def __init__(self, folder: Path) -> None:
        redaction().learn("a-secret-of-this-process")
        styles: dict[str, logging.Formatter] = {
            "standard": logging.Formatter("%(asctime)s %(levelname)s %(process)d %(name)s %(message)s"),
            "plain": PlainLines(),
            "json": JsonLines("orders-hyperliquid", "production", "host"),
        }
        self._loggers: dict[str, logging.Logger] = {}
        for name, formatter in styles.items():
            handler = logging.FileHandler(folder / name)
            handler.setFormatter(formatter)
            logger = self._loggers[name] = logging.getLogger(f"bench.lines.{name}")
            logger.propagate = False
            logger.setLevel(logging.INFO)
            logger.addHandler(handler)

    def step(self, style: str) -> None:
        self._loggers[style].info(*STEP, extra=said(**ABOUT))

    def say(self, style: str, message: str, *arguments: object) -> None:
        self._loggers[style].info(message, *arguments)

    def fail(self, style: str, error: Exception) -> None:
        self._loggers[style].error("it failed", exc_info=error)

    def whisper(self, style: str) -> None:
        self._loggers[style].debug("nobody hears %s", style)

    def close(self) -> None:
        for logger in self._loggers.values():
            for handler in list(logger.handlers):
                logger.removeHandler(handler)
                handler.close()


def _bind() -> None:
    with log_context(**ABOUT):
        pass


def _error() -> Exception:
    try:
        raise LookupError("no such order")
    except LookupError as error:
        return error


def _one(case: Callable[[], None]) -> float:
    """Return the milliseconds of CPU that a thousand lines took, by LINES of them in a row."""
    began = time.thread_time()
    for _ in range(LINES):
        case()
    return (time.thread_time() - began) * 1000 / LINES * 1000
