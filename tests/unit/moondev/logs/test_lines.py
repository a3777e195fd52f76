import json
import logging

import pytest

from moondev.logs import log_context
from moondev.logs.lines import FIELDS, MESSAGE_CHARACTERS, TRACEBACK_CHARACTERS, VALUE_CHARACTERS, JsonLines, PlainLines

HOSTILE = "first\n2026-01-01T00:00:00.000+00:00 INFO 1 root [-] forged\r\x1b[2J\x9b1m\u2028\u202e\x00\ud800\x85end"


def record(message="message", arguments=(), **extra):
    made = logging.LogRecord("a.logger", logging.WARNING, "file", 1, message, arguments, None)
    made.created = 0.25
    made.__dict__.update(extra)
    return made


def error_of(text):
    try:
        raise LookupError(text)
    except LookupError as error:
        return (type(error), error, error.__traceback__)


def test_a_line_of_json_says_when_what_and_who():
    with log_context(tick="7", strategy="turtle-btc"):
        line = JsonLines("orders-binance", "production", "host-1").format(record("order %s", ("5",)))
    said = json.loads(line)
    assert said["@timestamp"] == "1970-01-01T00:00:00.250000Z"
    assert (said["log.level"], said["log.logger"], said["message"]) == ("warning", "a.logger", "order 5")
    assert (said["tick"], said["strategy"]) == ("7", "turtle-btc")
    assert (said["service.name"], said["service.environment"], said["host.hostname"]) == (
        "orders-binance", "production", "host-1",
    )  # fmt: skip
    assert set(said) <= set(FIELDS)


def test_a_line_for_people_has_its_time_in_utc_with_milliseconds():
    assert PlainLines().format(record()).startswith("1970-01-01T00:00:00.250+00:00 WARNING ")


def test_an_error_is_told_apart_from_the_message():
    said = json.loads(JsonLines("s", "e", "h").format(record(exc_info=error_of("no such thing"))))
    assert (said["error.type"], said["error.message"]) == ("LookupError", "no such thing")
    assert said["error.stack_trace"].startswith("Traceback")
    assert said["error.stack_trace"].endswith("LookupError: no such thing")
    assert set(said) <= set(FIELDS)


@pytest.mark.parametrize("lines", [JsonLines("s", "e", "h"), PlainLines()], ids=["json", "plain"])
def test_text_of_others_cannot_begin_a_line_or_move_a_cursor(lines):
    written = [
        lines.format(record(HOSTILE)),
        lines.format(record("%s", (HOSTILE,))),
        lines.format(record(about={"venue_order": HOSTILE})),
    ]
    for line in written:
        assert line.isprintable()
        assert "forged" in line
        line.encode("utf-8")
    with_error = lines.format(record(exc_info=error_of(HOSTILE)))
    below = with_error.split("\n")[1:]
    assert all(one.startswith("    | ") for one in below)
    assert "".join(with_error.split("\n")).isprintable()
    with_error.encode("utf-8")


class Hostile:
    def __str__(self):
        raise RuntimeError("no")

    __repr__ = __str__


class HostileError(Exception):
    def __str__(self):
        raise RuntimeError("no")

    __repr__ = __str__


@pytest.mark.parametrize("lines", [JsonLines("s", "e", "h"), PlainLines()], ids=["json", "plain"])
def test_a_line_that_cannot_be_put_together_is_not_lost(lines):
    assert "does not go with ('x',)" in lines.format(record("%d things", ("x",)))
    assert "cannot be shown" in lines.format(record("%s", (Hostile(),)))
    assert "None" in lines.format(record(None))
    with_error = lines.format(record(exc_info=(HostileError, HostileError(), None)))
    assert "HostileError" in with_error
    assert lines.format(record(exc_info=(None, None, None))).count("\n") == 0


def test_what_is_too_long_is_cut_and_says_so():
    said = json.loads(
        JsonLines("s", "e", "h").format(
            record("m " * 9_000, about={"venue_order": "v " * 900}, exc_info=error_of("e " * 40_000))
        )
    )
    assert len(said["message"]) <= MESSAGE_CHARACTERS + 3
    assert len(said["venue_order"]) <= VALUE_CHARACTERS + 3
    assert len(said["error.stack_trace"]) <= TRACEBACK_CHARACTERS + 3
    assert said["message"].endswith("… ")
    assert said["error.stack_trace"].startswith(" … ")
