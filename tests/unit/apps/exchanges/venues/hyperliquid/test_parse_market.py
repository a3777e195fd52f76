"""Public data is read exactly or not at all."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
import numpy as np
import pytest

from apps.exchanges.ports import ParseError
from apps.exchanges.venues.hyperliquid import messages, parse_market
from moondev.domain.errors import InvalidValue
from moondev.domain.values import Price, Side
from tests.unit.apps.exchanges.venues.hyperliquid import recordings

recorded = pytest.mark.skipif(not recordings.PRESENT, reason=recordings.WHY_NOT)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STAMP = 1_786_539_540_000
S = TypeVar("S")


def shaped(value: object, shape: type[S]) -> S:
    return msgspec.convert(value, shape, strict=False)


def book(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> messages.BookMessage:
    levels = [[{"px": px, "sz": sz, "n": 1} for px, sz in side] for side in (bids, asks)]
    return shaped({"coin": "BTC", "time": STAMP, "levels": levels}, messages.BookMessage)


def test_a_book_keeps_every_level_and_both_times() -> None:
    update = parse_market.book_update(book([("99", "1"), ("98", "2")], [("100", "3")]), NOW)
    assert update.symbol == "BTC"
    assert [level.price for level in update.book.bids] == [99.0, 98.0]
    assert update.book.mid == 99.5
    assert update.book.time_received == NOW


@pytest.mark.parametrize(
    ("bids", "asks"),
    [
        ([("100", "1")], [("100", "1")]),
        ([("98", "1"), ("99", "1")], [("100", "1")]),
        ([("99", "1")], [("101", "1"), ("100", "1")]),
        ([("99", "1"), ("99", "1")], []),
        ([("nan", "1")], []),
        ([("-99", "1")], []),
        ([("inf", "1")], []),
        ([("99", "-1")], []),
        ([("99", "nan")], []),
        ([("ninety", "1")], []),
    ],
)
def test_a_book_that_cannot_be_is_refused(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
    with pytest.raises((InvalidValue, msgspec.ValidationError)):
        parse_market.book_update(book(bids, asks), NOW)


def test_best_quotes_may_miss_a_side_but_never_cross() -> None:
    quote = {"px": "99", "sz": "1", "n": 1}
    one = parse_market.best_quote(
        shaped({"coin": "BTC", "time": STAMP, "bbo": [quote, None]}, messages.BestQuoteMessage), NOW
    )
    assert one.bid is not None
    assert one.ask is None
    with pytest.raises(InvalidValue, match="bbo"):
        parse_market.best_quote(
            shaped({"coin": "BTC", "time": STAMP, "bbo": [quote, quote]}, messages.BestQuoteMessage), NOW
        )


def test_trades_come_oldest_first_with_the_aggressors_side() -> None:
    rows = [
        {"coin": "BTC", "side": "A", "px": "99", "sz": "1", "time": STAMP + 1, "tid": 2},
        {"coin": "BTC", "side": "B", "px": "100", "sz": "2", "time": STAMP, "tid": 1},
    ]
    batch = parse_market.trades(shaped(rows, list[messages.TradeMessage]), NOW)
    assert [tick.trade_id for tick in batch.trades] == ["1", "2"]
    assert [tick.side for tick in batch.trades] == [Side.BUY, Side.SELL]


def candle(**changes: Any) -> dict[str, Any]:
    plain = {"t": STAMP, "T": STAMP + 59_999, "s": "BTC", "i": "1m", "n": 3}
    return plain | {"o": "10", "h": "12", "l": "9", "c": "11", "v": "5"} | changes


def test_a_candle_update_is_never_marked_closed_because_the_venue_has_no_flag() -> None:
    update = parse_market.candle(shaped(candle(), messages.CandleMessage), NOW)
    assert (update.opened_ms, update.interval, update.closed) == (STAMP, timedelta(minutes=1), False)
    assert (update.open, update.high, update.low, update.close, update.volume) == (10, 12, 9, 11, 5)


def test_candles_are_sorted_and_each_comes_once_with_its_newest_report() -> None:
    answer = [candle(t=STAMP + 60_000), candle(), candle(c="9.5")]
    bars = parse_market.candles(answer, timedelta(minutes=1))
    assert list(bars.opened_ms) == [STAMP, STAMP + 60_000]
    assert bars.close[0] == 9.5


def test_no_candles_are_an_empty_series() -> None:
    assert len(parse_market.candles([], timedelta(minutes=1))) == 0


@pytest.mark.parametrize("changes", [{"h": "10.5"}, {"l": "0"}, {"v": "-1"}, {"o": "nan"}, {"o": True}, {"t": "now"}])
def test_candles_that_cannot_be_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ParseError):
        parse_market.candles([candle(), candle(t=STAMP + 60_000) | changes], timedelta(minutes=1))


def test_every_interval_has_a_name_and_others_are_refused() -> None:
    for name, length in parse_market.INTERVALS.items():
        assert parse_market.interval_name(length) == name
    with pytest.raises(InvalidValue, match="interval"):
        parse_market.interval_name(timedelta(minutes=7))
    with pytest.raises(InvalidValue, match="interval"):
        parse_market.candle(shaped(candle(i="7m"), messages.CandleMessage), NOW)


def test_an_asset_without_a_mark_is_no_event() -> None:
    context = {"coin": "X", "ctx": {"oraclePx": "1", "funding": "0.0", "markPx": None}}
    assert parse_market.mark(shaped(context, messages.AssetContextMessage), NOW) is None


def test_marks_belong_to_the_asset_of_the_same_place() -> None:
    meta = {"universe": [{"name": name, "szDecimals": 1, "maxLeverage": 3} for name in ("A", "B")]}
    contexts = [{"oraclePx": "1", "funding": "0", "markPx": None}, {"oraclePx": "2", "funding": "0", "markPx": "2.5"}]
    assert parse_market.marks([meta, contexts]) == {"B": Price(Decimal("2.5"))}
    with pytest.raises(ParseError, match="differ in number"):
        parse_market.marks([meta, contexts[:1]])


@recorded
def test_reads_the_recorded_book_and_candles() -> None:
    found = parse_market.book_answer(recordings.bodies("test_get_l2_snapshot.yaml")[-1], NOW)
    assert len(found.bids) == len(found.asks) == 20
    assert found.bids[0].price == 2.111
    bars = parse_market.candles(recordings.bodies("test_get_candles_snapshot.yaml")[-1], timedelta(hours=1))
    assert np.all(np.diff(bars.opened_ms) == 3_600_000)
    assert bars.open[0] == 0.001601


@recorded
def test_reads_the_recorded_stream() -> None:
    stream = recordings.transcript("ws.json")
    trades = shaped(recordings.numeric(stream["trades"][-1]["data"]), list[messages.TradeMessage])
    assert parse_market.trades(trades, NOW).trades[0].price == 64097.0
    context = shaped(stream["activeAssetCtx"][-1]["data"], messages.AssetContextMessage)
    update = parse_market.mark(context, NOW)
    assert update is not None
    assert (update.mark_price, update.funding_rate) == (64040.0, 0.0000125)
    update_candle = parse_market.candle(shaped(stream["candle"][-1]["data"], messages.CandleMessage), NOW)
    assert update_candle.close == 64100.0
