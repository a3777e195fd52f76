import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.risk.sizing import size_target
from apps.strategies.base import Decision, OwnPosition
from apps.strategies.library.arbitrage import Arbitrage
from apps.strategies.library.arbitraging.depth import BPS_IN_ONE, Costs, average_price, executable_edge, reach
from apps.strategies.library.arbitraging.parameters import (
    CANONICAL,
    FUNDING_CARRY,
    ORIGINAL,
    TRIANGULAR,
    ArbitrageParameters,
)
from apps.strategies.library.arbitraging.triangle import ROUNDING_BPS, Prices, rounds_bps
from apps.strategies.orchestrator.answers import checked
from apps.strategies.registry import parameters_for
from moondev.domain.clock import from_milliseconds
from moondev.domain.desired import Legs, Target
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import Book, BookLevel, InstrumentView, MarketView
from moondev.domain.portfolio import Holding
from moondev.domain.values import Money, Quantity
from tests.unit.apps.strategies.library.recorded_books import link_books, needs_link_books
from tests.unit.apps.strategies.library.scenery import START_MS, book_at, bought

ARBITRAGE = Arbitrage()
FREE = ArbitrageParameters(
    taker_fee_bps=0.0, slippage_bps=0.0, min_profit_bps=0.0, count_unwinding=False, max_data_age_seconds=5.0
)


def listed(venue: str, asset: str = "LINK", quote: str = "USDT", **changes: Any) -> Instrument:
    made = Instrument(
        venue=venue,
        symbol=f"{asset}{quote}",
        asset=asset,
        quote=quote,
        price_grid=PriceGrid(Decimal("0.0001")),
        lot=Quantity(Decimal("0.01")),
        min_notional=Money(Decimal(10), quote),
        max_leverage=20,
    )
    return replace(made, **changes)


HERE, THERE = listed("binance"), listed("bybit")
A, B = HERE.key, THERE.key
BOTH = {A: HERE, B: THERE}


def seen(book: Book | None, *, funding: float | None = None, age: float = 0.1) -> InstrumentView:
    return InstrumentView({}, book, None, timedelta(seconds=age), funding)


def view(here: InstrumentView, there: InstrumentView, now_ms: int = START_MS) -> MarketView:
    return MarketView(from_milliseconds(now_ms), {A: here, B: there})


def gap_view(cheap: float = 100.0, dear: float = 100.5, now_ms: int = START_MS, **more: Any) -> MarketView:
    """The first venue asks `cheap`, the second bids `dear`."""
    here = seen(book_at(cheap - 0.01, cheap, now_ms, 50.0), **more)
    return view(here, seen(book_at(dear, dear + 0.01, now_ms, 50.0), **more), now_ms)


def decide(
    market: MarketView,
    params: ArbitrageParameters = FREE,
    state: Mapping[str, Any] | None = None,
    held: Mapping[str, Holding] | None = None,
    instruments: Mapping[str, Instrument] = BOTH,
    equity: float = 10_000.0,
) -> Decision:
    decision = ARBITRAGE.decide(market, OwnPosition(held or {}, equity, 1.0), params, state or {}, instruments)
    assert json.loads(json.dumps(decision.state)) == decision.state
    return checked(decision, instruments.keys())


def legs(decision: Decision) -> Legs:
    (wish,) = decision.desired
    assert isinstance(wish, Legs)
    return wish


def quantities(decision: Decision, market: MarketView, equity: float = 10_000.0) -> list[Decimal]:
    """Return what the platform makes of the weights."""
    return [
        size_target(target, equity, 1.0, market.instruments[target.instrument].book.mid, BOTH[target.instrument]).value
        for target in legs(decision).targets
    ]


def filled(decision: Decision, market: MarketView) -> dict[str, Holding]:
    """Return the holdings once both legs have filled at the mid."""
    signs = [1 if target.weight > 0 else -1 for target in legs(decision).targets]
    keys = [target.instrument for target in legs(decision).targets]
    return {
        key: bought(float(quantity) * sign, market.instruments[key].book.mid)
        for key, sign, quantity in zip(keys, signs, quantities(decision, market), strict=True)
    }


# Known answers


