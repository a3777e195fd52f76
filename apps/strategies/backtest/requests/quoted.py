"""From a request to a quote backtest: files of recorded books with their rules, fees, delays, and a record of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
from django.db import DatabaseError

from apps.exchanges.market_data.history.quality.dataset import Dataset, Shape
from apps.exchanges.market_data.history.quality.files import quote_of, read_dataset
from apps.risk.sizing.multiples import Readings, allowed
from apps.risk.sizing.rule import rule_of_json
from apps.strategies.backtest.data import RecordedBars
from apps.strategies.backtest.quotes import backtest_quotes
from apps.strategies.backtest.quoting.assumed import with_assumed_past
from apps.strategies.backtest.quoting.bars import bars_of_tape
from apps.strategies.backtest.quoting.floor import Tables
from apps.strategies.backtest.quoting.latency import ConstantOrders, Latency, RecordedFeed
from apps.strategies.backtest.quoting.queues import Proportional, QueueModel, RiskAverse
from apps.strategies.backtest.quoting.recorded import tape_of_file
from apps.strategies.backtest.quoting.setting import SECOND, QuoteMarket, QuoteSetting
from apps.strategies.backtest.quoting.tape import NS_PER_MS
from apps.strategies.backtest.record import Origin, RunRecord, record_of
from apps.strategies.backtest.requests.fees import costs_of, fees_of
from apps.strategies.backtest.requests.names import SeriesName, coins_of
from apps.strategies.backtest.requests.request import BacktestRequest
from apps.strategies.backtest.requests.rules import GUESSED, SMALLEST_ORDER, Rules, finest, known_rules
from apps.strategies.backtest.setting import Market, Setting
from apps.strategies.orchestrator.loader import Loaded, load
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import Column
from moondev.domain.values import Money, Quantity

# Price and size decimals that the matching engine can hold together.
_DECIMALS = 6
_GUESSED_LEVERAGE = 20


def quotes_record(
    request: BacktestRequest, folder: Path, on_progress: Callable[[float], None] | None = None
) -> RunRecord:
    """Run a request over recorded books here and now; files are relative to `folder`.

    Raises InvalidValue or Configuration, before any number is computed, for files that fail the checks, a recorder's
    clock that cannot be right, fees that nobody knows and parameters that are not allowed.
    """
    loaded = load(request.kind, dict(request.parameters))
    places = [_place(name_of_books(text), request, folder) for text in request.data]
    setting = QuoteSetting(
        markets=tuple(_with_past(loaded, market, request) for market, _, _ in places),
        capital=Decimal(str(request.capital)),
        leverage=Decimal(str(_told_leverage(request))),
        latency=_latency(request),
        queues=queue_named(request.queue),
        reprice_bps=Decimal(str(request.reprice_bps)),
    )
    result = backtest_quotes(loaded, setting, on_progress)
    origin = Origin(
        title=request.title,
        preset=request.preset,
        fees_from={market.key: fees for market, fees, _ in places},
        rules_from={market.key: rules for market, _, rules in places},
    )
    return record_of(result, _by_the_second(setting), origin)


def _told_leverage(request: BacktestRequest) -> float:
    """Return what a weight of 1 stands for: the request lets only rules through that say the same at every tick."""
    return allowed(rule_of_json(request.sizing), Readings(request.capital), request.leverage).told


def name_of_books(text: str) -> SeriesName:
    """Return what the name of a file of books tells: venue words, then a symbol that ends with a quote currency.

    Raises InvalidValue for a name without a symbol.
    """
    words = Path(text).name.partition(".")[0].split("_")
    place = next((number for number, word in enumerate(words) if quote_of(word)), None)
    if not place:
        raise InvalidValue("data", Path(text).name, "a name such as binance-usdm_BTCUSDT_20240808.parquet")
    asset, quote = coins_of(words[place])
    return SeriesName(text, "-".join(words[:place]).lower(), words[place], asset, quote)


def queue_named(name: str) -> QueueModel:
    """Return the model of queues a request names."""
    return RiskAverse() if name == "risk-averse" else Proportional()


def _latency(request: BacktestRequest) -> Latency:
    one_way = timedelta(milliseconds=request.latency_ms)
    return Latency(RecordedFeed(timedelta(milliseconds=request.shift_ms)), ConstantOrders(one_way, one_way))


def _place(name: SeriesName, request: BacktestRequest, folder: Path) -> tuple[QuoteMarket, str, str]:
    path = folder / name.text
    rules = _rules(name, read_dataset(path))
    tape = tape_of_file(path, rules.instrument)
    if request.start is not None:
        began = from_milliseconds(tape.starts_ns / NS_PER_MS)
        raise InvalidValue("from", request.start.isoformat(), f"none: a book is replayed from its snapshot, {began}")
    if request.end is not None:
        tape = tape.until(round(request.end.timestamp() * 1000) * NS_PER_MS)
    fees = fees_of(name.venue, rules.fees, request)
    costs = replace(costs_of(fees, request, None), spread_bps=0.0)
    return QuoteMarket(tape, costs), fees.source, rules.source


def _rules(name: SeriesName, dataset: Dataset) -> Rules:
    try:
        known = known_rules(name)
    except DatabaseError:
        known = None
    if known is not None:
        return known
    tick = finest(_column(dataset, "price", ("b1", "a1")), _DECIMALS)
    left = _DECIMALS + int(tick.as_tuple().exponent)
    lot = finest(_column(dataset, "size", ("bv1", "av1")), max(left, 0))
    instrument = Instrument(
        name.venue, name.symbol, name.asset, name.quote, PriceGrid(tick), Quantity(lot),
        Money(SMALLEST_ORDER, name.quote), _GUESSED_LEVERAGE,
    )  # fmt: skip
    return Rules(instrument, GUESSED)


def _column(dataset: Dataset, of_events: str, of_books: tuple[str, ...]) -> Column:
    if dataset.shape is Shape.EVENTS:
        return dataset.numbers(of_events)
    if dataset.shape is Shape.BOOK:
        return np.concatenate([dataset.numbers(name) for name in of_books])
    raise InvalidValue(dataset.name, dataset.shape.value, "book events or book snapshots, for the engine 'quotes'")


def _with_past(loaded: Loaded, market: QuoteMarket, request: BacktestRequest) -> QuoteMarket:
    needs = loaded.strategy.needs(loaded.parameters, (market.tape.instrument,))
    if not request.assumed_bps or not needs.bars:
        return market
    shortest = min(needs.bars)
    count = max(round(length / shortest) * bars for length, bars in needs.bars.items())
    return with_assumed_past(market, shortest, count, request.assumed_bps)


def _by_the_second(setting: QuoteSetting) -> Setting:
    """Return the same markets as bars of a second: what a record keeps of the price."""
    markets = [
        Market(
            market.tape.instrument,
            RecordedBars(bars_of_tape(Tables(market.tape), SECOND), market.tape.source, market.tape.instrument.quote),
            market.costs,
        )
        for market in setting.markets
    ]
    return Setting(tuple(markets), capital=setting.capital, leverage=setting.leverage)
