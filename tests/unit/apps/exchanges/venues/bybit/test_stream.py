"""The dialects of both sockets, message by message: what is told, what is asked for anew, what ends a connection."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.exchanges.ports import (
    BalanceBatch,
    BestQuoteUpdate,
    BookUpdate,
    CandleUpdate,
    FillBatch,
    FundingBatch,
    MarketSubscription,
    MarkUpdate,
    OrderBatch,
    PositionBatch,
    TradeBatch,
    Unreadable,
)
from apps.exchanges.venues.bybit import books
from apps.exchanges.venues.bybit.stream import USER_TOPICS, MarketDialect, UserDialect
from apps.exchanges.venues.ccxt_generic.credentials import ApiKey
from apps.exchanges.venues.websocket import SubscriptionRefused
from moondev.domain.clock import FixedClock
from moondev.domain.errors import InvalidValue
from tests.unit.apps.exchanges.venues.bybit import recordings
from tests.unit.apps.exchanges.venues.bybit.rows import EXECUTION, ORDER, POSITION, WALLET, book, news, private

NOW, MINUTE = datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=1)
TOPIC = "orderbook.50.BTCUSDT"
BIDS, ASKS = [["100", "1"], ["99", "2"]], [["101", "3"]]
recorded = pytest.mark.skipif(not recordings.PRESENT, reason=recordings.WHY_NOT)


class Heard(list[Any]):
    """A handler that keeps what it is given."""

    def __call__(self, event: object) -> None:
        self.append(event)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def market(heard: Heard) -> MarketDialect:
    wanted = [
        MarketSubscription("BTCUSDT", candles=(MINUTE,), best_quote=True),
        MarketSubscription("ETHUSDT", trades=False, mark=False),
    ]
    dialect = MarketDialect(wanted, heard)
    dialect.opening()
    return dialect


@pytest.fixture
def user(heard: Heard) -> UserDialect:
    dialect = UserDialect(ApiKey("key", "secret"), FixedClock(NOW), heard)
    dialect.opening()
    return dialect


def said(*messages: bytes) -> list[Any]:
    return [json.loads(message) for message in messages]


def answer(name: str, *, success: bool = True, op: str = "subscribe", words: str = "") -> bytes:
    return json.dumps({"success": success, "ret_msg": words, "conn_id": "c", "req_id": name, "op": op}).encode()


# --- the market ---------------------------------------------------------------------------------------------------


def test_each_symbol_is_asked_for_by_itself_and_all_must_be_answered(heard: Heard, market: MarketDialect) -> None:
    first, second = said(*market.opening())
    assert first["args"] == [
        TOPIC,
        "orderbook.1.BTCUSDT",
        "publicTrade.BTCUSDT",
        "tickers.BTCUSDT",
        "kline.1.BTCUSDT",
    ]
    assert second["args"] == ["orderbook.50.ETHUSDT"]
    assert not market.read(answer(first["req_id"]), NOW)
    # One the venue does not know never becomes fresh; the others go on.
    assert market.read(answer(second["req_id"], success=False, words="error:handler not found"), NOW)
    assert market.unreadable == 1
    market.opening()
    assert not market.standing


def test_a_bar_the_venue_does_not_have_is_refused_at_birth(heard: Heard) -> None:
    with pytest.raises(InvalidValue, match="interval"):
        MarketDialect([MarketSubscription("BTCUSDT", candles=(7 * MINUTE,))], heard)


def test_a_book_follows_its_differences(heard: Heard, market: MarketDialect) -> None:
    market.read(news(TOPIC, book(10, BIDS, ASKS)), NOW)
    market.read(news(TOPIC, book(11, [["100", "0"], ["98", "4"]], [["100.5", "1"]]), "delta"), NOW)
    first, second = heard
    assert isinstance(second, BookUpdate)
    assert [(level.price, level.size) for level in first.book.bids] == [(100.0, 1.0), (99.0, 2.0)]
    assert [(level.price, level.size) for level in second.book.bids] == [(99.0, 2.0), (98.0, 4.0)]
    assert second.book.asks[0].price == 100.5
    assert market.replies() == ()


def test_a_hole_loses_the_book_and_asks_for_it_anew(heard: Heard, market: MarketDialect) -> None:
    market.read(news(TOPIC, book(10, BIDS, ASKS)), NOW)
    market.read(news(TOPIC, book(12, [["50", "1"]], []), "delta"), NOW)
    leaves, joins = said(*market.replies())
    assert (leaves["op"], leaves["args"], joins["op"], joins["args"]) == ("unsubscribe", [TOPIC], "subscribe", [TOPIC])
    market.read(news(TOPIC, book(13, [["51", "1"]], []), "delta"), NOW)
    # Nothing is told of a book nobody knows, and it is not asked for again at once.
    assert len(heard) == 1
    assert market.replies() == ()
    market.read(answer(joins["req_id"]), NOW)
    market.read(news(TOPIC, book(20, BIDS, ASKS)), NOW)
    market.read(news(TOPIC, book(21, [["99.5", "1"]], []), "delta"), NOW)
    assert [update.book.bids[0].price for update in heard] == [100.0, 100.0, 100.0]
    assert len(heard[-1].book.bids) == 3


def test_what_is_repeated_or_late_changes_nothing(heard: Heard, market: MarketDialect) -> None:
    market.read(news(TOPIC, book(10, BIDS, ASKS)), NOW)
    for number in (10, 9, 1):
        market.read(news(TOPIC, book(number, [["100", "0"]], []), "delta"), NOW)
    assert len(heard) == 1
    assert market.replies() == ()


def test_a_difference_before_any_snapshot_is_not_a_book(heard: Heard, market: MarketDialect) -> None:
    market.read(news(TOPIC, book(10, BIDS, ASKS), "delta"), NOW)
    assert heard == []
    assert len(market.replies()) == 2


@pytest.mark.parametrize(
    "data",
    [
        book(11, [["102", "1"]], []),
        book(11, [["-1", "1"]], []),
        book(11, [["nan", "1"]], []),
        book(11, [["1e9999", "1"]], []),
        book(11, [["1_0", "1"]], []),
        book(11, [["1", "1", "1"]], []),
        {"s": "BTCUSDT", "b": [], "a": []},
        "what",
    ],
)
def test_an_odd_difference_loses_the_book_and_is_counted(heard: Heard, market: MarketDialect, data: object) -> None:
    market.read(news(TOPIC, book(10, BIDS, ASKS)), NOW)
    market.read(news(TOPIC, data, "delta"), NOW)
    assert market.unreadable == 1
    assert len(market.replies()) == 2
    market.read(news(TOPIC, book(12, [["99.5", "1"]], []), "delta"), NOW)
    assert len(heard) == 1


def test_a_book_is_asked_for_again_when_the_first_time_was_in_vain(
    heard: Heard, market: MarketDialect, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [0.0]
    monkeypatch.setattr(books, "monotonic", lambda: seconds[0])
    market.read(news(TOPIC, book(10, [], []), "delta"), NOW)
    assert len(market.replies()) == 2
    for moment, asked in ((0.5, 0), (1.5, 2), (2.0, 0)):
        seconds[0] = moment
        market.read(news(TOPIC, book(11, [], []), "delta"), NOW)
        assert len(market.replies()) == asked


def test_a_new_connection_begins_every_book_anew(heard: Heard, market: MarketDialect) -> None:
    market.read(news(TOPIC, book(10, BIDS, ASKS)), NOW)
    market.opening()
    market.read(news(TOPIC, book(11, [["99.5", "1"]], []), "delta"), NOW)
    assert len(heard) == 1


def test_the_best_prices_come_from_a_book_of_their_own(heard: Heard, market: MarketDialect) -> None:
    market.read(news("orderbook.1.BTCUSDT", book(1, [["100", "1"]], [])), NOW)
    market.read(news("orderbook.1.BTCUSDT", book(2, [["100", "0"], ["99", "2"]], [["101", "1"]]), "delta"), NOW)
    first, second = heard
    assert isinstance(first, BestQuoteUpdate)
    assert first.ask is None
    assert (second.bid.price, second.ask.price) == (99.0, 101.0)


def test_a_ticker_is_told_once_everything_is_known_and_per_hour(heard: Heard, market: MarketDialect) -> None:
    market.read(news("tickers.BTCUSDT", {"symbol": "BTCUSDT", "markPrice": "100", "fundingRate": "0.0008"}), NOW)
    assert heard == []
    market.read(news("tickers.BTCUSDT", {"symbol": "BTCUSDT", "indexPrice": "101"}, "delta"), NOW)
    market.read(news("tickers.BTCUSDT", {"symbol": "BTCUSDT", "fundingIntervalHour": "4"}, "delta"), NOW)
    market.read(news("tickers.BTCUSDT", {"symbol": "BTCUSDT", "markPrice": "102"}, "delta"), NOW)
    assert [(one.mark_price, one.oracle_price, one.funding_rate) for one in heard] == [
        (100.0, 101.0, 0.0001),
        (100.0, 101.0, 0.0002),
        (102.0, 101.0, 0.0002),
    ]
    assert isinstance(heard[0], MarkUpdate)
    market.read(news("tickers.BTCUSDT", {"symbol": "BTCUSDT", "markPrice": "-1"}, "delta"), NOW)
    assert (len(heard), market.unreadable) == (3, 1)


@pytest.mark.parametrize(
    ("topic", "data"),
    [
        (TOPIC, book(10, BIDS, ASKS) | {"s": "ETHUSDT"}),
        ("tickers.BTCUSDT", {"symbol": "ETHUSDT", "markPrice": "1", "indexPrice": "1", "fundingRate": "0"}),
        ("publicTrade.BTCUSDT", [{"T": 2, "s": "ETHUSDT", "S": "Sell", "v": "0.5", "p": "100", "i": "b"}]),
        ("orderbook.500.BTCUSDT", book(10, BIDS, ASKS)),
        ("tickers.SOLUSDT", {"symbol": "SOLUSDT", "markPrice": "1", "indexPrice": "1", "fundingRate": "0"}),
    ],
)
def test_news_of_another_instrument_or_of_a_topic_nobody_asked_for_is_no_price(
    heard: Heard, market: MarketDialect, topic: str, data: object
) -> None:
    market.read(news(topic, data), NOW)
    assert list(heard) == []
    assert market.unreadable == 1


def test_trades_and_bars_are_told(heard: Heard, market: MarketDialect) -> None:
    trade = {"T": 2, "s": "BTCUSDT", "S": "Sell", "v": "0.5", "p": "100", "L": "PlusTick", "i": "b", "BT": False}
    market.read(news("publicTrade.BTCUSDT", [trade, trade | {"T": 1, "i": "a"}]), NOW)
    bar = {"start": 60000, "interval": "1", "open": "1", "close": "2", "high": "3", "low": "1", "volume": "5"}
    market.read(news("kline.1.BTCUSDT", [bar | {"confirm": True}]), NOW)
    trades, candle = heard
    assert isinstance(trades, TradeBatch)
    assert [tick.trade_id for tick in trades.trades] == ["a", "b"]
    assert isinstance(candle, CandleUpdate)
    assert (candle.closed, candle.high) == (True, 3.0)


@pytest.mark.parametrize(
    "message", [b"", b"{", b"[]", b"null", b"{}", b'{"topic":"liquidation.BTCUSDT","data":{}}', b'{"topic":7}', b"\xff"]
)
def test_what_cannot_be_read_is_counted_and_survived(heard: Heard, market: MarketDialect, message: bytes) -> None:
    market.read(message, NOW)
    assert market.unreadable == 1
    market.read(news(TOPIC, book(10, BIDS, ASKS)), NOW)
    assert len(heard) == 1


def test_pongs_of_both_kinds_say_nothing(heard: Heard, market: MarketDialect, user: UserDialect) -> None:
    assert json.loads(market.ping()) == {"op": "ping"}
    market.read(b'{"success":true,"ret_msg":"pong","conn_id":"x","req_id":"","op":"ping"}', NOW)
    user.read(b'{"req_id":"","op":"pong","args":["1"],"conn_id":"x"}', NOW)
    assert (market.unreadable, user.unreadable, list(heard)) == (0, 0, [])


# --- an account ---------------------------------------------------------------------------------------------------


def test_signs_in_then_subscribes_then_stands(user: UserDialect) -> None:
    (hello,) = said(*user.opening())
    key, expires, signature = hello["args"]
    expected = hmac.new(b"secret", f"GET/realtime{expires}".encode(), hashlib.sha256).hexdigest()
    assert (hello["op"], key, signature) == ("auth", "key", expected)
    assert expires == int(NOW.timestamp() * 1000) + 60_000
    assert not user.read(answer("auth", op="auth"), NOW)
    everything, guard = said(*user.replies())
    assert everything["args"] == list(USER_TOPICS)
    # wire.md 0.13: the venue's cancel on silence counts connections that are subscribed to it, and no others.
    assert guard["args"] == ["dcp.future"]
    assert user.read(answer(everything["req_id"]), NOW)
    # An account that has no such thing hears everything else all the same.
    assert user.read(answer(guard["req_id"], success=False, words="not allowed"), NOW)


def test_who_is_not_let_in_is_told_so(user: UserDialect) -> None:
    with pytest.raises(SubscriptionRefused, match="sign"):
        user.read(answer("auth", success=False, op="auth", words="Error sign"), NOW)
    user.opening()
    user.read(answer("auth", op="auth"), NOW)
    (everything, _) = said(*user.replies())
    with pytest.raises(SubscriptionRefused):
        user.read(answer(everything["req_id"], success=False, words="handler not found"), NOW)
    assert not user.standing


def test_everything_about_an_account_is_told(heard: Heard, user: UserDialect) -> None:
    funding = EXECUTION | {"execType": "Funding", "execId": "f"}
    user.read(private("execution.linear", EXECUTION, funding), NOW)
    user.read(private("order.linear", ORDER), NOW)
    user.read(private("position.linear", POSITION), NOW)
    user.read(private("wallet", WALLET), NOW)
    user.read(private("dcp.future", {"what": "ever"}), NOW)
    kinds = [type(event) for event in heard]
    assert kinds == [FillBatch, FundingBatch, OrderBatch, PositionBatch, BalanceBatch]
    assert user.unreadable == 0


def test_one_odd_row_costs_itself_and_is_told_of(heard: Heard, user: UserDialect) -> None:
    user.read(private("execution.linear", EXECUTION | {"execPrice": "free"}, EXECUTION), NOW)
    fills, odd = heard
    assert isinstance(fills, FillBatch)
    assert len(fills.fills) == 1
    assert isinstance(odd, Unreadable)
    assert "free" in odd.reasons[0]
    assert user.unreadable == 1


@recorded
def test_recorded_messages_are_read(heard: Heard, market: MarketDialect, user: UserDialect) -> None:
    for name in ("Linear/Ticker", "Linear/Trades"):
        for message in recordings.pushed(name):
            market.read(message, NOW)
    assert [type(event) for event in heard] == [MarkUpdate, TradeBatch]
    assert market.unreadable == 0
    heard.clear()
    for name in ("Private/UserTrades", "Private/Balance"):
        for message in recordings.pushed(name):
            user.read(message, NOW)
    assert [type(event) for event in heard] == [FillBatch, BalanceBatch]
    # An option, and a position in hedge mode: not what we trade, so each is told of and not taken for ours.
    for name in ("Private/Position",):
        for message in recordings.pushed(name):
            user.read(message, NOW)
    assert isinstance(heard[-1], Unreadable)
    user.opening()
    for message in recordings.said("Private/Order"):
        user.read(json.dumps(message).encode(), NOW)
