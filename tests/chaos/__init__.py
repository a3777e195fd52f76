"""Processes are killed, servers stopped and answers lost; afterwards every book must agree."""

import pytest

# Their asserts are to show what differs, as those of a test do.
pytest.register_assert_rewrite("tests.chaos.trader", "tests.support.order_world")
