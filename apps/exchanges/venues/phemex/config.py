"""Where Phemex lives, what it can do, and how often it may be asked."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from apps.exchanges.capabilities import Capabilities, Hearing, SilenceGuard, Support
from apps.exchanges.ports import Environment, VenueConfig
from apps.exchanges.throttling import Budget, Scope
from apps.exchanges.venues.addresses import RealHosts, checked, under
from apps.exchanges.venues.websocket import Patience
from moondev.domain.orders import OrderType, TimeInForce

PROTOCOL = "phemex"

# https://phemex-docs.github.io/#general-api-information; the second name is for addresses the venue has been told of.
_REAL_HOSTS = RealHosts(
    rest=MappingProxyType(
        {
            Environment.LIVE: frozenset({"api.phemex.com", "vapi.phemex.com"}),
            Environment.TESTNET: frozenset({"testnet-api.phemex.com"}),
        }
    ),
    websocket=MappingProxyType(
        {
            Environment.LIVE: frozenset({"ws.phemex.com", "vapi.phemex.com"}),
            Environment.TESTNET: frozenset({"testnet-api.phemex.com"}),
        }
    ),
    is_real=under("phemex.com"),
)

QUOTE_CURRENCY = "USDT"
# No request of this venue carries two orders.
MAX_BATCH = 1
# A client order id may have forty characters; ours has thirty-six.
LONGEST_CLIENT_ORDER_ID = 40
# Bounded by 200 new sockets per address in five minutes: all of these may come back at once, several times.
MAX_ACCOUNTS_FOLLOWED = 20

# https://phemex-docs.github.io/#api-rate-limits
SUBSCRIPTIONS_PER_CONNECTION = 20
CONNECTIONS = 5
# The venue asks for a ping every five seconds, and for giving a line up that was silent for three of them.
PATIENCE = Patience(ping_every=5.0, silence=16.0)

# https://phemex-docs.github.io/#rest-api-ratelimit-rules
IP, CONTRACT, OTHERS = "ip", "contract", "others"
BUDGETS = (
    Budget(IP, Scope.ADDRESS, 5_000, 300.0),
    Budget(CONTRACT, Scope.ACCOUNT, 500, 60.0),
    Budget(OTHERS, Scope.ACCOUNT, 100, 60.0),
)
# When the venue refuses to look and does not say for how long: its windows are of a minute.
RETRY_AFTER_SECONDS = 60.0

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
            TimeInForce.FOK: Support.NATIVE,
            TimeInForce.POST_ONLY: Support.NATIVE,
        }
    ),
    amend=Support.NATIVE,
    trigger_amend=Support.NATIVE,
    bracket=Support.EMULATED,
    max_batch=MAX_BATCH,
    client_id_bits=128,
    # No dead man's switch of any kind; who falls silent leaves his orders resting.
    silence_guard=SilenceGuard.NONE,
    hearing=Hearing.WEBSOCKET,
    # Another service keeps the history, and nobody says how far it may be behind.
    fills_lag_seconds=60.0,
    notes=MappingProxyType(
        {
            "place": "an answer says accepted, never filled: the stream or a question tells what came of it",
            "stop": "STOP and TAKE_PROFIT carry no worst price; the venue's own collar bounds them",
            "expiry": "the signature lapses at a full second; what arrived before may still be on its way inside",
            "silence": "nothing cancels orders when we fall silent",
        }
    ),
)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Checked addresses of one venue row."""

    rest_url: str
    websocket_url: str

    def of_ccxt(self) -> dict[str, object]:
        """Return the addresses as ccxt's groups of endpoints want them."""
        base = self.rest_url
        return {"v1": f"{base}/v1", "v2": base, "private": base, "public": f"{base}/exchange/public"}


def endpoints(venue: VenueConfig) -> Endpoints:
    """Return the addresses of `venue`. Raises Configuration when they do not fit the environment it claims."""
    found = checked(venue, _REAL_HOSTS)
    return Endpoints(found.rest_url, found.websocket_url)
