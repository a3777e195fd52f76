"""Every process counts its requests; Redis adds them up."""

from __future__ import annotations

import threading

import pytest
import redis

from apps.exchanges.health import requests as module
from apps.exchanges.health.observed import OBSERVED, observed
from apps.exchanges.health.requests import RequestMeter, Requests, all_requests, recent_requests
from apps.exchanges.ports import ExecutionClient, ParseError
from moondev.counting.table import VENUE_CALLS, VENUE_REJECTS
from moondev.domain.errors import Connectivity, InvalidValue, NotSent, RateLimited, VenueRejected
from moondev.domain.orders import OrderStatus
from tests.support.order_world import report

VENUE = "hyperliquid"


@pytest.fixture
def seconds(monkeypatch):
    """Moved by hand, so that the meter tells Redis when the test wants it to."""
    time = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: time[0])
    return time


def test_several_processes_add_up(client, seconds) -> None:
    for _ in range(3):
        meter = RequestMeter(VENUE, client)
        meter.answered(0.06)
        meter.failed(7.0)
        seconds[0] += 2
        meter.answered(0.3)
    found = recent_requests(client, VENUE)
    assert (found.count, found.errors, found.seconds) == (9, 3, pytest.approx(3 * 7.36))
    assert found.error_rate == pytest.approx(1 / 3)
    assert (found.slower_than(0.3), found.slower_than(0.66), found.slower_than(0.95)) == (0.1, 0.5, float("inf"))
    assert all_requests(client, VENUE) == found
    assert recent_requests(client, "another") == Requests()


def test_redis_is_told_once_a_second_at_most(client, seconds) -> None:
    meter = RequestMeter(VENUE, client)
    for _ in range(1_000):
        meter.answered(0.01)
    assert all_requests(client, VENUE).count == 1
    seconds[0] += 1.5
    meter.answered(0.01)
    assert all_requests(client, VENUE).count == 1_001


def test_what_happened_long_ago_says_nothing_now(client, seconds, monkeypatch) -> None:
    RequestMeter(VENUE, client).failed(1.0)
    now = module._slot()
    monkeypatch.setattr(module, "_slot", lambda: now + module.SLOTS)
    assert recent_requests(client, VENUE) == Requests()
    assert all_requests(client, VENUE).errors == 1


def test_a_venue_that_is_back_is_judged_by_what_it_does_now(client, seconds, monkeypatch) -> None:
    now = module._slot()
    for back, errors in ((5, 20), (4, 20), (1, 0), (0, 0)):
        monkeypatch.setattr(module, "_slot", lambda back=back: now - back)
        meter = RequestMeter(VENUE, client)
        meter._flush({"count": max(errors, 6), "errors": errors, "bucket0": 6}, 1.0)
    found = recent_requests(client, VENUE)
    assert (found.count, found.errors) == (12, 0)


def test_no_requests_are_no_errors() -> None:
    assert (Requests().error_rate, Requests().slower_than(0.95)) == (0.0, 0.0)


def test_redis_away_costs_the_figures_only(seconds) -> None:
    class Away:
        asked = 0

        def pipeline(self, transaction):
            Away.asked += 1
            raise redis.ConnectionError("refused")

    meter = RequestMeter(VENUE, Away())
    for _ in range(100):
        meter.answered(0.1)
        seconds[0] += 0.01
    assert Away.asked == 1


def test_threads_lose_no_count(client, seconds) -> None:
    meter = RequestMeter(VENUE, client)
    threads = [threading.Thread(target=lambda: [meter.answered(0.1) for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds[0] += 2
    meter.answered(0.1)
    assert all_requests(client, VENUE).count == 2_001


class Client:
    """Raises what it is given; everything else it answers."""

    max_batch = 50

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def account_snapshot(self):
        if self._error is not None:
            raise self._error
        return "snapshot"

    def take_unreadable(self):
        return ["a row"]


@pytest.mark.parametrize(
    ("error", "count", "errors", "outcome"),
    [
        (None, 1, 0, "answered"),
        (VenueRejected("-2010", "no"), 1, 0, "rejected"),
        (Connectivity("?"), 1, 1, "no_answer"),
        (NotSent("refused"), 1, 1, "not_sent"),
        (ParseError("answer", "odd", "x"), 1, 1, "unreadable"),
        # What was not sent by our own decision, or not looked at, says nothing of how the venue fares.
        (RateLimited("429", 1.0), 0, 0, "rate_limited"),
        (InvalidValue("price", 1, "2"), 0, 0, None),
        (RuntimeError("bug"), 0, 0, None),
    ],
)
def test_an_observed_client_answers_as_before_and_is_counted(client, error, count, errors, outcome) -> None:
    outcomes = ("answered", "rejected", "no_answer", "not_sent", "unreadable", "rate_limited")
    before = {name: VENUE_CALLS.value(VENUE, "account_snapshot", name) for name in outcomes}
    refusals = VENUE_REJECTS.value(VENUE, "-2010")
    watched = observed(Client(error), RequestMeter(VENUE, client))
    if error is None:
        assert watched.account_snapshot() == "snapshot"
    else:
        with pytest.raises(type(error)):
            watched.account_snapshot()
    assert (watched.max_batch, watched.take_unreadable()) == (50, ["a row"])
    found = all_requests(client, VENUE)
    assert (found.count, found.errors) == (count, errors)
    after = {name: VENUE_CALLS.value(VENUE, "account_snapshot", name) for name in outcomes}
    assert {name: after[name] - before[name] for name in outcomes if after[name] != before[name]} == (
        {} if outcome is None else {outcome: 1}
    )
    assert VENUE_REJECTS.value(VENUE, "-2010") - refusals == (outcome == "rejected")


def test_orders_that_a_venue_refuses_one_by_one_are_counted_by_its_code(client) -> None:
    class Refusing(Client):
        def place(self, *_):
            words = ("11061: cross_margin too low", "Order has <b>invalid</b> size", "")
            return [
                report(None, status, venue_id="v", reason=reason)
                for status, reason in zip(statuses, words, strict=True)
            ]

    statuses = (OrderStatus.REJECTED, OrderStatus.REJECTED, OrderStatus.OPEN)
    codes = ("11061", "other")
    before = [VENUE_REJECTS.value(VENUE, code) for code in codes]
    assert len(observed(Refusing(), RequestMeter(VENUE, client)).place([], 1, None)) == 3
    assert [VENUE_REJECTS.value(VENUE, code) - was for code, was in zip(codes, before, strict=True)] == [1, 1]


def test_every_call_of_the_port_that_speaks_to_a_venue_is_observed() -> None:
    """A new call of the port has to be put on one side or the other."""
    calls = {name for name in vars(ExecutionClient) if not name.startswith("_")}
    assert calls - OBSERVED == {"max_batch", "signer_address", "take_unreadable", "close"}
