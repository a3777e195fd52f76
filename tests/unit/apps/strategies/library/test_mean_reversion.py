from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.strategies.base import Decision, OwnPosition, State
from apps.strategies.library.mean_reversion import MeanReversion
from apps.strategies.library.reversion.parameters import (
    CANONICAL,
    FAST,
    ORIGINAL,
    VWAP,
    ReversionParameters,
)
from moondev.domain.desired import Target
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries, InstrumentView, MarketView
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

REVERSION = MeanReversion()
MARKETS = {KEY: BTC}
QUARTER = timedelta(minutes=15)
PLAIN = ReversionParameters(rsi_oversold=0, trend_interval="none")
# Closes of 100 and 101 in turn: mean 100.5, deviation 0.5.
CALM = [[100.0, 101.0, 100.0, 101.0], [101.0, 101.0, 100.0, 100.0]] * 12


def decide(
    rows: Sequence[Sequence[float]] | BarSeries,
    params: ReversionParameters = PLAIN,
    holding: Holding | None = None,
    state: State | None = None,
    extra: Sequence[BarSeries] = (),
    late_ms: int = 1_000,
) -> Decision:
    bars = rows if isinstance(rows, BarSeries) else bars_of(rows, params.bar)
    return REVERSION.decide(view_of(bars, extra=extra, late_ms=late_ms), own(holding), params, state or {}, MARKETS)


def target(decision: Decision) -> Target:
    (only,) = decision.desired
    assert isinstance(only, Target)
    return only


def fallen(close: float) -> list[list[float]]:
    return [*CALM, [100.0, 100.0, close, close]]


def longer(level: float, bars: BarSeries, interval: timedelta = timedelta(hours=4), count: int = 22) -> BarSeries:
    """Bars of `interval` at `level`, the last of which closed with or before the newest of `bars`."""
    step = int(interval.total_seconds() * 1000)
    end = int(bars.opened_ms[-1]) + int(bars.interval.total_seconds() * 1000)
    start = end - end % step - count * step
    return bars_of([[level, level, level, level]] * count, interval, start)


def test_buys_what_fell_two_deviations_with_a_stop_at_three() -> None:
    bars = bars_of(fallen(99.0), QUARTER)
    wanted = target(decide(bars))
    mean, deviation = bars.close[-20:].mean(), bars.close[-20:].std()
    assert -3 < (99 - mean) / deviation <= -2
    assert (wanted.weight, wanted.entry, wanted.take_profit) == (0.1, None, None)
    assert wanted.signal_id == f"z_score:{bars.opened_ms[-1]}"
    assert wanted.stop is not None
    assert float(wanted.stop.value) == pytest.approx(mean - 3 * deviation)


def test_sells_what_rose_too_far() -> None:
    assert target(decide([*CALM, [101.0, 102.0, 101.0, 102.0]])).weight == -0.1


def test_leaves_alone_what_is_near_and_what_lies_beyond_its_own_stop() -> None:
    assert target(decide(fallen(99.6))).weight == 0
    beyond = decide(fallen(96.0))
    assert target(beyond).weight == 0
    assert "beyond the stop" in beyond.notes[0]


def test_the_bands_wait_until_the_price_is_back_inside() -> None:
    params = PLAIN.model_copy(update={"signal": "bollinger"})
    outside = fallen(99.0)
    assert target(decide(outside, params)).weight == 0
    assert target(decide([*outside, [99.0, 99.6, 99.0, 99.5]], params)).weight == 0.1


def test_the_days_vwap_is_a_mean_of_its_own() -> None:
    params = ReversionParameters(signal="vwap", rsi_oversold=0, trend_interval="none", stop_z=0, stop_percent=1)
    assert target(decide(fallen(99.0), params)).signal_id.startswith("vwap:")
    # Started an hour after midnight, the window does not show the day.
    late = cut(bars_of([CALM[0]] * 4 + fallen(99.0), QUARTER), 29, 4)
    assert target(decide(late, params)).weight == 0


