"""What is said on the socket, and what is made of the answers."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.exchanges.adapters import Tools
from apps.exchanges.ports import (
    BestQuoteUpdate,
    BookUpdate,
    CandleUpdate,
    Connected,
    Disconnected,
    Environment,
    FillBatch,
    MarketSubscription,
    MarkUpdate,
    OrderBatch,
    Refused,
    TradeBatch,
    VenueConfig,
)
from apps.exchanges.venues.ccxt_generic.credentials import ApiKey
from apps.exchanges.venues.phemex.stream_market import VERIFIED_PER_PING, MarketDialect, channels, market_stream
from apps.exchanges.venues.phemex.stream_user import UserDialect
from apps.exchanges.venues.phemex.together import StreamsTogether, Together
from apps.exchanges.venues.websocket import SubscriptionRefused
from moondev.domain.clock import FixedClock
from moondev.domain.errors import InvalidValue
from tests.unit.apps.exchanges.venues.phemex.rows import EVENT, NOW, STAMP, account, book, sent

MINUTE = timedelta(minutes=1)
WANTED = [
    MarketSubscription("BTCUSDT", candles=(MINUTE,), best_quote=True),
    MarketSubscription("ETHUSDT", trades=False, mark=False),
]
BAR = [1_666_856_340, 60, "1", "2", "3", "1", "2", "5", "9"]
VENUE = VenueConfig("phemex", "phemex", Environment.PAPER, "http://127.0.0.1:1/phemex", "ws://127.0.0.1:1/phemex/ws")


class Dialogue:
    """A market dialect with what it has handed on."""

    def __init__(self, *wanted: MarketSubscription) -> None:
        self.events: list[Any] = []
        self.dialect = MarketDialect(channels(wanted), wanted, self.events.append)
        self.opening = [json.loads(message) for message in self.dialect.opening()]

    def hear(self, message: Any) -> bool:
        """Let a message come; return whether everything stands."""
        return self.dialect.read(message if isinstance(message, bytes) else sent(message), NOW)

    def confirm(self) -> bool:
        """Let every subscription be granted."""
        return [self.hear({"error": None, "id": one["id"], "result": {"status": "success"}}) for one in self.opening][
            -1
        ]

    @property
    def said(self) -> list[Any]:
        return [json.loads(message) for message in self.dialect.replies()]


@pytest.fixture
def market() -> Dialogue:
    return Dialogue(*WANTED)


def test_each_wish_is_one_subscription_and_the_marks_of_all_are_one(market: Dialogue) -> None:
    assert [(one["method"], one["params"]) for one in market.opening] == [
        ("orderbook_p.subscribe", ["BTCUSDT", False, 30]),
        ("trade_p.subscribe", ["BTCUSDT"]),
        ("kline_p.subscribe", ["BTCUSDT", 60]),
        ("orderbook_p.subscribe", ["ETHUSDT", False, 30]),
        ("perp_market24h_pack_p.subscribe", []),
    ]
    assert len({one["id"] for one in market.opening}) == len(market.opening)


def test_the_stream_stands_once_every_subscription_was_answered(market: Dialogue) -> None:
    for one in market.opening[:-1]:
        assert not market.hear({"error": None, "id": one["id"], "result": {"status": "success"}})
    # A refused one is counted and logged; the other symbols go on.
    refusal = {"error": {"code": 6001, "message": "invalid argument"}, "id": market.opening[-1]["id"], "result": None}
    assert market.hear(refusal)
    assert market.dialect.unreadable == 1


def test_messages_become_events_of_their_kind(market: Dialogue) -> None:
    market.hear(book("snapshot", 1, [["99", "1"]], [["101", "1"]]))
    trade = [STAMP, "Buy", "101", "0.5"]
    market.hear({"sequence": 2, "symbol": "BTCUSDT", "trades_p": [trade], "type": "incremental"})
    bars = {"kline_p": [[BAR[0] + 60, *BAR[1:]], BAR, BAR], "sequence": 3, "symbol": "BTCUSDT", "type": "snapshot"}
    market.hear(bars)
    pack = {
        "data": [["BTCUSDT", "100", "100", "0"], ["ETHUSDT", "3", "3", "0"]],
        "fields": ["symbol", "markRp", "indexRp", "fundingRateRr"],
        "method": "perp_market24h_pack_p.update",
        "timestamp": STAMP,
        "type": "snapshot",
    }
    market.hear(pack)
    kinds = [type(event) for event in market.events]
    # Of the history of bars only the newest two are told, oldest first.
    assert kinds == [BookUpdate, BestQuoteUpdate, TradeBatch, CandleUpdate, CandleUpdate, MarkUpdate]
    assert market.events[3].opened_ms < market.events[4].opened_ms
    assert market.events[-1].symbol == "BTCUSDT"
    assert market.dialect.unreadable == 0


def test_a_doubtful_book_is_asked_for_anew_at_once(market: Dialogue) -> None:
    market.hear(book("snapshot", 10, [["99", "1"]], [["101", "1"]]))
    assert market.said == []
    market.hear(book("incremental", 5, [["98", "1"]], []))
    (again,) = market.said
    assert (again["method"], again["params"]) == ("orderbook_p.subscribe", ["BTCUSDT", False, 30])
    # So it is after one that cannot be.
    market.hear(book("snapshot", 11, [["99", "1"]], [["101", "1"]]))
    market.hear(book("incremental", 12, [["105", "1"]], []))
    assert len(market.said) == 1
    assert market.dialect.unreadable == 1


def test_books_are_verified_with_every_ping_without_asking_too_much() -> None:
    many = [MarketSubscription(f"C{number}USDT", trades=False, mark=False) for number in range(18)]
    market = Dialogue(*many)
    assert json.loads(market.dialect.ping())["method"] == "server.ping"
    assert market.said == []
    market.hear({"error": None, "id": 0, "result": "pong"})
    asked = [one["params"][0] for one in market.said]
    assert len(asked) == VERIFIED_PER_PING
    market.dialect.ping()
    market.hear({"error": None, "id": 0, "result": "pong"})
    assert {*asked, *(one["params"][0] for one in market.said)} == {item.symbol for item in many}


def test_where_asking_twice_is_refused_all_books_are_left_and_joined_again(market: Dialogue) -> None:
    market.hear(book("snapshot", 10, [["99", "1"]], [["101", "1"]]))
    refusal = {"error": {"code": 6001, "message": "subscribed already"}, "id": 1_000_000, "result": None}
    market.hear(refusal)
    assert market.dialect.unreadable == 1
    market.dialect.ping()
    market.hear({"error": None, "id": 0, "result": "pong"})
    assert market.said == []
    market.hear(book("incremental", 5, [["98", "1"]], []))
    methods = [(one["method"], *one["params"][:1]) for one in market.said]
    assert methods == [
        ("orderbook_p.unsubscribe",),
        ("orderbook_p.subscribe", "BTCUSDT"),
        ("orderbook_p.subscribe", "ETHUSDT"),
    ]
    market.events.clear()
    market.hear(book("incremental", 20, [["98", "1"]], []))
    assert market.events == []


def test_odd_messages_are_counted_and_nothing_else(market: Dialogue) -> None:
    for message in (b"", b"\xff", b"null", b"{}", b'{"id":null}', b'{"orderbook_p":1}', b'{"trades_p":[[1]]}'):
        market.hear(message)
    assert market.events == []
    assert market.dialect.unreadable == 7


def test_more_than_one_connection_holds_is_spread_and_more_than_all_hold_is_refused() -> None:
    tools = Tools(FixedClock(NOW))
    twenty = [MarketSubscription(f"C{number}USDT") for number in range(10)]
    assert isinstance(market_stream(VENUE, twenty, lambda _: None, tools), StreamsTogether)
    assert not isinstance(market_stream(VENUE, twenty[:3], lambda _: None, tools), StreamsTogether)
    with pytest.raises(InvalidValue, match="subscriptions"):
        market_stream(VENUE, [MarketSubscription(f"C{number}USDT") for number in range(60)], lambda _: None, tools)


# --- several connections ----------------------------------------------------------------------------


def test_the_whole_is_up_when_all_are_and_down_when_one_is() -> None:
    heard: list[Any] = []
    together = Together(2, heard.append)
    first, second = together.listener(0), together.listener(1)
    earlier, later = NOW, NOW + MINUTE
    first(Connected(None, NOW))
    assert heard == []
    second(Connected(None, later))
    assert heard == [Connected(None, later)]
    heard.clear()
    first(Disconnected("cut", later))
    second(Disconnected("cut", later))
    assert heard == [Disconnected("cut", later)]
    heard.clear()
    second(Connected(later, later))
    first(Connected(earlier, later))
    # What was missed is asked for from the longest silence on.
    assert heard == [Connected(earlier, later)]
    second(Refused("no", later))
    assert heard[-1] == Refused("no", later)


class Line:
    """A stream that says what the test says."""

    def __init__(self, age: float, *, connected: bool = True, fails: bool = False) -> None:
        self.age_seconds, self.connected, self.unreadable = age, connected, 1
        self._fails, self._ended = fails, asyncio.Event()
        self.cancelled = False

    async def run(self) -> None:
        if self._fails:
            raise RuntimeError("the handler failed")
        try:
            await self._ended.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise

    def stop(self) -> None:
        self._ended.set()


def test_the_whole_is_as_old_as_its_oldest() -> None:
    whole = StreamsTogether([Line(0.1), Line(9.0, connected=False)])
    assert (whole.age_seconds, whole.connected, whole.unreadable) == (9.0, False, 2)


def test_stopping_ends_all_and_a_failure_of_one_ends_the_others() -> None:
    async def run() -> None:
        lines = [Line(0), Line(0)]
        whole = StreamsTogether(lines)
        task = asyncio.create_task(whole.run())
        await asyncio.sleep(0)
        whole.stop()
        await asyncio.wait_for(task, 5)
        survivor = Line(0)
        with pytest.raises(RuntimeError, match="the handler failed"):
            await StreamsTogether([survivor, Line(0, fails=True)]).run()
        assert survivor.cancelled

    asyncio.run(run())


# --- the account's channel ---------------------------------------------------------------------------


def user() -> tuple[UserDialect, list[Any]]:
    events: list[Any] = []
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    return UserDialect(ApiKey("key", "secret"), events.append, clock), events


def test_signing_in_comes_first_and_the_channel_after_it() -> None:
    dialect, _ = user()
    (opening,) = map(json.loads, dialect.opening())
    kind, key, signature, expires = opening["params"]
    assert (opening["method"], kind, key) == ("user.auth", "API", "key")
    assert expires == int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) + 60
    assert signature == hmac.new(b"secret", f"key{expires}".encode(), hashlib.sha256).hexdigest()
    assert b"secret" not in json.dumps(opening).encode()
    assert not dialect.read(sent({"error": None, "id": 1, "result": {"status": "success"}}), NOW)
    (subscribe,) = map(json.loads, dialect.replies())
    assert subscribe["method"] == "aop_p.subscribe"
    assert dialect.read(sent({"error": None, "id": 2, "result": {"status": "success"}}), NOW)
    # A new connection stands for nothing yet.
    dialect.opening()
    assert not dialect.standing


@pytest.mark.parametrize("number", [1, 2])
def test_a_refusal_gives_the_connection_up(number: int) -> None:
    dialect, _ = user()
    dialect.opening()
    with pytest.raises(SubscriptionRefused, match="invalid login token"):
        dialect.read(sent({"error": {"code": 6012, "message": "invalid login token"}, "id": number}), NOW)


def test_the_account_is_told_of_and_what_nobody_asked_for_is_not() -> None:
    dialect, events = user()
    dialect.read(sent(account(orders_p=[EVENT])), NOW)
    assert [type(event) for event in events] == [FillBatch, OrderBatch]
    dialect.read(sent({"index_market24h": {"symbol": ".USDT"}, "timestamp": STAMP}), NOW)
    dialect.read(sent({"error": None, "id": 0, "result": "pong"}), NOW)
    assert dialect.unreadable == 0
    for message in (b"{}", b'{"orders_p": 7}', sent({"id": 9, "error": {"code": 1}, "result": None})):
        dialect.read(message, NOW)
    dialect.read(sent(account(orders_p=[EVENT | {"ordStatus": "Perhaps"}])), NOW)
    assert dialect.unreadable == 4
