"""Where Hyperliquid lives, how long we wait for it, and which worlds it signs for."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

from apps.exchanges.capabilities import Capabilities, Hearing, SilenceGuard, Support
from apps.exchanges.ports import Environment, VenueConfig
from moondev.domain.errors import Configuration
from moondev.domain.orders import OrderType, TimeInForce

PROTOCOL = "hyperliquid"

# https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api
LIVE_HOST = "api.hyperliquid.xyz"
TESTNET_HOST = "api.hyperliquid-testnet.xyz"

CONNECT_TIMEOUT_SECONDS = 2.0
READ_TIMEOUT_SECONDS = 5.0

# The address-based limit lets one request through every 10 s once the budget is spent; the weight
# limit counts a minute. The venue does not say when to come back, so we wait the shorter of both.
RETRY_AFTER_SECONDS = 10.0

MAX_BATCH = 50
# Of how many accounts the venue tells one address of the internet.
# https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits
MAX_ACCOUNTS_FOLLOWED = 10
QUOTE_CURRENCY = "USDC"
MIN_NOTIONAL_USDC = "10"

CAPABILITIES = Capabilities(
    order_types=MappingProxyType(
        {
            OrderType.MARKET: Support.NATIVE,
            OrderType.LIMIT: Support.NATIVE,
            OrderType.STOP: Support.NATIVE,
            OrderType.STOP_LIMIT: Support.NATIVE,
            OrderType.TAKE_PROFIT: Support.NATIVE,
            OrderType.TAKE_PROFIT_LIMIT: Support.NATIVE,
            OrderType.TRAILING_STOP: Support.EMULATED,
        }
    ),
    times_in_force=MappingProxyType(
        {
            TimeInForce.GTC: Support.NATIVE,
            TimeInForce.IOC: Support.NATIVE,
            TimeInForce.POST_ONLY: Support.NATIVE,
        }
    ),
    amend=Support.NATIVE,
    trigger_amend=Support.NATIVE,
    bracket=Support.EMULATED,
    max_batch=MAX_BATCH,
    client_id_bits=128,
    silence_guard=SilenceGuard.ACCOUNT_TIMER,
    hearing=Hearing.WEBSOCKET,
    user_stream_needs_key=False,
)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Checked addresses of one venue row and whether its signatures are for real money."""

    rest_url: str
    websocket_url: str
    is_mainnet: bool


def endpoints(venue: VenueConfig) -> Endpoints:
    """Return the addresses of `venue`, checked against the environment it claims.

    Raises Configuration when a paper venue names a real host, when a real environment names any
    other host, or when an address is not of the right scheme.
    """
    rest_host = _host("rest_url", venue.rest_url, ("http", "https"))
    websocket_host = _host("websocket_url", venue.websocket_url, ("ws", "wss"))
    expected = {Environment.LIVE: LIVE_HOST, Environment.TESTNET: TESTNET_HOST}.get(venue.environment)
    for field, host in (("rest_url", rest_host), ("websocket_url", websocket_host)):
        if expected is None and host.endswith((".hyperliquid.xyz", ".hyperliquid-testnet.xyz")):
            raise Configuration(
                f"venue {venue.code}: {field} names {host}, which is real; a paper venue must name the mock exchange"
            )
        if expected is not None and host != expected:
            raise Configuration(
                f"venue {venue.code}: {field} names {host}; the {venue.environment} environment is at {expected}"
            )
    if expected is not None and not (venue.rest_url.startswith("https:") and venue.websocket_url.startswith("wss:")):
        raise Configuration(f"venue {venue.code}: outside paper the addresses must start with https: and wss:")
    return Endpoints(venue.rest_url.rstrip("/"), venue.websocket_url.rstrip("/"), venue.environment is Environment.LIVE)


def _host(field: str, url: str, schemes: tuple[str, ...]) -> str:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise Configuration(f"{field} is {url!r}; allowed: an address that starts with {' or '.join(schemes)}")
    return parts.hostname.lower()
