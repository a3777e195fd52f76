"""dYdX's streams message by message: books by difference, lost and late messages, ends that are told with a block."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from apps.exchanges.ports import (
    BalanceBatch,
    BestQuoteUpdate,
    BookUpdate,
    CandleUpdate,
    FillBatch,
    MarketSubscription,
    MarkUpdate,
    OrderBatch,
    PositionBatch,
    TradeBatch,
    Unreadable,
)
from apps.exchanges.short_ids import NoShortIds
from apps.exchanges.venues.dydx.dialect import Numbering
from apps.exchanges.venues.dydx.stream import ASK_AGAIN_SECONDS, MarketDialect
from apps.exchanges.venues.dydx.user_stream import AccountDialect
from apps.exchanges.venues.websocket import ConnectionSpent, SubscriptionRefused
from moondev.domain.errors import InvalidValue
from moondev.domain.orders import OrderStatus
from tests.unit.apps.exchanges.venues.dydx.recordings import PRESENT, WHY_NOT, recorded
from tests.unit.apps.exchanges.venues.dydx.rows import (
    ADDRESS,
    BANK,
    CANDLE,
    FILL,
    MARKET,
    ORDER,
    POSITION,
    TRADE,
    account,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TICKER, ACCOUNT = "BTC-USD", f"{ADDRESS}/0"
WANTED = MarketSubscription(TICKER, candles=(timedelta(minutes=1),), best_quote=True)
OURS = uuid4()
KINDS = ("subscribed", "update")


class Wire:
    """Numbers messages as the venue does, and keeps what the dialect makes of them."""

    def __init__(self, dialect: Any) -> None:
        self.dialect, self.number = dialect, 0
        self.events: list[Any] = []
        dialect._handler = self.events.append
        self.opening = [json.loads(message) for message in dialect.opening()]
        self.tell({"type": "connected"})

    def tell(self, message: dict[str, Any], number: int | None = None) -> bool:
        if number is None:
            number, self.number = self.number, self.number + 1
        whole = {"connection_id": "c", "message_id": number, **message}
        return bool(self.dialect.read(json.dumps(whole).encode(), NOW))

    def first(self, channel: str, name: str, contents: Any) -> bool:
        return self.tell({"type": "subscribed", "channel": channel, "id": name, "contents": contents})

    def news(self, channel: str, name: str, contents: Any, number: int | None = None) -> bool:
        message = {"type": "channel_data", "channel": channel, "id": name, "version": "1.0.0", "contents": contents}
        return self.tell(message, number)

    def lose(self) -> int:
        self.number += 1
        return self.number - 1

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def said(self) -> list[dict[str, Any]]:
        return [json.loads(reply) for reply in self.dialect.replies()]


class Owner(NoShortIds):
    """Knows one number."""

    def ids(self, numbers: Sequence[int]) -> Mapping[int, UUID]:
        return {77: OURS} if 77 in numbers else {}


def book(bids: list[list[str]], asks: list[list[str]]) -> dict[str, Any]:
    return {side: [{"price": p, "size": s} for p, s in rows] for side, rows in (("bids", bids), ("asks", asks))}


@pytest.fixture
def market() -> Wire:
    wire = Wire(MarketDialect([WANTED], lambda _: None))
    wire.first("v4_block_height", "v4_block_height", {"height": "1", "time": "2026-01-01T00:00:00.000Z"})
    wire.first("v4_trades", TICKER, {"trades": [TRADE]})
    wire.first("v4_candles", f"{TICKER}/1MIN", {"candles": [CANDLE]})
    wire.first("v4_markets", "v4_markets", {"markets": {TICKER: MARKET}})
    assert wire.first("v4_orderbook", TICKER, book([["100", "1"], ["99", "2"]], [["101", "3"]])), "all of it stands"
    return wire


def top(wire: Wire) -> tuple[float, float]:
    known = wire.of(BookUpdate)[-1].book
    return known.bids[0].price, known.asks[0].price


# --- the market -----------------------------------------------------------------------------------


def test_every_topic_is_asked_for_once_and_history_is_not_told_again(market: Wire) -> None:
    asked = {(message["channel"], message.get("id", "")) for message in market.opening}
    assert asked == {
        ("v4_block_height", ""),
        ("v4_orderbook", TICKER),
        ("v4_trades", TICKER),
        ("v4_markets", ""),
        ("v4_candles", f"{TICKER}/1MIN"),
    }
    assert market.of(TradeBatch) == market.of(CandleUpdate) == []
    assert market.of(MarkUpdate)[0].mark_price == 50_000.5
    assert market.of(BestQuoteUpdate)[0].bid.price == 100.0


def test_books_follow_differences_and_best_quotes_only_what_moves(market: Wire) -> None:
    market.news("v4_orderbook", TICKER, {"bids": [["100", "0"], ["99.5", "4"]]})
    assert top(market) == (99.5, 101.0)
    market.news("v4_orderbook", TICKER, {"asks": [["105", "1"]]})
    assert len(market.of(BookUpdate)) == 3
    assert len(market.of(BestQuoteUpdate)) == 2


def test_a_price_that_outlived_the_one_that_took_it_gives_way_to_the_newest_word(market: Wire) -> None:
    # wire: the indexer's differences can cross; the price heard of last is the true one.
    market.news("v4_orderbook", TICKER, {"bids": [["101", "2"]]})
    assert [level.price for level in market.of(BookUpdate)[-1].book.bids][:1] == [101.0]
    assert market.of(BookUpdate)[-1].book.asks == ()
    market.news("v4_orderbook", TICKER, {"asks": [["100.5", "1"]]})
    assert top(market) == (100.0, 100.5)


def test_trades_candles_and_marks_become_events(market: Wire) -> None:
    market.news("v4_trades", TICKER, {"trades": [TRADE | {"id": "b"}, TRADE]})
    assert [trade.trade_id for trade in market.of(TradeBatch)[0].trades] == ["b", TRADE["id"]]
    market.news("v4_candles", f"{TICKER}/1MIN", CANDLE)
    assert market.of(CandleUpdate)[0].close == 102.0
    market.news(
        "v4_markets", "v4_markets", {"oraclePrices": {TICKER: {"oraclePrice": "50001"}, "X-USD": {"oraclePrice": "1"}}}
    )
    market.news("v4_markets", "v4_markets", {"trading": {TICKER: {"nextFundingRate": "-0.001"}}})
    market.news("v4_markets", "v4_markets", {"trading": {TICKER: {"status": "ACTIVE"}}})
    assert [(mark.mark_price, mark.funding_rate) for mark in market.of(MarkUpdate)[1:]] == [
        (50_001.0, 0.0000125),
        (50_001.0, -0.001),
    ]


def test_after_a_lost_message_books_are_asked_for_anew_and_differences_wait(market: Wire) -> None:
    market.lose()
    market.news("v4_orderbook", TICKER, {"bids": [["100.7", "1"]]})
    assert market.said() == [
        {"type": "unsubscribe", "channel": "v4_orderbook", "id": TICKER},
        {"type": "subscribe", "channel": "v4_orderbook", "id": TICKER},
    ]
    assert len(market.of(BookUpdate)) == 1, "nothing is told of a book that lacks a difference"
    market.tell({"type": "unsubscribed", "channel": "v4_orderbook", "id": TICKER})
    market.first("v4_orderbook", TICKER, book([["100.8", "1"]], [["101", "3"]]))
    assert top(market) == (100.8, 101.0)
    assert market.said() == []
    assert market.dialect.unreadable == 0


def test_books_whose_snapshot_is_lost_as_well_are_asked_for_again_a_moment_later(
    market: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("apps.exchanges.venues.dydx.stream.monotonic", lambda: now[0])
    market.lose()
    market.news("v4_trades", TICKER, {"trades": [TRADE]})
    assert len(market.said()) == 2
    late = market.lose()
    market.news("v4_trades", TICKER, {"trades": [TRADE | {"id": "b"}]})
    snapshot = {"type": "subscribed", "channel": "v4_orderbook", "id": TICKER}
    market.tell(snapshot | {"contents": book([["100.8", "1"]], [["101", "3"]])}, late)
    assert len(market.of(BookUpdate)) == 1, "differences that came before it would be missing from it"
    assert market.said() == [], "the venue takes two subscriptions a second"
    now[0] += ASK_AGAIN_SECONDS
    market.news("v4_block_height", "v4_block_height", {"blockHeight": "2", "time": "2026-01-01T00:00:01.000Z"})
    assert [message["type"] for message in market.said()] == ["unsubscribe", "subscribe"]
    market.first("v4_orderbook", TICKER, book([["100.9", "1"]], [["101", "3"]]))
    assert top(market) == (100.9, 101.0)
    now[0] += ASK_AGAIN_SECONDS
    market.news("v4_trades", TICKER, {"trades": [TRADE | {"id": "c"}]})
    assert market.said() == []


def test_a_message_that_comes_twice_is_read_once(market: Wire) -> None:
    market.news("v4_trades", TICKER, {"trades": [TRADE]})
    market.news("v4_trades", TICKER, {"trades": [TRADE]}, number=market.number - 1)
    assert len(market.of(TradeBatch)) == 1


def test_an_odd_difference_leaves_no_book_and_asks_for_a_new_one(market: Wire) -> None:
    for odd in ({"bids": [["-1", "1"]]}, {"bids": [["1"]]}, {"asks": [["101", "NaN"]]}):
        market.news("v4_orderbook", TICKER, odd)
        assert len(market.said()) == 2
        market.first("v4_orderbook", TICKER, book([["100", "1"]], [["101", "3"]]))
    assert market.dialect.unreadable == 3
    assert top(market) == (100.0, 101.0)


def test_a_refused_topic_does_not_keep_the_others_from_standing(caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire(MarketDialect([MarketSubscription(TICKER, trades=False, mark=False)], lambda _: None))
    wire.first("v4_block_height", "v4_block_height", {"height": "1"})
    with caplog.at_level(logging.ERROR):
        assert wire.tell({"type": "error", "channel": "v4_orderbook", "id": TICKER, "message": "no such market"})
    assert "no such market" in caplog.text
    assert wire.dialect.unreadable == 1


def test_batches_are_read_one_by_one(market: Wire) -> None:
    market.tell(
        {"type": "channel_batch_data", "channel": "v4_trades", "id": TICKER, "contents": [{"trades": [TRADE]}] * 2}
    )
    assert len(market.of(TradeBatch)) == 2


def test_an_interval_the_venue_does_not_have_is_refused_before_anything_is_opened() -> None:
    with pytest.raises(InvalidValue):
        MarketDialect([MarketSubscription(TICKER, candles=(timedelta(minutes=2),))], lambda _: None)


# --- an account -----------------------------------------------------------------------------------


@pytest.fixture
def mine() -> Wire:
    wire = Wire(AccountDialect(ADDRESS, lambda _: None, Owner()))
    wire.first("v4_block_height", "v4_block_height", {"height": "100"})
    first = {"subaccount": account("1000", POSITION), "orders": [ORDER], "blockHeight": "100"}
    assert wire.first("v4_subaccounts", ACCOUNT, first)
    return wire


def reports(wire: Wire) -> list[Any]:
    return [report for batch in wire.of(OrderBatch) for report in batch.reports]


def block(wire: Wire, height: int) -> None:
    wire.news("v4_block_height", "v4_block_height", {"blockHeight": str(height)})


def blocks(wire: Wire, first: int, last: int) -> None:
    for height in range(first, last):
        block(wire, height)


def test_an_account_begins_with_what_it_has(mine: Wire) -> None:
    assert [(report.client_order_id, report.status) for report in reports(mine)] == [
        (OURS, OrderStatus.PARTIALLY_FILLED)
    ]
    (positions,) = mine.of(PositionBatch)
    assert positions.snapshot
    assert positions.positions[0].symbol == TICKER
    assert mine.of(BalanceBatch)[0].balances[0].wallet == 1000


def test_news_tell_orders_before_fills_and_each_fill_finds_its_owner(mine: Wire) -> None:
    mine.events.clear()
    news = {
        "orders": [ORDER | {"status": "FILLED", "totalFilled": "0.5"}],
        "fills": [FILL],
        "perpetualPositions": [POSITION],
        "assetPositions": [BANK | {"size": "7"}],
        "blockHeight": "101",
    }
    mine.news("v4_subaccounts", ACCOUNT, news)
    assert [type(event) for event in mine.events] == [OrderBatch, FillBatch, PositionBatch, BalanceBatch]
    assert reports(mine)[0].status is OrderStatus.FILLED
    (fill,) = mine.of(FillBatch)[0].fills
    assert fill.client_order_id == OURS


def test_an_order_cancelled_with_best_effort_ends_when_its_last_block_is_over(mine: Wire) -> None:
    mine.events.clear()
    ending = ORDER | {"orderFlags": "0", "status": "BEST_EFFORT_CANCELED", "goodTilBlock": "103", "totalFilled": "0"}
    mine.news("v4_subaccounts", ACCOUNT, {"orders": [ending]})
    assert [report.status for report in reports(mine)] == [None]
    block(mine, 103)
    assert len(reports(mine)) == 1, "a fill of the last block may still be on its way"
    block(mine, 104)
    assert [report.status for report in reports(mine)] == [None, OrderStatus.CANCELLED]
    block(mine, 105)
    assert len(reports(mine)) == 2


def test_a_fill_before_the_last_block_is_over_takes_the_end_back(mine: Wire) -> None:
    mine.events.clear()
    ending = ORDER | {"orderFlags": "0", "status": "BEST_EFFORT_CANCELED", "goodTilBlock": "103", "totalFilled": "0"}
    mine.news("v4_subaccounts", ACCOUNT, {"orders": [ending]})
    mine.news("v4_subaccounts", ACCOUNT, {"orders": [ending | {"status": "FILLED", "totalFilled": "0.5"}]})
    block(mine, 110)
    assert [report.status for report in reports(mine)] == [None, OrderStatus.FILLED]


def test_odd_rows_cost_themselves_only(mine: Wire) -> None:
    mine.events.clear()
    news = {
        "orders": [{"id": 1}, ORDER],
        "fills": [FILL | {"size": "0"}, FILL],
        "perpetualPositions": [{}],
        "assetPositions": [{}],
    }
    mine.news("v4_subaccounts", ACCOUNT, news)
    assert len(reports(mine)) == len(mine.of(FillBatch)[0].fills) == 1
    assert sum(len(event.reasons) for event in mine.of(Unreadable)) == mine.dialect.unreadable == 4


def test_a_message_that_is_late_is_read_and_one_that_is_lost_ends_the_connection(mine: Wire) -> None:
    late = mine.lose()
    block(mine, 101)
    mine.events.clear()
    mine.news("v4_subaccounts", ACCOUNT, {"fills": [FILL]}, number=late)
    assert len(mine.of(FillBatch)) == 1
    lost = mine.lose()
    with pytest.raises(ConnectionSpent, match=f"message {lost} of the account was lost"):
        blocks(mine, 102, 130)


def test_a_refusal_ends_the_connection(mine: Wire) -> None:
    with pytest.raises(SubscriptionRefused, match="limit"):
        mine.tell({"type": "error", "channel": "v4_subaccounts", "id": ACCOUNT, "message": "limit reached"})


def test_the_answer_to_a_ping_is_no_news(mine: Wire) -> None:
    before = len(mine.events)
    mine.tell({"type": "pong", "id": 1})
    assert (len(mine.events), mine.dialect.unreadable) == (before, 0)


def test_numbers_are_followed_per_connection() -> None:
    numbering = Numbering()
    assert [numbering.take(number) for number in (0, 1, 1, 4, 3, 3, 0)] == [True, True, False, True, True, False, False]
    assert numbering.missing == {2}


@pytest.mark.skipif(not PRESENT, reason=WHY_NOT)
def test_recorded_messages_of_the_socket_are_read() -> None:
    wire = Wire(MarketDialect([WANTED], lambda _: None))
    names = [f"ws_{name}_{kind}" for name in ("block_height", "orderbook", "trades", "candles") for kind in KINDS]
    for name in (*names, "ws_markets_update", "ws_markets_status_update"):
        message = recorded(name)
        del message["message_id"]
        wire.tell({"id": "v4_markets", **message})
    assert wire.dialect.unreadable == 0
    assert top(wire) == (43_240.0, 43_252.0)
    assert wire.of(MarkUpdate)[-1].mark_price == 43_300.0
    assert wire.of(CandleUpdate)[0].close == 43_550.0
