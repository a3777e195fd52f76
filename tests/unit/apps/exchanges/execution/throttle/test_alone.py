"""Redis is away: only what must not wait is sent, and only a little of it."""

from __future__ import annotations

import pytest
import redis

from apps.exchanges.execution.throttle import alone as module
from apps.exchanges.execution.throttle.alone import Alone, share
from apps.exchanges.throttling import Budget, EarnedBudget, Lane, Scope
from moondev.domain.errors import RateLimited
from tests.support.throttle_world import ACTIONS, attempt, spends_until_refused, throttle

WEIGHT = Budget("weight", Scope.ADDRESS, capacity=1_200, seconds=60.0, reserved=0.2)


class Away:
    """A Redis that does not answer, and counts how often it is asked."""

    asked = 0

    def execute_command(self, *_):
        self.asked += 1
        raise redis.ConnectionError("connection refused")


class Wandering:
    """A Redis that is away until `real` is set."""

    def __init__(self) -> None:
        self.real = None

    def execute_command(self, *arguments):
        if self.real is None:
            raise redis.TimeoutError("timed out")
        return self.real.execute_command(*arguments)


@pytest.fixture
def seconds(monkeypatch):
    """Real time as this process sees it, moved by hand."""
    time = [1_000.0]
    monkeypatch.setattr(module, "monotonic", lambda: time[0])
    return time


def test_opening_is_refused_and_redis_is_not_asked_every_time(seconds) -> None:
    away = Away()
    mine = throttle(away, budgets=[WEIGHT])
    for _ in range(100):
        with pytest.raises(RateLimited, match="Redis is away"):
            mine.spend({"weight": 1})
    assert away.asked == 1
    seconds[0] += module.REDIS_REST_SECONDS
    assert not attempt(lambda: mine.spend({"weight": 1})).passed
    assert away.asked == 2


def test_cancels_pass_up_to_a_fixed_share_of_the_reserved_lane(seconds) -> None:
    mine = throttle(Away(), budgets=[WEIGHT])
    assert spends_until_refused(mine, {"weight": 1}, Lane.RESERVED) == 60
    seconds[0] += 61
    assert spends_until_refused(mine, {"weight": 1}, Lane.RESERVED) == 60


def test_the_share_is_the_processs_whatever_accounts_it_serves(seconds) -> None:
    shares = Alone()
    first, second = (throttle(Away(), name, budgets=[WEIGHT], alone=shares) for name in ("0xA", "0xB"))
    first.spend({"weight": 50}, Lane.RESERVED)
    assert spends_until_refused(second, {"weight": 1}, Lane.RESERVED) == 10


def test_several_shares_are_taken_together_or_not_at_all(seconds) -> None:
    small = Budget("orders", Scope.ACCOUNT, capacity=10, seconds=60.0)
    mine = throttle(Away(), budgets=[WEIGHT, small])
    assert spends_until_refused(mine, {"weight": 1, "orders": 1}, Lane.RESERVED) == 1
    assert spends_until_refused(mine, {"weight": 1}, Lane.RESERVED) == 59


def test_no_share_is_nothing() -> None:
    assert share(Budget("tiny", Scope.ADDRESS, 1, 1.0)) == 1
    assert share(ACTIONS) == 2
    assert share(EarnedBudget("actions", Scope.ACCOUNT, 10_000, 100_000, 10.0)) == 2_500


def test_redis_is_told_afterwards_what_was_spent_without_it(client, seconds) -> None:
    wandering = Wandering()
    mine = throttle(wandering, budgets=[WEIGHT])
    mine.spend({"weight": 20}, Lane.RESERVED)
    wandering.real = client
    seconds[0] += module.REDIS_REST_SECONDS
    # 960 are for everybody; 20 are gone.
    assert spends_until_refused(mine, {"weight": 940}) == 1
    assert spends_until_refused(mine, {"weight": 1}) == 0


def test_a_ban_is_obeyed_without_redis(seconds) -> None:
    mine = throttle(Away(), budgets=[WEIGHT])
    mine.rest(30.0, "HTTP 418")
    with pytest.raises(RateLimited) as caught:
        mine.spend({"weight": 1}, Lane.RESERVED)
    assert caught.value.retry_after_seconds == pytest.approx(30.0)
    seconds[0] += 31
    mine.spend({"weight": 1}, Lane.RESERVED)


def test_what_cannot_be_noted_does_not_fail(seconds) -> None:
    mine = throttle(Away(), budgets=[WEIGHT, ACTIONS])
    mine.heard({"weight": 500})
    mine.charge({"weight": 5})
    mine.granted("actions", 20_000)
