import json
import math
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.strategies.base import Decision, OwnPosition
from apps.strategies.library.turtle.memory import Memory
from apps.strategies.library.turtle.parameters import CANONICAL, FAST, ORIGINAL, TurtleParameters
from apps.strategies.library.turtle_trend import TurtleTrend
from moondev.domain.clock import from_milliseconds
from moondev.domain.desired import Target
from moondev.domain.market_data import BarSeries, MarketView
from moondev.domain.portfolio import Holding
from moondev.domain.values import Price, Quantity, Side
from tests.unit.apps.strategies.library.scenery import (
    BTC,
    KEY,
    FillingVenue,
    bars_of,
    book_at,
    bought,
    cut,
    own,
    random_bars,
    scaled,
    view_of,
)

TURTLE = TurtleTrend()
MARKETS = {KEY: BTC}
# Plain rules on short channels; N is 2 on the flat bars below (high 101, low 99).
SHORT = TurtleParameters(
    system="both",
    s1_entry_bars=4,
    s1_exit_bars=2,
    s2_entry_bars=8,
    s2_exit_bars=4,
    n_bars=4,
    skip_s1_after_winner=False,
)
FLAT = [[100.0, 101.0, 99.0, 100.0]] * 12
BREAKOUT = [100.0, 102.0, 100.0, 102.0]


def decide(
    rows: list[list[float]] | BarSeries,
    holding: Holding | None = None,
    state: object = None,
    params: TurtleParameters = SHORT,
    position: OwnPosition | None = None,
) -> Decision:
    bars = rows if isinstance(rows, BarSeries) else bars_of(rows, params.bar)
    mark = float(bars.close[-1])
    return TURTLE.decide(view_of(bars, mark=mark), position or own(holding), params, state or {}, MARKETS)


def target(decision: Decision) -> Target:
    (only,) = decision.desired
    assert isinstance(only, Target)
    return only


def quantity(decided: Target, price: float) -> float:
    return decided.weight * 200_000 / price


def grown(holding: Holding, quantity: float, price: float) -> Holding:
    side = Side.BUY if quantity > 0 else Side.SELL
    return holding.filled(side, Quantity(Decimal(repr(abs(quantity)))), Price(Decimal(repr(price))), Decimal(0))


def test_does_nothing_without_a_breakout() -> None:
    decision = decide(FLAT)
    assert target(decision).weight == 0
    assert decision.notes == ()


def test_buys_one_unit_of_equal_risk_on_a_breakout_with_the_stop_two_n_below() -> None:
    decision = decide([*FLAT, BREAKOUT])
    wanted = target(decision)
    n = 2.0  # the breakout bar's true range is 2 as well
    unit = 0.01 * 100_000 / n
    assert wanted.weight == pytest.approx(min(1, unit * 102 / 200_000))
    assert wanted.stop is not None
    assert float(wanted.stop.value) == pytest.approx(102 - 2 * n)
    assert wanted.take_profit is None
    assert wanted.entry is None
    assert wanted.signal_id.startswith("s1:")
    assert wanted.signal_id.endswith(":1")


def test_sells_short_on_a_breakout_below() -> None:
    wanted = target(decide([*FLAT, [100, 100, 98, 98]]))
    assert wanted.weight < 0
    assert wanted.stop is not None
    assert float(wanted.stop.value) == pytest.approx(98 + 2 * 2)


def test_says_the_same_when_called_again_on_the_same_bar() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    again = decide(rows, state=first.state)
    assert again.desired == first.desired
    assert again.state == first.state
    assert decide(rows, state={}).desired == first.desired


def test_keeps_size_and_signal_once_filled_and_moves_the_stop_to_the_fill() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    holding = bought(quantity(target(first), 102), 102.5)
    after = decide(rows, holding, first.state)
    assert target(after).weight == target(first).weight
    assert target(after).signal_id == target(first).signal_id
    assert target(after).stop == Price(Decimal("98.5"))


