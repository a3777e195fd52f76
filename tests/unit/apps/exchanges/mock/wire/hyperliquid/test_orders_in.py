"""Orders off the wire: what the SDK writes is read back exactly, everything else is refused by name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hyperliquid.utils.signing import order_request_to_order_wire
from hyperliquid.utils.types import Cloid
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.mock.engine.api import Grouping, NewOrder, Tif, TpSl, Trigger
from apps.exchanges.mock.wire.hyperliquid.orders_in import (
    MalformedError,
    read_grouping,
    read_order,
    read_order_id,
)

COINS = {0: "BTC", 3: "ETH"}
GOOD: dict[str, Any] = {"a": 3, "b": True, "p": "100.5", "s": "2", "r": False, "t": {"limit": {"tif": "Gtc"}}}


def test_reads_a_limit_order() -> None:
    order = read_order({**GOOD, "c": "0x" + "AB" * 16}, COINS)
    assert order == NewOrder("ETH", True, Decimal(2), Decimal("100.5"), Tif.GTC, False, None, "0x" + "ab" * 16)


def test_reads_a_trigger_order() -> None:
    trigger = {"trigger": {"isMarket": True, "triggerPx": "99.5", "tpsl": "sl"}}
    assert read_order({**GOOD, "t": trigger}, COINS).trigger == Trigger(True, Decimal("99.5"), TpSl.SL)


def test_an_asset_nobody_lists_is_left_to_the_engine_to_refuse() -> None:
    assert read_order({**GOOD, "a": 77}, COINS).coin not in COINS.values()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"a": "3"}, "a must be int"),
        ({"a": True}, "a must be int"),
        ({"b": 1}, "b must be bool"),
        ({"p": 100.5}, "p must be a decimal string"),
        ({"p": "1e5"}, "p must be a decimal string"),
        ({"s": "NaN"}, "s must be a decimal string"),
        ({"r": None}, "r must be bool"),
        ({"t": {}}, "t must be a limit"),
        ({"t": {"limit": {"tif": "Fok"}}}, "t must be a limit"),
        ({"t": {"limit": {"tif": "Gtc"}, "trigger": {}}}, "t must be a limit"),
        ({"t": {"trigger": {"isMarket": True, "triggerPx": "1", "tpsl": "xx"}}}, "tpsl must be tp or sl"),
        ({"t": {"trigger": {"isMarket": 1, "triggerPx": "1", "tpsl": "tp"}}}, "isMarket must be bool"),
        ({"c": "0x12"}, "cloid must be 0x and 32 hex digits"),
    ],
)
def test_refuses_a_malformed_field_by_name(change: dict[str, Any], named: str) -> None:
    with pytest.raises(MalformedError, match=named):
        read_order({**GOOD, **change}, COINS)


def test_refuses_what_is_no_object() -> None:
    with pytest.raises(MalformedError, match="expected an object"):
        read_order(["a"], COINS)


@given(
    size=st.integers(1, 10**9).map(lambda n: n / 10**4),
    price=st.integers(1, 10**9).map(lambda n: n / 10**4),
    is_buy=st.booleans(),
    reduce_only=st.booleans(),
    tif=st.sampled_from(["Alo", "Ioc", "Gtc"]),
    cloid=st.none() | st.integers(0, 2**128 - 1).map(Cloid.from_int),
)
def test_whatever_the_sdk_writes_is_read_back(
    size: float, price: float, is_buy: bool, reduce_only: bool, tif: str, cloid: Cloid | None
) -> None:
    request: Any = {
        "coin": "ETH",
        "is_buy": is_buy,
        "sz": size,
        "limit_px": price,
        "order_type": {"limit": {"tif": tif}},
        "reduce_only": reduce_only,
        "cloid": cloid,
    }
    order = read_order(order_request_to_order_wire(request, 3), COINS)
    assert (float(order.size), float(order.price)) == (size, price)
    assert (order.is_buy, order.reduce_only, order.tif.value) == (is_buy, reduce_only, tif)
    assert order.cloid == (None if cloid is None else cloid.to_raw())


def test_groupings() -> None:
    assert read_grouping("na") is Grouping.NA
    assert read_grouping("positionTpsl") is Grouping.POSITION_TPSL
    assert read_grouping({"p": 3}) is Grouping.NA
    for wrong in ("both", None, {"q": 1}):
        with pytest.raises(MalformedError):
            read_grouping(wrong)


def test_order_ids_are_numbers_or_cloids() -> None:
    assert read_order_id(12) == 12
    assert read_order_id("0x" + "Ab" * 16) == "0x" + "ab" * 16
    for wrong in (True, "12", None):
        with pytest.raises(MalformedError):
            read_order_id(wrong)
