"""Public prints: the trade list, the last price and the bars."""

from __future__ import annotations

from apps.exchanges.mock.engine.api import Trade
from apps.exchanges.mock.engine.events import TradePrinted
from apps.exchanges.mock.engine.market import Market
from apps.exchanges.mock.engine.orders import Order
from apps.exchanges.mock.engine.venue import Venue


class Tape:
    """Writes what traded where everybody can read it."""

    __slots__ = ("_venue",)

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def trade(self, taker: Order, maker: Order, size: int, tid: int) -> None:
        """Print a trade of `size` units at the maker's price."""
        market, venue = maker.market, self._venue
        market.last = maker.px
        buyer, seller = (taker, maker) if taker.is_buy else (maker, taker)
        trade = Trade(
            coin=market.coin,
            tid=tid,
            is_buy=taker.is_buy,
            price=market.grid.price(maker.px),
            size=market.grid.size(size),
            time_ms=venue.now_ms,
            buyer=buyer.account.address,
            seller=seller.account.address,
        )
        market.trades.append(trade)
        venue.outbox.add(TradePrinted(trade))
        if not market.bars.from_tape:
            self.print(market, maker.px, size)

    def print(self, market: Market, px: int, size: int) -> None:
        """Count a trade into the bars; `size` 0 only moves their prices."""
        self.roll(market)
        market.bars.print(px, size)
        self._venue.outbox.bars_changed(market.coin)

    def roll(self, market: Market) -> None:
        """Close the bars that have ended by now."""
        for interval, bar in market.bars.roll(self._venue.now_ms, market.last):
            self._venue.outbox.bar_closed(market, interval, bar)