def test_adds_a_unit_half_n_beyond_the_last_fill_up_to_the_limit() -> None:
    rows = [*FLAT, BREAKOUT]
    half = SHORT.model_copy(update={"risk_percent": 0.5})
    decision = decide(rows, params=half)
    price, unit = 102.0, quantity(target(decision), 102)
    holding = bought(unit, price)
    for units in (2, 3, 4):
        price += 1.0
        rows.append([price - 0.4, price, price - 0.5, price])
        decision = decide(rows, holding, decision.state, half)
        assert target(decision).signal_id.endswith(f":{units}")
        assert quantity(target(decision), price) == pytest.approx(units * unit)
        holding = grown(holding, unit, price)
        settled = target(decide(rows, holding, decision.state, half))
        assert settled.stop is not None
        assert float(settled.stop.value) == pytest.approx(price - 4)
    rows.append([price, price + 2, price, price + 2])
    full = decide(rows, holding, decision.state, half)
    assert target(full).signal_id == target(decision).signal_id
    assert target(full).weight == target(decision).weight


def test_an_add_waits_for_its_own_fill_price() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    unit = quantity(target(first), 102)
    rows.append([102.5, 103, 102.5, 103])
    adding = decide(rows, bought(unit, 102), first.state)
    slipped = grown(bought(unit, 102), unit, 103.8)
    held = decide(rows, slipped, adding.state)
    assert target(held).stop is not None
    assert float(target(held).stop.value) == pytest.approx(103.8 - 4)  # type: ignore[union-attr]
    rows.append([103.5, 104.5, 103.5, 104.5])  # half N above 103, but not above the fill
    assert target(decide(rows, slipped, held.state)).signal_id.endswith(":2")


def test_an_add_that_is_not_filled_within_its_bar_is_dropped() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    holding = bought(quantity(target(first), 102), 102)
    rows.append([102.5, 103, 102.5, 103])
    adding = decide(rows, holding, first.state)
    rows.append([102.5, 102.6, 102.4, 102.5])
    dropped = target(decide(rows, holding, adding.state))
    assert dropped.signal_id == target(first).signal_id
    assert dropped.weight == target(first).weight


def test_does_not_add_beyond_the_allocation() -> None:
    params = SHORT.model_copy(update={"risk_percent": 2.6})
    rows = [*FLAT, BREAKOUT]
    first = decide(rows, params=params)
    holding = bought(quantity(target(first), 102), 102)
    rows.append([102.5, 103, 102.5, 103])
    decision = decide(rows, holding, first.state, params)
    assert target(decision).signal_id.endswith(":1")
    assert "no room" in decision.notes[0]


def test_leaves_when_the_opposite_channel_breaks() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    holding = bought(quantity(target(first), 102), 102)
    rows.append([102, 102.4, 101.5, 102.2])
    held = decide(rows, holding, first.state)
    assert target(held).weight == target(first).weight
    rows.append([102, 102, 99.5, 99.6])
    left = decide(rows, holding, held.state)
    assert target(left).weight == 0
    assert target(left).signal_id.endswith(":exit")
    # The order has not been filled yet: the position is not mistaken for a new one.
    assert target(decide(rows, holding, left.state)).weight == 0
    assert target(decide(rows, Holding(), left.state)).signal_id == "flat"


def test_an_exit_on_a_missed_bar_is_made_good_by_the_next_tick() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    holding = bought(quantity(target(first), 102), 102)
    held = decide(rows, holding, first.state)
    rows.extend([[102, 102, 98.6, 99.6], [99.6, 100.5, 99.6, 100.4]])
    assert target(decide(rows, holding, held.state)).weight == 0


def test_the_stop_comes_before_the_add_when_one_bar_touches_both() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    holding = bought(quantity(target(first), 102), 102)
    held = decide(rows, holding, first.state)
    rows.append([102, 104, 97.9, 104])
    decision = decide(rows, holding, held.state)
    assert target(decision).weight == 0
    assert "stop touched" in decision.notes[0]


def test_the_bar_that_stopped_a_trade_opens_no_other_though_it_broke_out() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    held = decide(rows, bought(quantity(target(first), 102), 102), first.state)
    rows.append([102, 106, 97.9, 106])
    stopped = decide(rows, Holding(realised=Decimal(-4)), held.state)
    assert target(stopped).weight == 0
    rows.append([106, 108, 105.5, 108])
    assert target(decide(rows, Holding(), stopped.state)).weight > 0


def test_a_trade_filled_and_stopped_between_two_ticks_is_not_entered_again() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    gone = Holding(realised=Decimal(-400), fees=Decimal(2))
    after = decide(rows, gone, first.state)
    assert target(after).weight == 0
    assert target(decide(rows, gone, after.state)).weight == 0