def test_the_hand_case_leaves_0_2995_per_unit() -> None:
    costs = Costs(buy_fee=0.001, sell_fee=0.001)
    edge = executable_edge((BookLevel(100.0, 5.0),), (BookLevel(100.5, 5.0),), 1.0, costs)
    assert edge == pytest.approx(100.3995 - 100.10, abs=1e-12)
    assert edge == pytest.approx(0.2995, abs=1e-12)


@needs_link_books
def test_recorded_books_of_two_venues_give_no_trade_at_ten_basis_points_a_side_and_the_known_count_without_fees() -> (
    None
):
    free, taxed = Costs(0.0, 0.0), Costs(0.001, 0.001)
    edges, after_fees = [], []
    for one, other in zip(link_books("binance"), link_books("huobi"), strict=True):
        for asks, bids in ((one.asks, other.bids), (other.asks, one.bids)):
            edge = executable_edge(asks, bids, 0.0, free)
            assert edge is not None
            edges.append(edge / asks[0].price * BPS_IN_ONE)
            after_fees.append(reach(asks, bids, taxed, 0.0, 1e9).quantity)
    assert len(edges) == 14_400
    assert sum(edge > 0 for edge in edges) == 1_339
    assert max(edges) == pytest.approx(8.03, abs=0.005)
    assert not any(after_fees)


@needs_link_books
def test_on_the_recorded_books_the_strategy_itself_opens_nothing_at_ten_basis_points_a_side() -> None:
    taxed = FREE.model_copy(update={"taker_fee_bps": 10.0})
    opened = {"free": 0, "taxed": 0}
    books = list(zip(link_books("binance"), link_books("huobi"), strict=True))[::20]
    for one, other in books:
        market = view(seen(one), seen(other), int(one.time_received.timestamp() * 1000))
        opened["taxed"] += len(decide(market, taxed).desired)
        opened["free"] += len(decide(market, FREE).desired)
    assert opened["taxed"] == 0
    assert opened["free"] > 10


def test_a_triangle_of_single_mids_is_one_and_produces_nothing() -> None:
    for base, other in ((3_456.789, 67_890.12), (0.07, 3.3), (1e-6, 9e5)):
        cross = base / other
        rounds = rounds_bps(Prices(base, base), Prices(cross, cross), Prices(other, other), 0.0)
        assert max(map(abs, rounds)) < ROUNDING_BPS


# What depth gives


def test_depth_is_walked_on_both_sides_while_each_unit_still_earns() -> None:
    asks = (BookLevel(100.0, 2.0), BookLevel(100.1, 3.0), BookLevel(100.4, 9.0))
    bids = (BookLevel(100.5, 1.0), BookLevel(100.3, 10.0))
    found = reach(asks, bids, Costs(0.0, 0.0), 0.0, 1e9)
    assert found.quantity == pytest.approx(5.0)
    assert found.ask == pytest.approx((2 * 100 + 3 * 100.1) / 5)
    assert found.bid == pytest.approx((100.5 + 4 * 100.3) / 5)
    assert reach(asks, bids, Costs(0.0, 0.0), 0.004, 1e9).quantity == pytest.approx(1.0)
    assert reach(asks, bids, Costs(0.0, 0.0), 0.0, 1.5).quantity == pytest.approx(1.5)
    assert reach((), bids, Costs(0.0, 0.0), 0.0, 1e9).quantity == 0
    assert average_price(asks, 15.0) is None


# Opening


def test_both_legs_are_wanted_together_in_one_quantity_on_both_grids() -> None:
    market = gap_view()
    wish = legs(decide(market))
    assert [(t.instrument, t.weight > 0) for t in wish.targets] == [(A, True), (B, False)]
    assert wish.max_leg_gap_ms == FREE.max_leg_gap_ms
    one, other = quantities(decide(market), market)
    assert one == other > 0
    assert float(one) * 100.5 <= 0.2 * 10_000
    coarse = {A: HERE, B: replace(THERE, lot=Quantity(Decimal("0.25")))}
    trade = decide(market, instruments=coarse).state["trades"][0]
    assert trade["quantity"] % 0.25 == 0


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e3])
def test_what_it_does_does_not_depend_on_the_unit_of_price(scale) -> None:
    cheap = seen(book_at(99.99 * scale, 100.0 * scale, START_MS, 50.0 / scale))
    dear = seen(book_at(100.5 * scale, 100.51 * scale, START_MS, 50.0 / scale))
    tiny = {key: replace(one, lot=Quantity(Decimal(repr(0.01 / scale)))) for key, one in BOTH.items()}
    weights = [t.weight for t in legs(decide(view(cheap, dear), instruments=tiny)).targets]
    assert weights == pytest.approx([0.199, -0.2], abs=2e-3)


