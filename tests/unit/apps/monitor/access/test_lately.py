"""Answers are remembered for a moment, refusals never, and never without bound."""

from __future__ import annotations

import pytest

from apps.monitor.access.lately import HOLDS_SECONDS, MOST, Lately


def test_it_asks_again_after_a_moment_and_forgets_before_it_grows():
    now, asked = [0.0], []
    lately = Lately(lambda: now[0])

    def look_up():
        asked.append(now[0])
        return len(asked)

    assert [lately.get(b"a", look_up) for _ in range(3)] == [1, 1, 1]
    assert lately.get(b"b", look_up) == 2
    now[0] = HOLDS_SECONDS
    assert lately.get(b"a", look_up) == 3
    for number in range(2 * MOST):
        lately.get(number.to_bytes(4), look_up)
    assert len(lately._known) <= MOST


def test_a_refusal_is_not_remembered():
    lately = Lately()
    with pytest.raises(ZeroDivisionError):
        lately.get(b"a", lambda: 1 // 0)
    assert lately.get(b"a", lambda: 1) == 1
