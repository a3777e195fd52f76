"""Who falls below maintenance is closed in the book, a large position by a fifth first, then taken over by the fund."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.exchanges.mock.engine.api import CancelReason, OrderStatus
from apps.exchanges.mock.engine.events import Liquidated, TradePrinted
from apps.exchanges.mock.engine.venue import INSURANCE_FUND

D = Decimal
LARGE, SMALL = 190_000, 900


def on_the_brink(desk, size: int = LARGE) -> None:
    """Leave ann long at 100 with leverage 50; a large one is broken below 95.74, when 188,100 x mark < 18,008,550."""
    desk.exchange.update_leverage("ann", "BTC", 50, is_cross=True)
    desk.give_position("ann", size, 100)


def poor(desk, deposit: object) -> None:
    """Open dan with little, long 900 at 100 with leverage 50."""
    desk.exchange.open_account("dan", D(str(deposit)))
    desk.exchange.update_leverage("dan", "BTC", 50, is_cross=True)
    desk.give_position("dan", SMALL, 100)


def total_of_cash_and_fees(desk) -> int:
    venue = desk.exchange._venue
    flows = sum(account.cash - account.deposit for account in venue.accounts.values())
    return flows + venue.fees_collected + venue.funding_collected


def test_closes_a_fifth_of_a_large_position_first_and_the_rest_within_the_half_minute(desk):
    on_the_brink(desk)
    resting = desk.place("ann", "buy", 1, 90)
    desk.place("cat", "buy", LARGE, "95.5")
    desk.exchange.set_mark("BTC", D("95.8"))
    assert desk.position("ann") == D(LARGE)
    desk.exchange.set_mark("BTC", D("95.7"))
    assert desk.position("ann") == D(LARGE * 4 // 5)
    order = desk.exchange.order_by_oid("ann", resting.oid)
    assert (order.status, order.reason) == (OrderStatus.CANCELED, CancelReason.LIQUIDATED)
    desk.later(seconds=29)
    desk.exchange.set_mark("BTC", D("95.5"))
    assert desk.position("ann") == 0
    assert all(fill.liquidation and not fill.liquidation.takeover for fill in desk.exchange.fills("ann")[1:])


def test_cuts_only_a_fifth_again_after_the_half_minute(desk):
    on_the_brink(desk)
    desk.place("cat", "buy", LARGE, "95.5")
    desk.exchange.set_mark("BTC", D("95.7"))
    desk.later(seconds=31)
    desk.exchange.set_mark("BTC", D("95.5"))
    assert desk.position("ann") == D(LARGE * 16 // 25)


def test_closes_a_small_position_whole_and_leaves_what_is_left_to_its_owner(desk):
    poor(desk, 2_000)
    desk.place("cat", "buy", SMALL, "98.6")
    desk.exchange.set_mark("BTC", D("98.7"))
    state = desk.exchange.account_state("dan")
    assert (state.positions, state.forfeited) == ((), D(0))
    fees = sum(fill.fee for fill in desk.exchange.fills("dan"))
    assert state.account_value == D(2_000) - D("1.4") * SMALL - fees
    [fill] = desk.exchange.fills("dan")[1:]
    assert (fill.liquidation.mark_px, fill.liquidation.takeover) == (D("98.7"), False)


def test_the_fund_takes_over_whom_the_book_cannot_save_with_all_that_is_left(desk):
    poor(desk, 2_000)
    trades = len(desk.of(TradePrinted))
    desk.exchange.set_mark("BTC", D("98.4"))
    state = desk.exchange.account_state("dan")
    assert (state.positions, state.account_value) == ((), D(0))
    fees = sum(fill.fee for fill in desk.exchange.fills("dan"))
    assert state.forfeited == D(2_000) - D("1.6") * SMALL - fees > 0
    assert desk.exchange.fills("dan")[-1].liquidation.takeover
    assert len(desk.of(TradePrinted)) == trades
    assert desk.exchange._venue.account(INSURANCE_FUND).size_of("BTC") == SMALL * 100_000
    assert total_of_cash_and_fees(desk) == 0
    [event] = desk.of(Liquidated)
    assert (event.takeover, event.is_cross, event.sizes, event.notional) == (
        True,
        True,
        (("BTC", D(SMALL)),),
        D("98.4") * SMALL,
    )


def test_the_fund_pays_what_an_account_owes_after_a_gap(desk):
    poor(desk, 2_000)
    desk.exchange.set_mark("BTC", D(90))
    state = desk.exchange.account_state("dan")
    assert (state.account_value, state.cash) == (D(0), D(0))
    assert state.forfeited < 0
    assert total_of_cash_and_fees(desk) == 0


def test_stops_as_soon_as_what_is_left_is_carried(desk):
    desk.exchange.open_account("dan", D(6_000))
    for coin, size, price in (("BTC", 900, 100), ("ETH", 4_000, 10)):
        desk.exchange.update_leverage("dan", coin, 25, is_cross=True)
        desk.give_position("dan", size, price, coin)
    desk.place("cat", "buy", 900, 95)
    desk.exchange.set_mark("BTC", D(95))
    assert desk.position("dan") == 0
    assert desk.position("dan", "ETH") == D(4_000)
    assert desk.exchange.account_state("dan").forfeited == 0


@pytest.mark.parametrize("price", ["98.7", "98.4", "90"])
def test_asks_nobody_else_to_pay(desk, price):
    poor(desk, 2_000)
    before = {who: desk.exchange.account_state(who).cash for who in ("bob", "cat")}
    desk.exchange.set_mark("BTC", D(price))
    assert {who: desk.exchange.account_state(who).cash for who in ("bob", "cat")} == before
