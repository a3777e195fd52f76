"""Budgets that several throttles share through one Redis. No window of these tests ends while they run, but for the
ones that measure exactly that."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.exchanges.throttling import Budget, EarnedBudget, Foremost, Lane, Scope
from moondev.domain.clock import FixedClock, ReplayClock
from moondev.domain.errors import InvalidValue, RateLimited
from tests.support.throttle_world import (
    ORDERS,
    WEIGHT,
    attempt,
    most_in_a_window,
    needless_refusals,
    spends_until_refused,
    throttle,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
QUICK = Budget("quick", Scope.ADDRESS, capacity=20, seconds=0.2, reserved=0.0)


def test_a_spend_leaves_less_for_everybody_who_shares_the_budget(client) -> None:
    first, second = throttle(client, "0xA"), throttle(client, "0xB")
    assert spends_until_refused(first, {"weight": 10}) == 8
    assert spends_until_refused(second, {"weight": 1}) == 0
    # Weight is the address's, orders are the account's own.
    first.spend({"orders": 8})
    second.spend({"orders": 8})
    with pytest.raises(RateLimited, match="orders"):
        throttle(client, "0xa").spend({"orders": 1})


def test_other_venues_and_other_addresses_of_ours_have_budgets_of_their_own(client) -> None:
    throttle(client).spend({"weight": 80})
    throttle(client, venue="another").spend({"weight": 80})
    throttle(client, egress="there").spend({"weight": 80})


def test_the_reserved_part_is_left_to_the_reserved_lane(client) -> None:
    mine = throttle(client)
    mine.spend({"weight": 80})
    with pytest.raises(RateLimited, match="ordinary"):
        mine.spend({"weight": 1})
    assert spends_until_refused(mine, {"weight": 5}, Lane.RESERVED) == 3


def test_routine_leaves_a_part_of_the_reserve_to_halts(client) -> None:
    routine, halt = throttle(client), Foremost(throttle(client))
    routine.charge({"weight": 99})
    with pytest.raises(RateLimited, match="reserved"):
        routine.spend({"weight": 1}, Lane.RESERVED)
    # Whatever lane the adapter names, it is the foremost.
    halt.spend({"weight": 1}, Lane.RESERVED)
    with pytest.raises(RateLimited, match="foremost"):
        halt.spend({"weight": 1})


def test_several_budgets_are_paid_together_or_not_at_all(client) -> None:
    mine = throttle(client)
    mine.spend({"orders": 8})
    for _ in range(50):
        with pytest.raises(RateLimited, match="orders"):
            mine.spend({"weight": 10, "orders": 1})
    mine.spend({"weight": 80})


@pytest.mark.parametrize(
    ("cost", "word"), [({"weight": 81}, "at most 80"), ({"weight": -1}, "zero or more"), ({"mood": 1}, "weight")]
)
def test_a_cost_that_can_never_be_paid_is_a_mistake_and_takes_nothing(client, cost, word) -> None:
    mine = throttle(client)
    with pytest.raises(InvalidValue, match=word):
        mine.spend(cost)
    with pytest.raises(InvalidValue, match=word):
        mine.spend({"weight": 80} | cost)
    mine.spend({"weight": 80})


def test_every_lane_has_a_unit_of_the_smallest_budget(client) -> None:
    tiny = throttle(client, budgets=[Budget("one", Scope.ADDRESS, 1, 60.0)])
    assert spends_until_refused(tiny, {"one": 1}) == 1


def test_what_an_answer_cost_is_taken_even_when_nothing_is_left(client) -> None:
    mine = throttle(client)
    mine.charge({"weight": 130})
    with pytest.raises(RateLimited):
        mine.spend({"weight": 1}, Lane.RESERVED)


def test_the_venue_is_believed_when_it_counts_more_and_not_when_it_counts_less(client) -> None:
    mine, other = throttle(client), throttle(client, "0xB")
    mine.heard({"weight": 75})
    assert spends_until_refused(other, {"weight": 1}) == 5
    mine.heard({"weight": 3})
    assert spends_until_refused(other, {"weight": 1}) == 0


def test_what_the_venue_counts_is_no_news_when_we_count_as_much(client, monkeypatch) -> None:
    mine = throttle(client)
    mine.spend({"weight": 10})
    monkeypatch.setattr(mine._script, "run", lambda *_: pytest.fail("went to Redis for nothing"))
    mine.heard({"weight": 10})
    mine.heard({"weight": 4})


def test_a_ban_silences_everybody_at_the_address_and_nobody_elsewhere(client) -> None:
    throttle(client).rest(30.0, "HTTP 418")
    for account in ("0xA", "0xB"):
        with pytest.raises(RateLimited, match="418") as caught:
            throttle(client, account).spend({"weight": 1}, Lane.RESERVED)
        assert 20 < caught.value.retry_after_seconds <= 30
    throttle(client, egress="there").spend({"weight": 1})
    throttle(client, venue="another").spend({"weight": 1})


def test_a_ban_takes_nothing_and_is_remembered_without_asking_again(client, monkeypatch) -> None:
    mine = throttle(client)
    throttle(client).rest(0.05, "HTTP 429")
    refused = attempt(lambda: mine.spend({"weight": 80}))
    assert not refused.passed
    monkeypatch.setattr(mine._script, "run", lambda *_: pytest.fail("went to Redis while resting"))
    if time.monotonic() < refused.began + 0.04:
        assert not attempt(lambda: mine.spend({"weight": 80})).passed
    monkeypatch.undo()
    while not attempt(lambda: mine.spend({"weight": 80})).passed:
        pass


def test_a_repeated_ban_lasts_twice_as_long_each_time(client) -> None:
    lengths = []
    for _ in range(4):
        mine = throttle(client)
        mine.rest(0.02, "HTTP 429")
        lengths.append(mine._alone.resting(mine._purse.spender.rest_key))
        while not attempt(lambda: throttle(client).spend({"weight": 0})).passed:
            pass
    # Each is at least what it should be, less what passed since it was said.
    for times, length in enumerate(lengths):
        assert length <= 0.02 * 2**times
    assert client.pttl("throttle:venue:address:here:rest") > 0
    assert throttle(client)._ask("rest", ["throttle:venue:address:here:rest"], [20_000, "again"])[1] == 16 * 20_000


def test_many_answers_to_one_ban_are_one_ban(client) -> None:
    for _ in range(10):
        throttle(client).rest(5.0, "HTTP 429")
    with pytest.raises(RateLimited) as caught:
        throttle(client).spend({"weight": 1})
    assert caught.value.retry_after_seconds <= 5
    throttle(client).rest(9.0, "HTTP 418")
    with pytest.raises(RateLimited) as caught:
        throttle(client).spend({"weight": 1})
    assert 5 < caught.value.retry_after_seconds <= 9


def test_an_earned_budget_ends_grows_and_lets_one_request_through_now_and_then(client) -> None:
    mine = throttle(client)
    assert spends_until_refused(mine, {"actions": 1}) == 11
    mine.granted("actions", 15)
    assert spends_until_refused(mine, {"actions": 1}) == 4
    # Cancels reach as far again as the budget, here 30.
    assert spends_until_refused(mine, {"actions": 1}, Lane.RESERVED) == 15
    with pytest.raises(RateLimited) as caught:
        mine.spend({"actions": 1}, Lane.RESERVED)
    assert 50 < caught.value.retry_after_seconds <= 60


def test_the_overdraft_of_a_large_earned_budget_is_bounded(client) -> None:
    mine = throttle(client)
    mine.granted("actions", 1_000)
    mine.heard({"actions": 1_000})
    mine.spend({"actions": 100}, Lane.RESERVED)
    mine.spend({"actions": 1})
    with pytest.raises(RateLimited):
        mine.spend({"actions": 1}, Lane.RESERVED)


def test_the_venues_count_replaces_ours_where_nothing_is_ever_forgotten(client) -> None:
    mine = throttle(client)
    mine.spend({"actions": 10})
    mine.heard({"actions": 2})
    assert spends_until_refused(mine, {"actions": 1}) == 9


def test_a_replay_spends_a_minute_of_the_run_in_a_second(client) -> None:
    """60 times as fast, a window of six seconds of the run passes in a tenth of a second."""
    budget = Budget("weight", Scope.ADDRESS, 100, 6.0, reserved=0.0)
    fast = throttle(client, budgets=[budget], clock=ReplayClock(NOW, NOW, 60.0))
    fast.spend({"weight": 100})
    with pytest.raises(RateLimited) as caught:
        fast.spend({"weight": 100})
    assert caught.value.retry_after_seconds <= 0.1 * 21 / 20
    while not attempt(lambda: fast.spend({"weight": 100})).passed:
        pass


def test_a_clock_that_stands_still_counts_as_real_time(client) -> None:
    still = throttle(client, clock=FixedClock(NOW))
    assert spends_until_refused(still, {"weight": 40}) == 2


def test_a_change_of_pace_forgets_nothing(client) -> None:
    throttle(client).spend({"weight": 80})
    with pytest.raises(RateLimited):
        throttle(client, clock=ReplayClock(NOW, NOW, 2.0)).spend({"weight": 1})


def test_redis_that_forgot_its_scripts_is_told_again(client) -> None:
    mine = throttle(client)
    mine.spend({"weight": 40})
    client.script_flush()
    assert spends_until_refused(mine, {"weight": 10}) == 4


def test_waiting_as_long_as_told_is_enough_when_nobody_else_spends(client) -> None:
    alone = throttle(client, budgets=[QUICK])
    alone.spend({"quick": 20})
    with pytest.raises(RateLimited) as caught:
        alone.spend({"quick": 20})
    time.sleep(caught.value.retry_after_seconds)
    alone.spend({"quick": 20})


def test_threads_never_exceed_a_window_together_and_are_never_refused_for_nothing(client) -> None:
    attempts = []
    ends = time.monotonic() + 0.7

    def spender(account: str) -> None:
        mine = throttle(client, account, budgets=[QUICK])
        while time.monotonic() < ends:
            attempts.append(attempt(lambda: mine.spend({"quick": 1})))

    threads = [threading.Thread(target=spender, args=(f"0x{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert any(one.passed for one in attempts)
    assert most_in_a_window(attempts, QUICK.seconds) <= QUICK.capacity
    assert needless_refusals(attempts, QUICK.seconds, QUICK.capacity) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    spends=st.lists(st.tuples(st.integers(0, 80), st.integers(0, 8), st.sampled_from(Lane)), min_size=1, max_size=40)
)
def test_within_a_window_the_books_are_exact(client, spends) -> None:
    """Whatever is asked for, in whatever lane, is granted exactly when it fits; nothing is taken when it does not."""
    client.flushall()
    mine = throttle(client)
    weight = orders = 0
    for w, o, lane in spends:
        fits = (weight + w <= _top(WEIGHT, lane)) and (orders + o <= _top(ORDERS, lane))
        assert attempt(lambda: mine.spend({"weight": w, "orders": o}, lane)).passed is fits  # noqa: B023
        if fits:
            weight, orders = weight + w, orders + o


def _top(budget: Budget, lane: Lane) -> int:
    kept = {Lane.ORDINARY: budget.reserved, Lane.RESERVED: budget.reserved / 16, Lane.FOREMOST: 0.0}
    return round(budget.capacity * (1 - kept[lane]))


def test_the_kind_of_an_earned_budget_is_not_mistaken_for_a_window(client) -> None:
    """`granted` says nothing about a budget that forgets by itself."""
    mine = throttle(client, budgets=[WEIGHT, EarnedBudget("actions", Scope.ACCOUNT, 5, 5, 10.0)])
    mine.granted("weight", 1)
    mine.spend({"weight": 80})
