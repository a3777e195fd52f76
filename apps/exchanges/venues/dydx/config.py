"""Where dYdX lives, which chain a signature is for, what the venue can do and how often it may be asked."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from apps.exchanges.capabilities import Capabilities, Hearing, SilenceGuard, Support
from apps.exchanges.ports import Environment, VenueConfig
from apps.exchanges.throttling import Budget, Scope
from apps.exchanges.venues.addresses import RealHosts, checked, under
from moondev.domain.orders import OrderType, TimeInForce

PROTOCOL = "dydx"
QUOTE_CURRENCY = "USDC"
SUBACCOUNT = 0
MAX_BATCH = 1
# An account's stream is one subscription; the venue allows 256 of them on a connection, and we open one each.
# https://docs.dydx.xyz/indexer-client/websockets
MAX_ACCOUNTS_FOLLOWED = 256

# Blocks come about once a second; a deadline in time becomes one in blocks by this. https://www.mintscan.io/dydx
BLOCK_SECONDS = 1.0
# https://github.com/dydxprotocol/v4-chain/blob/main/protocol/x/clob/types/constants.go
SHORT_BLOCK_WINDOW = 40
STATEFUL_WINDOW_DAYS = 95
# An order that executes at once has done so in the next block or two; it lapses soon after, so that its end is known.
IMMEDIATE_BLOCKS = 4
# A resting order lives so many whole days, counted from midnight: the same order signed twice ends at the same second,
# and the chain refuses the second instead of taking it for a replacement.
RESTING_DAYS = 28

# https://docs.dydx.xyz/nodes/resources: the venue's own indexers, and the nodes that ccxt names too.
_HOSTS = MappingProxyType(
    {
        Environment.LIVE: frozenset({"indexer.dydx.trade"}),
        Environment.TESTNET: frozenset({"indexer.v4testnet.dydx.exchange"}),
    }
)
_NODES = MappingProxyType(
    {
        Environment.LIVE: ("https://dydx-ops-rpc.kingnodes.com", "https://dydx-rest.publicnode.com"),
        Environment.TESTNET: ("https://test-dydx-rpc.kingnodes.com", "https://test-dydx-rest.kingnodes.com"),
    }
)
_REAL_HOSTS = RealHosts(
    _HOSTS, _HOSTS, under("dydx.trade", "dydx.exchange", "dydx.xyz", "kingnodes.com", "publicnode.com")
)
# What is signed at the mock exchange is signed for the test chain: at the main one it is worth nothing.
_CHAINS = MappingProxyType(
    {
        Environment.LIVE: "dydx-mainnet-1",
        Environment.TESTNET: "dydx-testnet-4",
        Environment.PAPER: "dydx-testnet-4",
    }
)

# Reads of the indexer per address, orders and cancels per account and block.
READS, CANDLES = "indexer", "candles"
SHORT_TERM, STATEFUL, STATEFUL_BLOCK = "short_term", "stateful", "stateful_block"
READS_PER_WINDOW, WINDOW_SECONDS = 100, 10.0
BUDGETS = (
    Budget(READS, Scope.ADDRESS, READS_PER_WINDOW, WINDOW_SECONDS, reserved=0.3),
    Budget(CANDLES, Scope.ADDRESS, 1_000, WINDOW_SECONDS, reserved=0.0),
    Budget(SHORT_TERM, Scope.ACCOUNT, 400, BLOCK_SECONDS),
    # The block rate limits of the chain's genesis; of stateful orders only placing counts, never cancelling.
    Budget(STATEFUL_BLOCK, Scope.ACCOUNT, 2, BLOCK_SECONDS, reserved=0.0),
    Budget(STATEFUL, Scope.ACCOUNT, 20, 100 * BLOCK_SECONDS),
)

CAPABILITIES = Capabilities(
    order_types=MappingProxyType(
        {
            OrderType.MARKET: Support.NATIVE,
            OrderType.LIMIT: Support.NATIVE,
            OrderType.STOP: Support.NATIVE,
            OrderType.TAKE_PROFIT: Support.NATIVE,
            OrderType.STOP_LIMIT: Support.EMULATED,
            OrderType.TAKE_PROFIT_LIMIT: Support.EMULATED,
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
    amend=Support.EMULATED,
    trigger_amend=Support.EMULATED,
    bracket=Support.EMULATED,
    max_batch=MAX_BATCH,
    client_id_bits=32,
    silence_guard=SilenceGuard.BLOCK_EXPIRY,
    hearing=Hearing.WEBSOCKET,
    user_stream_needs_key=False,
    resting_reduce_only=Support.EMULATED,
    leverage=Support.REFUSED,
    # Fills bear the time of their block; the indexer shows them when it has got there, at times a minute later.
    fills_lag_seconds=60.0,
    notes=MappingProxyType(
        {
            "acknowledgement": "the node's code 0 promises nothing: an order exists once the indexer shows it",
            "funding": "not in the stream; asked for by reconciliation",
            "fok": "deprecated by the chain",
        }
    ),
)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Checked addresses of one venue row, and the chain its signatures are for."""

    indexer_url: str
    rpc_url: str
    rest_url: str
    websocket_url: str
    chain: str


def endpoints(venue: VenueConfig) -> Endpoints:
    """Return the addresses of `venue`. Raises Configuration when they do not fit the environment it claims.

    `rest_url` is the indexer's without ``/v4``; the mock exchange has its node beneath it.
    """
    found = checked(venue, _REAL_HOSTS)
    base = found.rest_url
    rpc, rest = _NODES.get(venue.environment, (f"{base}/rpc", f"{base}/rest"))
    return Endpoints(f"{base}/v4", rpc, rest, found.websocket_url, _CHAINS[venue.environment])
