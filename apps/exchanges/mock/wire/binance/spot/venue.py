"""Binance's spot market: the same engine, keys and counters, and facts of its own."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.api import Fill, InstrumentSpec, OrderSnapshot
from apps.exchanges.mock.wire.binance.limits import SPOT, Limits
from apps.exchanges.mock.wire.binance.spot import views
from apps.exchanges.mock.wire.binance.venue import Venue
from apps.exchanges.mock.wire.port import Json


class SpotVenue(Venue):
    """The spot pairs of the engine behind `futures`, whose keys and counters it shares."""

    def __init__(self, futures: Venue) -> None:
        """Stand beside `futures`."""
        super().__init__(futures.exchange, futures.clock, futures.config, futures.faults)
        self.keys, self.counts, self.limits = futures.keys, futures.counts, Limits(SPOT)

    def listed(self) -> tuple[InstrumentSpec, ...]:
        """Return what is traded here: of the engine's instruments the spot pairs."""
        return self.exchange.spot_specs()

    def order_row(self, account: str, order: OrderSnapshot) -> Json:
        """Return an order in the venue's words."""
        return views.order(order, self.kinds.of(account, order.cloid), self.sums.of(order.oid))

    def fill_row(self, fill: Fill) -> Json:
        """Return a fill in the venue's words."""
        return views.user_trade(fill)

    def account_row(self, account: str) -> Json:
        """Return balances and fees."""
        config = self.config
        balances = self.exchange.balances(account)
        return views.account(balances, config.spot_maker_fee_bps, config.spot_taker_fee_bps, self.now_ms())

    def last_price(self, coin: str) -> Decimal:
        """Return the price of the newest trade; the mark before there was one."""
        newest = self.exchange.trades(coin, 1)
        return newest[0].price if newest else self.exchange.mark(coin)
