"""The SMA cross of section "bars": the same strategy, data and fee in three engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from apps.strategies.backtest.fills import BAR_RULES, FillRule
from moondev.domain.market_data import BarSeries
from tests.oracle.questions import Engine, Given, Question
from tests.oracle.series import QUARTER, price_columns, recorded_bars, walk

FEE_BPS = 6.0
INITIAL = 1_000_000.0
FAST, SLOW = 20, 55
# Digits of a price: nautilus computes in whole ticks. The recording has one, the walk two.
PRECISION = 2

BACKTESTING = Engine("research", "backtesting_cross.py")
VECTORBT = Engine("research", "vectorbt_cross.py")
VECTORBT_PORTFOLIO = Engine("research", "vectorbt_portfolio.py")
NAUTILUS = Engine("nautilus", "nautilus_cross.py")

FIVE = timedelta(minutes=5)
GRID_INSTRUMENTS = ("BTC", "ETH", "SOL")
GRID_PAIRS = tuple((fast, slow) for fast in (5, 10, 20, 30, 40) for slow in (50, 75, 100, 150))


def recorded() -> BarSeries:
    """Return BTC's quarters of an hour, 47,966 of them."""
    return recorded_bars("binance-usdm_BTCUSDT_15m_202301-202405", QUARTER)


def made_up() -> BarSeries:
    """Return the walk."""
    return walk(20_55)


def grid_recorded() -> dict[str, BarSeries]:
    """Return three months of three coins."""
    return {coin: recorded_bars(f"bybit-linear_{coin}USDT_5m_202504-202507", FIVE) for coin in GRID_INSTRUMENTS}


def grid_made_up() -> dict[str, BarSeries]:
    """Return a walk for each coin."""
    return {coin: walk(number, 2_000, FIVE) for number, coin in enumerate(GRID_INSTRUMENTS)}


SERIES = {"recorded": recorded, "walk": made_up}
GRIDS = {"recorded": grid_recorded, "walk": grid_made_up}


def cross(engine: Engine, name: str, data: str, rule: FillRule) -> Question:
    """Return the question of one cross."""

    def given() -> Given:
        parameters = {
            "fast": FAST, "slow": SLOW, "rule": rule.value, "fee_bps": FEE_BPS, "initial": INITIAL,
            "pairs": [[FAST, SLOW]], "instruments": [""], "precision": PRECISION,
        }  # fmt: skip
        return Given(price_columns(SERIES[data]()), parameters)

    return Question(f"cross.{rule.value.replace(' ', '_')}.{data}.{name}", engine, given)


def grid(data: str, rule: FillRule) -> Question:
    """Return the question of many pairs of lengths on several instruments."""
    name = f"grid.{rule.value.replace(' ', '_')}.{data}.vectorbt"
    return Question(name, VECTORBT, _given_of_many(data, rule, GRID_PAIRS))


def portfolio(data: str) -> Question:
    """Return the question of one pair of lengths on several instruments out of one purse, at next opens."""
    given = _given_of_many(data, FillRule.NEXT_OPEN, ((FAST, SLOW),))
    return Question(f"portfolio.{data}.vectorbt", VECTORBT_PORTFOLIO, given)


def _given_of_many(data: str, rule: FillRule, wanted: Sequence[tuple[int, int]]) -> Callable[[], Given]:
    def given() -> Given:
        series = GRIDS[data]()
        columns = {
            f"{coin}.{name}": column for coin, bars in series.items() for name, column in price_columns(bars).items()
        }
        pairs = [list(pair) for pair in wanted]
        parameters = {
            "pairs": pairs, "rule": rule.value, "fee_bps": FEE_BPS, "initial": INITIAL, "instruments": list(series),
        }  # fmt: skip
        return Given(columns, parameters)

    return given


CROSSES = {
    (data, rule, name): cross(engine, name, data, rule)
    for data in SERIES
    for name, engine, rules in (
        ("backtesting", BACKTESTING, BAR_RULES),
        ("vectorbt", VECTORBT, BAR_RULES),
        ("nautilus", NAUTILUS, (FillRule.BAR_CLOSE,)),
    )
    for rule in rules
}
GRID_QUESTIONS = {(data, rule): grid(data, rule) for data in GRIDS for rule in BAR_RULES}
PORTFOLIOS = {data: portfolio(data) for data in GRIDS}
