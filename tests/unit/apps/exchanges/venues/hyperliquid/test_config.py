"""No address is guessed, and paper never meets real money."""

import pytest

from apps.exchanges.ports import Environment, VenueConfig
from apps.exchanges.venues.hyperliquid.config import LIVE_HOST, TESTNET_HOST, endpoints
from moondev.domain.errors import Configuration, InvalidValue


def venue(environment: Environment, rest: str, websocket: str) -> VenueConfig:
    return VenueConfig("hyperliquid", "hyperliquid", environment, rest, websocket)


def test_paper_names_the_mock() -> None:
    where = endpoints(venue(Environment.PAPER, "http://localhost:8001/hl/", "ws://localhost:8001/hl/ws"))
    assert where.rest_url == "http://localhost:8001/hl"
    assert not where.is_mainnet


@pytest.mark.parametrize("host", [LIVE_HOST, TESTNET_HOST])
def test_paper_refuses_a_real_host(host: str) -> None:
    with pytest.raises(Configuration, match="rest_url names"):
        endpoints(venue(Environment.PAPER, f"https://{host}", "ws://localhost:8001/hl/ws"))
    with pytest.raises(Configuration, match="websocket_url names"):
        endpoints(venue(Environment.PAPER, "http://localhost:8001/hl", f"wss://{host}/ws"))


def test_live_is_the_one_real_host_over_tls() -> None:
    where = endpoints(venue(Environment.LIVE, f"https://{LIVE_HOST}", f"wss://{LIVE_HOST}/ws"))
    assert where.is_mainnet
    with pytest.raises(Configuration, match="https:"):
        endpoints(venue(Environment.LIVE, f"http://{LIVE_HOST}", f"wss://{LIVE_HOST}/ws"))
    with pytest.raises(Configuration, match="live environment is at"):
        endpoints(venue(Environment.LIVE, "https://localhost", f"wss://{LIVE_HOST}/ws"))


def test_testnet_is_not_signed_as_real_money() -> None:
    assert not endpoints(venue(Environment.TESTNET, f"https://{TESTNET_HOST}", f"wss://{TESTNET_HOST}/ws")).is_mainnet


@pytest.mark.parametrize("url", ["localhost:8001", "ftp://localhost", "http://"])
def test_refuses_an_address_without_scheme_or_host(url: str) -> None:
    with pytest.raises(Configuration, match="rest_url is"):
        endpoints(venue(Environment.PAPER, url, "ws://localhost:8001/hl/ws"))


def test_a_venue_has_no_default_environment_and_no_empty_address() -> None:
    with pytest.raises(InvalidValue, match="environment"):
        VenueConfig("h", "hyperliquid", "", "http://localhost", "ws://localhost")  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="rest_url"):
        VenueConfig("h", "hyperliquid", Environment.PAPER, "", "ws://localhost")
