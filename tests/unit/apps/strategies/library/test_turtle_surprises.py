import math
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.strategies.base import OwnPosition
from moondev.domain.clock import from_milliseconds
from moondev.domain.market_data import MarketView
from moondev.domain.values import Price, Quantity
from tests.unit.apps.strategies.library.scenery import (
    BTC,
    KEY,
    bars_of,
    book_at,
    bought,
    own,
    view_of,
)
from tests.unit.apps.strategies.library.turtle_desk import (
    BREAKOUT,
    FLAT,
    MARKETS,
    SHORT,
    TURTLE,
    decide,
    quantity,
    target,
)


def test_stands_aside_with_too_little_history() -> None:
    decision = decide(FLAT[:5])
    assert decision.desired == ()
    assert "5 closed 1d bars, 9 needed" in decision.notes[0]


def test_stands_aside_without_market_data() -> None:
    view = MarketView(from_milliseconds(0), {})
    decision = TURTLE.decide(view, own(), SHORT, {}, MARKETS)
    assert decision.desired == ()
    assert decision.notes == (f"{KEY}: no market data",)


@pytest.mark.parametrize("column", ["open", "high", "low", "close"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_stands_aside_when_a_price_is_not_finite(column: str, value: float) -> None:
    bars = bars_of([*FLAT, BREAKOUT])
    first = decide(bars)
    # A bar series refuses this at birth; the array behind it can still be spoilt later.
    getattr(bars, column)[-3] = value
    decision = decide(bars, bought(1, 102), first.state)
    assert decision.desired == ()
    assert "not a finite number" in decision.notes[0]
    assert decision.state["markets"] == first.state["markets"]


@pytest.mark.parametrize("equity", [0.0, -5.0, math.nan])
def test_opens_nothing_without_equity(equity: float) -> None:
    decision = decide([*FLAT, BREAKOUT], position=OwnPosition({}, equity, 2.0))
    assert decision.desired == ()
    assert "nothing to trade with" in decision.notes[-1]


@pytest.mark.parametrize(
    "state",
    [
        {"version": 0, "units": 3},
        {"version": 1, "markets": {KEY: {"trade": {"phase": "open"}}}},
        {"version": 1, "markets": "nonsense"},
        {"version": 2, "peak_profit": 1.0, "markets": {}},
    ],
)
def test_an_unreadable_state_starts_from_the_position(state: dict[str, object]) -> None:
    decision = decide([*FLAT, BREAKOUT], bought(10, 101), state)
    wanted = target(decision)
    assert wanted.signal_id.startswith("adopted:")
    assert quantity(wanted, 102) == pytest.approx(10)
    assert wanted.stop == Price(Decimal("97.0"))
    assert "state is not of version 1" in decision.notes[0]


def test_an_unexplained_position_is_adopted_once_and_never_added_to() -> None:
    rows = [*FLAT, BREAKOUT]
    adopted = decide(rows, bought(10, 101))
    rows.append([102, 110, 102, 110])
    later = decide(rows, bought(10, 101), adopted.state)
    assert target(later).signal_id == target(adopted).signal_id
    assert target(later).weight == target(adopted).weight
    assert target(later).stop == target(adopted).stop


def test_an_adopted_position_leaves_by_the_exit_channel() -> None:
    rows = [*FLAT, BREAKOUT]
    adopted = decide(rows, bought(10, 101))
    rows.append([101, 101, 98.5, 98.8])
    assert target(decide(rows, bought(10, 101), adopted.state)).weight <= 0


@pytest.mark.parametrize("share", [0.5, 1.5])
def test_a_position_of_another_size_is_kept_as_it_is(share: float) -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    planned = quantity(target(first), 102)
    held = decide(rows, bought(planned, 102), first.state)
    decision = decide(rows, bought(planned * share, 102), held.state)
    assert quantity(target(decision), 102) == pytest.approx(planned * share)
    assert target(decision).signal_id != target(first).signal_id
    assert "keeping what is there" in decision.notes[0]
    again = decide(rows, bought(planned * share, 102), decision.state)
    assert again.desired == decision.desired


def test_a_position_on_the_other_side_is_adopted() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    held = decide(rows, bought(quantity(target(first), 102), 102), first.state)
    wanted = target(decide(rows, bought(-3, 102), held.state))
    assert quantity(wanted, 102) == pytest.approx(-3)
    assert wanted.stop == Price(Decimal("106.0"))


def test_partial_fills_do_not_change_the_target() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    planned = quantity(target(first), 102)
    part = decide(rows, bought(planned * 0.3, 102), first.state)
    more = decide(rows, bought(planned * 0.7, 102), part.state)
    assert target(part).weight == target(more).weight == target(first).weight
    assert target(part).signal_id == target(more).signal_id == target(first).signal_id


def test_does_not_chase_a_breakout_of_old_bars() -> None:
    bars = bars_of([*FLAT, BREAKOUT])
    view = view_of(bars, mark=102.0, late_ms=int(timedelta(days=2).total_seconds() * 1000))
    decision = TURTLE.decide(view, own(), SHORT, {}, MARKETS)
    assert target(decision).weight == 0
    assert "old bars" in decision.notes[0]


def test_a_unit_below_one_lot_is_not_traded() -> None:
    coarse = replace(BTC, lot=Quantity(Decimal(1_000)))
    bars = bars_of([*FLAT, BREAKOUT])
    decision = TURTLE.decide(view_of(bars, mark=102.0), own(), SHORT, {}, {KEY: coarse})
    assert target(decision).weight == 0
    assert "below one lot of 1000" in decision.notes[0]


def test_a_unit_below_the_minimum_notional_is_not_traded() -> None:
    decision = decide([*FLAT, BREAKOUT], position=OwnPosition({}, 10.0, 2.0))
    assert target(decision).weight == 0
    assert "below the minimum of 10 USDC" in decision.notes[0]


def test_a_market_too_wild_for_a_stop_is_not_traded() -> None:
    rows = [[100.0, 190.0, 10.0, 100.0]] * 12
    decision = decide([*rows, [100, 195, 20, 150]])
    assert target(decision).weight == 0
    assert "below zero" in decision.notes[0]


def test_a_market_without_movement_is_not_traded() -> None:
    still = [[100.0, 100.0, 100.0, 100.0]] * 12
    quiet = SHORT.model_copy(update={"system": "s1"})
    assert target(decide(still, params=quiet)).weight == 0


def test_sizes_at_the_middle_of_the_book_then_the_mark_then_the_close() -> None:
    bars = bars_of([*FLAT, BREAKOUT])
    now = int(bars.opened_ms[-1]) + 86_400_000
    book = book_at(103.0, 105.0, now)
    views = [view_of(bars, book=book, mark=106.0), view_of(bars, mark=106.0), view_of(bars)]
    weights = [target(TURTLE.decide(view, own(), SHORT, {}, MARKETS)).weight for view in views]
    assert weights == pytest.approx([500 * price / 200_000 for price in (104, 106, 102)])
