import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.strategies.base import Decision, OwnPosition
from apps.strategies.library.kernel.estimates import estimates
from apps.strategies.library.kernel.parameters import CANONICAL, FAST, ORIGINAL, KernelParameters
from apps.strategies.library.nadaraya_watson import NadarayaWatson
from apps.strategies.library.single.memory import Memory, Phase, remembered
from moondev.domain.clock import from_milliseconds
from moondev.domain.desired import Target
from moondev.domain.market_data import BarSeries, MarketView
from moondev.domain.portfolio import Holding
from moondev.domain.values import Quantity
from tests.unit.apps.strategies.library.scenery import (
    BTC,
    KEY,
    FillingVenue,
    bars_of,
    bought,
    cut,
    own,
    random_bars,
    scaled,
    view_of,
)

NADARAYA = NadarayaWatson()
MARKETS = {KEY: BTC}
HOUR = timedelta(hours=1)
# Turns alone, on a kernel of two bars: every corner of the price is one.
TURNS = KernelParameters(
    bandwidth_bars=2, window_bars=10, entry="turn", stochastic="ignore", exit_crossings=0, atr_bars=4
)
TOUCHES = TURNS.model_copy(update={"entry": "touch", "envelope": "atr", "envelope_multiple": 2.0})
EITHER = TURNS.model_copy(update={"entry": "either", "envelope_multiple": 2.0})


def path(*closes: float) -> BarSeries:
    """Return hourly bars through `closes`, each a little beyond its open and close."""
    before = (closes[0], *closes[:-1])
    rows = [(o, max(o, c) + 0.2, min(o, c) - 0.2, c) for o, c in zip(before, closes, strict=True)]
    return bars_of(rows, HOUR)


def decide(
    bars: BarSeries,
    holding: Holding | None = None,
    state: object = None,
    params: KernelParameters = TURNS,
    position: OwnPosition | None = None,
) -> Decision:
    view = view_of(bars, mark=float(bars.close[-1]))
    return NADARAYA.decide(view, position or own(holding), params, state or {}, MARKETS)  # type: ignore[arg-type]


def target(decision: Decision) -> Target:
    (only,) = decision.desired
    assert isinstance(only, Target)
    return only


DOWN = tuple(120.0 - step for step in range(20))
TURNED_UP = (*DOWN, 104.0, 108.0)


def turned() -> tuple[BarSeries, Decision]:
    """Return the bars up to the first long signal of a market that falls and then rises, and the decision."""
    for end in range(20, len(TURNED_UP) + 1):
        bars = path(*TURNED_UP[:end])
        if target(decision := decide(bars)).weight:
            return bars, decision
    raise AssertionError("no turn")


def test_buys_when_the_estimate_turns_up_and_sets_the_stop_at_two_ranges() -> None:
    bars, decision = turned()
    wanted = target(decision)
    atr = float(estimates(bars, TURNS).atr[-1])
    assert wanted.weight > 0
    assert wanted.signal_id == f"turn:long:{int(bars.opened_ms[-1])}"
    assert wanted.stop is not None
    assert float(wanted.stop.value) == pytest.approx(float(bars.close[-1]) - 2 * atr)
    # The stop costs one per cent of 100,000.
    assert wanted.weight * 200_000 / float(bars.close[-1]) * 2 * atr == pytest.approx(1_000)


def test_does_nothing_while_the_estimate_goes_on_falling_or_lies_flat() -> None:
    assert target(decide(path(*DOWN))).weight == 0
    assert target(decide(path(*[100.0] * 30))).weight == 0


def test_the_mirror_image_sells() -> None:
    bars = path(*(200 - close for close in TURNED_UP[: len(turned()[0])]))
    assert target(decide(bars)).weight < 0


