"""Instruments, bars, books, rates and trades: floats where they are data, exact where orders need them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from apps.exchanges.ports import ParseError
from apps.exchanges.venues.bybit import parse_market
from apps.exchanges.venues.bybit.messages import KlineNews
from moondev.domain.clock import milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.values import Quantity, Side
from tests.unit.apps.exchanges.venues.bybit import recordings
from tests.unit.apps.exchanges.venues.bybit.rows import INSTRUMENT, answered, listed

NOW, MINUTE = datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=1)
recorded = pytest.mark.skipif(not recordings.PRESENT, reason=recordings.WHY_NOT)
BAR: dict[str, Any] = {
    "start": 1672324800000,
    "interval": "5",
    "open": 16649.5,
    "close": 16677.0,
    "high": 16677.0,
    "low": 16608.0,
    "volume": 2.081,
    "confirm": False,
}


def bar(**fields: Any) -> KlineNews:
    return msgspec.convert(BAR | fields, KlineNews)


def test_an_instrument_carries_the_venue_s_rules() -> None:
    (listing,) = parse_market.listings([INSTRUMENT], "bybit").read
    one = listing.instrument
    assert (one.key, one.asset, one.quote) == ("bybit:BTCUSDT", "BTC", "USDT")
    assert (one.price_grid.tick, one.lot.value, one.min_notional.value) == (Decimal("0.10"), Decimal("0.001"), 5)
    assert one.max_leverage == 100
    assert one.max_market_quantity is None
    sizes = INSTRUMENT["lotSizeFilter"] | {"maxOrderQty": "1190", "maxMktOrderQty": "119.000"}
    (listing,) = parse_market.listings([INSTRUMENT | {"lotSizeFilter": sizes}], "bybit").read
    assert listing.instrument.max_market_quantity == Quantity(Decimal(119))
    assert one.price_grid.significant_figures is None


def test_only_what_is_a_perpetual_in_our_currency_and_trades_is_listed() -> None:
    others = [
        INSTRUMENT | {"contractType": "LinearFutures"},
        INSTRUMENT | {"status": "PreLaunch"},
        INSTRUMENT | {"symbol": "BTCPERP", "quoteCoin": "USDC", "settleCoin": "USDC"},
    ]
    odd = INSTRUMENT | {"priceFilter": {"tickSize": "0"}}
    found = parse_market.listings([*others, odd, INSTRUMENT], "bybit")
    assert [listing.instrument.symbol for listing in found.read] == ["BTCUSDT"]
    assert len(found.unreadable) == 1


def test_bars_come_newest_first_and_leave_oldest_first() -> None:
    rows = [["120000", "3", "4", "2", "3.5", "7", "20"], ["60000", "1", "2", "0.5", "1.5", "5", "6"]]
    series = parse_market.candles(answered({"symbol": "BTCUSDT", "list": rows}), MINUTE)
    assert list(series.opened_ms) == [60000, 120000]
    assert list(series.close) == [1.5, 3.5]
    assert list(series.volume) == [5, 7]
    assert len(parse_market.candles(answered({"symbol": "BTCUSDT", "list": []}), MINUTE)) == 0


@pytest.mark.parametrize(
    "row",
    [
        ["60000", "1", "2", "0.5", "nan", "5", "6"],
        ["60000", "1", "2", "0.5", "1.5", "-5", "6"],
        ["60000", "1", "0.9", "0.5", "1.5", "5", "6"],
        ["60000", "1", "2", "0.5", "1_0", "5", "6"],
        ["60000", "1", "2", "0.5"],
    ],
)
def test_a_bar_that_makes_no_sense_is_no_bar(row: list[str]) -> None:
    with pytest.raises(ParseError):
        parse_market.candles(answered({"symbol": "BTCUSDT", "list": [row]}), MINUTE)


def test_a_streamed_bar_says_whether_it_is_closed() -> None:
    update = parse_market.candle("BTCUSDT", bar(confirm=True), NOW)
    assert (update.interval, update.closed, update.close) == (5 * MINUTE, True, 16677.0)
    for fields in ({"interval": "7"}, {"low": 16700.0}, {"high": float("nan")}, {"volume": float("inf")}):
        with pytest.raises(InvalidValue):
            parse_market.candle("BTCUSDT", bar(**fields), NOW)


def test_intervals_have_the_venue_s_names() -> None:
    assert [parse_market.interval_name(length) for length in (MINUTE, 60 * MINUTE, timedelta(days=1))] == [
        "1",
        "60",
        "D",
    ]
    with pytest.raises(InvalidValue, match="interval"):
        parse_market.interval_name(7 * MINUTE)


def test_a_book_over_http_is_sorted_and_never_crossed() -> None:
    result = {"s": "BTCUSDT", "b": [["1", "5"], ["2", "6"]], "a": [["3", "7"]], "ts": 1709199771584, "u": 1}
    book = parse_market.book_answer(answered(result), NOW)
    assert [level.price for level in book.bids] == [2.0, 1.0]
    for wrong in (
        {"a": [["2", "1"]]},
        {"b": [["0", "1"]]},
        {"b": [["1", "-1"]]},
        {"b": [["nan", "1"]]},
        {"b": [["1"]]},
    ):
        with pytest.raises(ParseError):
            parse_market.book_answer(answered(result | wrong), NOW)


def test_trades_and_rates_are_oldest_first() -> None:
    trade = {"execId": "a", "symbol": "BTCUSDT", "price": "1.5", "size": "2", "side": "Sell", "time": "2000"}
    ticks = parse_market.recent_trades(listed(trade, trade | {"execId": "b", "time": "1000", "side": "Buy"}), NOW)
    assert [(tick.trade_id, tick.side, tick.price) for tick in ticks] == [("b", Side.BUY, 1.5), ("a", Side.SELL, 1.5)]
    rates = parse_market.funding_rates(
        listed(*({"symbol": "X", "fundingRate": f"0.000{n}", "fundingRateTimestamp": str(3000 - n)} for n in (1, 2)))
    )
    assert [(rate.rate, milliseconds(rate.time_exchange)) for rate in rates] == [(0.0002, 2998), (0.0001, 2999)]
    for wrong in ({"price": "0"}, {"size": "inf"}, {"side": "buy"}, {"time": "then"}):
        with pytest.raises(ParseError):
            parse_market.recent_trades(listed(trade | wrong), NOW)


def test_marks_leave_out_what_cannot_be_read() -> None:
    found = parse_market.marks(listed({"symbol": "A", "markPrice": "1.5"}, {"symbol": "B", "markPrice": ""}))
    assert [(symbol, mark.value) for symbol, mark in found.read] == [("A", Decimal("1.5"))]
    assert len(found.unreadable) == 1


@recorded
def test_recorded_answers_are_read() -> None:
    (listing,) = parse_market.listings(recordings.result("ExchangeData/GetLinearInverseSymbols")["list"], "bybit").read
    assert listing.instrument.max_leverage == 100
    assert len(parse_market.candles(recordings.answer("ExchangeData/GetKlines"), timedelta(hours=1))) == 3
    book = parse_market.book_answer(recordings.answer("ExchangeData/GetOrderbook"), NOW)
    assert (book.bids[0].price, book.asks[0].size) == (62710.2, 0.01)
    (tick,) = parse_market.recent_trades(recordings.answer("ExchangeData/GetTradeHistory"), NOW)
    assert tick.size == 0.00012
    (rate,) = parse_market.funding_rates(recordings.answer("ExchangeData/GetFundingRateHistory"))
    assert rate.rate == 0.0001
    ((symbol, mark),) = parse_market.marks(recordings.answer("ExchangeData/GetLinearInverseTickers")).read
    assert (symbol, mark.value) == ("BTCUSD", 16596)