def test_the_canonical_edge_pays_for_both_ways_slippage_and_profit() -> None:
    # Four fees of ten, two of slippage and two of profit: 44 basis points and the rounding of fees upon fees.
    assert not decide(gap_view(dear=100.43), CANONICAL).desired
    assert decide(gap_view(dear=100.45), CANONICAL).desired


def test_the_original_asks_for_a_tenth_of_a_per_cent_after_the_fees_of_the_way_in() -> None:
    assert not decide(gap_view(dear=100.34), ORIGINAL).desired
    opened = decide(gap_view(dear=100.37), ORIGINAL)
    assert legs(opened).max_leg_gap_ms == 5_000
    assert opened.state["trades"][0]["quantity"] * 100.37 <= 1_000


def test_fees_are_those_of_each_venue() -> None:
    params = FREE.model_copy(update={"taker_fee_bps": 500.0, "venue_fees_bps": "binance=0/bybit=10"})
    assert decide(gap_view(), params).desired
    assert not decide(gap_view(), params.model_copy(update={"venue_fees_bps": "binance=0"})).desired


@pytest.mark.parametrize(
    "market",
    [
        gap_view(dear=99.995),
        gap_view(age=30.0),
        view(seen(None), seen(book_at(100.5, 100.6, START_MS))),
        MarketView(from_milliseconds(START_MS), {}),
        view(seen(book_at(99.9, 100.0, START_MS)), seen(book_at(100.5, 100.6, START_MS + 3_000))),
        view(seen(book_at(99.9, 100.0, START_MS, 0.0)), seen(book_at(100.5, 100.6, START_MS))),
        view(seen(book_at(99.9, 100.0, START_MS, float("nan"))), seen(book_at(100.5, 100.6, START_MS))),
        view(seen(book_at(99.9, 100.0, START_MS, 0.05)), seen(book_at(100.5, 100.6, START_MS))),
    ],
    ids=["no gap", "old", "no book", "no data", "books apart in time", "empty level", "NaN size", "too small"],
)
def test_nothing_is_opened_on_what_cannot_be_trusted_or_traded(market) -> None:
    assert decide(market).desired == ()


def test_without_money_nothing_is_opened() -> None:
    assert decide(gap_view(), equity=0.0).desired == ()
    assert decide(gap_view(), equity=-5.0).desired == ()


def test_different_money_is_never_compared() -> None:
    other = listed("bybit", quote="USDC", min_notional=Money(Decimal(10), "USDC"))
    market = MarketView(
        from_milliseconds(START_MS),
        {A: gap_view().instruments[A], other.key: seen(book_at(113.0, 113.1, START_MS, 50.0))},
    )
    decision = decide(market, instruments={A: HERE, other.key: other})
    assert decision.desired == ()
    assert any("USDT is not USDC" in note for note in decision.notes)


def test_a_spot_market_is_never_sold_short() -> None:
    spot = {A: HERE, B: replace(THERE, max_leverage=1)}
    assert decide(gap_view(), instruments=spot).desired == ()
    assert decide(gap_view(), instruments={A: replace(HERE, max_leverage=1), B: THERE}).desired


# A trade's life


