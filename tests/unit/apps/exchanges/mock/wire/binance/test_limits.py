"""Weight per address and minute, orders per account, and the ban of who asks on."""

from __future__ import annotations

import pytest

from apps.exchanges.mock.wire.binance.limits import FUTURES, PATIENCE, SPOT, LimitedError, Limits

NOW = 6_000_000.0  # a minute begins


def test_weight_is_counted_by_address_and_forgotten_with_the_minute() -> None:
    limits = Limits()
    assert limits.spend("a", 2_000, NOW) == 2_000
    assert limits.spend("b", 1, NOW) == 1
    with pytest.raises(LimitedError) as caught:
        limits.spend("a", 500, NOW + 20)
    assert (caught.value.status, caught.value.code, caught.value.retry_after) == (429, -1003, 40.0)
    assert limits.spend("a", 1, NOW + 60) == 1


def test_who_goes_on_asking_is_banned_for_longer_each_time() -> None:
    limits = Limits()
    limits.spend("a", 2_400, NOW)
    for _ in range(PATIENCE):
        with pytest.raises(LimitedError, match="-1003: Too many"):
            limits.spend("a", 1, NOW)
    with pytest.raises(LimitedError, match="banned until") as caught:
        limits.spend("a", 1, NOW)
    assert (caught.value.status, caught.value.retry_after) == (418, 120.0)
    # A new minute ends no ban.
    with pytest.raises(LimitedError) as still:
        limits.spend("a", 1, NOW + 61)
    assert (still.value.status, still.value.retry_after) == (418, 59.0)
    later = NOW + 180
    limits.spend("a", 2_400, later)
    for _ in range(PATIENCE + 1):
        with pytest.raises(LimitedError) as again:
            limits.spend("a", 1, later)
    assert (again.value.status, again.value.retry_after) == (418, 240.0)


def test_orders_count_in_both_windows_or_in_none() -> None:
    limits = Limits()
    for _ in range(60):
        limits.order("trader", (5, 1), NOW)
    assert limits.orders_used("trader", NOW) == {"X-MBX-ORDER-COUNT-10S": "300", "X-MBX-ORDER-COUNT-1M": "60"}
    with pytest.raises(LimitedError, match="-1015"):
        limits.order("trader", (1, 1), NOW)
    assert limits.orders_used("trader", NOW) == {"X-MBX-ORDER-COUNT-10S": "300", "X-MBX-ORDER-COUNT-1M": "60"}
    assert limits.orders_used("another", NOW) == {"X-MBX-ORDER-COUNT-10S": "0", "X-MBX-ORDER-COUNT-1M": "0"}
    limits.order("trader", (1, 1), NOW + 10)
    assert limits.orders_used("trader", NOW + 10)["X-MBX-ORDER-COUNT-1M"] == "61"


def test_the_spot_market_allows_more_weight_and_counts_orders_by_the_day() -> None:
    limits = Limits(SPOT)
    assert limits.spend("a", 6_000, NOW) == 6_000
    limits.order("trader", (100, 1), NOW)
    assert limits.orders_used("trader", NOW) == {"X-MBX-ORDER-COUNT-10S": "100", "X-MBX-ORDER-COUNT-1D": "1"}
    with pytest.raises(LimitedError):
        limits.order("trader", (1, 1), NOW)
    assert [row["limit"] for row in SPOT.rows()] == [6_000, 100, 200_000]
    assert [row["limit"] for row in FUTURES.rows()] == [2_400, 300, 1_200]