def test_an_entry_that_is_not_filled_within_its_bar_is_given_up() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    rows.append([102, 102, 101.5, 101.6])
    late = decide(rows, state=first.state)
    assert target(late).weight == 0
    assert "not filled" in late.notes[0]


def test_turns_from_long_to_short_and_waits_for_the_position_to_follow() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    holding = bought(quantity(target(first), 102), 102)
    held = decide(rows, holding, first.state)
    rows.append([102, 102, 98.5, 98.6])
    turned = decide(rows, holding, held.state)
    assert target(turned).weight < 0
    assert decide(rows, holding, turned.state).desired == turned.desired
    short = bought(-abs(quantity(target(turned), 98.6)), 98.4)
    settled = target(decide(rows, short, turned.state))
    assert settled.weight == target(turned).weight
    assert settled.signal_id == target(turned).signal_id
    assert settled.stop is not None
    assert float(settled.stop.value) > 98.4


def test_a_position_that_does_not_turn_within_the_bar_is_closed() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    holding = bought(quantity(target(first), 102), 102)
    held = decide(rows, holding, first.state)
    rows.append([102, 102, 98.5, 98.6])
    turned = decide(rows, holding, held.state)
    rows.append([98.6, 99, 98.6, 98.8])
    assert target(decide(rows, holding, turned.state)).weight == 0


# --- the filter of system 1 -----------------------------------------------------------------------------------------

WINNER = [
    [100.0, 104.0, 100.0, 104.0],
    [104.0, 110.0, 104.0, 110.0],
    [110.0, 116.0, 110.0, 116.0],
    [116.0, 116.0, 108.0, 108.0],
    [108.0, 108.0, 103.5, 104.0],
]
FILTERED = SHORT.model_copy(update={"skip_s1_after_winner": True, "s2_entry_bars": 12})


def after_a_winner() -> list[list[float]]:
    """A fast trade has won; then the market rests below the old high."""
    return [*FLAT, *WINNER, *[[104.0, 105.0, 103.6, 104.0]] * 5]


def test_skips_the_fast_breakout_after_a_virtual_winner() -> None:
    rows = [*after_a_winner(), [104.0, 105.5, 104.0, 105.4]]
    skipped = decide(rows, params=FILTERED)
    assert target(skipped).weight == 0
    assert "would have won" in skipped.notes[0]
    assert target(decide(rows, params=FILTERED.model_copy(update={"skip_s1_after_winner": False}))).weight > 0


def test_the_slow_system_catches_the_skipped_move() -> None:
    rows = [*after_a_winner(), [104.0, 105.5, 104.0, 105.4], [105.4, 117.0, 105.4, 117.0]]
    caught = target(decide(rows, params=FILTERED))
    assert caught.weight > 0
    assert caught.signal_id.startswith("s2:")


def test_takes_the_fast_breakout_after_a_virtual_loser() -> None:
    rows = [*FLAT, [100.0, 100.0, 98.0, 98.5], [98.5, 103.6, 98.5, 103.5]]
    assert target(decide(rows, params=FILTERED)).signal_id.startswith("s1:")


# --- drawdown -------------------------------------------------------------------------------------------------------


def test_sizes_by_a_fifth_less_after_losing_a_tenth() -> None:
    rows = [*FLAT, BREAKOUT]
    whole = target(decide(rows)).weight
    lost = OwnPosition({KEY: Holding(realised=Decimal(-10_000))}, 90_000, 2.0)
    assert target(decide(rows, position=lost)).weight * 90_000 == pytest.approx(0.8 * whole * 100_000)
    without = SHORT.model_copy(update={"drawdown_rule": False})
    assert target(decide(rows, position=lost, params=without)).weight == pytest.approx(whole)


def test_measures_the_loss_from_the_best_profit_so_far() -> None:
    rows = [*FLAT, BREAKOUT]
    state = Memory(peak_profit=25_000).to_state()
    now = OwnPosition({KEY: Holding(realised=Decimal(10_000))}, 110_000, 2.0)
    sized = target(decide(rows, state=state, position=now)).weight * 110_000 * 2 / 102
    assert sized == pytest.approx(0.01 * 0.8 * 125_000 / 2)


def test_a_smaller_allocation_is_no_loss() -> None:
    rows = [*FLAT, BREAKOUT]
    first = decide(rows)
    halved = OwnPosition({}, 50_000, 2.0)
    assert target(decide(rows, state=Memory().to_state(), position=halved)).weight == target(first).weight


