"""Nobody is let in more often than a rate says, however few questions Redis is asked about it."""

from __future__ import annotations

import pytest
from limits.errors import StorageError
from limits.storage import MemoryStorage

from apps.monitor.access.aside import MOST, SetAside
from apps.monitor.access.rates import Rates


class Shared(MemoryStorage):
    """Counts as Redis does, and how often it was asked; may be away."""

    def __init__(self):
        super().__init__()
        self.asked, self.away = 0, False

    def acquire_sliding_window_entry(self, *arguments, **named):
        self.asked += 1
        if self.away:
            raise StorageError(ConnectionError("away"))
        return super().acquire_sliding_window_entry(*arguments, **named)


@pytest.fixture
def shared():
    return Shared()


def test_a_few_are_counted_at_once_and_never_more_than_the_rate(shared):
    instances = [Rates(shared, MemoryStorage()) for _ in range(2)]
    let_in = [instances[number % 2].take("400/day", "address", "a") for number in range(500)].count(None)
    assert 400 - 2 * 20 <= let_in <= 400
    assert shared.asked < 400 / 20 + 250
    first = Rates(Shared(), MemoryStorage())
    assert [first.take("40/day", "who") for _ in range(40)] == [None] * 40
    assert first.take("40/day", "who").rate == "40/day"


def test_small_rates_are_counted_one_by_one(shared):
    instances = [Rates(shared, MemoryStorage()) for _ in range(2)]
    refused = [instances[number % 2].take("5/day", "a") is not None for number in range(8)]
    assert refused == [False] * 5 + [True] * 3
    assert not instances[0].take_counted(("5/day", ("a",)))


def test_requests_that_come_together_count_no_more_ahead_than_one_alone(shared):
    rates, came = Rates(shared, MemoryStorage()), []
    count = shared.acquire_sliding_window_entry

    def while_others_come(*arguments, **named):
        if not came:
            came.append("first")
            came.extend(rates.take("200/day", "address") for _ in range(9))
        return count(*arguments, **named)

    shared.acquire_sliding_window_entry = while_others_come
    assert rates.take("200/day", "address") is None
    assert came == ["first"] + [None] * 9
    later = Rates(shared, MemoryStorage())
    assert [later.hit("200/day", "address") for _ in range(200)].count(None) == 200 - 9 - 20


def test_what_was_counted_ahead_is_taken_under_every_rate_or_under_none():
    now = [0.0]
    aside = SetAside(lambda: now[0])
    one, other = ("9/day", ("a",)), ("8/day", ("b",))
    aside.put(one, 2, 1.0)
    assert not aside.take([one, other])
    aside.put(other, 1, 1.0)
    assert aside.take([one, other])
    assert not aside.take([one, other])
    assert aside.take([one])
    aside.put(one, 5, 1.0)
    now[0] = 1.0
    assert not aside.take([one])
    for number in range(2 * MOST):
        assert aside.claim((str(number), ()), 1, 1, 60.0)
    assert len(aside._left) <= MOST


def test_without_redis_each_process_counts_for_itself(shared):
    shared.away = True
    rates = Rates(shared, MemoryStorage())
    assert [rates.take("20/day", "a") is None for _ in range(22)] == [True] * 20 + [False] * 2


def test_what_was_counted_for_nothing_is_remembered_for_a_period_of_the_rate() -> None:
    now = [0.0]
    aside, name = SetAside(lambda: now[0]), ("50/second", ("somebody",))
    assert aside.claim(name, 4, 6, 1.0)
    aside.put(name, 4, 0.1)
    assert aside.take([name])
    now[0] = 0.5
    assert not aside.claim(name, 4, 6, 1.0)
    assert aside.claim(name, 3, 6, 1.0)
    assert not aside.take([name])
    aside.drop(name)
    assert not aside.claim(name, 4, 6, 1.0)
    now[0] = 1.6
    assert aside.claim(name, 4, 6, 1.0)
