"""A conditional order on its way to the book is alive: nobody may say that the venue never heard of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from apps.exchanges.adapters import Tools
from apps.exchanges.ports import Credentials, Environment, VenueConfig
from apps.exchanges.venues.binance.client import BinanceClient
from apps.exchanges.venues.binance.rest import Calls
from moondev.domain.clock import FixedClock
from moondev.domain.errors import VenueRejected
from moondev.domain.orders import OrderStatus

NOW, NAME = datetime(2026, 1, 1, tzinfo=UTC), uuid4()
URL = "http://127.0.0.1:1"


class AlgoService:
    """A venue that knows one conditional order, and no ordinary one."""

    def __init__(self, status: str) -> None:
        self.status = status

    def ask(self, call: Calls, asked: dict[str, Any], _lane: object) -> str:
        if call is not Calls.CONDITIONAL:
            raise VenueRejected("-2013", "Order does not exist.", 400)
        amounts = {"quantity": "1", "triggerPrice": "100", "price": "0"}
        kind = {"orderType": "STOP_MARKET", "symbol": "BTCUSDT", "side": "SELL", "reduceOnly": True}
        times = {"createTime": 1_000, "updateTime": 2_000}
        named = {"algoId": 5, "clientAlgoId": asked["clientAlgoId"], "algoStatus": self.status, "actualOrderId": ""}
        return json.dumps({**amounts, **kind, **times, **named})


def status_of(algo_status: str, name: UUID = NAME) -> OrderStatus | None:
    venue = VenueConfig("bin", "binance", Environment.PAPER, URL, URL.replace("http", "ws"))
    client = BinanceClient(venue, Credentials("a", "key:secret"), Tools(FixedClock(NOW)))
    client._rest = AlgoService(algo_status)  # type: ignore[assignment]
    report = client.order_status(name, "bin:BTCUSDT")
    return None if report is None else report.status


@pytest.mark.parametrize("word", ["NEW", "TRIGGERING", "TRIGGERED"])
def test_an_order_that_is_being_released_is_open(word: str) -> None:
    assert status_of(word) is OrderStatus.OPEN


def test_one_that_is_over_and_left_no_order_is_not_known() -> None:
    assert status_of("FINISHED") is None