def test_holds_its_size_and_stop_until_the_estimate_turns_back() -> None:
    bars, first = turned()
    entry = float(bars.close[-1])
    holding = bought(target(first).weight * 200_000 / entry, entry)
    closes = [*map(float, bars.close), entry + 4, entry + 8]
    held = decide(path(*closes), holding, first.state)
    assert target(held).signal_id == target(first).signal_id
    assert (target(held).weight, target(held).stop) == (target(first).weight, target(first).stop)
    state, seen = held.state, []
    for close in (entry + 7, entry + 5, entry + 3, entry + 1):
        closes.append(close)
        decision = decide(path(*closes), holding, state)
        state = decision.state
        seen.append(target(decision).weight)
        if seen[-1] <= 0:
            break
    assert seen[-1] < 0, "turned to the other side with the bar on which the estimate turned"
    assert "the estimate turned" in decision.notes[0]


def test_a_turn_that_limits_cut_and_its_stop_ended_within_the_bar_is_not_entered_again() -> None:
    """Found by a replay: turned round with half the size, then stopped out, it went back in for ever."""
    bars, first = turned()
    entry = float(bars.close[-1])
    closes, holding = [*map(float, bars.close), entry + 4, entry + 8], bought(10, entry)
    decision = decide(path(*closes), holding, decide(path(*closes), holding, first.state).state)
    while target(decision).weight > 0:
        closes.append(closes[-1] - 2)
        decision = decide(path(*closes), holding, decision.state)
    short, bars = target(decision), path(*closes)
    assert short.weight < 0
    half = bought(short.weight * 200_000 / closes[-1] / 2, closes[-1])
    decision = decide(bars, half, decision.state)
    assert target(decision).signal_id == short.signal_id
    stopped = decide(bars, Holding(realised=Decimal(-3), fees=Decimal(1)), decision.state)
    assert target(stopped).weight == 0
    assert "was closed at the venue" in stopped.notes[0]


def test_a_stop_that_a_bar_has_touched_ends_the_trade_and_opens_no_other_on_that_bar() -> None:
    bars, first = turned()
    entry = float(bars.close[-1])
    crash = path(*map(float, bars.close), entry - 15)
    decision = decide(crash, bought(1, entry), first.state)
    # The first tick after the fill is also the one that sees the stop touched.
    again = decide(crash, bought(1, entry), decision.state)
    assert target(again).weight == 0
    assert again.desired == decide(crash, bought(1, entry), again.state).desired


def test_after_the_venue_has_closed_it_nothing_opens_until_a_newer_bar_closed() -> None:
    bars, first = turned()
    entry = float(bars.close[-1])
    gone = Holding(realised=Decimal(-3), fees=Decimal(1))
    decision = decide(bars, gone, first.state)
    assert target(decision).weight == 0
    assert "was closed at the venue" in decision.notes[0]
    assert target(decide(bars, gone, decision.state)).weight == 0
    assert entry > 0


def test_the_bar_in_which_the_venue_closed_a_trade_opens_no_other() -> None:
    bars, first = turned()
    gone = Holding(realised=Decimal(-3), fees=Decimal(1))
    decision = decide(bars, gone, first.state)
    step = int(bars.interval.total_seconds() * 1000)
    memory, _ = remembered(decision.state)
    assert memory.market(KEY).after_ms == bars.opened_ms[-1] + step, "the bar under way when the stop filled"


def test_an_entry_that_was_not_filled_within_its_bar_is_given_up() -> None:
    bars, first = turned()
    assert decide(bars, state=first.state).desired == first.desired
    later = decide(path(*map(float, bars.close), float(bars.close[-1]) + 1), state=first.state)
    assert target(later).weight == 0
    assert "not filled within its bar" in later.notes[0]


def test_a_touch_buys_below_the_envelope_and_leaves_at_the_estimate() -> None:
    calm = [100.0 + 0.05 * math.sin(i) for i in range(30)]
    fallen = path(*calm, 96.0)
    first = decide(fallen, params=TOUCHES)
    assert target(first).signal_id.startswith("touch:long:")
    holding = bought(1, 96.0)
    held = decide(path(*calm, 96.0, 96.5), holding, first.state, TOUCHES)
    assert target(held).weight > 0
    back = decide(path(*calm, 96.0, 96.5, 99.9), holding, held.state, TOUCHES)
    assert target(back).weight == 0
    assert "back at the estimate" in back.notes[0]


