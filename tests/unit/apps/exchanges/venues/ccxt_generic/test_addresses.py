"""Paper venues are on this machine, real ones where ccxt says they are."""

from __future__ import annotations

import ccxt
import pytest

from apps.exchanges.ports import Environment, VenueConfig
from apps.exchanges.venues.ccxt_generic.addresses import addresses
from moondev.domain.errors import Configuration


def venue(environment: Environment, url: str) -> VenueConfig:
    return VenueConfig("v", "ccxt:x", environment, url, url)


def test_every_address_of_a_paper_venue_is_the_mock_s_with_its_path_kept() -> None:
    moved = addresses(venue(Environment.PAPER, "http://127.0.0.1:8001/binance/"), ccxt.binanceusdm())
    assert moved["fapiPrivate"] == "http://127.0.0.1:8001/binance/fapi/v1"
    found = str(moved)
    assert "https" not in found
    assert "binance.com" not in found
    assert addresses(venue(Environment.PAPER, "http://localhost:1/bybit"), ccxt.bybit())["private"] == (
        "http://localhost:1/bybit"
    )


def test_a_paper_venue_elsewhere_is_refused() -> None:
    for url in ("https://api.bybit.com", "https://mock.example"):
        with pytest.raises(Configuration, match="must name the mock exchange"):
            addresses(venue(Environment.PAPER, url), ccxt.bybit())


def test_a_real_venue_must_be_named_as_ccxt_knows_it() -> None:
    assert addresses(venue(Environment.LIVE, "https://api.bybit.com"), ccxt.bybit()) == {}
    assert addresses(venue(Environment.TESTNET, "https://api-testnet.bybit.com"), ccxt.bybit()) == {}
    for environment in (Environment.LIVE, Environment.TESTNET):
        with pytest.raises(Configuration, match=r"allowed: .*bybit\.com"):
            addresses(venue(environment, "https://api.example"), ccxt.bybit())


def test_an_exchange_without_a_test_network_says_so() -> None:
    with pytest.raises(Configuration, match="no testnet addresses of htx"):
        addresses(venue(Environment.TESTNET, "https://api.htx.com"), ccxt.htx())
