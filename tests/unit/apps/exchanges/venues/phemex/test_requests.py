"""What we ask of the venue, field by field."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.exchanges.ports import Amendment
from apps.exchanges.venues.phemex import requests
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import InvalidValue
from moondev.domain.orders import AmendOrder, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Bps, Price, Quantity, Side
from tests.unit.apps.exchanges.venues.phemex.rows import NAME


def order(
    kind: OrderType = OrderType.LIMIT,
    tif: TimeInForce = TimeInForce.GTC,
    side: Side = Side.BUY,
    purpose: Purpose = Purpose.OPENING,
) -> PlaceOrder:
    return PlaceOrder(
        client_order_id=NAME,
        instrument="phemex:BTCUSDT",
        side=side,
        order_type=kind,
        time_in_force=tif,
        quantity=Quantity(Decimal("0.0100")),
        price=Price(Decimal("1E+4")),
        purpose=purpose,
        signal_id="s",
        leg="1",
        trigger_price=Price(Decimal("9000.5")) if kind.triggered else None,
        trail=Bps(Decimal(50)) if kind is OrderType.TRAILING_STOP else None,
    )


def amendment(kind: OrderType, trigger: str | None = None) -> Amendment:
    request = AmendOrder(
        NAME, "phemex:BTCUSDT", Quantity(Decimal("0.02")), Price(Decimal(9_000)), Quantity(Decimal("0.01"))
    )
    level = None if trigger is None else Price(Decimal(trigger))
    return Amendment(RiskApproved(request), Side.SELL, kind, TimeInForce.GTC, True, level)


def test_a_limit_order_is_written_in_plain_numbers() -> None:
    assert requests.place(order(), "BTCUSDT") == {
        "symbol": "BTCUSDT",
        "clOrdID": str(NAME),
        "side": "Buy",
        "posSide": "Merged",
        "ordType": "Limit",
        "orderQtyRq": "0.0100",
        "reduceOnly": False,
        "timeInForce": "GoodTillCancel",
        "priceRp": "10000",
    }


@pytest.mark.parametrize(
    ("tif", "word"),
    [
        (TimeInForce.GTC, "GoodTillCancel"),
        (TimeInForce.IOC, "ImmediateOrCancel"),
        (TimeInForce.FOK, "FillOrKill"),
        (TimeInForce.POST_ONLY, "PostOnly"),
    ],
)
def test_a_maker_is_made_by_the_time_in_force_alone(tif: TimeInForce, word: str) -> None:
    """Trap 0.6: ccxt's postOnly goes out as a field that the venue does not know."""
    fields = requests.place(order(tif=tif), "BTCUSDT")
    assert fields["timeInForce"] == word
    assert "postOnly" not in fields


def test_a_market_order_keeps_its_worst_price() -> None:
    fields = requests.place(order(OrderType.MARKET, TimeInForce.IOC), "BTCUSDT")
    assert (fields["ordType"], fields["priceRp"], fields["timeInForce"]) == ("Limit", "10000", "ImmediateOrCancel")
    whole = requests.place(order(OrderType.MARKET, TimeInForce.FOK), "BTCUSDT")
    assert whole["timeInForce"] == "FillOrKill"
    # A market order never rests, whatever its time in force says.
    assert requests.place(order(OrderType.MARKET), "BTCUSDT")["timeInForce"] == "ImmediateOrCancel"


@pytest.mark.parametrize(
    ("kind", "word", "priced"),
    [
        (OrderType.STOP, "Stop", False),
        (OrderType.STOP_LIMIT, "StopLimit", True),
        (OrderType.TAKE_PROFIT, "MarketIfTouched", False),
        (OrderType.TAKE_PROFIT_LIMIT, "LimitIfTouched", True),
    ],
)
def test_a_trigger_is_an_order_of_its_own_and_never_attached_to_another(
    kind: OrderType, word: str, priced: bool
) -> None:
    """Trap 0.6: an attached stop (stopLossRp) on a market order would trade at once."""
    fields = requests.place(order(kind, side=Side.SELL, purpose=Purpose.PROTECTIVE), "BTCUSDT")
    assert (fields["ordType"], fields["stopPxRp"], fields["triggerType"]) == (word, "9000.5", "ByMarkPrice")
    assert fields["reduceOnly"] is True
    assert ("priceRp" in fields) is priced
    assert not {"stopLossRp", "takeProfitRp"} & set(fields)


def test_what_the_venue_does_not_do_itself_is_refused_by_name() -> None:
    with pytest.raises(InvalidValue, match="order_type"):
        requests.place(order(OrderType.TRAILING_STOP), "BTCUSDT")


def test_a_change_tells_the_whole_size_filled_part_included() -> None:
    fields = requests.amend(amendment(OrderType.LIMIT), "BTCUSDT")
    assert fields == {
        "symbol": "BTCUSDT",
        "origClOrdID": str(NAME),
        "posSide": "Merged",
        "orderQtyRq": "0.03",
        "priceRp": "9000",
    }


def test_a_stop_at_the_market_is_changed_without_a_price() -> None:
    at_market = requests.amend(amendment(OrderType.STOP, "8000"), "BTCUSDT")
    assert at_market["stopPxRp"] == "8000"
    assert "priceRp" not in at_market
    assert requests.amend(amendment(OrderType.STOP_LIMIT, "8000"), "BTCUSDT")["priceRp"] == "9000"


def test_a_cancel_names_its_order_once() -> None:
    assert requests.cancel("BTCUSDT", client_order_id="mine")["clOrdID"] == "mine"
    assert requests.cancel("BTCUSDT", order_id="theirs")["orderID"] == "theirs"
    for names in ({}, {"client_order_id": "mine", "order_id": "theirs"}):
        with pytest.raises(InvalidValue):
            requests.cancel("BTCUSDT", **names)


def test_our_names_fit_the_venue() -> None:
    assert len(str(NAME)) <= 40
