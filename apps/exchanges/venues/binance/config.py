"""Where Binance's USDⓈ-M futures live, what they can do, and what they let us spend."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

from apps.exchanges.capabilities import Capabilities, Hearing, SilenceGuard, Support
from apps.exchanges.ports import Environment, VenueConfig
from apps.exchanges.throttling import Budget, Scope
from moondev.domain.errors import Configuration
from moondev.domain.orders import OrderType, TimeInForce

PROTOCOL = "binance"
QUOTE_CURRENCY = "USDT"

# https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info
REST_HOSTS = MappingProxyType(
    {
        Environment.LIVE: frozenset({"fapi.binance.com"}),
        Environment.TESTNET: frozenset({"demo-fapi.binance.com", "testnet.binancefuture.com"}),
    }
)
STREAM_HOSTS = MappingProxyType(
    {
        Environment.LIVE: frozenset({"fstream.binance.com"}),
        Environment.TESTNET: frozenset({"fstream.binancefuture.com"}),
    }
)
_REAL_DOMAINS = ("binance.com", "binancefuture.com", "binance.vision")

# Orders of one request to place or change: https://developers.binance.com/docs/derivatives/usds-margined-futures/
# trade/rest-api/Place-Multiple-Orders. Ten may be cancelled at once, but whoever sends cancels goes by this number.
MAX_BATCH = 5
MAX_CANCELS = 10
# The widest window the venue allows. In a replay it is a fraction of a second.
LONGEST_WINDOW_MS = 60_000
# One listen key per account and many connections: what bounds us is one POST and one PUT per half hour and account.
MAX_ACCOUNTS_FOLLOWED = 100

WEIGHT, ORDERS_10S, ORDERS_1M = "weight", "orders_10s", "orders_1m"
BUDGETS = (
    Budget(WEIGHT, Scope.ADDRESS, 2_400, 60.0),
    Budget(ORDERS_10S, Scope.ACCOUNT, 300, 10.0),
    Budget(ORDERS_1M, Scope.ACCOUNT, 1_200, 60.0),
)

CAPABILITIES = Capabilities(
    order_types=MappingProxyType(dict.fromkeys(OrderType, Support.NATIVE)),
    times_in_force=MappingProxyType(dict.fromkeys(TimeInForce, Support.NATIVE)),
    amend=Support.NATIVE,
    trigger_amend=Support.EMULATED,
    bracket=Support.EMULATED,
    max_batch=MAX_BATCH,
    client_id_bits=128,
    silence_guard=SilenceGuard.SYMBOL_TIMER,
    hearing=Hearing.WEBSOCKET,
    notes=MappingProxyType(
        {
            "market": "an immediate-or-cancel limit at the worst price; the venue's own market order when it reduces",
            "stop, take_profit, trailing_stop": "executed at the market, whatever the worst price says",
            "trailing_stop": "trails by 0.1 to 10 per cent, from the mark price of the moment",
            "silence_guard": "cancels ordinary orders of the symbols we have orders in; conditional ones stay",
        }
    ),
)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Checked addresses of one venue row."""

    rest_url: str
    websocket_url: str


def endpoints(venue: VenueConfig) -> Endpoints:
    """Return the addresses of `venue`, checked against the environment it claims.

    Raises Configuration when a paper venue names a real host, when a real environment names any other host, or when
    an address is not of the right scheme.
    """
    _require_host(venue, "rest_url", venue.rest_url, ("http", "https"), REST_HOSTS.get(venue.environment))
    _require_host(venue, "websocket_url", venue.websocket_url, ("ws", "wss"), STREAM_HOSTS.get(venue.environment))
    return Endpoints(venue.rest_url.rstrip("/"), venue.websocket_url.rstrip("/"))


def _require_host(
    venue: VenueConfig, field: str, url: str, schemes: tuple[str, str], allowed: frozenset[str] | None
) -> None:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise Configuration(f"{field} is {url!r}; allowed: an address that starts with {' or '.join(schemes)}")
    host = parts.hostname.lower()
    if allowed is None:
        if host in _REAL_DOMAINS or host.endswith(tuple(f".{domain}" for domain in _REAL_DOMAINS)):
            raise Configuration(
                f"venue {venue.code}: {field} names {host}, which is real; a paper venue must name the mock exchange"
            )
        return
    if host not in allowed:
        names = " or ".join(sorted(allowed))
        raise Configuration(
            f"venue {venue.code}: {field} names {host}; the {venue.environment} environment is at {names}"
        )
    if parts.scheme != schemes[1]:
        raise Configuration(f"venue {venue.code}: outside paper {field} must start with {schemes[1]}:")