def test_a_turn_counts_only_after_an_extreme_when_it_has_to_be_confirmed() -> None:
    bars = random_bars(3, 600, HOUR)
    plain = TURNS.model_copy(update={"rsi_bars": 5, "stochastic_bars": 5, "extreme_bars": 4})
    confirmed = plain.model_copy(update={"stochastic": "confirm"})
    opened = {name: _entries(bars, params) for name, params in (("plain", plain), ("confirmed", confirmed))}
    assert 0 < len(opened["confirmed"]) < len(opened["plain"])


def _entries(bars: BarSeries, params: KernelParameters) -> list[str]:
    venue = FillingVenue(NADARAYA, params)  # type: ignore[arg-type]
    venue.run(bars, params.minimum_bars, params.history_bars, MARKETS)
    return [trip.reason for trip in venue.trips if trip.reason.startswith(("turn:", "touch:", "extreme:"))]


def test_the_original_opens_on_extremes_and_leaves_on_two_opposite_ones_without_a_stop() -> None:
    bars = random_bars(8, 700, HOUR)
    params = ORIGINAL.model_copy(update={"window_bars": 40, "rsi_bars": 5, "stochastic_bars": 5})
    venue = FillingVenue(NADARAYA, params)  # type: ignore[arg-type]
    venue.run(bars, params.minimum_bars, params.history_bars, MARKETS)
    reasons = {trip.reason.split(":")[0] for trip in venue.trips}
    assert {"turn", "extreme"} <= reasons
    assert not reasons & {"stop", "take-profit"}
    notes = " ".join(note for decision in venue.decisions for note in decision.notes)
    assert "2 crossings into the opposite extreme" in notes
    assert all(target(decision).stop is None for decision in venue.decisions)


def walked(bars: BarSeries, params: KernelParameters = EITHER, deaf: Mapping[int, bool] | None = None) -> FillingVenue:
    venue = FillingVenue(NADARAYA, params, fills_orders=lambda index: not (deaf or {}).get(index))  # type: ignore[arg-type]
    venue.run(bars, params.minimum_bars, params.history_bars, MARKETS)
    return venue


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), end=st.integers(40, 119))
def test_cutting_the_future_off_does_not_change_the_past(seed: int, end: int) -> None:
    bars = random_bars(seed, 120, HOUR)
    whole, part = walked(bars), walked(cut(bars, end))
    assert part.decisions == whole.decisions[: len(part.decisions)]
    assert whole.trips


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_unit_of_price_does_not_matter(seed: int) -> None:
    bars = random_bars(seed, 120, HOUR)
    ours, theirs = walked(bars), walked(scaled(bars, 16.0))
    assert [trip.index for trip in ours.trips] == [trip.index for trip in theirs.trips]
    for mine, other in zip(ours.trips, theirs.trips, strict=True):
        assert other.price == pytest.approx(mine.price * 16, rel=1e-9)
        assert other.quantity == pytest.approx(mine.quantity / 16, rel=1e-6)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), deaf=st.sets(st.integers(16, 119)))
def test_whatever_the_venue_fills_every_tick_may_run_twice_and_every_trade_has_a_stop(
    seed: int, deaf: set[int]
) -> None:
    bars = random_bars(seed, 120, HOUR)
    venue = walked(bars, deaf=dict.fromkeys(deaf, True))
    for decision in venue.decisions:
        wanted = target(decision)
        assert (wanted.stop is not None) == bool(wanted.weight)
        assert Memory.model_validate(decision.state).to_state() == decision.state
    again = decide(bars, venue.holding, venue.state, EITHER, own(venue.holding))
    assert again.desired == decide(bars, venue.holding, again.state, EITHER, own(venue.holding)).desired


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_stands_aside_when_a_price_is_not_finite(value: float) -> None:
    bars, first = turned()
    bars.close[-3] = value
    decision = decide(bars, bought(1, 100), first.state)
    assert decision.desired == ()
    assert "not a finite number" in decision.notes[0]
    assert decision.state == first.state


