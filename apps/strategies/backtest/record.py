"""A run as it is kept, shown and compared: all that it was made from and all that it left behind, as plain values.

A result holds what a computation needs (rates of funding by the thousand, a model of slippage); a record holds what a
reader needs, and can be stored and read again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from apps.strategies.backtest.costs import BPS, Costs, FixedSlippage, SquareRootImpact
from apps.strategies.backtest.metrics import Metrics, metrics_of
from apps.strategies.backtest.prices import PricePath, path_of
from apps.strategies.backtest.results import BacktestResult, EquityCurve, Trade
from apps.strategies.backtest.setting import Setting
from moondev.domain.clock import milliseconds
from moondev.domain.instruments import Instrument
from moondev.domain.market_data import BarSeries

# As the replay tells them: ``BELOW_MINIMUM: 12 times, first …``.
_COUNTED = re.compile(r"[^:]+: ([0-9]+) times")


@dataclass(frozen=True, slots=True)
class CostsTold:
    """The costs of one instrument in words and numbers; `source` says where the fees are from."""

    maker_bps: float
    taker_bps: float
    spread_bps: float
    slippage: str
    funding: str
    borrow_per_year: float
    source: str = ""


@dataclass(frozen=True, slots=True)
class DataTold:
    """What one instrument's past was: words without a path, the hash of its numbers, and the rules it traded by."""

    description: str
    content_hash: str
    rules: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a run was made from. `data` and `costs` are by instrument key; `refused` counts orders by their reason.

    `figures` are what only its engine can tell, by name with the unit.
    """

    strategy: str
    preset: str
    parameters: Mapping[str, Any]
    code_hash: str
    engine: str
    rule: str
    capital: float
    leverage: float
    currency: str
    data: Mapping[str, DataTold]
    costs: Mapping[str, CostsTold]
    refused: Mapping[str, int]
    warnings: tuple[str, ...]
    figures: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain values that `facts_of_json` reads. Instruments are a list: a stored object forgets its order."""
        instruments = [
            {"key": key, "data": asdict(told), "costs": asdict(self.costs[key])} for key, told in self.data.items()
        ]
        plain = asdict(self)
        del plain["data"], plain["costs"]
        return {**plain, "instruments": instruments}


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run, complete for a reader. `prices` are by instrument key; `title` is what people call it."""

    title: str
    facts: Facts
    metrics: Metrics
    trades: tuple[Trade, ...]
    curve: EquityCurve
    prices: Mapping[str, PricePath]


@dataclass(frozen=True, slots=True)
class Origin:
    """What only the one who asked knows: a title, the preset, and where the rules and fees of each market are from."""

    title: str
    preset: str = ""
    fees_from: Mapping[str, str] | None = None
    rules_from: Mapping[str, str] | None = None


def record_of(result: BacktestResult, setting: Setting, origin: Origin) -> RunRecord:
    """Return the record of a result and of the setting it was made in."""
    return RunRecord(
        title=origin.title,
        facts=_facts(result, setting, origin),
        metrics=metrics_of(result),
        trades=result.trades,
        curve=result.curve,
        prices={market.key: path_of(_seen(market.recorded.bars, setting)) for market in setting.markets},
    )


def facts_of_json(stored: Mapping[str, Any]) -> Facts:
    """Return what `Facts.to_json` wrote."""
    values = dict(stored)
    instruments = values.pop("instruments")
    return Facts(
        data={one["key"]: DataTold(**_tuples(one["data"], "warnings")) for one in instruments},
        costs={one["key"]: CostsTold(**one["costs"]) for one in instruments},
        **_tuples(values, "warnings"),
    )


def metrics_of_json(stored: Mapping[str, Any]) -> Metrics:
    """Return stored metrics; a figure that was not known yet when they were stored is None."""
    values: dict[str, Any] = {one.name: stored.get(one.name) for one in fields(Metrics)}
    return Metrics(**values)


def costs_told(costs: Costs, source: str = "") -> CostsTold:
    """Return the costs of one instrument for a reader."""
    return CostsTold(
        maker_bps=costs.maker_bps,
        taker_bps=costs.taker_bps,
        spread_bps=costs.spread_bps,
        slippage=_slippage_text(costs.slippage),
        funding=_funding_text(costs),
        borrow_per_year=costs.borrow_per_year,
        source=source,
    )


def refusals_counted(refused: Sequence[str]) -> dict[str, int]:
    """Return how often orders were refused, by code: a line that tells its count stands for so many, others for one."""
    counts = Counter[str]()
    for line in refused:
        told = _COUNTED.match(line)
        code = line.partition(":")[0].strip()
        counts[code] += int(told[1]) if told else 1
    return dict(counts.most_common())


def _facts(result: BacktestResult, setting: Setting, origin: Origin) -> Facts:
    fees_from, rules_from = origin.fees_from or {}, origin.rules_from or {}
    rules = {market.key: _rules_text(market.instrument, rules_from.get(market.key, "")) for market in setting.markets}
    return Facts(
        strategy=result.strategy,
        preset=origin.preset,
        parameters=dict(result.parameters),
        code_hash=result.code_hash,
        engine=result.engine,
        rule=result.rule.value,
        capital=float(result.initial),
        leverage=float(setting.leverage),
        currency=setting.markets[0].instrument.quote,
        data={
            key: DataTold(source.description, source.content_hash, rules.get(key, ""), source.warnings)
            for key, source in result.data.items()
        },
        costs={key: costs_told(costs, fees_from.get(key, "")) for key, costs in result.costs.items()},
        refused=refusals_counted(result.refused),
        warnings=result.warnings,
        figures=dict(result.figures),
    )


def _seen(bars: BarSeries, setting: Setting) -> BarSeries:
    """Return the bars in which it could trade: what was history only is not its price."""
    if setting.trades_from is None:
        return bars
    return bars.tail(max(int(np.sum(bars.opened_ms >= milliseconds(setting.trades_from))), 1))


def _rules_text(instrument: Instrument, source: str) -> str:
    grid, lot = instrument.price_grid, instrument.lot.value
    text = f"tick {grid.tick:f}, lot {lot:f}, smallest order {instrument.min_notional.value:f} {instrument.quote}"
    return f"{text} ({source})" if source else text


def _slippage_text(slippage: object) -> str:
    if isinstance(slippage, FixedSlippage):
        return f"{slippage.amount_bps:g} bp"
    if isinstance(slippage, SquareRootImpact):
        return f"{slippage.coefficient_bps:g} bp x sqrt(order / volume of the bar), at most {slippage.worst_bps:g} bp"
    return type(slippage).__name__


def _funding_text(costs: Costs) -> str:
    if costs.funding is None:
        return "none"
    rates = costs.funding.rates
    mean = float(np.mean(rates)) / BPS if len(rates) else 0.0
    return f"{len(rates)} recorded payments, {mean:.3f} bp on average"


def _tuples(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {**values, name: tuple(values.get(name) or ())}
