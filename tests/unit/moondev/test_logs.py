import logging

import pytest

from moondev.logs import ContextFilter, UtcFormatter, log_context


def line() -> str:
    record = logging.LogRecord("name", logging.INFO, "file", 1, "message", None, None)
    assert ContextFilter().filter(record)
    return record.log_context


def test_context_nests_and_is_cleared():
    assert line() == "-"
    with log_context(task="a", task_id="1"):
        assert line() == "task=a task_id=1"
        with log_context(order="7"):
            assert line() == "task=a task_id=1 order=7"
        assert line() == "task=a task_id=1"
    assert line() == "-"


def test_context_is_cleared_when_the_block_raises():
    with pytest.raises(RuntimeError), log_context(task="a"):
        raise RuntimeError
    assert line() == "-"


def test_times_are_utc_with_milliseconds():
    record = logging.LogRecord("name", logging.INFO, "file", 1, "message", None, None)
    record.created = 0.25
    assert UtcFormatter().formatTime(record) == "1970-01-01T00:00:00.250+00:00"
