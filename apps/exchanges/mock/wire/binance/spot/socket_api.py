"""The spot market's websocket API: orders, and the account's news on the socket that asked for them.

https://developers.binance.com/docs/binance-spot-api-docs/websocket-api
"""

from __future__ import annotations

from aiohttp import web

from apps.exchanges.mock.wire.binance.refusals import RefusedError
from apps.exchanges.mock.wire.binance.socket_api import Method, SocketApi
from apps.exchanges.mock.wire.binance.spot.private import SpotPrivate
from apps.exchanges.mock.wire.binance.spot.reads import SpotReads
from apps.exchanges.mock.wire.binance.spot.trading import SpotTrading
from apps.exchanges.mock.wire.binance.spot.venue import SpotVenue
from apps.exchanges.mock.wire.line import Line
from apps.exchanges.mock.wire.port import Json

_SUBSCRIBE, _UNSUBSCRIBE = "userDataStream.subscribe.signature", "userDataStream.unsubscribe"


class SpotSocketApi(SocketApi):
    """Serves the clients of /ws-api/v3."""

    def __init__(self, venue: SpotVenue, trading: SpotTrading, reads: SpotReads, private: SpotPrivate) -> None:
        """Act for signed requests; `private` tells accounts of themselves."""
        methods: dict[str, Method] = {
            "order.place": ("order", 1, trading.place),
            "order.cancel": ("cancel", 0, trading.cancel),
            "order.cancelReplace": ("order", 1, trading.replace),
            "order.status": ("order", 0, reads.order),
            "openOrders.status": ("openOrders", 0, reads.open_orders),
            "openOrders.cancelAll": ("cancel", 0, trading.cancel_all),
            "allOrders": ("allOrders", 0, reads.all_orders),
            "myTrades": ("myTrades", 0, reads.trades),
            "account.status": ("account", 0, reads.account),
            _SUBSCRIBE: ("userDataStream", 0, lambda account, _: {"account": account}),
        }
        super().__init__(venue, methods)
        self._private = private

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Speak with one client until it leaves."""
        return await self.host.serve(request, lambda _: None, self._on_text, self._private.forget)

    def _act(self, line: Line, said: Json) -> object:
        name = str(said.get("method"))
        if name == _UNSUBSCRIBE:
            asked = said.get("params") or {}
            number = asked.get("subscriptionId") if isinstance(asked, dict) else None
            if number is not None and not isinstance(number, int):
                raise RefusedError(-1130, "Data sent for parameter 'subscriptionId' is not valid.")
            self._private.leave(line, number)
            return {}
        done = super()._act(line, said)
        if name == _SUBSCRIBE and isinstance(done, dict):
            return {"subscriptionId": self._private.join(line, done["account"])}
        return done