def test_goes_only_with_the_trend_of_closed_longer_bars() -> None:
    params = PLAIN.model_copy(update={"trend_interval": "4h"})
    bars = bars_of(fallen(99.0), QUARTER)
    assert target(decide(bars, params, extra=[longer(98.0, bars)])).weight == 0.1
    against = decide(bars, params, extra=[longer(100.0, bars)])
    assert target(against).weight == 0
    assert "4h trend is against it" in against.notes[0]
    assert "4h trend is not known" in decide(bars, params).notes[0]
    # A longer bar that closed after the newest bar must not be known yet, and one too old is no trend.
    four = longer(98.0, bars)
    growing = bars_of([[98.0, 98.0, 98.0, 98.0]] * 22 + [[98.0, 999.0, 98.0, 999.0]], four.interval, four.opened_ms[0])
    assert decide(bars, params, extra=[growing]) == decide(bars, params, extra=[four])
    assert "not known" in decide(bars, params, extra=[cut(four, 20)]).notes[0]


def test_an_index_of_relative_strength_has_to_agree() -> None:
    params = PLAIN.model_copy(update={"rsi_oversold": 30.0})
    weak = decide(fallen(99.0), params)
    assert "RSI is not at 30 or 70" in weak.notes[0]
    falling = [[100.0 - i / 10, 100.0 - i / 10, 99.9 - i / 10, 99.9 - i / 10] for i in range(8)]
    rows = [*CALM, *falling, [99.2, 99.2, 95.0, 95.0]]
    closes = np.array([row[3] for row in rows])
    assert talib.RSI(closes, 14)[-1] <= 30
    assert target(decide(rows, params.model_copy(update={"stop_z": 9.0}))).weight == 0.1


def test_the_relative_strength_is_wilders_and_not_the_simple_mean_of_the_port() -> None:
    close = random_bars(4, 400).close
    change = np.diff(close)
    gains, losses = np.maximum(change, 0), np.maximum(-change, 0)
    up, down = gains[:14].mean(), losses[:14].mean()
    wilder, simple = [100 * up / (up + down)], []
    for end in range(15, 400):
        up, down = (13 * up + gains[end - 1]) / 14, (13 * down + losses[end - 1]) / 14
        wilder.append(100 * up / (up + down))
        mean_up, mean_down = gains[end - 14 : end].mean(), losses[end - 14 : end].mean()
        simple.append(100 * mean_up / (mean_up + mean_down))
    theirs = talib.RSI(close, 14)
    np.testing.assert_allclose(theirs[14:], wilder, atol=1e-11)
    assert np.abs(theirs[15:] - simple).mean() > 4


def test_the_original_rests_below_the_mean_of_a_rising_market_once_five_minutes_confirm() -> None:
    bars = bars_of(fallen(100.0), QUARTER)
    five = timedelta(minutes=5)
    start = int(bars.opened_ms[-1])
    up = bars_of([[100.0, 100.0, 99.0, 99.0], [99.0, 99.5, 99.0, 99.5], [99.5, 100.0, 99.5, 100.0]], five, start)
    down = bars_of([[100.0, 100.0, 99.0, 99.0], [99.0, 101.0, 99.0, 101.0], [101.0, 101.0, 100.0, 100.0]], five, start)
    trend = longer(90.0, bars)
    wanted = target(decide(bars, ORIGINAL, extra=[trend, up]))
    limit = float(bars.close[-20:].mean()) * 0.992
    assert wanted.weight == 0.1
    for price, expected in ((wanted.entry, limit), (wanted.stop, limit * 0.992), (wanted.take_profit, limit * 1.009)):
        assert isinstance(price, Price)
        assert float(price.value) == pytest.approx(expected)
    refused = decide(bars, ORIGINAL, extra=[trend, down])
    assert target(refused).weight == 0
    assert "no 5m bar confirms it" in refused.notes[0]


def test_a_resting_entry_is_given_up_after_its_bars_and_a_partial_fill_is_kept() -> None:
    params = ORIGINAL.model_copy(update={"confirm_interval": "none"})
    rows = fallen(100.0)
    bars = bars_of(rows, QUARTER)
    first = decide(bars, params, extra=[longer(90.0, bars)])
    resting = target(first)
    one_more = bars_of([*rows, [100.0, 100.0, 100.0, 100.0]], QUARTER)
    still = decide(one_more, params, state=first.state, extra=[longer(90.0, one_more)])
    assert target(still) == resting
    # Two bars later the mean has moved: another signal, another limit.
    two_more = bars_of([*rows, *[[100.0, 100.0, 100.0, 100.0]] * 2], QUARTER)
    anew = decide(two_more, params, state=still.state, extra=[longer(90.0, two_more)])
    assert "was not filled in time" in anew.notes[0]
    assert target(anew).signal_id != resting.signal_id
    part = bought(30.0, 99.5)
    kept = target(decide(two_more, params, part, still.state, extra=[longer(90.0, two_more)]))
    assert kept.entry is None
    assert kept.weight == pytest.approx(30 * 100 / 200_000)
    # The stop is 0.8 % from what was paid.
    assert kept.stop is not None
    assert float(kept.stop.value) == pytest.approx(99.5 * 0.992)


