"""Where Hyperliquid lives, how long we wait for it, and which worlds it signs for."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from apps.exchanges.capabilities import Capabilities, Hearing, SilenceGuard, Support
from apps.exchanges.ports import Environment, VenueConfig
from apps.exchanges.venues.addresses import RealHosts, checked, under
from moondev.domain.orders import OrderType, TimeInForce

PROTOCOL = "hyperliquid"

# https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api
LIVE_HOST = "api.hyperliquid.xyz"
TESTNET_HOST = "api.hyperliquid-testnet.xyz"
_HOSTS = MappingProxyType({Environment.LIVE: frozenset({LIVE_HOST}), Environment.TESTNET: frozenset({TESTNET_HOST})})
_REAL_HOSTS = RealHosts(_HOSTS, _HOSTS, under("hyperliquid.xyz", "hyperliquid-testnet.xyz"))

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
    cancel_is_final=True,
    user_stream_needs_key=False,
)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Checked addresses of one venue row and whether its signatures are for real money."""

    rest_url: str
    websocket_url: str
    is_mainnet: bool


def endpoints(venue: VenueConfig) -> Endpoints:
    """Return the addresses of `venue`. Raises Configuration when they do not fit the environment it claims."""
    found = checked(venue, _REAL_HOSTS)
    return Endpoints(found.rest_url, found.websocket_url, venue.environment is Environment.LIVE)
