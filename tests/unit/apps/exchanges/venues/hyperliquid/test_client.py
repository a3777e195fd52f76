"""What the client sends when not every order of a batch can be named, or not every row of an answer read."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest

from apps.exchanges.ports import CANNOT_BE_NAMED, Credentials, Environment, RestingOrder, UnreadOrder, VenueConfig
from apps.exchanges.venues.hyperliquid.client import HyperliquidClient
from moondev.domain.clock import FixedClock
from moondev.domain.errors import Connectivity, NotSent
from moondev.domain.orders import CancelOrder, OrderStatus
from moondev.domain.values import Price, Quantity, Side

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VENUE = VenueConfig("hyperliquid", "hyperliquid", Environment.PAPER, "http://127.0.0.1:1/hl", "ws://127.0.0.1:1/hl/ws")
META = {
    "universe": [
        {"name": "OLD", "szDecimals": 1, "maxLeverage": 3, "isDelisted": True},
        {"name": "BTC", "szDecimals": 5, "maxLeverage": 40},
    ]
}
SPOT = {"tokens": [], "universe": [{"name": "PURR/USDC", "index": 0}, {"name": "@107", "index": 107}]}


class Venue:
    """Stands for the connection: answers reads from a table, accepts every cancel, and keeps what was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {"meta": META, "spotMeta": SPOT} | answers
        self.asked: list[str] = []
        self.sent: list[dict[str, Any]] = []

    def info(self, request: dict[str, Any], *_: object) -> Any:
        self.asked.append(request["type"])
        answer = self.answers[request["type"]]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def exchange(self, action: dict[str, Any], *_: object, **__: object) -> Any:
        self.sent.append(action)
        statuses = ["success"] * len(action["cancels"])
        return {"status": "ok", "response": {"type": "cancel", "data": {"statuses": statuses}}}


def client(venue: Venue) -> HyperliquidClient:
    with patch("apps.exchanges.venues.hyperliquid.client.Rest", lambda *_: venue):
        return HyperliquidClient(VENUE, Credentials("0x" + "ab" * 20, "0x" + "11" * 32), FixedClock(NOW))


def resting(symbol: str, venue_id: str, name: UUID | None = None) -> RestingOrder:
    one = Quantity(Decimal(1))
    return RestingOrder(symbol, venue_id, name, Side.BUY, Price(Decimal(1)), one, one, False, None, NOW)


def test_one_order_that_no_request_can_name_does_not_keep_the_others_from_being_cancelled() -> None:
    venue = Venue()
    reports = client(venue).cancel_resting([resting("flx:GOLD", "1"), resting("BTC", "2"), resting("?", "3")], 1)
    assert venue.sent == [{"type": "cancel", "cancels": [{"a": 1, "o": 2}]}]
    assert [report.status for report in reports] == [None, OrderStatus.CANCELLED, None]
    assert [report.venue_order_id for report in reports] == ["1", "2", "3"]
    assert [report.reason for report in reports] == [CANNOT_BE_NAMED, "", CANNOT_BE_NAMED]


def test_cancels_spot_orders_and_orders_of_delisted_perpetuals_by_their_numbers() -> None:
    venue = Venue()
    orders = [resting("@107", "1"), resting("PURR/USDC", "2"), resting("OLD", "3")]
    reports = client(venue).cancel_resting(orders, 1)
    assert [cancel["a"] for cancel in venue.sent[0]["cancels"]] == [10_107, 10_000, 0]
    assert {report.status for report in reports} == {OrderStatus.CANCELLED}


def test_does_not_ask_for_the_list_again_for_every_order_that_is_not_in_it() -> None:
    venue = Venue()
    trader = client(venue)
    for nonce in range(5):
        trader.cancel_resting([resting("flx:GOLD", "1"), resting("BTC", "2")], nonce)
    assert venue.asked == ["meta", "spotMeta"]


def test_sends_nothing_when_no_order_can_be_named() -> None:
    venue = Venue()
    (report,) = client(venue).cancel_resting([resting("flx:GOLD", "1")], 1)
    assert (report.status, report.reason) == (None, CANNOT_BE_NAMED)
    assert venue.sent == []


def test_a_list_that_cannot_be_read_now_is_not_taken_for_an_order_that_can_never_be_cancelled() -> None:
    venue = Venue(spotMeta=Connectivity("down"))
    spot, perpetual = client(venue).cancel_resting([resting("@107", "1"), resting("BTC", "2")], 1)
    assert perpetual.status is OrderStatus.CANCELLED
    assert spot.status is None
    assert spot.reason != CANNOT_BE_NAMED
    assert "down" in spot.reason


def test_nothing_has_left_when_the_list_of_instruments_cannot_be_read() -> None:
    venue = Venue(meta=Connectivity("down"))
    with pytest.raises(NotSent, match="down"):
        client(venue).cancel_resting([resting("BTC", str(number)) for number in range(20)], 1)
    assert venue.sent == []
    assert venue.asked == ["meta"]


def test_a_cancel_of_our_own_order_does_not_wait_for_one_that_cannot_be_named() -> None:
    venue = Venue()
    names = uuid4(), uuid4(), uuid4()
    keys = "hyperliquid:GONE", "hyperliquid:BTC", "hyperliquid:OLD"
    orders = [CancelOrder(name, key, "test") for name, key in zip(names, keys, strict=True)]
    reports = client(venue).cancel(orders, 1)
    assert [cancel["asset"] for cancel in venue.sent[0]["cancels"]] == [1, 0]
    assert [report.status for report in reports] == [None, OrderStatus.CANCELLED, OrderStatus.CANCELLED]
    assert [report.client_order_id for report in reports] == list(names)


def row(oid: int | None = 31, **changes: Any) -> dict[str, Any]:
    plain = {"coin": "BTC", "side": "A", "limitPx": "64000.0", "sz": "0.5", "oid": oid, "timestamp": 1, "origSz": "0.5"}
    return plain | changes


def test_an_order_that_cannot_be_read_is_cancelled_all_the_same_and_never_gets_a_price() -> None:
    venue = Venue(frontendOpenOrders=[row(30), row(31, limitPx="none"), row(None, coin=5)])
    trader = client(venue)
    assert [order.venue_order_id for order in trader.open_orders()] == ["30"]
    good, odd, nameless = trader.live_orders()
    assert isinstance(good, RestingOrder)
    assert odd == UnreadOrder("BTC", "31", None, reduce_only=False)
    reports = trader.cancel_resting([good, odd, nameless], 1)
    assert venue.sent == [{"type": "cancel", "cancels": [{"a": 1, "o": 30}, {"a": 1, "o": 31}]}]
    assert [report.reason for report in reports] == ["", "", CANNOT_BE_NAMED]


def test_an_order_whose_number_cannot_be_read_is_never_guessed_at() -> None:
    venue = Venue(frontendOpenOrders=[row(None)])
    trader = client(venue)
    (report,) = trader.cancel_resting(trader.live_orders(), 1)
    assert (report.status, report.reason, venue.sent) == (None, CANNOT_BE_NAMED, [])


def test_tells_once_of_every_row_that_could_not_be_read() -> None:
    fills = [{"coin": "BTC", "px": "0", "tid": 1}, {"coin": "BTC", "px": "0", "tid": 2}]
    trader = client(Venue(frontendOpenOrders=[row(limitPx="none")], userFillsByTime=fills, userFunding=["what?"]))
    for _ in range(3):
        trader.live_orders()
        assert trader.fills(NOW) == []
        assert trader.funding(NOW) == []
    assert len(trader.take_unreadable()) == 4
    trader.live_orders()
    assert trader.take_unreadable() == []