def test_leaves_near_the_mean_and_the_exit_bar_opens_nothing() -> None:
    first = decide(fallen(99.0))
    long = bought(200.0, 99.0)
    held = decide([*fallen(99.0), [99.0, 99.4, 99.0, 99.3]], holding=long, state=first.state)
    assert target(held).weight == 0.1
    back = [*fallen(99.0), [99.0, 99.4, 99.0, 99.3], [99.3, 100.6, 99.3, 100.5]]
    left = decide(back, holding=long, state=held.state)
    assert target(left).weight == 0
    assert "back at the mean" in left.notes[0]
    assert target(decide(back, state=left.state)).signal_id == "flat"


def test_a_trade_ends_with_its_time_and_with_a_stop_that_the_venue_missed() -> None:
    params = PLAIN.model_copy(update={"max_hold_bars": 2})
    first, long = decide(fallen(99.0), params), bought(200.0, 99.0)
    one = decide([*fallen(99.0), [99.0, 99.1, 99.0, 99.1]], params, long, first.state)
    assert target(one).weight == 0.1
    two = decide([*fallen(99.0), *[[99.0, 99.1, 99.0, 99.1]] * 2], params, long, one.state)
    assert "held for 2 bars" in two.notes[0]
    stopped = decide([*fallen(99.0), [99.0, 99.1, 90.0, 99.1]], params, long, first.state)
    assert "stop touched" in stopped.notes[0]


def test_stands_aside_where_the_price_does_not_revert() -> None:
    params = PLAIN.model_copy(update={"hold_half_lives": 2.0, "half_life_bars": 25})
    refused = decide(fallen(99.0), params)
    assert "half-life" in refused.notes[0]
    assert target(refused).weight == 0
    slower = params.model_copy(update={"half_life_bars": 60})
    walk = random_bars(2, 400, QUARTER, sigma=0.005)
    begun = [decide(cut(walk, end), slower) for end in range(61, 400)]
    held = [d.state["markets"][KEY]["trade"] for d in begun if target(d).weight]  # type: ignore[index,call-overload]
    assert held
    assert all(trade["hold_bars"] >= 2 for trade in held)  # type: ignore[index,call-overload,operator]


def test_a_position_nobody_remembers_is_adopted_with_a_bracket() -> None:
    found = decide(CALM, ORIGINAL.model_copy(update={"trend_interval": "4h"}), bought(10.0, 100.0))
    wanted = target(found)
    assert wanted.signal_id.startswith("adopted:")
    assert wanted.weight == pytest.approx(10 * 100 / 200_000)
    assert wanted.stop == Price(Decimal("99.2"))
    broken = decide(CALM, state={"version": 7})
    assert "state is not of version 1" in broken.notes[0]


def test_old_missing_and_broken_data_open_nothing() -> None:
    assert target(decide(fallen(99.0), late_ms=15 * 60_000)).weight == 0
    assert decide(CALM[:5]).desired == ()
    assert "5 closed bars of 0:15:00, 21 needed" in decide(CALM[:5]).notes[0]
    bars = bars_of(fallen(99.0), QUARTER)
    volume = bars.volume.copy()
    volume[-3] = np.nan
    holed = BarSeries(bars.interval, bars.opened_ms, bars.open, bars.high, bars.low, bars.close, volume)
    assert "not a finite number" in decide(holed).notes[-1]
    nothing = REVERSION.decide(MarketView(view_of(bars).now, {}), own(), PLAIN, {}, MARKETS)
    assert nothing.notes == (f"{KEY}: no market data",)
    poor = REVERSION.decide(view_of(bars), own(equity=0.0), PLAIN, {}, MARKETS)
    assert poor.desired == ()
    tiny = REVERSION.decide(view_of(bars), own(equity=10.0), PLAIN, {}, MARKETS)
    assert "below the minimum of" in tiny.notes[0]


