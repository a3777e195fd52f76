"""Where Binance's USDⓈ-M futures live, what they can do, and what they let us spend."""

from __future__ import annotations

from types import MappingProxyType

from apps.exchanges.capabilities import Capabilities, Hearing, SilenceGuard, Support
from apps.exchanges.ports import Environment, VenueConfig
from apps.exchanges.throttling import Budget, Scope
from apps.exchanges.venues.addresses import Addresses, RealHosts, checked, under
from moondev.domain.orders import OrderType, TimeInForce

PROTOCOL = "binance"
QUOTE_CURRENCY = "USDT"

# https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info
REAL_HOSTS = RealHosts(
    rest=MappingProxyType(
        {
            Environment.LIVE: frozenset({"fapi.binance.com"}),
            Environment.TESTNET: frozenset({"demo-fapi.binance.com", "testnet.binancefuture.com"}),
        }
    ),
    websocket=MappingProxyType(
        {
            Environment.LIVE: frozenset({"fstream.binance.com"}),
            Environment.TESTNET: frozenset({"fstream.binancefuture.com"}),
        }
    ),
    is_real=under("binance.com", "binancefuture.com", "binance.vision"),
)

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
    cancel_is_final=True,
    # A symbol we do not know of is found by its commission, which is booked after the trade.
    fills_lag_seconds=60.0,
    notes=MappingProxyType(
        {
            "market": "an immediate-or-cancel limit at the worst price; the venue's own market order when it reduces",
            "stop, take_profit, trailing_stop": "executed at the market, whatever the worst price says",
            "trailing_stop": "trails by 0.1 to 10 per cent, from the mark price of the moment",
            "silence_guard": "cancels ordinary orders of the symbols we have orders in; conditional ones stay",
        }
    ),
)


def endpoints(venue: VenueConfig) -> Addresses:
    """Return the addresses of `venue`. Raises Configuration when they do not fit the environment it claims."""
    return checked(venue, REAL_HOSTS)