def test_a_filled_pair_is_held_until_the_edge_closes_then_unwound_then_rests() -> None:
    market = gap_view()
    opened = decide(market)
    held = filled(opened, market)
    later = gap_view(now_ms=START_MS + 1_000)
    kept = decide(later, state=opened.state, held=held)
    assert legs(kept) == legs(opened)
    assert kept.state["trades"][0]["phase"] == "held"
    met = gap_view(cheap=100.3, dear=100.27, now_ms=START_MS + 2_000)
    out = decide(met, state=kept.state, held=held)
    assert [(t.instrument, t.weight) for t in out.desired if isinstance(t, Target)] == [(A, 0.0), (B, 0.0)]
    assert any("the edge has closed" in note for note in out.notes)
    over = decide(gap_view(now_ms=START_MS + 3_000), state=out.state)
    assert over.desired == ()
    assert over.state["trades"] == []
    assert decide(gap_view(now_ms=START_MS + 40_000), state=over.state).desired


def test_a_leg_that_does_not_fill_in_time_undoes_both() -> None:
    opened = decide(gap_view())
    half = {A: filled(opened, gap_view())[A]}
    waiting = decide(gap_view(now_ms=START_MS + 4_000), state=opened.state, held=half)
    assert legs(waiting) == legs(opened)
    undone = decide(gap_view(now_ms=START_MS + 6_000), state=waiting.state, held=half)
    assert [t.weight for t in undone.desired if isinstance(t, Target)] == [0.0, 0.0]
    assert any("a leg is missing" in note for note in undone.notes)
    again = decide(gap_view(now_ms=START_MS + 7_000), state=undone.state, held=half)
    assert [t.weight for t in again.desired if isinstance(t, Target)] == [0.0, 0.0]


def test_a_leg_that_vanishes_later_unwinds_the_other() -> None:
    opened = decide(gap_view())
    held = filled(opened, gap_view())
    kept = decide(gap_view(now_ms=START_MS + 1_000), state=opened.state, held=held)
    out = decide(gap_view(now_ms=START_MS + 2_000), state=kept.state, held={A: held[A]})
    assert [t.weight for t in out.desired if isinstance(t, Target)] == [0.0, 0.0]


def test_a_gap_that_runs_away_and_a_pair_that_grows_old_are_unwound() -> None:
    opened = decide(gap_view())
    held = filled(opened, gap_view())
    away = decide(gap_view(dear=101.2, now_ms=START_MS + 1_000), state=opened.state, held=held)
    assert any("the gap went from" in note for note in away.notes)
    old = decide(gap_view(now_ms=START_MS + 90_000_000), state=opened.state, held=held)
    assert any("held for 1440 minutes" in note for note in old.notes)


def test_a_held_pair_is_left_alone_while_a_venue_is_out_of_sight() -> None:
    opened = decide(gap_view())
    held = filled(opened, gap_view())
    blind = view(seen(None), seen(None), START_MS + 10_000)
    assert legs(decide(blind, state=opened.state, held=held)) == legs(opened)


def test_a_lost_state_adopts_a_level_pair_and_closes_a_leg_by_itself() -> None:
    market = gap_view()
    held = filled(decide(market), market)
    found = decide(market, state={"version": 99}, held=held)
    assert any("adopted" in note for note in found.notes)
    assert quantities(found, market) == [abs(held[A].quantity), abs(held[B].quantity)]
    stray = decide(market, state={}, held={B: held[B]})
    assert [(t.instrument, t.weight) for t in stray.desired if isinstance(t, Target)] == [(B, 0.0)]


def test_of_several_venues_the_widest_gap_is_taken_and_an_instrument_is_in_one_trade() -> None:
    third = listed("okx")
    market = MarketView(
        from_milliseconds(START_MS),
        {**gap_view().instruments, third.key: seen(book_at(101.0, 101.1, START_MS, 50.0))},
    )
    wish = legs(decide(market, instruments={**BOTH, third.key: third}))
    assert [t.instrument for t in wish.targets] == [A, third.key]


# Funding and triangles


def carry_view(long_rate: float, short_rate: float, now_ms: int = START_MS) -> MarketView:
    here = seen(book_at(99.999, 100.0, now_ms, 50.0), funding=long_rate)
    return view(here, seen(book_at(100.0, 100.001, now_ms, 50.0), funding=short_rate), now_ms)