# --- what is not as it should be ------------------------------------------------------------------------------------


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


def test_takes_the_mark_then_the_book_then_the_close() -> None:
    bars = bars_of([*FLAT, BREAKOUT])
    now = int(bars.opened_ms[-1]) + 86_400_000
    book = book_at(103.0, 105.0, now)
    views = [view_of(bars, book=book, mark=106.0), view_of(bars, book=book), view_of(bars)]
    weights = [target(TURTLE.decide(view, own(), SHORT, {}, MARKETS)).weight for view in views]
    assert weights == pytest.approx([500 * price / 200_000 for price in (106, 104, 102)])


# --- presets --------------------------------------------------------------------------------------------------------


def test_the_canonical_preset_holds_the_numbers_of_the_book() -> None:
    assert (CANONICAL.s1_entry_bars, CANONICAL.s1_exit_bars) == (20, 10)
    assert (CANONICAL.s2_entry_bars, CANONICAL.s2_exit_bars) == (55, 20)
    assert (CANONICAL.n_bars, CANONICAL.risk_percent, CANONICAL.max_units) == (20, 1.0, 4)
    assert (CANONICAL.add_step_n, CANONICAL.stop_n) == (0.5, 2.0)
    assert CANONICAL.skip_s1_after_winner
    assert CANONICAL.interval == "1d"


def test_needs_enough_bars_of_every_instrument() -> None:
    needs = TURTLE.needs(CANONICAL, (BTC,))
    assert needs.instruments == (KEY,)
    assert needs.bars == {timedelta(days=1): 56 + 300}
    assert not needs.book


WEDNESDAY_MS = 1_753_290_000_000  # 2025-07-23 17:00 UTC, 13:00 in New York
QUIET = [[100.0, 100.1, 99.9, 100.0]] * 80


def original_at(rows: list[list[float]], now_ms: int, holding: Holding | None = None, state: object = None) -> Decision:
    start = now_ms - 60_000 * len(rows)
    bars = bars_of(rows, timedelta(minutes=1), start - start % 60_000)
    view = view_of(bars, mark=float(bars.close[-1]))
    return TURTLE.decide(view, own(holding), ORIGINAL, state or {}, MARKETS)  # type: ignore[arg-type]


def test_the_original_preset_scalps_with_its_take_profit() -> None:
    wanted = target(original_at([*QUIET, [100, 100.3, 100, 100.25]], WEDNESDAY_MS))
    assert wanted.weight > 0
    assert wanted.take_profit == Price(Decimal(repr(100.25 * 1.002)))
    assert wanted.stop is not None
    assert 99.7 < float(wanted.stop.value) < 99.9


def test_the_original_preset_opens_in_new_yorks_session_only() -> None:
    evening = WEDNESDAY_MS + 4 * 3_600_000
    decision = original_at([*QUIET, [100, 100.3, 100, 100.25]], evening)
    assert target(decision).weight == 0
    assert "outside the session" in decision.notes[0]


def test_the_original_preset_is_flat_from_fridays_close() -> None:
    friday_1559 = WEDNESDAY_MS + 2 * 86_400_000 + 3 * 3_600_000 - 60_000
    first = original_at([*QUIET, [100, 100.3, 100, 100.25]], friday_1559)
    holding = bought(target(first).weight * 200_000 / 100.25, 100.25)
    rows = [*QUIET[1:], [100, 100.3, 100, 100.25]]
    held = original_at(rows, friday_1559, holding, first.state)
    assert target(held).weight > 0
    closed = original_at(rows, friday_1559 + 60_000, holding, held.state)
    assert target(closed).weight == 0
    assert closed.notes == (f"{KEY}: flat over the weekend",)


def test_the_fast_preset_trades_within_a_minute_or_two() -> None:
    bars = random_bars(11, 300, timedelta(minutes=1), sigma=0.0005)
    venue = FillingVenue(TURTLE, FAST)  # type: ignore[arg-type]
    venue.run(bars, 20, FAST.history_bars, MARKETS)
    assert venue.trips[0].index < 24
    assert len(venue.trips) > 100


# --- properties over whole runs -------------------------------------------------------------------------------------

WALK = TurtleParameters(s1_entry_bars=6, s1_exit_bars=3, s2_entry_bars=14, s2_exit_bars=6, n_bars=6, risk_percent=0.5)


