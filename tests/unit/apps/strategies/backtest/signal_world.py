"""Made and recorded markets on which strategies trade often, and two results laid side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from random import Random

import numpy as np
import pytest

from apps.strategies.backtest.costs import Costs, FixedSlippage, FundingRates, SquareRootImpact
from apps.strategies.backtest.data import RecordedBars
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.results import BacktestResult, DataSource
from apps.strategies.backtest.setting import Market, Setting
from apps.strategies.base import Parameters
from apps.strategies.orchestrator.loader import Loaded
from apps.strategies.registry import strategy_class
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import BarSeries
from moondev.domain.values import Money, Quantity

FIVE = timedelta(minutes=5)
START_MS = 1_700_006_400_000
TICK = 0.01
WIDE = {"asset_share": "0.9", "strategy_drawdown": "0.9", "portfolio_drawdown": "0.9", "max_order_notional": "1e9"}
D = Decimal


def rough_bars(seed: int, count: int, *, sigma: float = 0.002, scale: float = 2_000.0, gaps: bool = True) -> BarSeries:
    """Return five-minute bars on a grid of a cent: calm and wild stretches, trends, jumps at opens, missing bars."""
    rng = np.random.default_rng(seed)
    wild = np.repeat(np.exp(rng.normal(0, 0.6, count // 50 + 1)), 50)[:count]
    drift = np.repeat(rng.normal(0, sigma / 4, count // 100 + 1), 100)[:count]
    close = scale * np.exp(np.cumsum(drift + sigma * wild * rng.standard_t(4, count)))
    opened = np.concatenate(([scale], close[:-1])) * np.exp(rng.normal(0, sigma / 5, count))
    high = np.maximum(opened, close) * np.exp(np.abs(rng.normal(0, sigma / 2, count)))
    low = np.minimum(opened, close) * np.exp(-np.abs(rng.normal(0, sigma / 2, count)))
    opened, high, low, close = (np.round(column / TICK) * TICK for column in (opened, high, low, close))
    high, low = np.maximum.reduce([opened, high, close]), np.minimum.reduce([opened, low, close])
    missing = np.where(rng.random(count) < 0.004, rng.integers(1, 40, count), 0) if gaps else np.zeros(count, int)
    stamps = START_MS + (np.arange(count) + np.cumsum(missing)).astype(np.int64) * 300_000
    return BarSeries(FIVE, stamps, opened, high, low, close, rng.lognormal(3, 1, count))


def market(bars: BarSeries, costs: Costs, asset: str = "ETH", lot: str = "0.001", tick: str = "0.01") -> Market:
    """Return a market of `bars`."""
    grid, smallest = PriceGrid(D(tick)), Money(D(10), "USDC")
    instrument = Instrument("made", asset, asset, "USDC", grid, Quantity(D(lot)), smallest, 50)
    return Market(instrument, RecordedBars(bars, DataSource("made", ""), "USDC"), costs)


def loaded(name: str, parameters: Parameters) -> Loaded:
    """Return strategy `name` with `parameters`."""
    return Loaded(strategy_class(name)(), parameters, "")


def presets(name: str, interval: str = "5m") -> Iterator[tuple[str, Loaded]]:
    """Yield the presets of strategy `name`, on bars of `interval` whatever their own is."""
    for preset, parameters in strategy_class(name).presets.items():
        values = {**parameters.model_dump(), "interval": interval}
        yield preset, loaded(name, strategy_class(name).parameters.model_validate(values))


CHOICES: Mapping[str, Mapping[str, tuple[object, ...]]] = {
    "mean_reversion": {
        "signal": ("z_score", "bollinger", "vwap", "pullback"), "length": (5, 12, 20), "entry_z": (1.0, 1.0, 1.5),
        "exit_z": (0.2, 0.5), "stop_z": (0, 3.0), "stop_percent": (0, 0.4, 0.8), "take_profit_percent": (0, 0.3, 0.9),
        "entry_offset_percent": (0, 0, 0.1, 0.4), "entry_valid_bars": (1, 2, 3), "rsi_oversold": (0, 0, 45.0),
        "trend_interval": ("none", "none", "1h"), "trend_bars": (5, 20), "confirm_interval": ("none", "5m"),
        "hold_half_lives": (0, 0, 2.0), "half_life_bars": (40,), "max_hold_bars": (0, 6, 20),
        "leave_at_mean": (True, False), "weight": (0.05, 0.1, 0.3), "sides": ("both", "long", "short"),
    },
    "consolidation_pop": {
        "mode": ("fade", "breakout"), "range_bars": (5, 10, 20), "quiet_percent": (1.0, 2.0, 4.0),
        "quiet_by": ("range_percent", "band_width", "true_ranges"), "quiet_true_ranges": (3.0, 5.0),
        "band_past_bars": (60,), "band_quantile_percent": (20.0, 50.0), "entry_valid_bars": (0, 1, 3),
        "stop_from": ("entry", "range"), "take_profit_percent": (0.2, 0.5, 1.0), "volume_ratio": (0, 1.2),
        "break_true_ranges": (0, 0.1), "max_hold_bars": (0, 5, 20), "weight": (0.05, 0.1), "max_positions": (3,),
    },
    "nadaraya_watson": {
        "kernel": ("gaussian", "rational_quadratic"), "bandwidth_bars": (1.0, 3.0, 8.0), "window_bars": (20, 50),
        "entry": ("turn", "touch", "either"), "envelope": ("mean_error", "atr"), "envelope_multiple": (1.0, 2.0, 3.0),
        "stochastic": ("ignore", "confirm", "open"), "extreme_bars": (5, 14), "exit_crossings": (0, 1, 2, 3),
        "stop_atr": (0, 1.0, 2.0), "risk_percent": (0.05, 0.2, 1.0), "max_weight": (0.04, 0.1, 0.5),
    },
    "correlation": {
        "mode": ("lead_lag",), "correlation_bars": (20,), "min_correlation": (-1, 0.2, 0.5), "leader": ("BTC",),
        "exit_correlation": (-1, 0.0, 0.2), "min_edge_percent": (0, 0.05, 0.2), "breakout_bars": (5, 20),
        "move_atr": (0.5, 1.0), "lag_by": ("beta", "move"), "entry": ("market", "limit"), "stop_percent": (0, 0.2, 0.6),
        "take_profit_percent": (0, 0.25), "max_hold_bars": (0, 3, 12), "max_positions": (10,), "weight": (0.03, 0.08),
    },
}  # fmt: skip


def drawn(name: str, rnd: Random) -> Loaded:
    """Return strategy `name` with parameters drawn among those it accepts."""
    idea = strategy_class(name)
    while True:
        base = rnd.choice(list(idea.presets.values())).model_dump()
        choices = {field: rnd.choice(values) for field, values in CHOICES[name].items()}
        try:
            return loaded(
                name, idea.parameters.model_validate({**base, **choices, "interval": rnd.choice(("5m", "15m"))})
            )
        except (InvalidValue, ValueError):
            continue


def drawn_setting(name: str, rnd: Random, count: int) -> Setting:
    """Return one to three markets under drawn costs, rules, money and limits."""
    markets = rnd.choice((2, 3)) if name == "correlation" else rnd.choice((1, 1, 2))
    return Setting(
        markets=tuple(
            market(
                rough_bars(
                    rnd.randrange(10**6), count, sigma=rnd.choice((0.001, 0.002, 0.004)), gaps=rnd.random() < 0.6
                ),
                _costs(rnd),
                asset,
                rnd.choice(("0.001", "0.1")),
            )
            for asset in ("ETH", "BTC", "SOL")[:markets]
        ),
        rule=rnd.choice((FillRule.NEXT_OPEN, FillRule.BAR_CLOSE)),
        capital=D(rnd.choice((1_000, 100_000, 200_000))),
        leverage=D(rnd.choice((1, 1, 2))),
        limits={} if rnd.random() < 0.5 else {kind: D(value) for kind, value in WIDE.items()},
    )


def _costs(rnd: Random) -> Costs:
    times = START_MS + np.arange(1, 60, dtype=np.int64) * 28_800_000
    funding = FundingRates(times, np.random.default_rng(rnd.randrange(10**6)).normal(1e-4, 2e-4, len(times)))
    return rnd.choice((
        Costs(0, 0),
        Costs(-1, 5, spread_bps=3, funding=funding),
        Costs(1, 5, spread_bps=2, slippage=SquareRootImpact(5.0), funding=funding, borrow_per_year=0.1),
        Costs(2, 6, slippage=FixedSlippage(4.0)),
    ))  # fmt: skip


def assert_same_trades(one: BacktestResult, other: BacktestResult) -> None:
    """Assert that both made the same trades: times, sides, sizes and money, and ends of one class; and equity."""
    sides = [[(t.instrument, t.side, t.entered_ms, t.exited_ms) for t in result.trades] for result in (one, other)]
    assert sides[0] == sides[1]
    for field in ("quantity", "entry_price", "exit_price", "gross", "fees", "funding"):
        numbers = [[getattr(trade, field) for trade in result.trades] for result in (one, other)]
        assert numbers[0] == pytest.approx(numbers[1], rel=1e-9, abs=1e-7), field
    assert [_class(t.reason) for t in one.trades] == [_class(t.reason) for t in other.trades]
    np.testing.assert_allclose(one.curve.equity, other.curve.equity, rtol=1e-10)
    # Why nothing was traded, each says in its own words.
    assert not one.trades or one.warnings == other.warnings


def _class(reason: str) -> str:
    return reason if reason in {"stop", "target", "end of data"} else "left"
