"""dYdX's addresses: what fits which environment, and which chain a signature is for."""

import pytest

from apps.exchanges.ports import VenueConfig
from apps.exchanges.venues.dydx.config import endpoints
from moondev.domain.errors import Configuration

MOCK = ("paper", "http://127.0.0.1:8001/dydx", "ws://127.0.0.1:8001/dydx/v4/ws")


def venue(environment: str, rest: str, socket: str) -> VenueConfig:
    return VenueConfig("dydx", "dydx", environment, rest, socket)


def test_the_mock_has_indexer_and_node_under_one_address_and_signs_for_the_test_chain() -> None:
    where = endpoints(venue(*MOCK))
    assert where.indexer_url == "http://127.0.0.1:8001/dydx/v4"
    assert where.rpc_url == "http://127.0.0.1:8001/dydx/rpc"
    assert where.rest_url == "http://127.0.0.1:8001/dydx/rest"
    assert where.websocket_url == "ws://127.0.0.1:8001/dydx/v4/ws"
    # A transaction signed on paper must be worth nothing at the main chain.
    assert where.chain == "dydx-testnet-4"


@pytest.mark.parametrize(
    ("environment", "host", "chain"),
    [
        ("live", "indexer.dydx.trade", "dydx-mainnet-1"),
        ("testnet", "indexer.v4testnet.dydx.exchange", "dydx-testnet-4"),
    ],
)
def test_real_environments_know_their_own_hosts_and_nodes(environment: str, host: str, chain: str) -> None:
    where = endpoints(venue(environment, f"https://{host}", f"wss://{host}/v4/ws"))
    assert where.indexer_url == f"https://{host}/v4"
    assert where.rpc_url.startswith("https://")
    assert where.chain == chain


@pytest.mark.parametrize(
    ("environment", "rest", "socket"),
    [
        ("paper", "https://indexer.dydx.trade", MOCK[2]),
        ("paper", MOCK[1], "wss://indexer.dydx.trade/v4/ws"),
        ("paper", "https://test-dydx-rpc.kingnodes.com", MOCK[2]),
        ("live", MOCK[1], MOCK[2]),
        ("live", "https://indexer.v4testnet.dydx.exchange", "wss://indexer.dydx.trade/v4/ws"),
        ("live", "http://indexer.dydx.trade", "wss://indexer.dydx.trade/v4/ws"),
        ("testnet", "https://indexer.dydx.trade", "wss://indexer.dydx.trade/v4/ws"),
        ("paper", "ftp://127.0.0.1/dydx", MOCK[2]),
        ("paper", MOCK[1], "http://127.0.0.1/ws"),
        ("paper", "nonsense", MOCK[2]),
    ],
)
def test_an_address_that_does_not_fit_its_environment_is_refused(environment: str, rest: str, socket: str) -> None:
    with pytest.raises(Configuration):
        endpoints(venue(environment, rest, socket))
