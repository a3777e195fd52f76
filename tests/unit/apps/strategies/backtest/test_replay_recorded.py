"""The originals' numbers on recorded bars, as our reference has them from quick loops of their rules, without costs.

A loop lets a trade begin at the close of the bar that ended the last one; our strategies wait for the next bar where
the venue closed a position within it. That, and lots, is the difference of a trade or two in a thousand. The
reference's row of mean reversion (417 trades, 36 % wins) is not here: of 18 readings of its words none gives it.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.strategies.backtest.costs import FREE
from apps.strategies.backtest.data import bars_of_file
from apps.strategies.backtest.engines import EngineName, backtest
from apps.strategies.backtest.results import BacktestResult, Trade
from apps.strategies.backtest.setting import Market, Setting
from apps.strategies.orchestrator.loader import load
from apps.strategies.registry import strategy_class
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.values import Money, Quantity
from tests.unit.apps.strategies.recorded import FOLDER

D = Decimal
ETH_5M = "bybit-linear_ETHUSDT_5m_202504-202507"
WIDE = {
    "max_order_notional": D(10) ** 9, "asset_share": D(1), "max_leverage": D(100), "strategy_drawdown": D(1),
    "portfolio_drawdown": D(1),
}  # fmt: skip


def market() -> Market:
    path = FOLDER / f"{ETH_5M}.parquet"
    if not path.exists():
        pytest.skip(f"recorded bars are not there: {path.name}")
    recorded = bars_of_file(path)
    lot, least = Quantity(D("0.0001")), Money(D(5), "USDT")
    return Market(Instrument("bybit", "ETHUSDT", "ETH", "USDT", PriceGrid(D("0.01")), lot, least, 50), recorded, FREE)


def original(kind: str, engine: EngineName, **changed: object) -> BacktestResult:
    parameters = strategy_class(kind).presets["original"].model_dump(mode="json") | changed
    return backtest(load(kind, parameters), Setting((market(),), limits=WIDE), engine)


def figures(trades: tuple[Trade, ...]) -> tuple[int, float, float]:
    """Return the number of trades, the per cent won, and the basis points of a trade."""
    bps = [trade.gross / (trade.quantity * trade.entry_price) * 1e4 for trade in trades]
    return len(trades), 100 * sum(one > 0 for one in bps) / len(bps), sum(bps) / len(bps)


@pytest.mark.parametrize(
    ("range_bars", "expected"), [(10, (1_557, 43.8, -0.91)), (20, (546, 42.3, -1.73))], ids=["10 bars", "20 bars"]
)
def test_the_consolidation_pop_trades_as_its_reference_says(range_bars, expected):
    count, won, bps = figures(original("consolidation_pop", EngineName.AUTO, range_bars=range_bars).trades)
    assert count == pytest.approx(expected[0], abs=3)
    assert won == pytest.approx(expected[1], abs=0.15)
    assert bps == pytest.approx(expected[2], abs=0.06)


@pytest.mark.timeout(180)
def test_the_turtle_trades_as_its_reference_says():
    result = original("turtle_trend", EngineName.REPLAY, interval="5m", session_only=False, flat_over_weekend=False)
    count, won, bps = figures(result.trades)
    assert count == pytest.approx(801, abs=3)
    assert won == pytest.approx(74.7, abs=0.15)
    assert bps == pytest.approx(1.02, abs=0.06)
    assert {trade.reason for trade in result.trades} == {"stop", "target"}
