"""Mark and oracle prices, and what a move of the mark sets off: triggers and liquidations."""

from __future__ import annotations

from apps.exchanges.mock.engine.events import MarkChanged
from apps.exchanges.mock.engine.liquidation import Liquidator
from apps.exchanges.mock.engine.market import Market
from apps.exchanges.mock.engine.matching import Matcher
from apps.exchanges.mock.engine.orders import Place
from apps.exchanges.mock.engine.venue import Venue


class Marks:
    """Moves marks."""

    __slots__ = ("_liquidator", "_matcher", "_venue")

    def __init__(self, venue: Venue, matcher: Matcher, liquidator: Liquidator) -> None:
        self._venue = venue
        self._matcher = matcher
        self._liquidator = liquidator

    def refresh(self, market: Market, oracle: int) -> None:
        """Set the oracle, and the mark to the median of best bid, best ask and last trade.

        That is one part of the venue's own mark
        (https://hyperliquid.gitbook.io/hyperliquid-docs/trading/robust-price-indices).
        """
        quotes = market.book.middle()
        mark = oracle if quotes is None else sorted((*quotes, market.last))[1]
        self.move(market, mark, oracle)

    def move(self, market: Market, mark: int, oracle: int) -> None:
        """Set both prices, fire what is due and liquidate whom it breaks."""
        if mark == market.mark and oracle == market.oracle:
            return
        market.mark, market.oracle = mark, oracle
        grid = market.grid
        if self._venue.outbox.heard:
            moved = MarkChanged(market.coin, grid.price(mark), grid.price(oracle), self._venue.now_ms)
            self._venue.outbox.add(moved)
        for order in market.triggers.due(mark):
            if order.place is Place.TRIGGERS:
                self._matcher.fire(order)
        self._liquidator.check(market)
