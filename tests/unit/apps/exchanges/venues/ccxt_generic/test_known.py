"""Which of ccxt's exchanges can be traded on by name, and how the others are refused."""

from __future__ import annotations

import pytest

from apps.exchanges.capabilities import Support
from apps.exchanges.registry import accounts_followed, capabilities
from apps.exchanges.venues.ccxt_generic.known import exchange_id, known_exchange, usable_exchanges
from moondev.domain.errors import Configuration
from moondev.domain.orders import OrderType, TimeInForce


def test_the_protocol_names_the_exchange() -> None:
    assert exchange_id("ccxt:bybit") == "bybit"
    assert exchange_id("bybit") is None


def test_an_exchange_that_has_everything_is_described_by_what_ccxt_says_of_it() -> None:
    able = capabilities("ccxt:okx")
    assert {able.of(kind) for kind in OrderType if kind.triggered} == {Support.EMULATED}
    assert able.of(OrderType.MARKET) is Support.NATIVE
    assert able.times_in_force[TimeInForce.FOK] is Support.NATIVE
    assert able.amend is Support.EMULATED
    assert (able.max_batch, able.user_stream_needs_key) == (1, True)
    assert TimeInForce.FOK not in capabilities("ccxt:paradex").times_in_force
    assert accounts_followed("ccxt:okx") is not None


@pytest.mark.parametrize(
    ("name", "lacks"),
    [
        ("binanceusdm", ["fetchMyTrades for all symbols at once"]),
        ("phemex", ["fetchOpenOrders for all symbols at once"]),
        ("coinbaseexchange", ["perpetual swaps", "fetchPositions", "fetchFundingHistory", "immediate-or-cancel"]),
        ("dydx", ["fetchMyTrades", "fetchFundingHistory", "fetchTickers"]),
    ],
)
def test_one_that_lacks_something_is_refused_with_everything_it_lacks(name: str, lacks: list[str]) -> None:
    with pytest.raises(Configuration, match=f"ccxt:{name} cannot be traded on") as refused:
        capabilities(f"ccxt:{name}")
    for word in lacks:
        assert word in str(refused.value)
    assert accounts_followed(f"ccxt:{name}") is None


def test_a_name_ccxt_does_not_have_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(Configuration, match="'ccxt:mtgox'; allowed: ccxt:<id>"):
        known_exchange("mtgox")
    with pytest.raises(Configuration, match=r"allowed: .*hyperliquid.*, ccxt:<id>"):
        capabilities("mtgox")


def test_there_are_a_number_of_them() -> None:
    usable = set(usable_exchanges())
    assert {"bybit", "okx", "htx", "woo"} <= usable
    assert "binanceusdm" not in usable
