"""What leaves: the venue's words for every kind of order, and our name on each."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from apps.exchanges.ports import Amendment, RestingOrder, UnreadOrder
from apps.exchanges.venues.bybit import actions
from moondev.domain.decisions import RiskApproved
from moondev.domain.orders import AmendOrder, CancelOrder, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Price, Quantity, Side

NAME = uuid4()


def order(
    kind: OrderType = OrderType.LIMIT,
    tif: TimeInForce = TimeInForce.GTC,
    side: Side = Side.BUY,
    purpose: Purpose = Purpose.OPENING,
) -> PlaceOrder:
    trigger = Price(Decimal(48_000)) if kind.triggered else None
    size, price = Quantity(Decimal("0.010")), Price(Decimal(49_000))
    return PlaceOrder(NAME, "bybit:BTCUSDT", side, kind, tif, size, price, purpose, "s", "1", trigger)


def amendment(kind: OrderType = OrderType.LIMIT) -> Amendment:
    request = AmendOrder(
        NAME, "bybit:BTCUSDT", Quantity(Decimal("0.02")), Price(Decimal(48_500)), Quantity(Decimal("0.01"))
    )
    trigger = Price(Decimal(48_000)) if kind.triggered else None
    return Amendment(RiskApproved(request), Side.BUY, kind, TimeInForce.GTC, reduce_only=False, trigger_price=trigger)


def test_a_limit_order_carries_our_whole_id() -> None:
    assert actions.place(order(), "BTCUSDT") == {
        "category": "linear",
        "symbol": "BTCUSDT",
        "side": "Buy",
        "qty": "0.010",
        "orderLinkId": str(NAME),
        "reduceOnly": False,
        "positionIdx": 0,
        "orderType": "Limit",
        "price": "49000",
        "timeInForce": "GTC",
    }


@pytest.mark.parametrize(
    ("kind", "tif", "word"),
    [
        (OrderType.LIMIT, TimeInForce.POST_ONLY, "PostOnly"),
        (OrderType.LIMIT, TimeInForce.IOC, "IOC"),
        (OrderType.LIMIT, TimeInForce.FOK, "FOK"),
        # The worst price that risk approved is kept: the venue's own market order has none.
        (OrderType.MARKET, TimeInForce.IOC, "IOC"),
        (OrderType.MARKET, TimeInForce.GTC, "IOC"),
        (OrderType.MARKET, TimeInForce.FOK, "FOK"),
        (OrderType.STOP_LIMIT, TimeInForce.IOC, "GTC"),
    ],
)
def test_times_in_force(kind: OrderType, tif: TimeInForce, word: str) -> None:
    body = actions.place(order(kind, tif), "BTCUSDT")
    assert (body["orderType"], body["price"], body["timeInForce"]) == ("Limit", "49000", word)


@pytest.mark.parametrize(
    ("kind", "side", "direction"),
    [
        (OrderType.STOP, Side.SELL, 2),
        (OrderType.STOP, Side.BUY, 1),
        (OrderType.TAKE_PROFIT, Side.SELL, 1),
        (OrderType.TAKE_PROFIT, Side.BUY, 2),
        (OrderType.STOP_LIMIT, Side.SELL, 2),
        (OrderType.TAKE_PROFIT_LIMIT, Side.SELL, 1),
    ],
)
def test_triggers_say_from_which_side_the_mark_comes(kind: OrderType, side: Side, direction: int) -> None:
    body = actions.place(order(kind, side=side, purpose=Purpose.PROTECTIVE), "BTCUSDT")
    assert (body["triggerPrice"], body["triggerDirection"], body["triggerBy"]) == ("48000", direction, "MarkPrice")
    assert body["reduceOnly"] is True
    limited = kind in {OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT}
    assert body["orderType"] == ("Limit" if limited else "Market")
    assert ("price" in body) is limited


def test_an_amendment_tells_the_whole_size() -> None:
    body = actions.amend(amendment(), "BTCUSDT")
    assert (body["orderLinkId"], body["qty"], body["price"]) == (str(NAME), "0.03", "48500")
    assert "triggerPrice" not in body
    stop = actions.amend(amendment(OrderType.STOP), "BTCUSDT")
    assert (stop["qty"], stop["triggerPrice"]) == ("0.03", "48000")
    assert "price" not in stop


def test_cancels_use_the_venue_s_word_for_our_id() -> None:
    # wire.md 0.12: `clientOrderId`, which ccxt would send, is unknown to the venue.
    body = actions.cancel(CancelOrder(NAME, "bybit:BTCUSDT", "why"), "BTCUSDT")
    assert body == {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": str(NAME)}


def test_orders_of_others_are_cancelled_by_the_venue_s_id_or_by_what_could_be_read() -> None:
    one, at = Quantity(Decimal(1)), datetime(2026, 1, 1, tzinfo=UTC)
    resting = RestingOrder("BTCUSDT", "id-1", None, Side.BUY, Price(Decimal(1)), one, one, False, None, at)
    assert actions.cancel_resting(resting) == {"category": "linear", "symbol": "BTCUSDT", "orderId": "id-1"}
    named = UnreadOrder("BTCUSDT", "", NAME, False)
    assert actions.cancel_resting(named) == {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": str(NAME)}
    assert actions.cancel_resting(UnreadOrder("BTCUSDT", "", None, False)) is None
    assert actions.cancel_resting(UnreadOrder("", "id-1", NAME, False)) is None


def test_a_batch_names_the_category_once() -> None:
    bodies = [actions.place(order(), "BTCUSDT"), actions.place(order(), "ETHUSDT")]
    batch = actions.batch(bodies)
    assert batch["category"] == "linear"
    assert [row["symbol"] for row in batch["request"]] == ["BTCUSDT", "ETHUSDT"]
    assert all("category" not in row for row in batch["request"])
