"""Which addresses fit which world."""

from __future__ import annotations

import pytest

from apps.exchanges.ports import Environment, VenueConfig
from apps.exchanges.venues.phemex.config import BUDGETS, CAPABILITIES, endpoints
from moondev.domain.errors import Configuration
from moondev.domain.orders import OrderType

REAL = ("https://api.phemex.com", "wss://ws.phemex.com")
TEST = ("https://testnet-api.phemex.com", "wss://testnet-api.phemex.com/ws")
PAPER = ("http://127.0.0.1:8001/phemex/", "ws://127.0.0.1:8001/phemex/ws")


def venue(environment: Environment, addresses: tuple[str, str]) -> VenueConfig:
    return VenueConfig("phemex", "phemex", environment, *addresses)


@pytest.mark.parametrize(
    ("environment", "addresses"),
    [(Environment.LIVE, REAL), (Environment.TESTNET, TEST), (Environment.PAPER, PAPER)],
)
def test_addresses_that_fit_are_taken(environment: Environment, addresses: tuple[str, str]) -> None:
    where = endpoints(venue(environment, addresses))
    assert where.rest_url == addresses[0].rstrip("/")
    groups = where.of_ccxt()
    assert groups["public"] == f"{where.rest_url}/exchange/public"
    assert groups["v1"] == f"{where.rest_url}/v1"


@pytest.mark.parametrize(
    ("environment", "addresses", "words"),
    [
        (Environment.PAPER, REAL, "is real"),
        (Environment.PAPER, (PAPER[0], REAL[1]), "is real"),
        (Environment.LIVE, TEST, "api.phemex.com"),
        (Environment.LIVE, PAPER, "api.phemex.com"),
        (Environment.TESTNET, REAL, "testnet-api.phemex.com"),
        (Environment.LIVE, ("http://api.phemex.com", REAL[1]), "must start with https:"),
        (Environment.PAPER, ("ftp://127.0.0.1", PAPER[1]), "rest_url"),
        (Environment.PAPER, (PAPER[0], "http://127.0.0.1"), "websocket_url"),
    ],
)
def test_addresses_of_another_world_are_refused(
    environment: Environment, addresses: tuple[str, str], words: str
) -> None:
    with pytest.raises(Configuration, match=words):
        endpoints(venue(environment, addresses))


def test_every_kind_of_order_has_somebody_who_does_it() -> None:
    assert set(CAPABILITIES.order_types) == set(OrderType)
    assert CAPABILITIES.max_batch == 1
    assert {budget.name for budget in BUDGETS} == {"ip", "contract", "others"}
