"""What a spot account may ask about itself, and moving money between it and the futures account.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/account-endpoints
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import count

from apps.exchanges.mock.engine.api import OrderSnapshot, Rejected
from apps.exchanges.mock.wire.binance.fields import Params
from apps.exchanges.mock.wire.binance.refusals import NO_SUCH_ORDER, RefusedError
from apps.exchanges.mock.wire.binance.spot.trading import SpotTrading
from apps.exchanges.mock.wire.binance.spot.venue import SpotVenue
from apps.exchanges.mock.wire.binance.views import rate
from apps.exchanges.mock.wire.binance.words import QUOTE, on_record, symbol_of
from apps.exchanges.mock.wire.port import Json

_TO_SPOT, _FROM_SPOT = "UMFUTURE_MAIN", "MAIN_UMFUTURE"
_ALL = 100_000


class SpotReads:
    """Answers about one account. Every method refuses with RefusedError."""

    def __init__(self, venue: SpotVenue, trading: SpotTrading, moved: Callable[[str, str, Decimal], None]) -> None:
        """Ask `venue`; `moved` hears account, asset and amount of a transfer."""
        self._venue, self._trading, self._moved = venue, trading, moved
        self._transfers = count(13_526_853_623)

    def account(self, account: str, _: Params) -> Json:
        """Return balances and fees (GET /account)."""
        return self._venue.account_row(account)

    def order(self, account: str, params: Params) -> Json:
        """Return one order (GET /order)."""
        order = self._trading.find(account, self._venue.coin(params), params)
        if order is None:
            raise RefusedError(*NO_SUCH_ORDER)
        return self._venue.order_row(account, order)

    def open_orders(self, account: str, params: Params) -> list[Json]:
        """Return open orders, of one pair or all (GET /openOrders)."""
        coins = self._venue.coins_asked(params)
        found = self._venue.exchange.open_orders(account)
        return [self._venue.order_row(account, order) for order in found if order.coin in coins]

    def all_orders(self, account: str, params: Params) -> list[Json]:
        """Return orders of a pair, ended ones too, oldest first (GET /allOrders)."""
        coin, limit = self._venue.coin(params), min(params.whole("limit", 500), 1_000)
        start, first = params.whole("startTime", 0), params.whole("orderId", 0)

        def wanted(order: OrderSnapshot) -> bool:
            return order.coin == coin and on_record(order) and order.oid >= first and order.placed_ms >= start

        exchange = self._venue.exchange
        known = [*exchange.order_history(account, _ALL), *exchange.open_orders(account)]
        found = sorted((order for order in known if wanted(order)), key=lambda order: order.oid)
        page = found[:limit] if first or start else found[-limit:]
        return [self._venue.order_row(account, order) for order in page]

    def trades(self, account: str, params: Params) -> list[Json]:
        """Return fills of a pair, oldest first (GET /myTrades)."""
        coin, limit = self._venue.coin(params), min(params.whole("limit", 500), 1_000)
        start, end = params.whole("startTime", 0), params.find_whole("endTime")
        first, order_id = params.whole("fromId", 0), params.find_whole("orderId")
        rows = [
            fill
            for fill in self._venue.exchange.fills(account, start, end)
            if fill.coin == coin and fill.tid >= first and order_id in (None, fill.oid)
        ]
        page = rows[:limit] if start or first else rows[-limit:]
        return [self._venue.fill_row(fill) for fill in page]

    def fees(self, _account: str, params: Params) -> list[Json]:
        """Return the account's fees by pair (GET /sapi/v1/asset/tradeFee)."""
        config = self._venue.config
        rates = {"makerCommission": rate(config.spot_maker_fee_bps), "takerCommission": rate(config.spot_taker_fee_bps)}
        return [{"symbol": symbol_of(coin), **rates} for coin in self._venue.coins_asked(params)]

    def transfer(self, account: str, params: Params) -> Json:
        """Move margin money between the futures and the spot account (POST /sapi/v1/asset/transfer)."""
        to_spot = params.choice("type", (_TO_SPOT, _FROM_SPOT)) == _TO_SPOT
        amount = params.decimal("amount")
        if params.text("asset") != QUOTE:
            raise RefusedError(-9000, "user have no available amount")
        answer = self._venue.exchange.transfer(account, QUOTE, amount, to_spot=to_spot)
        if isinstance(answer, Rejected):
            raise RefusedError(-9000, "user have no available amount")
        self._moved(account, QUOTE, amount if to_spot else -amount)
        return {"tranId": next(self._transfers)}
