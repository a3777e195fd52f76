"""Domain requests become exactly the actions the venue documents."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from apps.exchanges.ports import Amendment, MarginMode, RestingOrder
from apps.exchanges.venues.hyperliquid import actions
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import InvalidValue
from moondev.domain.orders import AmendOrder, CancelOrder, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Price, Quantity, Side

NAME = UUID("00000000-0000-0000-0000-0000000000ff")
WIRE_NAME = "0x000000000000000000000000000000ff"


def order(
    order_type: OrderType = OrderType.LIMIT,
    tif: TimeInForce = TimeInForce.GTC,
    purpose: Purpose = Purpose.OPENING,
    trigger: str | None = None,
) -> PlaceOrder:
    return PlaceOrder(
        client_order_id=NAME,
        instrument="hyperliquid:BTC",
        side=Side.SELL,
        order_type=order_type,
        time_in_force=tif,
        quantity=Quantity(Decimal("0.0100")),
        price=Price(Decimal("64000.0")),
        purpose=purpose,
        signal_id="s",
        leg="entry",
        trigger_price=None if trigger is None else Price(Decimal(trigger)),
    )


@pytest.mark.parametrize(
    ("order_type", "tif", "wire"),
    [
        (OrderType.LIMIT, TimeInForce.GTC, "Gtc"),
        (OrderType.LIMIT, TimeInForce.IOC, "Ioc"),
        (OrderType.LIMIT, TimeInForce.POST_ONLY, "Alo"),
        (OrderType.MARKET, TimeInForce.GTC, "Ioc"),
    ],
)
def test_places_limits_and_markets_in_the_order_of_keys_that_is_signed(
    order_type: OrderType, tif: TimeInForce, wire: str
) -> None:
    action = actions.place([(3, order(order_type, tif))])
    assert action == {
        "type": "order",
        "orders": [
            {"a": 3, "b": False, "p": "64000", "s": "0.01", "r": False, "t": {"limit": {"tif": wire}}, "c": WIRE_NAME}
        ],
        "grouping": "na",
    }
    assert list(action["orders"][0]) == ["a", "b", "p", "s", "r", "t", "c"]
    assert list(action) == ["type", "orders", "grouping"]


@pytest.mark.parametrize(
    ("order_type", "word", "market"),
    [
        (OrderType.STOP, "sl", True),
        (OrderType.TAKE_PROFIT, "tp", True),
        (OrderType.STOP_LIMIT, "sl", False),
        (OrderType.TAKE_PROFIT_LIMIT, "tp", False),
    ],
)
def test_protective_orders_are_reduce_only_triggers(order_type: OrderType, word: str, market: bool) -> None:
    action = actions.place([(0, order(order_type, purpose=Purpose.PROTECTIVE, trigger="63000"))])
    (wire,) = action["orders"]
    assert wire["r"] is True
    assert wire["t"] == {"trigger": {"isMarket": market, "triggerPx": "63000", "tpsl": word}}
    assert list(wire["t"]["trigger"]) == ["isMarket", "triggerPx", "tpsl"]


def amendment(order_type: OrderType = OrderType.LIMIT) -> Amendment:
    request = AmendOrder(NAME, "hyperliquid:BTC", Quantity(Decimal("0.5")), Price(Decimal(10)), Quantity(Decimal(0)))
    return Amendment(RiskApproved(request), Side.BUY, order_type, TimeInForce.POST_ONLY, reduce_only=True)


def test_amends_repeat_the_client_order_id_because_the_venue_forgets_it() -> None:
    (modify,) = actions.amend([(1, amendment())])["modifies"]
    assert modify["oid"] == WIRE_NAME
    assert modify["order"]["c"] == WIRE_NAME
    assert modify["order"]["s"] == "0.5"
    assert modify["order"]["t"] == {"limit": {"tif": "Alo"}}
    assert modify["order"]["r"] is True


def test_refuses_to_amend_a_trigger_without_its_trigger_price() -> None:
    with pytest.raises(InvalidValue, match="trigger_price"):
        actions.amend([(1, amendment(OrderType.STOP))])


def test_cancels_by_client_order_id_and_by_venue_id() -> None:
    by_name = actions.cancel([(1, CancelOrder(NAME, "hyperliquid:BTC", "halt"))])
    assert by_name == {"type": "cancelByCloid", "cancels": [{"asset": 1, "cloid": WIRE_NAME}]}
    foreign = RestingOrder(
        symbol="BTC",
        venue_order_id="77",
        client_order_id=None,
        side=Side.BUY,
        price=Price(Decimal(1)),
        quantity=Quantity(Decimal(1)),
        remaining=Quantity(Decimal(1)),
        reduce_only=False,
        trigger_price=None,
        time_exchange=datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert actions.cancel_resting([(1, foreign)]) == {"type": "cancel", "cancels": [{"a": 1, "o": 77}]}


def test_disarming_the_dead_man_switch_omits_the_time() -> None:
    assert actions.schedule_cancel(None) == {"type": "scheduleCancel"}
    armed = actions.schedule_cancel(datetime(1970, 1, 2, tzinfo=UTC))
    assert armed == {"type": "scheduleCancel", "time": 86_400_000}


def test_leverage_says_whether_margin_is_shared() -> None:
    assert actions.set_leverage(2, 5, MarginMode.ISOLATED) == {
        "type": "updateLeverage",
        "asset": 2,
        "isCross": False,
        "leverage": 5,
    }
