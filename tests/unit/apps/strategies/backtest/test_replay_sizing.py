"""Sizing rules in the replay, which sizes by the functions of the live tick: known markets, known quantities."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

import pytest

from apps.risk.sizing.rule import SizingMethod, SizingRule
from apps.strategies.backtest.replay import replay
from apps.strategies.backtest.results import BacktestResult
from apps.strategies.backtest.setting import Setting
from apps.strategies.orchestrator.loader import Loaded
from moondev.domain.errors import InvalidValue
from tests.unit.apps.strategies.backtest.replay_world import market_of
from tests.unit.apps.strategies.backtest.test_replay import Plan, Planned

D = Decimal
WIDE = {
    "asset_share": D(5), "max_order_notional": D(1_000_000), "strategy_drawdown": D(1), "portfolio_drawdown": D(1),
    "max_leverage": D(5),
}  # fmt: skip
MINUTES_IN_A_YEAR = 365 * 24 * 60


def run(closes: list[float], weights: Mapping[int, float], rule: SizingRule, leverage: str = "1") -> BacktestResult:
    bars = [(one, one * 1.01, one * 0.99, one) for one in closes]
    setting = Setting((market_of(bars),), capital=D(100_000), leverage=D(leverage), limits=WIDE, sizing=rule)
    return replay(Loaded(Planned(), Plan(weights=dict(weights)), ""), setting)


def rule_of(method: SizingMethod, target: float, **more: float) -> SizingRule:
    return SizingRule(method, target, bar_seconds=60, **{"bars": 5, **more})


def test_nothing_is_opened_before_the_rule_has_seen_enough_and_then_what_the_volatility_allows():
    closes = [100.0, 101.0] * 4
    rule = rule_of(SizingMethod.REALISED, 1.0)
    result = run(closes, {1: 0.5}, rule)
    (trade,) = result.trades
    # Six closes make five returns; what the sixth close decides fills at the open of the seventh bar.
    assert trade.entry_price == pytest.approx(closes[6])
    multiple = 1.0 / (math.log(1.01) * math.sqrt(MINUTES_IN_A_YEAR))
    assert trade.quantity == pytest.approx(0.5 * multiple * 100_000 / closes[5], abs=0.011)


def test_the_range_of_a_bar_costs_its_share_of_equity():
    (trade,) = run([100.0] * 30, {21: 1.0}, rule_of(SizingMethod.ATR, 0.01)).trades
    # Two per cent from low to high, one per cent of equity: half the equity.
    assert trade.quantity == pytest.approx(500, abs=0.011)


def test_losses_make_the_next_trade_smaller_by_grossman_and_zhou():
    rule = SizingRule(SizingMethod.FIXED_FRACTION, 0.5, stops_at_drawdown=0.2)
    first, second = run([100, 100, 100, 80, 80, 80, 80, 80], {1: 1.0, 4: 0.0, 5: 1.0}, rule).trades
    assert first.quantity == 500
    # A tenth is lost: five ninths are left of half of 90,000.
    assert second.quantity == pytest.approx(0.5 * 5 / 9 * 90_000 / 80, abs=0.011)


def test_kelly_begins_small_and_follows_the_trades_it_has_seen():
    rule = SizingRule(SizingMethod.KELLY, 0.5, fewest_trades=10, start=0.1)
    # Twelve trades in a row, each of which makes one per cent.
    closes = [100.0 + (number % 4 >= 2) for number in range(4 * 14)]
    plan = {at: float(at % 4 == 1) for at in range(1, 4 * 13) if at % 4 in {1, 3}}
    result = run(closes, plan, rule, leverage="2")
    worths = [trade.quantity * trade.entry_price for trade in result.trades]
    assert len(worths) >= 12
    assert worths[0] == pytest.approx(10_000, rel=0.001)
    assert all(worth < 11_000 for worth in worths[:10])
    # Sure gains have no doubt in them: half of Kelly is far beyond the leverage, which holds.
    assert worths[10] == pytest.approx(2 * 100_000 * 1.01, rel=0.02)


def test_a_rule_on_bars_that_the_past_cannot_make_is_refused():
    rule = SizingRule(SizingMethod.REALISED, 0.2, bar_seconds=90, bars=5)
    with pytest.raises(InvalidValue, match="interval"):
        run([100.0] * 9, {1: 0.5}, rule)
