"""Subscriptions: the same stream is the same topic, whatever the spelling; others are refused."""

from __future__ import annotations

from typing import Any

import pytest

from apps.exchanges.mock.wire.hyperliquid.orders_in import MalformedError
from apps.exchanges.mock.wire.hyperliquid.subscriptions import Topic, read_topic

COINS = {"BTC": 0}
USER = "0x" + "ab" * 20


def test_a_user_is_the_same_in_any_case() -> None:
    spelled = [read_topic({"type": "orderUpdates", "user": user}, COINS) for user in (USER, "0x" + "AB" * 20)]
    assert spelled == [Topic("orderUpdates", user=USER)] * 2


def test_each_way_to_thin_out_a_book_is_a_stream_of_its_own() -> None:
    plain = read_topic({"type": "l2Book", "coin": "BTC", "nSigFigs": None}, COINS)
    thin = read_topic({"type": "l2Book", "coin": "BTC", "nSigFigs": 3}, COINS)
    assert plain == Topic("l2Book", coin="BTC")
    assert thin != plain


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        {},
        {"type": "weather"},
        {"type": "trades"},
        {"type": "trades", "coin": "NOPE"},
        {"type": "candle", "coin": "BTC", "interval": "7m"},
        {"type": "l2Book", "coin": "BTC", "nSigFigs": 9},
        {"type": "l2Book", "coin": "BTC", "nSigFigs": 5, "mantissa": 3},
        {"type": "userFills", "user": "me"},
        {"type": "activeAssetData", "coin": "BTC"},
    ],
)
def test_refuses_streams_that_do_not_exist(wanted: Any) -> None:
    with pytest.raises(MalformedError):
        read_topic(wanted, COINS)
