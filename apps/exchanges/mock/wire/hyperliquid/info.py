"""POST /info: one table of everything that can be asked."""

from __future__ import annotations

from collections.abc import Mapping

from apps.exchanges.mock.wire.hyperliquid.info_account import AccountInfo, read_user
from apps.exchanges.mock.wire.hyperliquid.info_market import InfoHandler, MarketInfo
from apps.exchanges.mock.wire.hyperliquid.numbers import wire_usd
from apps.exchanges.mock.wire.hyperliquid.orders_in import MalformedError, field, json_object
from apps.exchanges.mock.wire.hyperliquid.venue import Venue
from apps.exchanges.mock.wire.hyperliquid.views import Json


class Info:
    """Answers questions; nothing here changes anything."""

    def __init__(self, venue: Venue) -> None:
        """Answer about `venue`."""
        self._venue = venue
        self.market = MarketInfo(venue)
        self.account = AccountInfo(venue)
        self._general: Mapping[str, InfoHandler] = {**self.market.handlers, "webData2": self._web_data}

    def answer(self, raw: object) -> object:
        """Return the answer to a request `{type, ...}`. Raises MalformedError when it is not one."""
        request = json_object(raw)
        kind = field(request, "type", str)
        general = self._general.get(kind)
        if general is not None:
            return general(request)
        handler = self.account.handlers.get(kind)
        if handler is None:
            raise MalformedError(f"unknown info type {kind!r}")
        return handler(read_user(request), request)

    def web_data(self, user: str) -> Json:
        """Return the bundle the venue's own page shows of one user."""
        return {
            "clearinghouseState": self.account.state(user),
            "leadingVaults": [],
            "totalVaultEquity": "0.0",
            "openOrders": self.account.frontend_orders(user),
            "agentAddress": None,
            "agentValidUntil": None,
            "cumLedger": wire_usd(self.account.moved_in(user)),
            "meta": self.market.meta({}),
            "assetCtxs": self.market.contexts(),
            "serverTime": self._venue.now_ms(),
            "isVault": False,
            "user": user,
            "twapStates": [],
            "spotState": self.account.spot_state(user),
            "spotAssetCtxs": self._venue.spot.contexts(),
            "perpsAtOpenInterestCap": [],
        }

    def _web_data(self, request: Json) -> Json:
        return self.web_data(read_user(request))
