"""From a request to a setting: every market with its bars, rules and costs, or the reason why there can be none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.db import DatabaseError

from apps.risk.sizing.rule import rule_of_json
from apps.strategies.backtest.costs import FundingRates
from apps.strategies.backtest.data import Period, RecordedBars
from apps.strategies.backtest.record import Origin
from apps.strategies.backtest.requests.fees import costs_of, fees_of
from apps.strategies.backtest.requests.names import SeriesName, bars_named, funding_named, series_named
from apps.strategies.backtest.requests.request import QUOTES, BacktestRequest
from apps.strategies.backtest.requests.rules import Rules, guessed_rules, known_rules, rules_of_strategy
from apps.strategies.backtest.setting import Market, Setting
from apps.strategies.orchestrator.loader import Loaded, load
from moondev.domain.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request whose data passed the checks: what the engine is given, and what only the one who asked knows."""

    loaded: Loaded
    setting: Setting
    origin: Origin


@dataclass(frozen=True, slots=True)
class _Place:
    market: Market
    fees_from: str
    rules_from: str


def prepare(request: BacktestRequest, folder: Path) -> Prepared:
    """Return what a request needs to run; files are relative to `folder`.

    Raises InvalidValue that names what is wrong and where (data, parameters, fees) and Configuration for a strategy
    that there is not. Nothing has been computed then.
    """
    if request.engine == QUOTES:
        raise InvalidValue("engine", QUOTES, "auto, replay or vectorised: this is computed from bars")
    loaded = load(request.kind, dict(request.parameters))
    loaded.strategy.ready(loaded.parameters)
    funding = _funding(request, folder)
    places = [_place(series_named(text), request, folder, funding) for text in request.data]
    _require_used(funding, places)
    setting = Setting(
        markets=tuple(place.market for place in places),
        rule=request.fill_rule,
        capital=Decimal(str(request.capital)),
        leverage=Decimal(str(request.leverage)),
        trades_from=request.start,
        reprice_bps=Decimal(str(request.reprice_bps)),
        sizing=rule_of_json(request.sizing),
    )
    origin = Origin(
        title=request.title,
        preset=request.preset,
        fees_from={place.market.key: place.fees_from for place in places},
        rules_from={place.market.key: place.rules_from for place in places},
    )
    return Prepared(loaded, setting, origin)


def _place(
    name: SeriesName, request: BacktestRequest, folder: Path, funding: Mapping[SeriesName, FundingRates]
) -> _Place:
    recorded = bars_named(name, folder, Period(end=request.end))
    _require_after(recorded, request)
    rules = _rules(name, recorded, request.strategy)
    fees = fees_of(name.venue, rules.fees, request)
    rates = next((rates for paid, rates in funding.items() if _same_market(paid, name)), None)
    market = Market(rules.instrument, recorded, costs_of(fees, request, rates))
    return _Place(market, fees.source, rules.source)


def _rules(name: SeriesName, recorded: RecordedBars, strategy: str) -> Rules:
    try:
        known = (rules_of_strategy(strategy, name) if strategy else None) or known_rules(name)
    except DatabaseError:
        # Files can be tried on a machine that has no platform; the record says that the rules are guessed.
        known = None
    return known or guessed_rules(name, recorded.bars)


def _funding(request: BacktestRequest, folder: Path) -> dict[SeriesName, FundingRates]:
    names = [series_named(text) for text in request.funding]
    return {name: funding_named(name, folder) for name in names}


def _same_market(one: SeriesName, other: SeriesName) -> bool:
    return (one.venue, one.symbol) == (other.venue, other.symbol)


def _require_used(funding: Mapping[SeriesName, FundingRates], places: Sequence[_Place]) -> None:
    used = {id(place.market.costs.funding) for place in places}
    for name, rates in funding.items():
        if id(rates) not in used:
            raise InvalidValue("funding", name.text, "rates of an instrument that is among --data, named alike")


def _require_after(recorded: RecordedBars, request: BacktestRequest) -> None:
    """Refuse a start after the last bar: nothing would be traded, and a flat curve looks like a result."""
    if request.start is None:
        return
    last = int(recorded.bars.opened_ms[-1])
    if request.start.timestamp() * 1000 > last:
        raise InvalidValue("from", request.start.isoformat(), f"a time within {recorded.source.description}")
