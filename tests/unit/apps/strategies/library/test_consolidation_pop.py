from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.strategies.base import Decision, State
from apps.strategies.library.consolidation_pop import ConsolidationPop
from apps.strategies.library.popping.consolidation import quiet, range_of
from apps.strategies.library.popping.parameters import BREAKOUT, CANONICAL, FAST, ORIGINAL, PopParameters
from apps.strategies.library.popping.rules import zone
from moondev.domain.desired import Target
from moondev.domain.market_data import BarSeries
from moondev.domain.portfolio import Holding
from moondev.domain.values import Price
from tests.unit.apps.strategies.library.recorded_bars import recorded
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

POP = ConsolidationPop()
MARKETS = {KEY: BTC}
FIVE = timedelta(minutes=5)
# Ten bars between 100 and 100.6, after some more that let the true range settle.
BOX = [[100.3, 100.6, 100.0, 100.3]] * 24
BREAK = PopParameters(mode="breakout")


def decide(
    rows: Sequence[Sequence[float]] | BarSeries,
    params: PopParameters = CANONICAL,
    holding: Holding | None = None,
    state: State | None = None,
) -> Decision:
    bars = rows if isinstance(rows, BarSeries) else bars_of(rows, params.bar)
    return POP.decide(view_of(bars), own(holding), params, state or {}, MARKETS)


def target(decision: Decision) -> Target:
    (only,) = decision.desired
    assert isinstance(only, Target)
    return only


def closing_at(close: float) -> list[list[float]]:
    return [*BOX, [100.3, 100.6, 100.0, close]]


def louder(rows: list[list[float]], ratio: float) -> BarSeries:
    """The rows, the last of them with `ratio` times the volume of the others."""
    bars = bars_of(rows, FIVE)
    volume = bars.volume.copy()
    volume[-1] = ratio
    return BarSeries(FIVE, bars.opened_ms, bars.open, bars.high, bars.low, bars.close, volume)


def test_the_thirds_of_ten_bars_between_100_and_100_6() -> None:
    box = range_of(bars_of(BOX[:10], FIVE), 10)
    assert (box.low, box.high) == (100.0, 100.6)
    assert box.lower(1 / 3) == pytest.approx(100.2)
    assert box.upper(1 / 3) == pytest.approx(100.4)
    assert [zone(price, box, 1 / 3) for price in (100.19, 100.3, 100.41)] == [1, None, -1]


def test_buys_in_the_lower_third_for_three_tenths_of_a_per_cent() -> None:
    wanted = target(decide(closing_at(100.19), ORIGINAL))
    assert (wanted.weight, wanted.entry) == (0.1, Price(Decimal("100.19")))
    at_the_third = closing_at(100.2)
    exact = target(decide(at_the_third, ORIGINAL.model_copy(update={"zone_fraction": 0.34})))
    for price, expected in ((exact.take_profit, 100.5006), (exact.stop, 99.9495)):
        assert isinstance(price, Price)
        assert float(price.value) == pytest.approx(expected, abs=1e-9)


def test_canonical_enters_at_the_market_with_its_stop_below_the_range() -> None:
    wanted = target(decide(closing_at(100.1)))
    assert (wanted.entry, wanted.stop) == (None, Price(Decimal("99.75")))
    short = target(decide(closing_at(100.5)))
    assert short.weight == -0.1
    assert short.stop is not None
    assert float(short.stop.value) == pytest.approx(100.6 * 1.0025)


def test_leaves_alone_the_middle_and_a_market_that_moves() -> None:
    assert target(decide(closing_at(100.3))).weight == 0
    assert target(decide([*BOX, [100.3, 100.8, 100.0, 100.1]])).weight == 0
    dead = [[100.0, 100.0, 100.0, 100.0]] * 20
    assert target(decide(dead)).weight == 0
    assert target(decide(dead, BREAK)).weight == 0


