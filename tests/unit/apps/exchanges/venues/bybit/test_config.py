"""No address is guessed, paper never meets real money, and what the adapter says of itself hangs together."""

import pytest

from apps.exchanges.capabilities import SilenceGuard, Support
from apps.exchanges.execution.throttle.purse import ceiling
from apps.exchanges.ports import Environment, VenueConfig
from apps.exchanges.throttling import Lane
from apps.exchanges.venues.bybit.config import BUDGETS, CAPABILITIES, MAX_BATCH, PROTOCOL, endpoints
from moondev.domain.errors import Configuration
from moondev.domain.orders import OrderType, TimeInForce

LIVE = ("https://api.bybit.com", "wss://stream.bybit.com/v5")
PAPER = ("http://localhost:8001/bybit", "ws://localhost:8001/bybit/v5")


def venue(environment: Environment, rest: str, websocket: str) -> VenueConfig:
    return VenueConfig(PROTOCOL, PROTOCOL, environment, rest, websocket)


def test_paper_names_the_mock() -> None:
    where = endpoints(venue(Environment.PAPER, PAPER[0] + "/", PAPER[1] + "/"))
    assert (where.rest_url, where.websocket_url) == PAPER


@pytest.mark.parametrize(
    "host",
    [
        "api.bybit.com",
        "api-testnet.bybit.com",
        "api.bytick.com",
        "api.bybit.kz",
        "api.bybit-tr.com",
        "stream.bybit.com",
    ],
)
def test_paper_refuses_a_real_host(host: str) -> None:
    with pytest.raises(Configuration, match="rest_url names"):
        endpoints(venue(Environment.PAPER, f"https://{host}", PAPER[1]))
    with pytest.raises(Configuration, match="websocket_url names"):
        endpoints(venue(Environment.PAPER, PAPER[0], f"wss://{host}/v5"))


def test_a_mock_may_be_called_what_it_stands_for() -> None:
    assert endpoints(venue(Environment.PAPER, "http://bybit:8001/bybit", "ws://bybit:8001/bybit/v5"))


def test_live_and_testnet_are_their_own_hosts_over_tls() -> None:
    assert endpoints(venue(Environment.LIVE, *LIVE)).rest_url == LIVE[0]
    testnet = ("https://api-testnet.bybit.com", "wss://stream-testnet.bybit.com/v5")
    assert endpoints(venue(Environment.TESTNET, *testnet)).rest_url == testnet[0]
    for addresses in ((LIVE[0].replace("https", "http"), LIVE[1]), (LIVE[0], LIVE[1].replace("wss", "ws"))):
        with pytest.raises(Configuration, match=r"must start with (https|wss):"):
            endpoints(venue(Environment.LIVE, *addresses))
    with pytest.raises(Configuration, match="live environment is at"):
        endpoints(venue(Environment.LIVE, *testnet))
    with pytest.raises(Configuration, match="testnet environment is at"):
        endpoints(venue(Environment.TESTNET, *LIVE))


@pytest.mark.parametrize("url", ["localhost:8001", "ftp://localhost", "http://"])
def test_refuses_an_address_without_scheme_or_host(url: str) -> None:
    with pytest.raises(Configuration, match="rest_url is"):
        endpoints(venue(Environment.PAPER, url, PAPER[1]))


def test_the_websocket_s_address_ends_with_the_version() -> None:
    # wire.md 1.1: clients tell the kinds of socket apart by the words after it.
    with pytest.raises(Configuration, match="websocket_url"):
        endpoints(venue(Environment.PAPER, PAPER[0], "ws://localhost:8001/bybit/private"))


def test_a_full_batch_can_be_paid_in_the_ordinary_lane() -> None:
    budgets = {budget.name: budget for budget in BUDGETS}
    for name in ("order/create-batch", "order/amend-batch", "order/cancel-batch"):
        assert ceiling(budgets[name], Lane.ORDINARY) >= MAX_BATCH
    assert len(budgets) == len(BUDGETS)


def test_what_the_venue_does_is_native_and_trailing_is_ours() -> None:
    assert CAPABILITIES.of(OrderType.TRAILING_STOP) is Support.EMULATED
    others = [kind for kind in OrderType if kind is not OrderType.TRAILING_STOP]
    assert all(CAPABILITIES.of(kind) is Support.NATIVE for kind in others)
    assert set(CAPABILITIES.times_in_force.values()) == {Support.NATIVE}
    assert set(CAPABILITIES.times_in_force) == set(TimeInForce)
    # Bound to the private connection: there is no timer to set.
    assert CAPABILITIES.silence_guard is SilenceGuard.CONNECTION
