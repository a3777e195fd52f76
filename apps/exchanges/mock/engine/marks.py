"""Mark and oracle prices, and what a move of the mark sets off: triggers and liquidations."""

from __future__ import annotations

from apps.exchanges.mock.engine.accounts import Account
from apps.exchanges.mock.engine.api import CancelReason, Tif
from apps.exchanges.mock.engine.cancels import Canceller
from apps.exchanges.mock.engine.events import MarkChanged
from apps.exchanges.mock.engine.lifecycle import Lifecycle
from apps.exchanges.mock.engine.market import Market
from apps.exchanges.mock.engine.matching import Matcher
from apps.exchanges.mock.engine.orders import Order, Place
from apps.exchanges.mock.engine.venue import Venue

# A liquidation takes nearly any price: up to this many times the mark, or down to the last unit.
_WORST_BUY = 10
_WORST_SELL_PX = 1


class Marks:
    """Moves marks."""

    __slots__ = ("_canceller", "_lifecycle", "_matcher", "_venue")

    def __init__(self, venue: Venue, lifecycle: Lifecycle, matcher: Matcher, canceller: Canceller) -> None:
        self._venue = venue
        self._lifecycle = lifecycle
        self._matcher = matcher
        self._canceller = canceller

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
        for account in list(market.holders.values()):
            if not account.house and self._broken(account):
                self._liquidate(account)

    def _broken(self, account: Account) -> bool:
        margin = self._venue.margin
        return margin.account_value(account) < margin.maintenance(account)

    def _liquidate(self, account: Account) -> None:
        """Cancel everything and close every position at whatever the book pays."""
        self._canceller.cancel_margined(account, CancelReason.LIQUIDATED)
        for coin, position in list(account.positions.items()):
            order = self._closing(account, self._venue.markets[coin], position.size)
            account.admit(order)
            if not self._matcher.run(order):
                self._lifecycle.cancel(order, CancelReason.LIQUIDATED)

    def _closing(self, account: Account, market: Market, held: int) -> Order:
        is_buy = held < 0
        return Order(
            oid=self._venue.next_oid(),
            account=account,
            market=market,
            is_buy=is_buy,
            px=market.mark * _WORST_BUY if is_buy else _WORST_SELL_PX,
            size=abs(held),
            tif=Tif.IOC,
            reduce_only=True,
            cloid=None,
            placed_ms=self._venue.now_ms,
            liquidation=True,
        )
