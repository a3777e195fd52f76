"""Which of ccxt's exchanges can be traded on by name, and what each lacks otherwise. Asks nobody: it is all in ccxt.

The protocol ``ccxt:<id>`` names one. What the platform needs and ccxt does not say an exchange has is named in the
refusal. https://docs.ccxt.com/#/README?id=exchange-capabilities
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import ccxt

from apps.exchanges.capabilities import Capabilities, Hearing, SilenceGuard, Support
from moondev.domain.errors import Configuration
from moondev.domain.orders import OrderType, TimeInForce

PREFIX = "ccxt:"

# Each is called by this name.
_NEEDED = (
    "fetchMarkets", "createOrder", "cancelOrder", "fetchOpenOrders", "fetchBalance", "fetchPositions", "fetchMyTrades",
    "fetchFundingHistory", "fetchOrderBook", "fetchOHLCV", "fetchTrades", "fetchTickers",
)  # fmt: skip
# How orders that have ended are found; one way has to be there.
_HISTORIES = (("fetchCanceledAndClosedOrders",), ("fetchOrders",), ("fetchClosedOrders", "fetchCanceledOrders"))
_TIMES_IN_FORCE = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK", TimeInForce.POST_ONLY: "PO"}
_EVERY_KIND = MappingProxyType({kind: Support.EMULATED if kind.triggered else Support.NATIVE for kind in OrderType})


@dataclass(frozen=True, slots=True)
class Quirks:
    """What has to be known of an exchange beyond what ccxt says of all of them.

    `options` are ccxt's; `unchanged` are words in an answer that mean "it was so already". `equity_is_total`: the
    exchange counts open profit into the total of a balance. `funding_is_cost`: it writes funding as a fee, positive
    when paid, which ccxt hands on as it is. For an exchange that is not in the table neither is assumed; where that is
    wrong, ledger and venue differ, and the equity check raises its alarm.
    """

    options: Mapping[str, object] = field(default_factory=dict)
    unchanged: tuple[str, ...] = ()
    equity_is_total: bool = False
    funding_is_cost: bool = False


QUIRKS: Mapping[str, Quirks] = MappingProxyType(
    {
        # By default six market lists are asked for; an answer 110043 says that the leverage was the same already.
        "bybit": Quirks({"fetchMarkets": {"types": ["linear"]}}, unchanged=("110043",), funding_is_cost=True),
        "okx": Quirks(equity_is_total=True),
    }
)


@dataclass(frozen=True, slots=True)
class KnownExchange:
    """One of ccxt's exchanges that has everything.

    `trades_per_page` is how many fills it tells at once, `orders_per_page` how many open orders; 0: as many as there
    are, as far as ccxt says.
    """

    exchange_id: str
    capabilities: Capabilities
    histories: tuple[str, ...]
    trades_per_page: int
    orders_per_page: int
    rate_limit_ms: float
    quirks: Quirks


def exchange_id(protocol: str) -> str | None:
    """Return the exchange that ``ccxt:<id>`` names; None for any other protocol."""
    return protocol.removeprefix(PREFIX) if protocol.startswith(PREFIX) else None


@lru_cache(maxsize=64)
def known_exchange(name: str) -> KnownExchange:
    """Return what is known of ccxt's exchange `name`. Raises Configuration that names everything it lacks."""
    if name not in ccxt.exchanges:
        raise Configuration(f"protocol is {PREFIX + name!r}; allowed: {PREFIX}<id>, with an id that ccxt has")
    exchange = getattr(ccxt, name)()
    features = _linear_features(exchange)
    lacks = [*_lacks(exchange), *_lacking_features(features)]
    if lacks:
        raise Configuration(f"{PREFIX}{name} cannot be traded on: it lacks {', '.join(lacks)}")
    return KnownExchange(
        name,
        _capabilities(exchange, features),
        next(ways for ways in _HISTORIES if _has_all(exchange, ways)),
        int(features["fetchMyTrades"].get("limit") or 100),
        int(features["fetchOpenOrders"].get("limit") or 0),
        float(exchange.rateLimit),
        QUIRKS.get(name, Quirks()),
    )


def usable_exchanges() -> Iterator[str]:
    """Yield the ids of ccxt's exchanges that lack nothing."""
    for name in ccxt.exchanges:
        try:
            known_exchange(name)
        except Configuration:
            continue
        yield name


def _lacks(exchange: Any) -> Iterator[str]:  # noqa: ANN401 - ccxt has no types
    if not exchange.has.get("swap"):
        yield "perpetual swaps"
    yield from (name for name in _NEEDED if not exchange.has.get(name))
    if not any(_has_all(exchange, ways) for ways in _HISTORIES):
        yield "a way to find orders that have ended (" + " or ".join(" with ".join(ways) for ways in _HISTORIES) + ")"


def _lacking_features(features: Mapping[str, Any]) -> Iterator[str]:
    """Name what ccxt's features do not promise. Features that are not described promise nothing."""
    if not (features.get("createOrder") or {}).get("timeInForce", {}).get("IOC"):
        yield "immediate-or-cancel orders (market orders are sent as such, at the worst acceptable price)"
    for name in ("fetchMyTrades", "fetchOpenOrders"):
        described = features.get(name)
        if not described or described.get("symbolRequired"):
            yield f"{name} for all symbols at once"


def _capabilities(exchange: Any, features: Mapping[str, Any]) -> Capabilities:  # noqa: ANN401 - ccxt has no types
    promised = features["createOrder"]["timeInForce"]
    return Capabilities(
        order_types=_EVERY_KIND,
        times_in_force={tif: Support.NATIVE for tif, word in _TIMES_IN_FORCE.items() if promised.get(word)},
        amend=Support.EMULATED,
        trigger_amend=Support.EMULATED,
        bracket=Support.EMULATED,
        max_batch=1,
        client_id_bits=128,
        silence_guard=SilenceGuard.NONE,
        hearing=Hearing.POLLING,
        leverage=Support.NATIVE if exchange.has.get("setLeverage") else Support.REFUSED,
    )


def _linear_features(exchange: Any) -> Mapping[str, Any]:  # noqa: ANN401 - ccxt has no types
    swap = (exchange.features or {}).get("swap") or {}
    return swap.get("linear") or {}


def _has_all(exchange: Any, names: tuple[str, ...]) -> bool:  # noqa: ANN401 - ccxt has no types
    return all(exchange.has.get(name) for name in names)
