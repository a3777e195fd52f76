"""Where Bybit lives, what it allows, and what its adapter can do. https://bybit-exchange.github.io/docs/v5/guide"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

from apps.exchanges.capabilities import Capabilities, Hearing, SilenceGuard, Support
from apps.exchanges.ports import Environment, VenueConfig
from apps.exchanges.throttling import Budget, Scope
from moondev.domain.errors import Configuration
from moondev.domain.orders import OrderType, TimeInForce

PROTOCOL = "bybit"

# https://bybit-exchange.github.io/docs/v5/guide#authentication, docs/v5/ws/connect
LIVE_HOSTS = (frozenset({"api.bybit.com", "api.bytick.com"}), frozenset({"stream.bybit.com"}))
TESTNET_HOSTS = (frozenset({"api-testnet.bybit.com"}), frozenset({"stream-testnet.bybit.com"}))
# Names under which the venue runs its own and its regional sites (bybit.com, bytick.com, bybit.kz, bybit-tr.com ...).
_NAMES = ("bybit", "bytick", "bybick")
# ccxt tells requests to the v5 API and to older ones apart by this word in the address.
VERSION = "v5"

CATEGORY, QUOTE_CURRENCY = "linear", "USDT"
LONGEST_LINK_ID = 36
# The venue takes 20 orders in one request, counts each against ten a second, and lets those beyond fail one by one.
# Eight is what the ordinary lane may take of ten.
# https://bybit-exchange.github.io/docs/v5/rate-limit
MAX_BATCH = 8
# A private connection tells of the account of its key; 500 connections within five minutes, 1,000 in all.
MAX_ACCOUNTS_FOLLOWED = 200

# What the venue wants after HTTP 403; it lifts the ban by itself.
BAN_SECONDS = 600.0
# A window of a second has passed then.
RETRY_AFTER_SECONDS = 1.0

ADDRESS_BUDGET = "requests"
_ORDERS_PER_SECOND, _QUESTIONS_PER_SECOND = 10, 50
# The endpoints that cost something of their own, by the last two words of their path.
_WRITES = (
    "order/create",
    "order/create-batch",
    "order/amend",
    "order/amend-batch",
    "order/cancel",
    "order/cancel-batch",
    "position/set-leverage",
)
_READS = ("order/realtime", "order/history", "execution/list", "position/list", "account/wallet-balance")
BUDGETS = (
    Budget(ADDRESS_BUDGET, Scope.ADDRESS, 600, 5.0),
    *(Budget(path, Scope.ACCOUNT, _ORDERS_PER_SECOND, 1.0) for path in _WRITES),
    *(Budget(path, Scope.ACCOUNT, _QUESTIONS_PER_SECOND, 1.0) for path in _READS),
)

CAPABILITIES = Capabilities(
    order_types=MappingProxyType(
        {
            OrderType.MARKET: Support.NATIVE,
            OrderType.LIMIT: Support.NATIVE,
            OrderType.STOP: Support.NATIVE,
            OrderType.STOP_LIMIT: Support.NATIVE,
            OrderType.TAKE_PROFIT: Support.NATIVE,
            OrderType.TAKE_PROFIT_LIMIT: Support.NATIVE,
            # The venue trails only the stop of a whole position (trading-stop), which carries no name of ours.
            OrderType.TRAILING_STOP: Support.EMULATED,
        }
    ),
    times_in_force=MappingProxyType(dict.fromkeys(TimeInForce, Support.NATIVE)),
    amend=Support.NATIVE,
    trigger_amend=Support.NATIVE,
    bracket=Support.EMULATED,
    max_batch=MAX_BATCH,
    client_id_bits=128,
    # Set up once per account at the venue, for institutional clients; the stream here subscribes to it.
    silence_guard=SilenceGuard.CONNECTION,
    hearing=Hearing.WEBSOCKET,
    notes=MappingProxyType(
        {
            "market": "an IOC limit at the worst acceptable price, so that nothing worse is ever paid",
            "post-only": "accepted, then cancelled with EC_PostOnlyWillTakeLiquidity when it would take",
            "batch": "20 in one request at the venue; each order counts against ten a second, so 8 here",
            "margin mode": "the whole account's at the venue; isolated is refused here",
        }
    ),
)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Checked addresses of one venue row; the websocket's ends with the version."""

    rest_url: str
    websocket_url: str


def endpoints(venue: VenueConfig) -> Endpoints:
    """Return the addresses of `venue`, checked against the environment it claims.

    Raises Configuration when a paper venue names a real host, when a real environment names any other host, and for
    an address of the wrong scheme or without the version at the end of the websocket's.
    """
    hosts = (
        _host("rest_url", venue.rest_url, ("http", "https")),
        _host("websocket_url", venue.websocket_url, ("ws", "wss")),
    )
    allowed = {Environment.LIVE: LIVE_HOSTS, Environment.TESTNET: TESTNET_HOSTS}.get(venue.environment)
    for number, (field, host) in enumerate(zip(("rest_url", "websocket_url"), hosts, strict=True)):
        if allowed is None and _is_real(host):
            raise Configuration(
                f"venue {venue.code}: {field} names {host}, which is real; a paper venue must name the mock exchange"
            )
        if allowed is not None and host not in allowed[number]:
            raise Configuration(
                f"venue {venue.code}: {field} names {host}; the {venue.environment} environment is at "
                f"{' or '.join(sorted(allowed[number]))}"
            )
    if allowed is not None and not (venue.rest_url.startswith("https:") and venue.websocket_url.startswith("wss:")):
        raise Configuration(f"venue {venue.code}: outside paper the addresses must start with https: and wss:")
    websocket_url = venue.websocket_url.rstrip("/")
    if not websocket_url.endswith(f"/{VERSION}"):
        raise Configuration(
            f"venue {venue.code}: websocket_url is {venue.websocket_url!r}; it must end with /{VERSION}"
        )
    return Endpoints(venue.rest_url.rstrip("/"), websocket_url)


def _is_real(host: str) -> bool:
    labels = host.split(".")
    return len(labels) > 1 and any(label.startswith(_NAMES) for label in labels[-3:-1])


def _host(field: str, url: str, schemes: tuple[str, ...]) -> str:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise Configuration(f"{field} is {url!r}; allowed: an address that starts with {' or '.join(schemes)}")
    return parts.hostname.lower()