def test_stands_aside_without_data_history_or_equity() -> None:
    nothing = NADARAYA.decide(MarketView(from_milliseconds(0), {}), own(), TURNS, {}, MARKETS)
    assert nothing.desired == ()
    assert nothing.notes == (f"{KEY}: no market data",)
    short = decide(path(*DOWN[:5]))
    assert short.desired == ()
    assert f"5 closed bars of 1:00:00, {TURNS.minimum_bars} needed" in short.notes[0]
    for equity in (0.0, math.nan):
        assert "nothing to trade with" in decide(path(*DOWN), position=OwnPosition({}, equity, 2.0)).notes[0]


def test_old_bars_and_trades_too_small_open_nothing() -> None:
    bars, _ = turned()
    late = view_of(bars, mark=104.0, late_ms=2 * 3_600_000)
    decision = NADARAYA.decide(late, own(), TURNS, {}, MARKETS)
    assert target(decision).weight == 0
    assert "old bars" in decision.notes[0]
    assert "below the minimum of 10 USDC" in decide(bars, position=OwnPosition({}, 1.0, 1.0)).notes[0]
    coarse = {KEY: replace(BTC, lot=Quantity(Decimal(10_000)))}
    assert "below one lot" in NADARAYA.decide(view_of(bars), own(), TURNS, {}, coarse).notes[0]


@pytest.mark.parametrize("state", [{"version": 0}, {"version": 1, "markets": {KEY: {"trade": {"phase": "open"}}}}])
def test_an_unreadable_state_starts_from_the_position(state: dict[str, object]) -> None:
    decision = decide(path(*DOWN), bought(-10, 110), state)
    assert "state is not of version 1" in decision.notes[0]
    assert target(decision).weight == pytest.approx(-10 * 101 / 200_000)
    assert target(decision).stop is not None
    assert target(decision).stop.value > 110  # type: ignore[union-attr]
    assert decide(path(*DOWN), bought(-10, 110), decision.state).desired == decision.desired


def test_a_position_that_shrank_is_kept_and_one_on_the_other_side_adopted() -> None:
    bars, first = turned()
    entry = float(bars.close[-1])
    planned = target(first).weight * 200_000 / entry
    held = decide(bars, bought(planned, entry), first.state)
    assert Memory.model_validate(held.state).market(KEY).trade.phase is Phase.OPEN  # type: ignore[union-attr]
    smaller = decide(bars, bought(planned / 2, entry), held.state)
    assert "smaller than" in smaller.notes[0]
    assert target(smaller).weight == pytest.approx(target(first).weight / 2)
    assert decide(bars, bought(planned / 2, entry), smaller.state).desired == smaller.desired
    other = decide(bars, bought(-3, entry), held.state)
    assert "against" in other.notes[0]
    assert target(other).signal_id.startswith("adopted:short:")


def test_the_presets_hold_their_numbers_and_ask_for_enough_bars() -> None:
    assert (CANONICAL.bandwidth_bars, CANONICAL.window_bars, CANONICAL.envelope_multiple) == (8, 200, 3)
    assert (CANONICAL.rsi_bars, CANONICAL.stochastic_bars, CANONICAL.extreme_level) == (14, 14, 10)
    assert (CANONICAL.stop_atr, CANONICAL.entry) == (2, "either")
    assert (ORIGINAL.bandwidth_bars, ORIGINAL.stop_atr, ORIGINAL.stochastic, ORIGINAL.exit_crossings) == (
        8,
        0,
        "open",
        2,
    )
    needs = NADARAYA.needs(CANONICAL, (BTC,))
    assert needs.bars == {HOUR: CANONICAL.history_bars}
    assert needs.book
    assert CANONICAL.history_bars >= 401
    for preset in (CANONICAL, ORIGINAL, FAST):
        assert preset.minimum_bars <= preset.history_bars
        bars = random_bars(1, preset.minimum_bars, preset.bar)
        seen = estimates(bars, preset)
        assert np.isfinite([seen.smooth[-3], seen.atr[-1]]).all()
        assert preset.entry == "turn" or np.isfinite(seen.lower[-1])


def test_the_fast_preset_trades_within_minutes() -> None:
    bars = random_bars(11, 300, timedelta(minutes=1), sigma=0.0005)
    venue = walked(bars, FAST)
    assert len(venue.trips) > 30
    assert venue.trips[0].index < 45