def test_funding_is_carried_long_where_it_is_low_while_it_pays_the_way_back_in_time() -> None:
    # 26 basis points of way (four fees of 5, slippage twice, spreads): 72 hours earn them at 8.1 a day.
    market = carry_view(0.0, 4e-5)
    wish = legs(decide(market, FUNDING_CARRY))
    assert [(t.instrument, t.weight > 0) for t in wish.targets] == [(A, True), (B, False)]
    flipped = legs(decide(carry_view(4e-5, -1e-6), FUNDING_CARRY))
    assert [(t.instrument, t.weight > 0) for t in flipped.targets] == [(B, True), (A, False)]
    assert decide(carry_view(0.0, 3e-5), FUNDING_CARRY).desired == ()
    nobody_says = view(seen(book_at(99.9, 100.0, START_MS)), seen(book_at(100.0, 100.1, START_MS), funding=1e-4))
    assert decide(nobody_says, FUNDING_CARRY).desired == ()


def test_a_carry_ends_when_the_funding_turns() -> None:
    opened = decide(carry_view(0.0, 4e-5), FUNDING_CARRY)
    held = filled(opened, carry_view(0.0, 4e-5))
    kept = decide(carry_view(0.0, 1e-6, START_MS + 9_000_000), FUNDING_CARRY, opened.state, held)
    assert legs(kept) == legs(opened)
    out = decide(carry_view(1e-5, 0.0, START_MS + 9_000_000), FUNDING_CARRY, kept.state, held)
    assert any("funding earns -2.40 bps a day" in note for note in out.notes)


def triangle_view(cross_mid: float, half: float = 1e-9) -> tuple[MarketView, dict[str, Instrument]]:
    eth, btc = listed("binance", "ETH"), listed("binance", "BTC")
    mids = {eth.key: 3_000.0, btc.key: 60_000.0, "binance:ETHBTC": cross_mid}
    books = {k: seen(book_at(m * (1 - half), m * (1 + half), START_MS, 1e6)) for k, m in mids.items()}
    return MarketView(from_milliseconds(START_MS), books), {eth.key: eth, btc.key: btc}


def test_a_triangle_is_watched_with_fees_and_never_traded() -> None:
    free = TRIANGULAR.model_copy(update={"taker_fee_bps": 0.0, "slippage_bps": 0.0, "min_profit_bps": 0.0})
    level, instruments = triangle_view(0.05)
    assert (
        decide(level, free, instruments=instruments).desired,
        decide(level, free, instruments=instruments).notes,
    ) == ((), ())
    rich, _ = triangle_view(0.0503)
    assert decide(rich, free, instruments=instruments).notes == ("triangular: the round ETH -> BTC leaves 60.00 bps",)
    assert decide(rich, TRIANGULAR, instruments=instruments).notes == (
        "triangular: the round ETH -> BTC leaves 28.86 bps",
    )
    assert decide(rich, TRIANGULAR, instruments=instruments).desired == ()
    poor, _ = triangle_view(0.0497)
    assert "BTC -> ETH" in decide(poor, free, instruments=instruments).notes[0]
    assert "not both there" in decide(rich, free).notes[0]
    needs = ARBITRAGE.needs(TRIANGULAR, tuple(instruments.values()))
    assert needs.instruments == (*instruments, "binance:ETHBTC")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"venue_fees_bps": "binance"}, "venue_fees_bps is 'binance'; allowed: venue=fee"),
        ({"venue_fees_bps": "binance=-1"}, "a fee from 0 to 1000"),
        ({"venue_fees_bps": "binance=nan"}, "a fee from 0 to 1000"),
        ({"mode": "triangular"}, "triangle_cross is ''; allowed: an instrument=base/quote"),
        ({"triangle_cross": "ETHBTC"}, "triangle_cross is 'ETHBTC'; allowed: instrument=base/quote"),
        ({"exit_carry_bps_per_day": 5}, r"exit_carry_bps_per_day is 5(\.0)?; allowed: less than min_carry"),
        ({"order_weight_percent": 60}, "order_weight_percent is 60; allowed"),
        ({"max_leg_gap_ms": 0}, "max_leg_gap_ms is 0; allowed"),
    ],
)
def test_parameters_out_of_range_are_refused_by_name(values, message) -> None:
    with pytest.raises(InvalidValue, match=message):
        parameters_for("arbitrage", values)
