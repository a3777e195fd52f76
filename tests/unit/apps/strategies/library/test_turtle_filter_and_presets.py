from datetime import timedelta
from decimal import Decimal

import pytest

from apps.strategies.base import Decision, OwnPosition
from apps.strategies.library.turtle.memory import Memory
from apps.strategies.library.turtle.parameters import CANONICAL, FAST, ORIGINAL
from moondev.domain.portfolio import Holding
from moondev.domain.values import Price
from tests.unit.apps.strategies.library.scenery import (
    BTC,
    KEY,
    FillingVenue,
    bars_of,
    bought,
    own,
    random_bars,
    view_of,
)
from tests.unit.apps.strategies.library.turtle_desk import (
    BREAKOUT,
    FLAT,
    MARKETS,
    SHORT,
    TURTLE,
    decide,
    target,
)

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
    assert needs.book


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
