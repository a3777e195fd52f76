"""The chain's height: asked for when it must be right, reckoned when it need not be, and patient in a replay."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from apps.exchanges.venues.dydx.heights import Heights
from moondev.domain.clock import FixedClock, LiveClock, ReplayClock
from moondev.domain.errors import Connectivity

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Node:
    """Answers with one height after the other, and counts the questions."""

    def __init__(self, *heights: int) -> None:
        self.heights: Iterator[int] = iter(heights)
        self.asked = 0

    def __call__(self) -> int:
        self.asked += 1
        return next(self.heights)


def test_an_exact_height_is_asked_for_once_in_half_a_block() -> None:
    node, clock = Node(100, 101), FixedClock(NOW)
    heights = Heights(node, clock)
    assert heights.exact().height == heights.exact().height == 100
    assert node.asked == 1
    clock.advance(timedelta(seconds=0.6))
    assert heights.exact().height == 101
    assert heights.exact().now == clock.now()


def test_a_height_is_reckoned_from_the_last_one_heard() -> None:
    node, clock = Node(100), FixedClock(NOW)
    heights = Heights(node, clock)
    assert heights.reckoned().height == 100
    clock.advance(timedelta(seconds=7.5))
    assert heights.reckoned().height == 107
    assert node.asked == 1


def test_a_question_that_fails_leaves_nothing_behind() -> None:
    def away() -> int:
        raise Connectivity("away")

    heights = Heights(away, FixedClock(NOW))
    for question in (heights.exact, heights.reckoned):
        with pytest.raises(Connectivity):
            question()


@pytest.mark.parametrize(("speed", "blocks"), [(1.0, 4), (10.0, 10), (60.0, 40)])
def test_an_immediate_order_stays_good_for_a_real_second_in_a_replay(speed: float, blocks: int) -> None:
    clock = ReplayClock(NOW, LiveClock().now(), speed)
    assert Heights(Node(1), clock).exact().patience == blocks
