"""Adapters are found by name, real venues stay shut, clients are shared and never show keys."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from apps.exchanges import registry
from apps.exchanges.ports import Credentials, Environment, MarketSubscription, VenueConfig
from apps.exchanges.venues.hyperliquid.config import LIVE_HOST, TESTNET_HOST
from moondev.domain.errors import Configuration, InvalidValue

KEY = "11" * 32
ACCOUNT = "0x" + "ab" * 20
CREDENTIALS = Credentials(ACCOUNT, KEY)
PAPER = VenueConfig(
    "hyperliquid", "hyperliquid", Environment.PAPER, "http://localhost:8001/hl", "ws://localhost:8001/hl/ws"
)


@pytest.fixture(autouse=True)
def fresh_clients() -> Iterator[None]:
    registry._client.cache_clear()
    yield
    registry._client.cache_clear()


def real(environment: Environment, host: str) -> VenueConfig:
    return VenueConfig("hl-real", "hyperliquid", environment, f"https://{host}", f"wss://{host}/ws")


def ignore(_event: Any) -> None:
    """Take an event and do nothing."""


def test_the_same_account_and_signer_share_one_client() -> None:
    assert registry.client_for(PAPER, CREDENTIALS) is registry.client_for(PAPER, CREDENTIALS)
    other = Credentials(ACCOUNT, "22" * 32)
    assert registry.client_for(PAPER, other) is not registry.client_for(PAPER, CREDENTIALS)


def test_a_forked_process_gets_a_session_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    parent = registry.client_for(PAPER, CREDENTIALS)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert registry.client_for(PAPER, CREDENTIALS) is not parent


@pytest.mark.parametrize("word", ["", "yes", "YES-TRADE-REAL-MONEY"])
@pytest.mark.parametrize(("environment", "host"), [(Environment.LIVE, LIVE_HOST), (Environment.TESTNET, TESTNET_HOST)])
def test_a_real_venue_is_refused_without_the_word(
    settings: Any, word: str, environment: Environment, host: str
) -> None:
    settings.MOONDEV_LIVE_TRADING = word
    venue = real(environment, host)
    for attempt in (
        lambda: registry.client_for(venue, CREDENTIALS),
        lambda: registry.market_data_for(venue),
        lambda: registry.market_stream_for(venue, [MarketSubscription("BTC")], ignore),
        lambda: registry.user_stream_for(venue, ACCOUNT, ignore),
    ):
        with pytest.raises(Configuration, match="MOONDEV_LIVE_TRADING"):
            attempt()


def test_the_word_opens_a_real_venue(settings: Any) -> None:
    settings.MOONDEV_LIVE_TRADING = registry.LIVE_TRADING_WORD
    assert registry.client_for(real(Environment.LIVE, LIVE_HOST), CREDENTIALS)


def test_an_unknown_protocol_names_what_is_allowed() -> None:
    venue = VenueConfig("x", "kraken", Environment.PAPER, "http://localhost", "ws://localhost")
    with pytest.raises(Configuration, match="'kraken'; allowed: hyperliquid"):
        registry.client_for(venue, CREDENTIALS)


def test_credentials_and_clients_never_show_the_key() -> None:
    assert KEY not in repr(CREDENTIALS)
    assert KEY not in repr(registry.client_for(PAPER, CREDENTIALS))


@pytest.mark.parametrize("account", ["", "0x12", "0x" + "zz" * 20, "ab" * 21])
def test_a_bad_account_address_is_named(account: str) -> None:
    with pytest.raises(InvalidValue, match="account_address"):
        registry.client_for(PAPER, Credentials(account, KEY))


def test_a_bad_key_is_told_without_showing_it() -> None:
    with pytest.raises(Configuration) as caught:
        registry.client_for(PAPER, Credentials(ACCOUNT, "not-a-key-at-all"))
    assert "not-a-key-at-all" not in str(caught.value)


@pytest.mark.parametrize("protocol", registry.PROTOCOLS)
def test_every_protocol_is_that_of_the_folder_it_is_loaded_from(protocol: str) -> None:
    config = import_module(f"apps.exchanges.venues.{protocol}.config")
    assert protocol == config.PROTOCOL
    assert registry.adapter_of(protocol).capabilities.max_batch > 0


def test_a_process_does_not_carry_the_libraries_of_venues_it_does_not_speak_to() -> None:
    """A platform has dozens of processes; each would pay for all of ccxt in time to start and in memory."""
    loaded = (
        "import sys, django; django.setup();"
        "import apps.exchanges.tasks, apps.strategies.tasks, apps.risk.tasks;"
        "print([name for name in ('ccxt', 'hyperliquid', 'eth_account') if name in sys.modules])"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "moondev.settings.test"}
    said = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True, timeout=50, env=environment
    )
    assert said.stdout.strip() == "[]"