def test_one_position_at_a_time_and_the_exit_bar_opens_nothing() -> None:
    first = decide(closing_at(100.1))
    long = bought(200.0, 100.1)
    rows = [*closing_at(100.1), [100.1, 100.3, 100.0, 100.1]]
    held = decide(rows, holding=long, state=first.state)
    assert target(held).signal_id == target(first).signal_id
    # The venue took the profit inside a bar that closed low enough to buy again.
    rows = [*rows, [100.1, 100.5, 100.0, 100.1]]
    gone = decide(rows, state=held.state)
    assert "was closed at the venue" in gone.notes[0]
    assert target(gone).weight == 0
    assert target(decide([*rows, [100.1, 100.3, 100.0, 100.1]], state=gone.state)).weight == 0.1


def test_follows_a_close_beyond_the_range_with_volume() -> None:
    up = [*BOX, [100.3, 101.0, 100.3, 100.9]]
    wanted = target(decide(louder(up, 1.5), BREAK))
    assert wanted.weight == 0.1
    for price, expected in ((wanted.stop, 100.3), (wanted.take_profit, 101.5)):
        assert isinstance(price, Price)
        assert float(price.value) == pytest.approx(expected)
    down = [*BOX, [100.3, 100.3, 99.5, 99.6]]
    assert target(decide(louder(down, 2.0), BREAK)).weight == -0.1


def test_no_break_without_volume_or_beyond_by_less_than_a_tenth_of_the_true_range() -> None:
    up = [*BOX, [100.3, 101.0, 100.3, 100.9]]
    quiet_break = decide(louder(up, 1.4), BREAK)
    assert target(quiet_break).weight == 0
    assert "volume 1.4 is below 1.5 x 1" in quiet_break.notes[0]
    # The true range of the box is 0.6: 100.66 is where it breaks.
    assert target(decide(louder([*BOX, [100.3, 100.7, 100.3, 100.65]], 9.0), BREAK)).weight == 0
    assert target(decide(louder([*BOX, [100.3, 100.7, 100.3, 100.67]], 9.0), BREAK)).weight == 0.1


def test_the_bar_that_breaks_out_belongs_neither_to_its_range_nor_to_the_quiet() -> None:
    wild = [*BOX, [100.3, 103.0, 100.3, 102.9]]
    assert not quiet(bars_of(wild, FIVE), BREAK)[-1]
    assert target(decide(louder(wild, 9.0), BREAK)).weight == 0.1
    # Nor is anything a break once the market has left its range.
    assert target(decide(louder([*wild, [102.9, 105.0, 102.9, 104.9]], 9.0), BREAK)).weight == 0


def test_quiet_may_also_be_told_by_true_ranges_or_by_the_bands() -> None:
    by_ranges = CANONICAL.model_copy(update={"quiet_by": "true_ranges"})
    assert target(decide(closing_at(100.1), by_ranges)).weight == 0.1
    trending = [[100.0 + i, 101.2 + i, 100.0 + i, 101.0 + i] for i in range(20)]
    assert not quiet(bars_of(trending, FIVE), by_ranges)[-1]
    by_bands = PopParameters(quiet_by="band_width", band_bars=10, band_past_bars=20)
    calming = [[100, 100 + 60 / (i + 5), 100 - 60 / (i + 5), 100 + (-1) ** i * 50 / (i + 5)] for i in range(40)]
    assert quiet(bars_of(calming, FIVE), by_bands)[-1]
    assert not quiet(bars_of(calming[::-1], FIVE), by_bands)[-1]


def test_a_position_nobody_remembers_is_adopted_with_a_bracket() -> None:
    found = target(decide(closing_at(100.3), holding=bought(10.0, 100.2)))
    assert found.signal_id.startswith("adopted:")
    assert found.stop == Price(Decimal("99.75"))
    short = target(decide(closing_at(100.3), BREAK, bought(-10.0, 100.2)))
    assert short.stop is not None
    assert float(short.stop.value) == pytest.approx(100.5)
    assert short.take_profit is not None
    assert float(short.take_profit.value) == pytest.approx(99.6)


WALKS = (
    PopParameters(range_bars=5, quiet_percent=3.0, atr_bars=4, take_profit_percent=1, stop_percent=1),
    PopParameters(mode="breakout", range_bars=5, quiet_percent=4.0, atr_bars=4, volume_ratio=0),
)


