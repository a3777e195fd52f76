import json
import math
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.strategies.library.turtle.memory import Memory
from apps.strategies.library.turtle.parameters import CANONICAL, ORIGINAL, TurtleParameters
from apps.strategies.library.turtle_trend import TurtleTrend
from moondev.domain.market_data import BarSeries
from tests.unit.apps.strategies.library.scenery import (
    KEY,
    FillingVenue,
    bars_of,
    cut,
    own,
    random_bars,
    scaled,
    view_of,
)
from tests.unit.apps.strategies.library.turtle_desk import (
    MARKETS,
    TURTLE,
    target,
)

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
