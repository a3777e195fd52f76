"""Weights and allowances as the venue documents them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.mock.wire.hyperliquid.limits import (
    WEIGHT_PER_MINUTE,
    AddressLimiter,
    WeightLimiter,
    exchange_weight,
    info_weight,
    rows_weight,
)

NOTHING = Decimal(0)


@pytest.mark.parametrize(("batch", "weight"), [(1, 1), (39, 1), (40, 2), (50, 2), (80, 3)])
def test_an_action_weighs_one_and_one_more_per_forty_orders(batch: int, weight: int) -> None:
    assert exchange_weight(batch) == weight


def test_info_requests_weigh_what_the_venue_says() -> None:
    assert [info_weight(kind) for kind in ("l2Book", "userRole", "meta")] == [2, 60, 20]
    assert [rows_weight("userFills", 45), rows_weight("candleSnapshot", 130), rows_weight("meta", 900)] == [2, 2, 0]


def test_an_ip_is_refused_when_its_minute_is_spent_and_admitted_again_as_it_refills() -> None:
    limiter = WeightLimiter()
    assert all(limiter.admit("ip", 20, 0.0) for _ in range(WEIGHT_PER_MINUTE // 20))
    assert not limiter.admit("ip", 20, 0.5)
    assert limiter.admit("other", 20, 0.5)
    assert limiter.admit("ip", 20, 1.0)
    assert not limiter.admit("ip", 20, 1.0)


def test_rows_returned_are_charged_after_the_fact() -> None:
    limiter = WeightLimiter()
    limiter.charge("ip", 2 * WEIGHT_PER_MINUTE, 0.0)
    assert not limiter.admit("ip", 1, 59.0)
    assert limiter.admit("ip", 1, 61.0)


@given(st.lists(st.tuples(st.integers(1, 100), st.floats(0, 5)), max_size=200))
def test_no_minute_ever_admits_more_than_a_bucket_and_its_refill(asks: list[tuple[int, float]]) -> None:
    limiter, now, admitted = WeightLimiter(), 0.0, 0
    for weight, wait in asks:
        now += wait
        admitted += weight if limiter.admit("ip", weight, now) else 0
        assert admitted <= WEIGHT_PER_MINUTE + now * WEIGHT_PER_MINUTE / 60 + 1e-6


def test_an_address_out_of_requests_gets_one_per_ten_seconds_and_hears_why() -> None:
    limiter = AddressLimiter()
    assert limiter.admit("0xa", 10_000, NOTHING, 0.0) is None
    refusal = limiter.admit("0xa", 1, Decimal("12.5"), 1.0)
    assert refusal is None
    assert limiter.used("0xa") == 10_001
    refusal = limiter.admit("0xa", 20, Decimal("12.5"), 2.0)
    assert refusal is not None
    assert refusal.startswith("Too many cumulative requests sent (10021 > 10012) for cumulative volume traded $12.50.")
    assert limiter.used("0xa") == 10_001
    assert limiter.admit("0xa", 20, Decimal("12.5"), 12.0) is None


def test_trading_earns_requests() -> None:
    limiter = AddressLimiter()
    limiter.charge("0xa", 10_500)
    assert limiter.admit("0xa", 1, Decimal(400), 0.0) is None
    assert limiter.admit("0xa", 1, Decimal(400), 0.1) is not None
    assert limiter.admit("0xa", 1, Decimal(1_000), 0.2) is None


def test_cancels_may_go_on_when_orders_may_not() -> None:
    limiter = AddressLimiter()
    limiter.charge("0xa", 10_500)
    limiter.admit("0xa", 1, NOTHING, 0.0)
    assert limiter.admit("0xa", 1, NOTHING, 0.1) is not None
    assert limiter.admit_cancel("0xa", 50, NOTHING, 0.1) is None
    limiter.charge("0xa", 10_000)
    limiter.admit_cancel("0xa", 50, NOTHING, 20.0)
    assert limiter.admit_cancel("0xa", 50, NOTHING, 20.1) is not None
