"""Prices, bars, trades and marks as domain values."""

from __future__ import annotations

import json
from datetime import timedelta

import msgspec
import pytest

from apps.exchanges.ports import ParseError
from apps.exchanges.venues.phemex import parse_market
from apps.exchanges.venues.phemex.stream_messages import KlineMessage, PackMessage, TradesMessage
from moondev.domain.errors import InvalidValue
from moondev.domain.values import Side
from tests.unit.apps.exchanges.venues.phemex.rows import NOW, STAMP, answer, book, priced

MINUTE = timedelta(minutes=1)
# Time, seconds, the close before, open, high, low, close, volume, turnover.
BAR = [1_666_856_340, 60, "1", "20686.2", "20695.4", "20680", "20691.6", "2.742", "56731.5609"]


def bars(*rows: object) -> str:
    return answer({"total": -1, "rows": list(rows)})


def trades(kind: str, *rows: list[object]) -> TradesMessage:
    raw = {"sequence": 1, "symbol": "BTCUSDT", "trades_p": list(rows), "type": kind}
    return msgspec.json.decode(json.dumps(raw), type=TradesMessage)


def test_the_close_of_the_bar_before_is_not_this_bar_s() -> None:
    series = parse_market.candles([bars(BAR)], MINUTE)
    assert (series.opened_ms[0], series.open[0], series.high[0]) == (1_666_856_340_000, 20_686.2, 20_695.4)
    assert (series.low[0], series.close[0], series.volume[0]) == (20_680, 20_691.6, 2.742)


def test_pages_make_one_series_oldest_first_each_bar_once() -> None:
    later = [1_666_856_400, *BAR[1:]]
    newer = [BAR[0], *BAR[1:7], "9", "0"]
    series = parse_market.candles([bars(later, BAR), bars(newer), bars()], MINUTE)
    assert list(series.opened_ms) == [1_666_856_340_000, 1_666_856_400_000]
    assert list(series.volume) == [9, 2.742]
    assert len(parse_market.candles([], MINUTE)) == 0


@pytest.mark.parametrize(
    "row",
    [
        BAR[:8],
        [*BAR[:4], "1", *BAR[5:]],
        [*BAR[:3], "NaN", *BAR[4:]],
        [*BAR[:3], "1_0", *BAR[4:]],
        [*BAR[:3], "0", *BAR[4:]],
        [*BAR[:7], "-1", "0"],
        [str(BAR[0]), *BAR[1:]],
        [*BAR[:3], 20686.2, *BAR[4:]],
    ],
)
def test_an_odd_bar_is_an_error_and_not_a_price(row: list[object]) -> None:
    with pytest.raises(ParseError):
        parse_market.candles([bars(row)], MINUTE)


def test_bars_have_the_lengths_of_the_venue() -> None:
    assert parse_market.seconds_of(timedelta(hours=4)) == 14_400
    with pytest.raises(InvalidValue, match="interval"):
        parse_market.seconds_of(timedelta(minutes=7))
    message = KlineMessage([], "BTCUSDT", "incremental")
    with pytest.raises(InvalidValue, match="interval"):
        parse_market.candle(message, (BAR[0], 61, *BAR[2:]), NOW)  # type: ignore[arg-type]  # a row of the wrong length


def test_books_are_sorted_and_refused_when_they_cross() -> None:
    message = book("snapshot", 1, [["20672.2", "0.6"], ["20672.4", "0.8"]], [["20676.2", "0.6"], ["20675.7", "0.7"]])
    found = parse_market.book_answer(priced(message), NOW)
    assert [level.price for level in found.bids] == [20_672.4, 20_672.2]
    assert [level.price for level in found.asks] == [20_675.7, 20_676.2]
    crossed = book("snapshot", 1, [["20676", "1"]], [["20675", "1"]])
    with pytest.raises(ParseError, match="crossed"):
        parse_market.book_answer(priced(crossed), NOW)


def test_trades_come_oldest_first_with_names_of_their_own() -> None:
    names = parse_market.TradeNames()
    message = trades("incremental", [STAMP + 5, "Buy", "2", "1"], [STAMP, "Sell", "1", "1"], [STAMP, "Buy", "1", "3"])
    batch = parse_market.trades(message, names, NOW)
    assert batch is not None
    assert [tick.trade_id for tick in batch.trades] == [f"{STAMP}-0", f"{STAMP}-1", f"{STAMP + 5}-0"]
    assert [tick.side for tick in batch.trades] == [Side.BUY, Side.SELL, Side.BUY]
    # Another trade of the same instant in another message is another trade.
    again = parse_market.trades(trades("incremental", [STAMP + 5, "Buy", "2", "9"]), names, NOW)
    assert again is not None
    assert again.trades[0].trade_id == f"{STAMP + 5}-1"


def test_of_a_history_only_what_was_missed_is_news() -> None:
    names = parse_market.TradeNames()
    history = trades("snapshot", [STAMP + 9, "Buy", "2", "1"], [STAMP, "Sell", "1", "1"])
    assert parse_market.trades(history, names, NOW) is None
    parse_market.trades(trades("incremental", [STAMP, "Sell", "1", "1"]), names, NOW)
    missed = parse_market.trades(history, names, NOW)
    assert missed is not None
    assert [tick.trade_id for tick in missed.trades] == [f"{STAMP + 9}-0"]


def test_marks_are_found_by_the_names_of_their_columns() -> None:
    fields = ["fundingRateRr", "symbol", "markRp", "lastRp", "indexRp"]
    rows = [["0.0008", "BTCUSDT", "62806.9", "1", "62831.8"], ["0", "ETHUSDT", "1", "1", "1"], ["0", "BTCUSDT"]]
    (mark,) = parse_market.pack(PackMessage(rows, fields), frozenset({"BTCUSDT"}), NOW)
    assert (mark.mark_price, mark.oracle_price) == (62_806.9, 62_831.8)
    # Told for eight hours.
    assert mark.funding_rate == pytest.approx(0.0001)
    with pytest.raises(InvalidValue, match="markRp"):
        parse_market.pack(PackMessage(rows, ["symbol"]), frozenset(), NOW)


def test_past_rates_and_marks_of_all_symbols_are_read() -> None:
    rows = [
        {"symbol": ".BTCUSDTFR8H", "fundingRate": rate, "fundingTime": time} for rate, time in (("0.2", 2), ("0.1", 1))
    ]
    assert [rate.rate for rate in parse_market.funding_rates(answer({"rows": rows}))] == [0.1, 0.2]
    tickers = priced([{"symbol": "BTCUSDT", "markPriceRp": "16830.97534951"}])
    assert str(parse_market.marks(tickers)["BTCUSDT"].value) == "16830.97534951"
    with pytest.raises(ParseError):
        parse_market.marks(priced([{"symbol": "BTCUSDT", "markPriceRp": "0"}]))
