"""Where Bybit lives, what it allows, and what its adapter can do. https://bybit-exchange.github.io/docs/v5/guide"""

from __future__ import annotations

from types import MappingProxyType

from apps.exchanges.capabilities import Capabilities, Hearing, SilenceGuard, Support
from apps.exchanges.ports import Environment, VenueConfig
from apps.exchanges.throttling import Budget, Scope
from apps.exchanges.venues.addresses import Addresses, RealHosts, checked
from moondev.domain.errors import Configuration
from moondev.domain.orders import OrderType, TimeInForce

PROTOCOL = "bybit"

# https://bybit-exchange.github.io/docs/v5/guide#authentication, docs/v5/ws/connect
REST_HOSTS = MappingProxyType(
    {
        Environment.LIVE: frozenset({"api.bybit.com", "api.bytick.com"}),
        Environment.TESTNET: frozenset({"api-testnet.bybit.com"}),
    }
)
STREAM_HOSTS = MappingProxyType(
    {
        Environment.LIVE: frozenset({"stream.bybit.com"}),
        Environment.TESTNET: frozenset({"stream-testnet.bybit.com"}),
    }
)
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


def endpoints(venue: VenueConfig) -> Addresses:
    """Return the addresses of `venue`; the websocket's ends with the version.

    Raises Configuration when they do not fit the environment it claims, and without the version.
    """
    found = checked(venue, RealHosts(REST_HOSTS, STREAM_HOSTS, _is_real))
    if not found.websocket_url.endswith(f"/{VERSION}"):
        raise Configuration(
            f"venue {venue.code}: websocket_url is {venue.websocket_url!r}; it must end with /{VERSION}"
        )
    return found


def _is_real(host: str) -> bool:
    labels = host.split(".")
    return len(labels) > 1 and any(label.startswith(_NAMES) for label in labels[-3:-1])
