"""Names, channels and fields of the mock's Phemex."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from apps.exchanges.mock.wire.phemex import fields, words
from apps.exchanges.mock.wire.phemex.channels import Topic, read_topic
from apps.exchanges.mock.wire.phemex.refusals import RefusedError

COINS = frozenset({"BTC", "ETH", "MATIC"})


def test_order_ids_lead_back_and_strange_ones_nowhere() -> None:
    for oid in (0, 1, 2**53):
        assert words.read_order_id(words.order_id(oid)) == oid
    for text in ("", "abc", "7068656d-0000-4000-7fff-000000000000", "ffffffff-ffff-4fff-8fff-ffffffffffff"):
        assert words.read_order_id(text) is None


def test_every_side_of_every_trade_has_a_name_of_its_own() -> None:
    trades, orders = range(2**50, 2**50 + 30), range(2**51, 2**51 + 30)
    assert len({words.execution_id(*pair) for pair in product(trades, orders)}) == 900


@pytest.mark.parametrize(
    ("channel", "parameters", "topic"),
    [
        ("orderbook_p", ["BTCUSDT"], Topic("orderbook_p", "BTC", "30")),
        ("orderbook_p", ["BTCUSDT", False, 0], Topic("orderbook_p", "BTC", "0")),
        ("orderbook_p", ["BTCUSDT", True, "5"], Topic("orderbook_p", "BTC", "5")),
        ("orderbook_p", ["BTCUSDT", False, 7], None),
        ("trade_p", ["ETHUSDT"], Topic("trade_p", "ETH")),
        ("kline_p", ["ETHUSDT", 60], Topic("kline_p", "ETH", "60")),
        ("kline_p", ["ETHUSDT"], None),
        ("tick_p", [".BTCUSDT"], Topic("tick_p", "BTC")),
        ("tick_p", [".MBTCUSDT"], Topic("tick_p", "BTC", "M")),
        ("tick_p", [".MATICUSDT"], Topic("tick_p", "MATIC")),
        ("tick_p", ["BTCUSDT"], None),
        ("perp_market24h_pack_p", [], Topic("perp_market24h_pack_p")),
        ("trade_p", ["BTCUSD"], None),
        ("trade_p", [], None),
    ],
)
def test_a_subscription_is_read_or_refused(channel: str, parameters: list[Any], topic: Topic | None) -> None:
    found = read_topic(channel, parameters, COINS)
    assert found == topic
    if found is not None:
        assert Topic.parse(str(found)) == found


def test_fields_are_read_from_text_and_numbers_alike() -> None:
    assert fields.amount({"q": "0.10"}, "q") == fields.amount({"q": 0.1}, "q") == Decimal("0.1")
    assert fields.amount({"q": "0"}, "q") is fields.amount({}, "q") is None
    assert [fields.flag({"r": value}, "r") for value in (True, "true", False, None)] == [True, True, False, False]
    assert fields.whole({"n": "900"}, "n", 5, 200) == 200
    assert fields.signed({"l": -10}, "l") == -10


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (fields.amount, "much"),
        (fields.amount, "-1"),
        (fields.amount, "NaN"),
        (fields.amount, ["1"]),
        (fields.flag, "maybe"),
        (fields.signed, "0"),
        (fields.signed, ""),
        (fields.text, None),
    ],
)
def test_an_odd_field_is_refused_by_name(read: Any, value: object) -> None:
    with pytest.raises(RefusedError, match="quantity"):
        read({"quantity": value}, "quantity")
