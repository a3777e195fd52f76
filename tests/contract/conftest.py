"""A mock exchange for contract tests: served in a thread, with two funded accounts and a quiet book."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import eth_account
import pytest
import requests

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.threaded import ThreadedMock, mock_in_thread
from apps.exchanges.mock.wire.config import WireConfig
from moondev.domain.clock import LiveClock

FUNDED = [eth_account.Account.from_key("0x" + digits * 32).address for digits in ("11", "22")]
SPECS = (
    InstrumentSpec("BTC", 0, 5, 40),
    InstrumentSpec("ETH", 1, 4, 25),
    InstrumentSpec("@0", 10_000, 5, 1, base="UBTC"),
    InstrumentSpec("@1", 10_001, 4, 1, base="UETH"),
)
MARKS = {"BTC": Decimal(50_000), "ETH": Decimal(3_000), "@0": Decimal(50_000), "@1": Decimal(3_000)}
QUOTES = (
    ("BTC", "49990", "50010", "5"),
    ("ETH", "2999", "3001", "50"),
    ("@0", "49990", "50010", "5"),
    ("@1", "2999", "3001", "50"),
)


def ask(url: str, body: object) -> None:
    answer = requests.post(url, json=body, timeout=5)
    assert answer.status_code == 200, answer.text


@pytest.fixture
def serve_mock() -> Iterator[Callable[..., ThreadedMock]]:
    """Start mock venues with the options of WireConfig; they end with the test."""
    with ExitStack() as stack:

        def start(**options: Any) -> ThreadedMock:
            clock = LiveClock()
            engine = Exchange(SPECS, clock, MARKS)
            config = WireConfig(**{"book_interval_ms": 20, **options})
            venue = stack.enter_context(mock_in_thread(engine, clock, config))
            for address in FUNDED:
                ask(f"{venue.url}/admin/accounts", {"address": address, "deposit": "100000"})
            for coin, bid, offer, size in QUOTES:
                for side, price in (("buy", bid), ("sell", offer)):
                    order = {"coin": coin, "side": side, "price": price, "size": size}
                    ask(f"{venue.url}/admin/quote", order)
            return venue

        yield start
