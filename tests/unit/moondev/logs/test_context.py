import logging

import pytest

from moondev.logs import log_context, said
from moondev.logs.context import KEYS, arrived, current, travelling
from moondev.logs.lines import PlainLines


def line(**extra):
    record = logging.LogRecord("name", logging.INFO, "file", 1, "message", None, None)
    record.__dict__.update(extra)
    return PlainLines().format(record).partition(" name ")[2]


def test_context_nests_and_is_cleared():
    assert line() == "[-] message"
    with log_context(task="a", task_id="1"):
        assert line() == "[task=a task_id=1] message"
        with log_context(order="7", venue=""):
            assert line() == "[task=a task_id=1 order=7] message"
        assert line() == "[task=a task_id=1] message"
    assert line() == "[-] message"


def test_context_is_cleared_when_the_block_raises():
    with pytest.raises(RuntimeError), log_context(task="a"):
        raise RuntimeError
    assert line() == "[-] message"


def test_one_line_may_be_about_more_than_the_work_in_hand():
    with log_context(tick="1", account="3"):
        assert line(**said(tick="2", order="9")) == "[tick=2 account=3 order=9] message"


def test_what_travels_with_a_message_arrives_and_nothing_else_does():
    with log_context(request="r-1", tick="7", command="kill_switch engage"):
        headers = {"about": travelling(), "other": 1}
    assert headers["about"] == {"request": "r-1", "command": "kill_switch engage"}
    with log_context(**arrived({"about": {**headers["about"], "tick": "8", "planted": "x"}})):
        assert dict(current()) == headers["about"]
    for nonsense in (None, {}, {"about": None}, {"about": ["request"]}):
        assert arrived(nonsense) == {}
    assert set(headers["about"]) < set(KEYS)