def test_of_more_entries_than_there_is_room_for_the_strongest_are_taken_in_any_order() -> None:
    names = {code: replace(BTC, symbol=code, asset=code) for code in ("AAA", "BBB", "CCC")}
    depths = {"AAA": 99.2, "BBB": 99.0, "CCC": 99.1}
    views = {
        names[code].key: InstrumentView({QUARTER: bars_of(fallen(depth), QUARTER)}, None, None, timedelta())
        for code, depth in depths.items()
    }
    now = view_of(bars_of(fallen(99.0), QUARTER)).now
    params = PLAIN.model_copy(update={"max_positions": 2})
    answers = []
    for order in (["AAA", "BBB", "CCC"], ["CCC", "BBB", "AAA"]):
        markets = {names[code].key: names[code] for code in order}
        answers.append(REVERSION.decide(MarketView(now, views), OwnPosition({}, 1e5, 2.0), params, {}, markets))
    assert answers[0] == answers[1]
    held = {t.instrument for t in answers[0].desired if isinstance(t, Target) and t.weight}
    assert held == {names["BBB"].key, names["CCC"].key}


WALK = PLAIN.model_copy(update={"length": 8, "rsi_bars": 5, "rsi_oversold": 45.0})


def walked(bars: BarSeries) -> FillingVenue:
    venue = FillingVenue(REVERSION, WALK)  # type: ignore[arg-type]
    venue.run(bars, 10, WALK.window.most, MARKETS)
    return venue


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), end=st.integers(40, 119))
def test_neither_the_future_nor_the_unit_of_price_matters(seed: int, end: int) -> None:
    bars = random_bars(seed, 120, QUARTER)
    whole = walked(bars)
    assert walked(cut(bars, end)).decisions == whole.decisions[: end - 10]
    other = walked(scaled(bars, 16.0))
    assert [(t.index, t.reason) for t in other.trips] == [(t.index, t.reason) for t in whole.trips]


def test_it_does_trade_on_a_walk_and_the_fast_preset_within_minutes() -> None:
    assert len(walked(random_bars(1, 120, QUARTER)).trips) >= 4
    venue = FillingVenue(REVERSION, FAST)  # type: ignore[arg-type]
    venue.run(random_bars(1, 60, timedelta(minutes=1), sigma=0.0005), 7, FAST.window.most, MARKETS)
    assert len(venue.trips) >= 10


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"stop_z": 0.0}, "stop_percent is 0.0; allowed: above 0 while stop_z is 0"),
        ({"stop_z": 2.0}, r"stop_z is 2.0; allowed: above entry_z \(2\)"),
        ({"exit_z": 2.0}, r"exit_z is 2.0; allowed: below entry_z \(2\)"),
        ({"trend_interval": "15m"}, r"trend_interval is '15m'; allowed: longer than interval \(15m\)"),
        ({"confirm_interval": "1h"}, r"confirm_interval is '1h'; allowed: at most interval \(15m\)"),
        ({"signal": "pullback", "trend_interval": "none"}, "trend_interval is 'none'; allowed: a length of bar"),
        ({"signal": "vwap", "length": 96}, "length is 96; allowed: less than the bars of 15m in a day"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        ReversionParameters.model_validate(values)
    assert isinstance(caught.value.errors()[0]["ctx"]["error"], InvalidValue)  # type: ignore[attr-defined]


def test_asks_for_every_length_of_bar_it_looks_at() -> None:
    needed = REVERSION.needs(ORIGINAL, (BTC,))
    assert needed.bars == {QUARTER: 21, timedelta(hours=4): 20, timedelta(minutes=5): 4}
    assert REVERSION.needs(CANONICAL, (BTC,)).bars[QUARTER] == 100 + 15 * 14
    assert REVERSION.needs(VWAP, (BTC,)).bars[QUARTER] >= 96


@pytest.mark.parametrize(("coin", "share"), [("BTC", 0.091), ("ETH", 0.114)])
def test_the_originals_limit_is_touched_on_a_tenth_of_the_recorded_bars(coin: str, share: float) -> None:
    bars = recorded(f"binance-usdm_{coin}USDT_15m_202301-202405", QUARTER)
    limit = talib.SMA(bars.close, 20) * (1 - ORIGINAL.entry_offset_percent / 100)
    assert np.mean(bars.low[20:] <= limit[19:-1]) == pytest.approx(share, abs=5e-4)
