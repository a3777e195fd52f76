"""A leader and its followers on seeded bars, asked with one call."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np

from apps.strategies.base import Decision, OwnPosition
from apps.strategies.library.correlation import Correlation
from apps.strategies.library.relation.parameters import CorrelationParameters
from moondev.domain.clock import from_milliseconds
from moondev.domain.desired import Legs, Target
from moondev.domain.market_data import BarSeries, Column, InstrumentView, MarketView
from moondev.domain.portfolio import Holding
from tests.unit.apps.strategies.library.scenery import BTC, bars_of

CORRELATION = Correlation()
ETH = replace(BTC, symbol="ETH", asset="ETH")
SOL = replace(BTC, symbol="SOL", asset="SOL")
MARKETS = {one.key: one for one in (BTC, ETH, SOL)}
FIVE = timedelta(minutes=5)


def series(closes: Sequence[float] | Column, interval: timedelta = FIVE, spread: float = 0.0005) -> BarSeries:
    """Return bars through `closes`, each `spread` of the price beyond its open and close."""
    close = np.asarray(closes, dtype=np.float64)
    opened = np.concatenate((close[:1], close[:-1]))
    high, low = np.maximum(opened, close) * (1 + spread), np.minimum(opened, close) * (1 - spread)
    return bars_of(np.column_stack((opened, high, low, close)).tolist(), interval)


def view(bars: Mapping[str, BarSeries], late_ms: int = 1_000) -> MarketView:
    """Return the view `late_ms` after the newest bar of all closed."""
    newest = max(int(one.opened_ms[-1] + one.interval.total_seconds() * 1000) for one in bars.values())
    seen = {
        key: InstrumentView({one.interval: one}, None, float(one.close[-1]), timedelta()) for key, one in bars.items()
    }
    return MarketView(from_milliseconds(newest + late_ms), seen)


def decide(
    bars: Mapping[str, BarSeries],
    params: CorrelationParameters,
    holdings: Mapping[str, Holding] | None = None,
    state: object = None,
    late_ms: int = 1_000,
) -> Decision:
    """Return the decision of 100,000 at leverage 2 over the markets of `bars`."""
    own = OwnPosition(holdings or {}, 100_000.0, 2.0)
    markets = {key: MARKETS[key] for key in bars}
    return CORRELATION.decide(view(bars, late_ms), own, params, state or {}, markets)  # type: ignore[arg-type]


def targets(decision: Decision) -> dict[str, Target]:
    """Return the targets by instrument, those of legs too."""
    found: list[Target] = []
    for wish in decision.desired:
        if isinstance(wish, Legs):
            found += wish.targets
        elif isinstance(wish, Target):
            found.append(wish)
    return {target.instrument: target for target in found}