def walked(bars: BarSeries, params: PopParameters) -> FillingVenue:
    venue = FillingVenue(POP, params)  # type: ignore[arg-type]
    venue.run(bars, 10, params.window.most, MARKETS)
    return venue


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), end=st.integers(40, 119), params=st.sampled_from(WALKS))
def test_neither_the_future_nor_the_unit_of_price_matters(seed: int, end: int, params: PopParameters) -> None:
    bars = random_bars(seed, 120, FIVE, sigma=0.008)
    whole = walked(bars, params)
    assert walked(cut(bars, end), params).decisions == whole.decisions[: end - 10]
    other = walked(scaled(bars, 16.0), params)
    assert [(t.index, t.reason) for t in other.trips] == [(t.index, t.reason) for t in whole.trips]


def test_it_does_trade_on_a_walk_and_the_fast_preset_within_minutes() -> None:
    for params in WALKS:
        assert len(walked(random_bars(3, 120, FIVE, sigma=0.008), params).trips) >= 4
    assert len(walked(random_bars(1, 60, timedelta(minutes=1), sigma=0.0005), FAST).trips) >= 10


def test_the_presets_ask_for_what_they_look_at() -> None:
    assert POP.needs(CANONICAL, (BTC,)).bars == {FIVE: 16 + 15 * 14}
    assert POP.needs(BREAKOUT, (BTC,)).bars == {FIVE: 140 + 15 * 14}
    with pytest.raises(ValueError, match=r"quiet_true_ranges is 1\.0; allowed: above 1"):
        PopParameters(quiet_by="true_ranges", quiet_true_ranges=1.0)


def test_old_and_broken_data_open_nothing() -> None:
    bars = bars_of(closing_at(100.1), FIVE)
    late = POP.decide(view_of(bars, late_ms=300_000), own(), CANONICAL, {}, MARKETS)
    assert target(late).weight == 0
    few = decide(BOX[:12])
    assert few.desired == ()
    assert "12 closed bars" in few.notes[0]


@pytest.mark.parametrize(("length", "trades", "won", "gross_bps"), [(10, 1557, 43.8, -0.91), (20, 546, 42.3, -1.73)])
def test_the_original_on_ninety_days_of_recorded_ether(length: int, trades: int, won: float, gross_bps: float) -> None:
    """Entered at the close, stop before target, and nothing opened in the bar in which a trade ended."""
    bars = recorded("bybit-linear_ETHUSDT_5m_202504-202507", FIVE)
    params = ORIGINAL.model_copy(update={"range_bars": length, "entry_valid_bars": 0})
    results = faded(bars, params)
    assert len(results) == trades
    assert 100 * np.mean(results > 0) == pytest.approx(won, abs=0.05)
    assert 1e4 * results.mean() == pytest.approx(gross_bps, abs=0.005)


def faded(bars: BarSeries, params: PopParameters) -> np.ndarray:
    """Return the gross result of each trade: the strategy decides at signals, the bars between are walked over."""
    calm = quiet(bars, params)
    results, index = [], params.window.fewest
    gain, loss = params.take_profit_percent / 100, params.stop_percent / 100
    while index < len(bars) - 1:
        low = bars.low[index - params.range_bars + 1 : index + 1].min()
        high = bars.high[index - params.range_bars + 1 : index + 1].max()
        third = (high - low) * params.zone_fraction
        if not calm[index] or low + third < bars.close[index] < high - third:
            index += 1
            continue
        wanted = target(decide(cut(bars, index + 1, max(0, index + 1 - params.window.most)), params))
        direction = int(np.sign(wanted.weight))
        assert direction
        assert wanted.stop is not None
        assert wanted.take_profit is not None
        stop, goal = float(wanted.stop.value), float(wanted.take_profit.value)
        after = slice(index + 1, None)
        stopped = (bars.low[after] <= stop) if direction > 0 else (bars.high[after] >= stop)
        gained = (bars.high[after] >= goal) if direction > 0 else (bars.low[after] <= goal)
        ended = stopped | gained
        if not ended.any():
            break
        at = int(np.argmax(ended))
        results.append(-loss if stopped[at] else gain)
        index += at + 2
    return np.array(results)
