"""The parts that a protocol name gives, made without touching the network."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.exchanges.adapters import Tools
from apps.exchanges.history_ports import FundingHistory, TradeHistory
from apps.exchanges.ports import Credentials, Environment, MarketSubscription, VenueConfig
from apps.exchanges.registry import adapter_of, market_data_for
from moondev.domain.clock import LiveClock
from moondev.domain.errors import Configuration

VENUE = VenueConfig("okx", "ccxt:okx", Environment.PAPER, "http://127.0.0.1:1/okx", "ws://127.0.0.1:1/okx")
ACCOUNT = Credentials("main", "KEY:SECRET")


def test_the_four_parts_are_made_without_a_connection() -> None:
    adapter, tools = adapter_of("ccxt:okx"), Tools(LiveClock())
    client = adapter.execution_client(VENUE, ACCOUNT, tools)
    assert (client.signer_address, client.max_batch) == ("KEY", 1)
    assert "SECRET" not in repr(client)
    streams = [
        adapter.market_stream(VENUE, [MarketSubscription("BTC-USDT-SWAP")], lambda _: None, tools),
        adapter.user_stream(VENUE, ACCOUNT, lambda _: None, tools),
    ]
    assert [stream.connected for stream in streams] == [False, False]
    assert adapter_of("ccxt:okx") is adapter
    (budget,) = adapter.budgets
    assert budget.capacity > 10


def test_it_claims_no_history_that_it_does_not_have() -> None:
    client = market_data_for(VENUE)
    assert not isinstance(client, TradeHistory)
    assert not isinstance(client, FundingHistory)
    client.close()


def test_a_key_without_a_secret_and_a_paper_venue_elsewhere_are_refused() -> None:
    adapter, tools = adapter_of("ccxt:okx"), Tools(LiveClock())
    with pytest.raises(Configuration, match="KEY:SECRET"):
        adapter.execution_client(VENUE, Credentials("main", "KEY"), tools)
    with pytest.raises(Configuration, match="must name the mock exchange"):
        adapter.market_data_client(replace(VENUE, rest_url="https://www.okx.com"), tools)
