"""Load at an even pace."""

import time

from tests.bench.pace import paced


def test_every_number_is_acted_on_once_and_in_order():
    seen: list[int] = []
    paced(5, 1_000.0, seen.append)
    assert seen == [0, 1, 2, 3, 4]


def test_the_pace_is_not_faster_than_asked_for():
    began = time.monotonic()
    paced(6, 100.0, lambda number: None)
    assert time.monotonic() - began >= 0.05


def test_being_late_is_told():
    assert paced(3, 1_000.0, lambda number: time.sleep(0.02)) > 0.01
