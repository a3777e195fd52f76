"""The replay on small made markets: where orders fill, what they cost, and what a strategy is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import pytest

from apps.strategies.backtest.costs import FREE, Costs, FundingRates
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.replay import replay
from apps.strategies.backtest.setting import Setting
from apps.strategies.base import Decision, Parameters, Strategy
from apps.strategies.orchestrator.loader import Loaded, load
from apps.strategies.registry import strategy_class
from moondev.domain.clock import from_milliseconds
from moondev.domain.desired import Legs, Quote, Quotes, Target
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries, Needs
from moondev.domain.values import Price, Quantity
from tests.unit.apps.strategies.backtest.replay_world import MINUTE, START_MS, market_of

D = Decimal
COSTS = Costs(maker_bps=1, taker_bps=5, spread_bps=2)


class Plan(Parameters):
    """What to hold after so many closed bars."""

    weights: dict[int, float]
    stop: float | None = None
    take_profit: float | None = None
    entry: float | None = None


class Planned(Strategy[Plan]):
    """Holds what its plan says, by the number of bars that have closed."""

    name: ClassVar[str] = "planned"
    parameters: ClassVar[type[Parameters]] = Plan
    presets: ClassVar = MappingProxyType({})

    def needs(self, params, instruments):
        return Needs(tuple(one.key for one in instruments), {MINUTE: 1_000})

    def decide(self, view, own, params, state, instruments):
        """Want what is planned, once: what was closed at the venue is not bought back."""
        wishes, held = [], dict(state)
        for key in instruments:
            count = len(view.instruments[key].bars[MINUTE]) if MINUTE in view.instruments[key].bars else 0
            due = [at for at in params.weights if at <= count]
            signal = f"at {max(due, default=0)}"
            if own.holding(key).quantity:
                held[key] = signal
            gone = not own.holding(key).quantity and held.get(key) == signal
            weight = 0.0 if gone or not due else params.weights[max(due)]
            prices = (None if p is None else Price(D(str(p))) for p in (params.entry, params.stop, params.take_profit))
            wishes.append(Target(key, weight, signal, "planned", *prices))
        return Decision(tuple(wishes), held)


def run(markets, weights, costs=FREE, rule=FillRule.NEXT_OPEN, **more):
    plan = Plan(weights=weights, **more)
    setting = Setting((*markets,), rule, D(100_000))
    return replay(Loaded(Planned(), plan, ""), setting)


def test_what_a_close_decides_fills_at_the_next_open_or_at_that_close_by_the_rule():
    bars = [(100, 101, 99, 100), (100.2, 104, 100, 103), (103.4, 106, 103, 105), (107, 108, 106, 107)]
    (trade,) = run([market_of(bars)], {1: 0.05, 2: 0.0}).trades
    assert (trade.entry_price, trade.exit_price, trade.quantity) == (100.2, 103.4, 50)
    (trade,) = run([market_of(bars)], {1: 0.05, 2: 0.0}, rule=FillRule.BAR_CLOSE).trades
    assert (trade.entry_price, trade.exit_price, trade.quantity) == (100, 103, 50)


def test_a_stop_rests_from_the_entry_bar_on_and_goes_before_the_target():
    bars = [(100, 100, 100, 100), (100, 120, 80, 100), (100, 100, 100, 100)]
    (trade,) = run([market_of(bars)], {1: 0.05, 2: 0.0}, stop=90, take_profit=110).trades
    assert (trade.entry_price, trade.exit_price, trade.reason) == (100, 90, "stop")


def test_the_maker_pays_the_makers_fee_and_who_takes_pays_spread_and_the_takers():
    bars = [(100, 100, 100, 100), (100, 120, 95, 100), (100, 100, 100, 100)]
    costs = Costs(maker_bps=1, taker_bps=10, spread_bps=20)
    result = run([market_of(bars, costs)], {1: 0.05, 2: 0.0}, costs, stop=90, take_profit=110)
    (trade,) = result.trades
    assert (trade.entry_price, trade.exit_price, trade.reason) == (100.1, 110, "target")
    assert trade.fees == pytest.approx(50 * 100.1 * 10e-4 + 50 * 110 * 1e-4)
    # The live planner's take-profit is a market order: 9 bp of fee and 10 bp of half the spread more on 5,500.
    assert [warning.split("cost ")[1] for warning in result.warnings] == ["10.45 more"]


def test_a_market_order_does_not_follow_the_price_farther_than_its_slippage_allows():
    bars = [(100, 100, 100, 100), (102, 102, 102, 102), (102, 102, 102, 102)]
    result = run([market_of(bars)], {1: 0.05})
    assert len(result.trades) == 1  # asked again at the next close, and filled where it was asked
    assert result.trades[0].entered_ms == START_MS + 120_000
    (refused,) = result.refused
    assert refused.startswith("IOC_UNFILLED: 1 times, first 2023-11-14 22:16")


def test_funding_and_borrowing_reach_the_strategys_equity_as_they_reach_the_result():
    bars = [(100, 100, 100, 100)] * 6
    stamps = START_MS + np.array([120_000, 240_000])
    costs = Costs(1, 2, funding=FundingRates(stamps, np.array([0.01, -0.02])), borrow_per_year=0.5)
    seen: list[float] = []

    class Watching(Planned):
        def decide(self, view, own, params, state, instruments):
            seen.append(own.equity)
            return super().decide(view, own, params, state, instruments)

    setting = Setting((market_of(bars, costs),), FillRule.NEXT_OPEN, D(100_000))
    result = replay(Loaded(Watching(), Plan(weights={1: -0.05}), ""), setting)
    # Short 50 at 100 from 60 s on: receives 1 % of 5,000 at 120 s, pays 2 % at 240 s.
    assert result.trades[0].funding == pytest.approx(50 - 100)
    assert seen[-1] == pytest.approx(result.final, abs=1e-9)
    assert result.final < 100_000 - 50


def test_a_market_without_bars_keeps_its_price_grows_old_and_opens_nothing():
    steady = [(100, 100, 100, 100)] * 6
    gone = market_of([(50, 50, 50, 50)] * 3, symbol="ETH", minutes=(0, 1, 5))
    ages: list[float] = []

    class Watching(Planned):
        def decide(self, view, own, params, state, instruments):
            ages.append(view.instruments["made:ETH"].age.total_seconds())
            wish = Target("made:ETH", 0.05 if len(ages) >= 3 else 0.0, "s", "late")
            return Decision((wish,))

    setting = Setting((market_of(steady), gone), FillRule.NEXT_OPEN, D(100_000))
    result = replay(Loaded(Watching(), Plan(weights={}), ""), setting)
    assert ages == [0, 0, 60, 120, 180, 0]
    assert [line.split(":")[0] for line in result.refused] == ["DATA_TOO_OLD"]
    assert result.trades == ()


def test_the_order_of_the_markets_does_not_matter():
    one, other = _walk(1, "BTC"), _walk(2, "ETH")
    weights = {5: 0.05, 30: -0.05, 60: 0.0, 61: 0.04}
    first = run([one, other], weights, COSTS, stop=None)
    second = run([other, one], weights, COSTS, stop=None)
    assert first.trades == second.trades
    assert first.curve.equity.tolist() == second.curve.equity.tolist()
    assert sum(trade.net for trade in first.trades) == pytest.approx(first.final - first.initial)


def test_the_past_does_not_know_the_future():
    whole = run([_walk(3, "BTC")], {5: 0.05, 40: -0.05, 70: 0.0}, COSTS)
    market = _walk(3, "BTC")
    cut = replace(market, recorded=replace(market.recorded, bars=market.recorded.bars.part(0, 60)))
    part = run([cut], {5: 0.05, 40: -0.05, 70: 0.0}, COSTS)
    assert part.curve.equity.tolist() == whole.curve.equity[:60].tolist()
    assert part.trades[0] == whole.trades[0]


def test_a_strategy_is_shown_closed_bars_only_and_can_change_none():
    seen: list[tuple[datetime, int]] = []

    class Peeking(Planned):
        def needs(self, params, instruments):
            return Needs(tuple(one.key for one in instruments), {MINUTE: 3, 5 * MINUTE: 2})

        def decide(self, view, own, params, state, instruments):
            for length, bars in view.instruments["made:BTC"].bars.items():
                newest = from_milliseconds(int(bars.opened_ms[-1])) + length
                assert newest <= view.now
                assert len(bars) <= (3 if length == MINUTE else 2)
                for column in (bars.open, bars.close, bars.opened_ms):
                    with pytest.raises(ValueError, match="read-only"):
                        column[-1] = 1
                seen.append((newest, len(bars)))
            return Decision(())

    setting = Setting((_walk(4, "BTC"),), FillRule.NEXT_OPEN, D(100_000))
    result = replay(Loaded(Peeking(), Plan(weights={}), ""), setting)
    assert len(seen) == 100 + 96
    assert result.warnings == ()


def test_a_strategy_that_reaches_behind_its_window_is_found_by_what_it_does_on_a_shorter_past():
    """Python hides nothing: a view has a base. What it is good for shows when the future is cut off."""

    class Cheating(Planned):
        def decide(self, view, own, params, state, instruments):
            bars = view.instruments["made:BTC"].bars[MINUTE]
            everything = bars.close if bars.close.base is None else bars.close.base
            rises = everything[min(len(bars), len(everything) - 1)] > bars.close[-1]
            return Decision((Target("made:BTC", 0.05 if rises else -0.05, f"{rises}", "knows"),))

    market = _walk(5, "BTC")
    cut = replace(market, recorded=replace(market.recorded, bars=_copied(market.recorded.bars, 60)))
    whole, part = (
        replay(Loaded(Cheating(), Plan(weights={}), ""), Setting((one,), capital=D(100_000))) for one in (market, cut)
    )
    assert part.curve.equity.tolist() != whole.curve.equity[:60].tolist() or part.trades[-1] != whole.trades[-1]


def test_progress_is_told_and_what_it_raises_ends_the_replay():
    told: list[float] = []
    run_setting = Setting((_walk(6, "BTC"),), capital=D(100_000))
    loaded = Loaded(Planned(), Plan(weights={5: 0.05}), "")
    replay(loaded, run_setting, told.append)
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, 1)
    assert len(told) > 50

    class Cancelled(Exception):
        pass

    def cancel(done: float) -> None:
        if done > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        replay(loaded, run_setting, cancel)


def test_a_strategy_that_fails_now_and_then_is_told_of_and_one_that_always_fails_is_refused():
    class Failing(Planned):
        every: ClassVar[int] = 7

        def decide(self, view, own, params, state, instruments):
            if len(view.instruments["made:BTC"].bars[MINUTE]) % self.every == 0:
                raise ZeroDivisionError("nothing to divide by")
            return super().decide(view, own, params, state, instruments)

    class Broken(Failing):
        every: ClassVar[int] = 1

    setting, plan = Setting((_walk(7, "BTC"),), capital=D(100_000)), Plan(weights={5: 0.05})
    (warning,) = replay(Loaded(Failing(), plan, ""), setting).warnings
    assert warning.startswith("ticks that failed: tick_failed: 14 times, first 2023-11-14 22:22: ZeroDivisionError")
    with pytest.raises(InvalidValue, match="failed 20 times in a row: ZeroDivisionError"):
        replay(Loaded(Broken(), plan, ""), setting)


def test_the_limits_of_a_portfolio_bind_unless_the_setting_says_otherwise():
    bars = [(100, 100, 100, 100)] * 4
    result = run([market_of(bars)], {1: 0.5})
    assert result.trades[0].quantity == pytest.approx(98)  # 10 % of 100,000, less the room for slippage
    assert any("1 of 1 sizes were cut" in warning for warning in result.warnings)
    wide = {"asset_share": D(1), "max_order_notional": D(1_000_000)}
    plan = Loaded(Planned(), Plan(weights={1: 0.5}), "")
    result = replay(plan, Setting((market_of(bars),), capital=D(100_000), limits=wide))
    assert (result.trades[0].quantity, result.warnings) == (500, ())
    with pytest.raises(InvalidValue, match="limits"):
        replay(plan, Setting((market_of(bars),), capital=D(100_000), limits={"asset": D(1)}))


def test_drawdown_stops_what_opens_as_the_review_does_live():
    bars = [(100, 100, 100, 100), (100, 100, 84, 84), *[(84, 84, 84, 84)] * 3]
    wide = {"asset_share": D(1), "max_order_notional": D(1_000_000)}
    setting = Setting((market_of(bars),), capital=D(100_000), limits=wide)
    result = replay(Loaded(Planned(), Plan(weights={1: 0.95, 2: 0.0, 3: 0.5}), ""), setting)
    assert len(result.trades) == 1
    assert result.refused[0].startswith("STRATEGY_DRAWDOWN: 3 times")
    assert any("the guard" in warning for warning in result.warnings)


def test_legs_trade_together_and_quotes_make_on_both_sides():
    class Legged(Planned):
        def decide(self, view, own, params, state, instruments):
            weights = {"made:BTC": 0.05, "made:ETH": -0.05}
            return Decision((Legs(tuple(Target(key, w, "s", "leg") for key, w in weights.items()), 500),))

    flat = [(100, 100, 100, 100)] * 4
    markets = (market_of(flat), market_of(flat, symbol="ETH"))
    result = replay(Loaded(Legged(), Plan(weights={}), ""), Setting(markets, capital=D(100_000)))
    assert [(t.instrument, t.side.value, t.quantity) for t in result.trades] == [
        ("made:BTC", "buy", 50), ("made:ETH", "sell", 50),
    ]  # fmt: skip

    class Quoting(Planned):
        def decide(self, view, own, params, state, instruments):
            quotes = [(Quote(Price(D(price)), Quantity(D(1))),) for price in ("99", "101")]
            return Decision((Quotes("made:BTC", *quotes),))

    swing = [(100, 100, 100, 100), (100, 102, 98, 100), (100, 102, 98, 102), (102, 102, 100, 100)]
    result = replay(Loaded(Quoting(), Plan(weights={}), ""), Setting((market_of(swing),), capital=D(100_000)))
    # A bid in the first swing, the same again in the second, whose close above the offer says that came after.
    first = result.trades[0]
    assert (first.side.value, first.entry_price, first.exit_price) == ("buy", 99, 101)
    assert any("no queue is modelled" in warning for warning in result.warnings)


def test_a_run_without_a_trade_tells_what_the_strategy_had_to_say():
    class Waiting(Planned):
        def decide(self, view, own, params, state, instruments):
            count = len(view.instruments["made:BTC"].bars[MINUTE])
            return Decision((), {}, (f"{count} bars, 500 needed", *(["half way"] if count == 50 else [])))

    (warning,) = replay(Loaded(Waiting(), Plan(weights={}), ""), Setting((_walk(8, "BTC"),))).warnings
    assert warning.startswith(
        "nothing was traded; most often the strategy said, at 2023-11-14 22:16: 1 bars, 500 needed"
    )
    assert warning.endswith("half way")


def test_bars_that_a_strategy_looks_at_and_no_market_has_are_refused():
    class Elsewhere(Planned):
        def needs(self, params, instruments):
            return Needs(("made:SOL",), {MINUTE: 1})

    class Finer(Planned):
        def needs(self, params, instruments):
            return Needs(("made:BTC",), {timedelta(seconds=30): 1})

    setting = Setting((_walk(8, "BTC"),), capital=D(100_000))
    with pytest.raises(InvalidValue, match="made:SOL"):
        replay(Loaded(Elsewhere(), Plan(weights={}), ""), setting)
    with pytest.raises(InvalidValue, match="0:01:00 as recorded"):
        replay(Loaded(Finer(), Plan(weights={}), ""), setting)


def test_trading_begins_when_it_may_and_the_curve_with_it():
    start = from_milliseconds(START_MS + 30 * 60_000)
    setting = Setting((_walk(9, "BTC"),), capital=D(100_000), trades_from=start)
    result = replay(Loaded(Planned(), Plan(weights={5: 0.05}), ""), setting)
    assert result.trades[0].entered_ms == START_MS + 30 * 60_000
    assert result.curve.times[0] == START_MS + 30 * 60_000
    assert result.curve.equity[0] == 100_000


def test_orders_that_answer_fills_without_end_wait_for_the_next_bar():
    class Restless(Planned):
        def decide(self, view, own, params, state, instruments):
            held = own.holding("made:BTC").quantity
            return Decision(
                (Target("made:BTC", -0.05 if held > 0 else 0.05, str(state.get("n", 0)), "to and fro"),),
                {"n": state.get("n", 0) + 1},
            )

    result = replay(Loaded(Restless(), Plan(weights={}), ""), Setting((market_of([(100, 100, 100, 100)] * 3),)))
    assert any("without end in the bar of 2023-11-14 22:16" in warning for warning in result.warnings)


@pytest.mark.parametrize("rule", [FillRule.NEXT_OPEN, FillRule.BAR_CLOSE])
@pytest.mark.parametrize("kind", ["consolidation_pop", "nadaraya_watson", "mean_reversion", "turtle_trend"])
def test_what_a_strategy_lets_the_replay_skip_changes_nothing(kind, rule, monkeypatch):
    markets = tuple(_walk(seed, symbol, 200) for seed, symbol in ((21, "BTC"), (22, "ETH")))
    idea = strategy_class(kind)
    loaded, setting = load(kind, idea.presets["fast"].model_dump(mode="json")), Setting(markets, rule)
    skipping = replay(loaded, setting)
    for hook in ("signals", "wakes"):
        monkeypatch.setattr(idea, hook, lambda *_: None)
    asked = replay(loaded, setting)
    assert len(skipping.trades) > 5
    assert skipping.trades == asked.trades
    assert skipping.curve.equity.tolist() == asked.curve.equity.tolist()
    assert (skipping.refused, skipping.warnings) == (asked.refused, asked.warnings)


def _walk(seed: int, symbol: str, count: int = 100):
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.001, count)))
    opened = np.concatenate(([100.0], close[:-1]))
    high = np.maximum(opened, close) * (1 + np.abs(rng.normal(0, 0.0005, count)))
    low = np.minimum(opened, close) * (1 - np.abs(rng.normal(0, 0.0005, count)))
    return market_of(list(zip(opened, high, low, close, strict=True)), COSTS, symbol)


def _copied(bars: BarSeries, count: int) -> BarSeries:
    columns = (column[:count].copy() for column in (bars.open, bars.high, bars.low, bars.close, bars.volume))
    return BarSeries(bars.interval, bars.opened_ms[:count].copy(), *columns)
