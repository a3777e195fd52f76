"""New risk goes to one outlet, what stands stays where it stands, and nothing is ever asked for twice."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.risk.scope import StrategyScope
from apps.strategies.models import Routing
from apps.strategies.orchestrator.outlets import Outlet, Outlets
from apps.strategies.orchestrator.planner import Situation, SizedTarget
from apps.strategies.orchestrator.routing import Standing, allot, best_outlet, routed
from moondev.domain.desired import Quote, Quotes, Target
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import Book, BookLevel
from moondev.domain.orders import OrderStatus, OrderType, Purpose, TimeInForce, WorkingOrder, client_order_id
from moondev.domain.values import Bps, Money, Price, Quantity, Side, SignedQuantity

D = Decimal
NOW = datetime(2026, 1, 5, tzinfo=UTC)
HOME, OTHER, THIRD = "binance:BTCUSDT", "bybit:BTCUSDT", "phemex:BTCUSDT"

amounts = st.decimals(min_value=-5, max_value=5, places=2)


def standings() -> st.SearchStrategy[list[Standing]]:
    def of(rows) -> list[Standing]:
        return [Standing(key, usable, position, D(0)) for key, (usable, position) in zip("abc", rows, strict=True)]

    return st.lists(st.tuples(st.booleans(), amounts), min_size=3, max_size=3).map(of)


@given(total=amounts, places=standings())
def test_shares_add_up_to_the_target_or_to_what_stands_when_nobody_answers(total, places) -> None:
    usable = [one.key for one in places if one.usable]
    best = usable[0] if usable else None
    shares = allot(total, places, best)
    stands = sum(max(one.position * (1 if total >= 0 else -1), D(0)) for one in places)
    expected = abs(total) if best is not None or stands > abs(total) else stands
    assert sum(abs(share) for share in shares.values()) == expected


@given(total=amounts, places=standings())
def test_no_share_points_against_the_target(total, places) -> None:
    shares = allot(total, places, next((one.key for one in places if one.usable), None))
    assert all(share * total >= 0 for share in shares.values())


@given(total=amounts, places=standings())
def test_a_venue_that_does_not_answer_is_never_given_new_risk(total, places) -> None:
    usable = [one.key for one in places if one.usable]
    shares = allot(total, places, usable[0] if usable else None)
    for one in places:
        if not one.usable:
            assert abs(shares[one.key]) <= max(one.position * (1 if total >= 0 else -1), D(0))


@given(total=amounts, places=standings())
def test_planning_the_answer_again_changes_nothing(total, places) -> None:
    best = next((one.key for one in places if one.usable), None)
    once = allot(total, places, best)
    then = [Standing(one.key, one.usable, once[one.key], D(0)) for one in places]
    assert allot(total, then, best) == once


def test_an_order_that_may_be_live_at_a_silent_venue_counts_as_held_there() -> None:
    silent = Standing(HOME, usable=False, position=D(0), along=D(1))
    shares = allot(D(3), [silent, Standing(OTHER, usable=True, position=D(0), along=D(0))], OTHER)
    assert shares == {HOME: D(1), OTHER: D(2)}


def test_an_exit_asks_first_who_answers_and_last_who_is_silent() -> None:
    places = [
        Standing(HOME, usable=False, position=D(2), along=D(0)),
        Standing(OTHER, usable=True, position=D(1), along=D(0)),
    ]
    assert allot(D("1.5"), places, None) == {HOME: D("1.5"), OTHER: D(0)}
    assert allot(D(0), places, None) == {HOME: D(0), OTHER: D(0)}


def instrument(key: str) -> Instrument:
    venue, symbol = key.split(":")
    grid = PriceGrid(D("0.1"))
    return Instrument(venue, symbol, "BTC", "USDT", grid, Quantity(D("0.001")), Money(D(5), "USDT"), 20)


def outlet(key: str, fee: str = "4") -> Outlet:
    venue, _, _ = key.partition(":")
    scope = StrategyScope("s", 1, f"{venue}-1", "paper", venue, "USDT", D(10_000), D(1))
    return Outlet(instrument(key), 1, scope, Bps(D(1)), Bps(D(fee)))


def outlets(
    *down: str, routing: Routing = Routing.FAILOVER, fees: dict[str, str] | None = None, degraded: tuple[str, ...] = ()
) -> Outlets:
    places = tuple(outlet(key, (fees or {}).get(key, "4")) for key in (HOME, OTHER, THIRD))
    return Outlets(routing, {HOME: places}, frozenset(down), {}, frozenset(degraded))


def situations(**working: WorkingOrder) -> dict[str, Situation]:
    return {
        key: Situation(instrument(key), SignedQuantity(D(0)), tuple(working.get(key.split(":")[0], ())), Price(D(100)))
        for key in (HOME, OTHER, THIRD)
    }


def target(weight: float = 0.5, quantity: str = "2") -> SizedTarget:
    return SizedTarget(Target(HOME, weight, "sig", "why"), SignedQuantity(D(quantity)), True, NOW)


def book(*asks: tuple[float, float]) -> Book:
    return Book((BookLevel(99.0, 10.0),), tuple(BookLevel(*level) for level in asks), NOW, NOW)


def test_with_every_venue_up_all_stays_at_home() -> None:
    sent, notes = routed([target()], outlets(), situations(), {})
    assert [(wish.target.instrument, wish.quantity.value) for wish in sent] == [(HOME, D(2))]
    assert notes == ()


def test_with_home_down_new_risk_goes_to_the_first_stand_in_and_the_operator_is_told() -> None:
    sent, notes = routed([target()], outlets("binance"), situations(), {})
    assert [(wish.target.instrument, wish.quantity.value) for wish in sent] == [(OTHER, D(2))]
    assert notes == (f"{HOME}: 2 of new risk goes to {OTHER}",)


def test_with_every_venue_down_nothing_is_opened_anywhere() -> None:
    sent, notes = routed([target()], outlets("binance", "bybit", "phemex"), situations(), {})
    assert sent == ()
    assert "is not opened" in notes[0]


def test_the_cheapest_outlet_counts_fee_and_depth() -> None:
    books = {HOME: book((100.0, 1.0), (103.0, 10.0)), OTHER: book((100.2, 5.0)), THIRD: book((100.1, 0.5))}
    cheap = outlets(routing=Routing.CHEAPEST)
    assert best_outlet(cheap, HOME, Side.BUY, D(1), books).key == HOME
    assert best_outlet(cheap, HOME, Side.BUY, D(2), books).key == OTHER
    dear = outlets(routing=Routing.CHEAPEST, fees={OTHER: "400"})
    assert best_outlet(dear, HOME, Side.BUY, D(2), books).key == HOME


def test_new_risk_stays_at_a_home_that_answers_badly_but_prefers_stand_ins_that_are_well() -> None:
    sent, _ = routed([target()], outlets(degraded=("binance",)), situations(), {})
    assert [wish.target.instrument for wish in sent] == [HOME]
    sent, _ = routed([target()], outlets("binance", degraded=("bybit",)), situations(), {})
    assert [wish.target.instrument for wish in sent] == [THIRD]
    sent, _ = routed([target()], outlets("binance", "phemex", degraded=("bybit",)), situations(), {})
    assert [wish.target.instrument for wish in sent] == [OTHER]


def test_the_cheapest_outlet_is_one_that_is_well_if_any_is() -> None:
    books = {HOME: book((100.0, 5.0)), OTHER: book((105.0, 5.0)), THIRD: book((104.0, 5.0))}
    poor = outlets(routing=Routing.CHEAPEST, degraded=("binance",))
    assert best_outlet(poor, HOME, Side.BUY, D(1), books).key == THIRD
    all_poor = outlets(routing=Routing.CHEAPEST, degraded=("binance", "bybit", "phemex"))
    assert best_outlet(all_poor, HOME, Side.BUY, D(1), books).key == HOME


def test_quotes_move_as_a_whole_and_are_pulled_where_they_stood() -> None:
    resting = WorkingOrder(
        client_order_id("s", "1", "x"), HOME, Side.BUY, OrderType.LIMIT, TimeInForce.POST_ONLY, Quantity(D(1)),
        Quantity(D(0)), Price(D(99)), None, OrderStatus.OPEN, Purpose.OPENING, "q",
    )  # fmt: skip
    wish = Quotes(HOME, (Quote(Price(D(99)), Quantity(D(1))),), ())
    sent, _ = routed([wish], outlets("binance"), situations(binance=(resting,)), {})
    assert {quotes.instrument: len(quotes.bids) for quotes in sent} == {HOME: 0, OTHER: 1}


@pytest.mark.parametrize("routing", [Routing.FAILOVER, Routing.CHEAPEST])
def test_a_wish_about_an_instrument_without_stand_ins_passes_untouched(routing) -> None:
    other = SizedTarget(Target("hyperliquid:ETH", 0.5, "sig", "why"), SignedQuantity(D(1)), True, NOW)
    assert routed([other], outlets(routing=routing), situations(), {}) == ((other,), ())
