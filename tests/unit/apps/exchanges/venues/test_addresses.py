"""No venue row reaches real money by mistake: hosts, environments and schemes have to agree."""

from types import MappingProxyType

import pytest

from apps.exchanges.ports import Environment, VenueConfig
from apps.exchanges.venues.addresses import Addresses, RealHosts, checked, under
from moondev.domain.errors import Configuration

REAL = RealHosts(
    MappingProxyType({Environment.LIVE: frozenset({"api.venue.com", "api2.venue.com"})}),
    MappingProxyType({Environment.LIVE: frozenset({"ws.venue.com"})}),
    under("venue.com"),
)


def row(environment: Environment, rest: str, websocket: str) -> VenueConfig:
    return VenueConfig("mine", "venue", environment, rest, websocket)


def test_paper_may_name_any_host_that_is_not_the_venues() -> None:
    venue = row(Environment.PAPER, "http://localhost:8001/v/", "ws://notvenue.com/ws/")
    assert checked(venue, REAL) == Addresses("http://localhost:8001/v", "ws://notvenue.com/ws")


@pytest.mark.parametrize("host", ["venue.com", "API.venue.com", "new.api.venue.com"])
def test_paper_never_names_a_host_of_the_venues(host: str) -> None:
    with pytest.raises(Configuration, match=r"rest_url names .* which is real"):
        checked(row(Environment.PAPER, f"https://{host}", "ws://localhost"), REAL)
    with pytest.raises(Configuration, match=r"websocket_url names .* which is real"):
        checked(row(Environment.PAPER, "http://localhost", f"wss://{host}"), REAL)


def test_live_is_at_the_venues_hosts_and_nowhere_else() -> None:
    venue = row(Environment.LIVE, "https://api2.venue.com", "wss://ws.venue.com")
    assert checked(venue, REAL) == Addresses("https://api2.venue.com", "wss://ws.venue.com")
    with pytest.raises(Configuration, match=r"names evil\.com; the live environment is at api\.venue\.com or api2"):
        checked(row(Environment.LIVE, "https://evil.com", "wss://ws.venue.com"), REAL)
    with pytest.raises(Configuration, match=r"websocket_url names api\.venue\.com"):
        checked(row(Environment.LIVE, "https://api.venue.com", "wss://api.venue.com"), REAL)


@pytest.mark.parametrize(
    ("rest", "websocket", "word"),
    [
        ("http://api.venue.com", "wss://ws.venue.com", "rest_url must start with https:"),
        ("https://api.venue.com", "ws://ws.venue.com", "websocket_url must start with wss:"),
        ("ftp://api.venue.com", "wss://ws.venue.com", "an address that starts with http or https"),
        ("https://", "wss://ws.venue.com", "an address that starts with http or https"),
    ],
)
def test_outside_paper_every_line_is_encrypted(rest: str, websocket: str, word: str) -> None:
    with pytest.raises(Configuration, match=word):
        checked(row(Environment.LIVE, rest, websocket), REAL)
