"""The Turtle on short channels and quiet bars, asked with one call."""

from decimal import Decimal

from apps.strategies.base import Decision, OwnPosition
from apps.strategies.library.turtle.parameters import TurtleParameters
from apps.strategies.library.turtle_trend import TurtleTrend
from moondev.domain.desired import Target
from moondev.domain.market_data import BarSeries
from moondev.domain.portfolio import Holding
from moondev.domain.values import Price, Quantity, Side
from tests.unit.apps.strategies.library.scenery import (
    BTC,
    KEY,
    bars_of,
    own,
    view_of,
)

TURTLE = TurtleTrend()
MARKETS = {KEY: BTC}
# Plain rules on short channels; N is 2 on the flat bars below (high 101, low 99).
SHORT = TurtleParameters(
    system="both",
    s1_entry_bars=4,
    s1_exit_bars=2,
    s2_entry_bars=8,
    s2_exit_bars=4,
    n_bars=4,
    skip_s1_after_winner=False,
)
FLAT = [[100.0, 101.0, 99.0, 100.0]] * 12
BREAKOUT = [100.0, 102.0, 100.0, 102.0]


def decide(
    rows: list[list[float]] | BarSeries,
    holding: Holding | None = None,
    state: object = None,
    params: TurtleParameters = SHORT,
    position: OwnPosition | None = None,
) -> Decision:
    bars = rows if isinstance(rows, BarSeries) else bars_of(rows, params.bar)
    mark = float(bars.close[-1])
    return TURTLE.decide(view_of(bars, mark=mark), position or own(holding), params, state or {}, MARKETS)


def target(decision: Decision) -> Target:
    (only,) = decision.desired
    assert isinstance(only, Target)
    return only


def quantity(decided: Target, price: float) -> float:
    return decided.weight * 200_000 / price


def grown(holding: Holding, quantity: float, price: float) -> Holding:
    side = Side.BUY if quantity > 0 else Side.SELL
    return holding.filled(side, Quantity(Decimal(repr(abs(quantity)))), Price(Decimal(repr(price))), Decimal(0))
