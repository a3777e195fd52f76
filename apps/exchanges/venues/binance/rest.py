"""Binance over HTTP: ccxt signs and carries the bytes; what each request costs is paid before it leaves.

Weights: https://developers.binance.com/docs/derivatives/usds-margined-futures
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

import msgspec

from apps.exchanges.adapters import Tools
from apps.exchanges.throttling import Lane
from apps.exchanges.venues.addresses import Addresses
from apps.exchanges.venues.binance.config import LONGEST_WINDOW_MS, ORDERS_1M, ORDERS_10S, WEIGHT
from apps.exchanges.venues.binance.judge import OUT_OF_TIME, Judge, refusal_code
from apps.exchanges.venues.binance.messages import TimeAnswer
from apps.exchanges.venues.ccxt_generic.credentials import ApiKey
from apps.exchanges.venues.ccxt_generic.session import CcxtSession
from apps.exchanges.venues.venue_clock import VenueClock
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import TradingError, VenueRejected

Parameters = Mapping[str, object]

_EXCHANGE = "binanceusdm"
_ONE_ORDER = {ORDERS_10S: 1, ORDERS_1M: 1}
# A batch counts as as many orders in ten seconds as it holds, and as one in a minute.
_BATCH = {WEIGHT: 5, ORDERS_10S: 5, ORDERS_1M: 1}


@dataclass(frozen=True, slots=True)
class Call:
    """One endpoint: ccxt's name of it and what asking it costs, by budget."""

    method: str
    cost: Mapping[str, int]

    def weighing(self, weight: int) -> Call:
        """Return the same endpoint with the weight that certain parameters give it."""
        return Call(self.method, MappingProxyType({**self.cost, WEIGHT: weight}))


def _call(method: str, weight: int = 1) -> Call:
    return Call(method, MappingProxyType({WEIGHT: weight}))


class Calls(Enum):
    """The endpoints we ask. `DEPTH` and `CANDLES` weigh more the more is asked for."""

    PLACE = Call("fapiPrivatePostOrder", MappingProxyType(_ONE_ORDER))
    PLACE_MANY = Call("fapiPrivatePostBatchOrders", MappingProxyType(_BATCH))
    PLACE_CONDITIONAL = Call("fapiPrivatePostAlgoOrder", MappingProxyType(_ONE_ORDER))
    AMEND = Call("fapiPrivatePutOrder", MappingProxyType({WEIGHT: 1, **_ONE_ORDER}))
    AMEND_MANY = Call("fapiPrivatePutBatchOrders", MappingProxyType(_BATCH))
    CANCEL = _call("fapiPrivateDeleteOrder")
    CANCEL_MANY = _call("fapiPrivateDeleteBatchOrders")
    CANCEL_CONDITIONAL = _call("fapiPrivateDeleteAlgoOrder")
    COUNTDOWN = _call("fapiPrivatePostCountdownCancelAll", 10)
    ORDER = _call("fapiPrivateGetOrder")
    CONDITIONAL = _call("fapiPrivateGetAlgoOrder")
    OPEN = _call("fapiPrivateGetOpenOrders", 40)
    OPEN_CONDITIONAL = _call("fapiPrivateGetOpenAlgoOrders", 40)
    FILLS = _call("fapiPrivateGetUserTrades", 5)
    INCOME = _call("fapiPrivateGetIncome", 30)
    ACCOUNT = _call("fapiPrivateV3GetAccount", 5)
    LEVERAGE = _call("fapiPrivatePostLeverage")
    MARGIN_TYPE = _call("fapiPrivatePostMarginType")
    OPEN_LISTEN_KEY = _call("fapiPrivatePostListenKey")
    KEEP_LISTEN_KEY = _call("fapiPrivatePutListenKey")
    TIME = _call("fapiPublicGetTime")
    INSTRUMENTS = _call("fapiPublicGetExchangeInfo")
    MARKS = _call("fapiPublicGetPremiumIndex", 10)
    FUNDING_RATES = _call("fapiPublicGetFundingRate")
    FUNDING_INTERVALS = _call("fapiPublicGetFundingInfo", 0)
    TRADES = _call("fapiPublicGetAggTrades", 20)
    DEPTH = _call("fapiPublicGetDepth", 20)
    CANDLES = _call("fapiPublicGetKlines", 10)


class Rest:
    """One session with one key, or with none for public reads. Each request is sent once."""

    def __init__(self, where: Addresses, tools: Tools, key: ApiKey | None = None) -> None:
        """Prepare without touching the network."""
        self._throttle = tools.throttle
        # By which requests are stamped.
        self.clock = VenueClock(tools.clock)
        base = f"{where.rest_url}/fapi/"
        versions = {"": "v1", "V2": "v2", "V3": "v3"}
        addresses = {
            f"fapi{side}{name}": base + version for side in ("Public", "Private") for name, version in versions.items()
        }
        # Reads and cancels may come late; placing states a window of its own.
        options = {"recvWindow": LONGEST_WINDOW_MS}
        self._session = CcxtSession(
            _EXCHANGE, addresses=addresses, judge=Judge(tools.throttle), clock=self.clock, key=key, options=options
        )

    def ask(self, call: Calls | Call, parameters: Parameters | None = None, lane: Lane = Lane.ORDINARY) -> str:
        """Return the text of an answer. Raises RateLimited before anything is sent when the budget is spent."""
        endpoint = call.value if isinstance(call, Calls) else call
        if endpoint.cost:
            self._throttle.spend(endpoint.cost, lane)
        try:
            return self._session.ask(endpoint.method, dict(parameters or {}))
        except VenueRejected as error:
            if refusal_code(error) == OUT_OF_TIME:
                self._set_clock()
            raise

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _set_clock(self) -> None:
        """Ask for the time, so that the next request is stamped right; the refused one is not sent again."""
        with suppress(TradingError, msgspec.MsgspecError):
            asked = self.clock.now()
            self._throttle.spend(Calls.TIME.value.cost, Lane.RESERVED)
            shown = msgspec.json.decode(self._session.ask(Calls.TIME.value.method), type=TimeAnswer).serverTime
            self.clock.learn(from_milliseconds(shown), asked, self.clock.now())
