"""The indexer's public data as domain values: recordings, grids, holes in candles, crossed books."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from apps.exchanges.ports import ParseError
from apps.exchanges.venues.dydx import parse_market
from apps.exchanges.venues.dydx.markets import Market
from apps.exchanges.venues.dydx.messages import CandleMessage, MarketMessage
from moondev.domain.clock import milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.values import Price, Quantity
from tests.unit.apps.exchanges.venues.dydx.recordings import PRESENT, WHY_NOT, text
from tests.unit.apps.exchanges.venues.dydx.rows import CANDLE, MARKET, TRADE

NOW = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
D = Decimal
recording = pytest.mark.skipif(not PRESENT, reason=WHY_NOT)


def market(**changes: Any) -> Market:
    return parse_market.market(msgspec.convert(MARKET | changes, MarketMessage), "dydx")


@recording
def test_recorded_markets_are_listed_with_their_grids_and_marks() -> None:
    rows = parse_market.markets(text("http_get_perpetual_markets"), "dydx")
    assert rows.unreadable == ()
    listed = {row.listing.instrument.key: row for row in rows.read}
    bitcoin = listed["dydx:BTC-USD"]
    assert (bitcoin.pair, bitcoin.leverage) == (0, 50)
    assert bitcoin.listing.instrument.lot.value == D("0.0001")
    assert bitcoin.listing.instrument.price_grid.tick == 1
    # 0.01 BTC at 49,000 as the chain writes it.
    assert bitcoin.quantums(Quantity(D("0.01"))) == 100_000_000
    assert bitcoin.subticks(Price(D(49_000))) == 4_900_000_000
    assert parse_market.marks(text("http_get_perpetual_markets"))["BTC-USD"].value == D("89919.2")


@recording
def test_other_recorded_answers_are_read() -> None:
    book = parse_market.book(text("http_get_orderbook"), NOW)
    assert (book.bids[0].price, book.asks[0].price) == (89_947.0, 89_958.0)
    trades = parse_market.trades("BTC-USD", text("http_get_trades"), NOW)
    assert [trade.time_exchange for trade in trades] == sorted(trade.time_exchange for trade in trades)
    assert trades[-1].trade_id == "03f89a550000000200000002"
    candles = parse_market.candle_rows(text("http_get_candles"), MINUTE)
    assert candles[max(candles)][3] == 89_941.0
    rates = parse_market.funding_rates(text("http_get_historical_funding"))
    assert rates[-1].rate == 0.000002375
    assert rates[0].time_exchange < rates[-1].time_exchange


@pytest.mark.parametrize("size", ["0.00001", "0.00015", "1e20"])
def test_sizes_off_the_grid_are_refused(size: str) -> None:
    with pytest.raises(InvalidValue, match="quantity"):
        market().quantums(Quantity(D(size)))


@pytest.mark.parametrize("price", ["49000.5", "0.1"])
def test_prices_off_the_grid_are_refused_by_the_name_of_their_field(price: str) -> None:
    with pytest.raises(InvalidValue, match="trigger_price"):
        market().subticks(Price(D(price)), "trigger_price")


@pytest.mark.parametrize(
    "changes",
    [
        {"ticker": "BTCUSD"},
        {"stepBaseQuantums": 0},
        {"subticksPerTick": 0},
        {"initialMarginFraction": "0"},
        {"initialMarginFraction": "1.5"},
        {"tickSize": "0"},
        {"clobPairId": "one"},
    ],
)
def test_a_market_without_sense_is_left_out_and_told_of(changes: dict[str, Any]) -> None:
    rows = parse_market.markets(json.dumps({"markets": {"a": MARKET | changes, "b": MARKET}}), "dydx")
    assert len(rows.read) == len(rows.unreadable) == 1


def test_markets_that_do_not_trade_are_not_listed() -> None:
    paused = MARKET | {"status": "PAUSED", "ticker": "OLD-USD", "oraclePrice": None}
    answer = json.dumps({"markets": {"OLD-USD": paused, "BTC-USD": MARKET}})
    assert [row.listing.instrument.symbol for row in parse_market.markets(answer, "dydx").read] == ["BTC-USD"]
    assert list(parse_market.marks(answer)) == ["BTC-USD"]


def test_a_permissionless_market_keeps_its_whole_name() -> None:
    assert market(ticker="PEPE,RAYDIUM,0X1-USD").listing.instrument.asset == "PEPE,RAYDIUM,0X1"


def test_a_crossed_answer_is_uncrossed() -> None:
    levels = {
        "bids": [{"price": "101", "size": "1"}],
        "asks": [{"price": "100", "size": "1"}, {"price": "102", "size": "2"}],
    }
    book = parse_market.book(json.dumps(levels), NOW)
    assert [level.price for level in book.asks] == [102.0]


def test_minutes_without_a_trade_are_flat_bars() -> None:
    first, third = CANDLE, CANDLE | {"startedAt": "2026-01-01T00:03:00.000Z", "open": "102"}
    rows = parse_market.candle_rows(json.dumps({"candles": [third, first]}), MINUTE)
    bars = parse_market.series(rows, MINUTE, milliseconds(NOW.replace(minute=5)))
    assert [stamp // 60_000 % 60 for stamp in bars.opened_ms] == [1, 2, 3, 4, 5]
    assert list(bars.close) == [102.0] * 5
    assert list(bars.volume) == [5.0, 0.0, 5.0, 0.0, 0.0]
    assert len(parse_market.series({}, MINUTE, 0)) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"high": "100"},
        {"low": "101"},
        {"open": "0"},
        {"close": "inf"},
        {"startedAt": "2026-01-01T00:01:30.000Z"},
        {"resolution": "7MINS"},
    ],
)
def test_a_candle_that_breaks_its_own_rules_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(InvalidValue):
        parse_market.candle(msgspec.convert(CANDLE | changes, CandleMessage), NOW)


def test_only_lengths_the_venue_has_can_be_asked_for() -> None:
    assert parse_market.resolution(timedelta(hours=4)) == "4HOURS"
    with pytest.raises(InvalidValue, match="interval"):
        parse_market.resolution(timedelta(minutes=2))


@pytest.mark.parametrize("changes", [{"size": "0"}, {"price": "-1"}, {"side": "HOLD"}, {"createdAt": "now"}])
def test_a_trade_of_nothing_is_no_trade(changes: dict[str, str]) -> None:
    with pytest.raises(ParseError):
        parse_market.trades("BTC-USD", json.dumps({"trades": [TRADE | changes]}), NOW)