def walked(bars: BarSeries, params: TurtleParameters = WALK, fills_orders: object = None) -> FillingVenue:
    venue = FillingVenue(TURTLE, params)  # type: ignore[arg-type]
    if fills_orders is not None:
        venue.fills_orders = fills_orders  # type: ignore[assignment]
    venue.run(bars, 16, params.history_bars, MARKETS)
    return venue


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), end=st.integers(40, 119))
def test_cutting_the_future_off_does_not_change_the_past(seed: int, end: int) -> None:
    bars = random_bars(seed, 120)
    whole, part = walked(bars), walked(cut(bars, end))
    assert part.decisions == whole.decisions[: end - 16]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_unit_of_price_does_not_matter(seed: int) -> None:
    bars = random_bars(seed, 120)
    ours, theirs = walked(bars), walked(scaled(bars, 16.0))
    assert [trip.index for trip in ours.trips] == [trip.index for trip in theirs.trips]
    for mine, other in zip(ours.trips, theirs.trips, strict=True):
        assert other.price == pytest.approx(mine.price * 16, rel=1e-9)
        assert other.quantity == pytest.approx(mine.quantity / 16, rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), deaf=st.sets(st.integers(16, 119)))
def test_whatever_the_venue_fills_weights_units_and_stops_stay_lawful(seed: int, deaf: set[int]) -> None:
    bars = random_bars(seed, 120)
    venue = walked(bars, fills_orders=lambda index: index not in deaf)
    for decision in venue.decisions:
        wanted = target(decision)
        assert -1 <= wanted.weight <= 1
        assert json.loads(json.dumps(decision.state)) == decision.state
        trade = Memory.model_validate(decision.state).market(KEY).trade
        if trade is not None:
            assert trade.units <= WALK.max_units
        if wanted.weight:
            assert wanted.stop is not None


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_every_tick_may_run_twice(seed: int) -> None:
    bars = random_bars(seed, 100)
    once = walked(bars)

    class Twice(TurtleTrend):
        def decide(self, view, own, params, state, instruments):  # type: ignore[no-untyped-def]
            first = super().decide(view, own, params, state, instruments)
            again = super().decide(view, own, params, first.state, instruments)
            assert again.desired == first.desired
            return again

    venue = FillingVenue(Twice(), WALK)  # type: ignore[arg-type]
    venue.run(bars, 16, WALK.history_bars, MARKETS)
    assert venue.trips == once.trips


def test_decides_well_within_five_milliseconds() -> None:
    bars = random_bars(4, CANONICAL.history_bars)
    view = view_of(bars, mark=float(bars.close[-1]))
    durations = []
    for _ in range(50):
        begun = time.perf_counter()
        TURTLE.decide(view, own(), CANONICAL, {}, MARKETS)
        durations.append(time.perf_counter() - begun)
    assert float(np.median(durations)) < 0.005


@pytest.mark.timeout(180)
def test_the_original_rules_give_the_measured_trades_on_recorded_bars() -> None:
    """Ninety days of ETH 5m: 801 trades, 74.7 % won, +1.02 bp gross each, a loss after any fee."""
    parquet = pytest.importorskip("pyarrow.parquet")
    path = Path(__file__).parents[5].parent / "shared/data/ohlcv/bybit-linear_ETHUSDT_5m_202504-202507.parquet"
    if not path.exists():
        pytest.skip(f"recorded bars are not there: {path.name}")
    table = parquet.read_table(path).to_pydict()
    rows = list(zip(*(table[name] for name in ("open", "high", "low", "close")), strict=True))
    bars = bars_of(rows, timedelta(minutes=5), int(table["ts"][0]))
    params = ORIGINAL.model_copy(
        update={"interval": "5m", "session_only": False, "flat_over_weekend": False, "max_unit_weight": 1.0}
    )
    venue = FillingVenue(TURTLE, params)  # type: ignore[arg-type]
    venue.run(bars, 60, params.history_bars, MARKETS)
    entries, exits = venue.trips[::2], venue.trips[1::2]
    gains = [
        math.copysign(1, bought.quantity) * (sold.price / bought.price - 1)
        for bought, sold in zip(entries, exits, strict=False)
    ]
    assert len(gains) == 801
    assert sum(gain > 0 for gain in gains) / len(gains) == pytest.approx(0.747, abs=5e-4)
    assert 1e4 * sum(gains) / len(gains) == pytest.approx(1.02, abs=0.01)
