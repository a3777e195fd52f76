"""Orders in the venue's words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from apps.exchanges.ports import Amendment
from apps.exchanges.venues.binance import requests
from apps.exchanges.venues.binance.config import LONGEST_WINDOW_MS
from apps.exchanges.venues.binance.requests import Window
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import InvalidValue, NotSent
from moondev.domain.orders import AmendOrder, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Bps, Price, Quantity, Side

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def order(
    kind: OrderType = OrderType.LIMIT,
    tif: TimeInForce = TimeInForce.GTC,
    purpose: Purpose = Purpose.OPENING,
    trail: str | None = None,
) -> PlaceOrder:
    return PlaceOrder(
        client_order_id=uuid4(),
        instrument="binance:BTCUSDT",
        side=Side.SELL,
        order_type=kind,
        time_in_force=tif,
        quantity=Quantity(Decimal("0.010")),
        price=Price(Decimal("1E+4")),
        purpose=purpose,
        signal_id="s",
        leg="1",
        trigger_price=Price(Decimal(9_000)) if kind.triggered else None,
        trail=None if trail is None else Bps(Decimal(trail)),
    )


@pytest.mark.parametrize(
    ("tif", "word"),
    [(TimeInForce.GTC, "GTC"), (TimeInForce.IOC, "IOC"), (TimeInForce.FOK, "FOK"), (TimeInForce.POST_ONLY, "GTX")],
)
def test_a_limit_order_says_how_long_it_lives(tif: TimeInForce, word: str) -> None:
    wanted = order(tif=tif)
    assert requests.new_order(wanted, "BTCUSDT") == {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "quantity": "0.010",
        "newClientOrderId": str(wanted.client_order_id),
        "newOrderRespType": "RESULT",
        "type": "LIMIT",
        # Never with an exponent.
        "price": "10000",
        "timeInForce": word,
    }


def test_a_market_order_keeps_to_its_worst_price_unless_it_must_get_out() -> None:
    opening = requests.new_order(order(OrderType.MARKET, TimeInForce.IOC), "BTCUSDT")
    assert (opening["type"], opening["timeInForce"], opening["price"]) == ("LIMIT", "IOC", "10000")
    assert "reduceOnly" not in opening
    closing = requests.new_order(order(OrderType.MARKET, TimeInForce.IOC, Purpose.REDUCING), "BTCUSDT")
    assert (closing["type"], closing["reduceOnly"]) == ("MARKET", "true")
    assert {"price", "timeInForce"}.isdisjoint(closing)


def test_conditional_orders_follow_the_mark_and_carry_our_name() -> None:
    stop = order(OrderType.STOP, purpose=Purpose.PROTECTIVE)
    words = requests.new_conditional(stop, "BTCUSDT")
    assert words == {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "quantity": "0.010",
        "reduceOnly": "true",
        "algoType": "CONDITIONAL",
        "type": "STOP_MARKET",
        "clientAlgoId": str(stop.client_order_id),
        "workingType": "MARK_PRICE",
        "triggerPrice": "9000",
    }
    limited = requests.new_conditional(order(OrderType.TAKE_PROFIT_LIMIT), "BTCUSDT")
    assert (limited["type"], limited["price"], limited["timeInForce"]) == ("TAKE_PROFIT", "10000", "GTC")
    trailing = requests.new_conditional(order(OrderType.TRAILING_STOP, trail="150"), "BTCUSDT")
    assert (trailing["type"], trailing["callbackRate"]) == ("TRAILING_STOP_MARKET", "1.5")
    # With a trigger price the venue refuses it, with an activation price it might wait unprotected.
    assert {"triggerPrice", "activatePrice", "price"}.isdisjoint(trailing)


def test_what_the_venue_does_not_do_is_refused_here() -> None:
    for trail in ("9", "1001"):
        with pytest.raises(InvalidValue, match="10 to 1000"):
            requests.require_possible(order(OrderType.TRAILING_STOP, trail=trail))
    requests.require_possible(order(OrderType.TRAILING_STOP, trail="1000"))


def test_an_amendment_tells_the_whole_size() -> None:
    asked = AmendOrder(
        uuid4(), "binance:BTCUSDT", Quantity(Decimal("0.02")), Price(Decimal(48_000)), Quantity(Decimal("0.01"))
    )
    amendment = Amendment(RiskApproved(asked), Side.BUY, OrderType.LIMIT, TimeInForce.GTC, reduce_only=False)
    requests.require_amendable(amendment)
    assert requests.change(amendment, "BTCUSDT") == {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "origClientOrderId": str(asked.client_order_id),
        "quantity": "0.03",
        "price": "48000",
    }
    stop = Amendment(
        RiskApproved(asked), Side.BUY, OrderType.STOP, TimeInForce.GTC, reduce_only=True, trigger_price=asked.price
    )
    with pytest.raises(InvalidValue, match="limit"):
        requests.require_amendable(stop)


def test_the_window_ends_when_the_request_expires_and_never_later() -> None:
    window = Window.until(NOW + timedelta(seconds=5), NOW)
    assert window.words() == {"timestamp": 1_767_225_600_000, "recvWindow": 5_000}
    assert Window.until(NOW + timedelta(hours=1), NOW).length_ms == LONGEST_WINDOW_MS
    for late in (timedelta(0), timedelta(seconds=-1)):
        with pytest.raises(NotSent):
            Window.until(NOW + late, NOW)
