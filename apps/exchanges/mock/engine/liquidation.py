"""What happens to who falls below maintenance: closed in the book, then taken over by the insurance fund.

Rules after https://hyperliquid.gitbook.io/hyperliquid-docs/trading/liquidations: the venue sends market orders first,
of a large position only a fifth; whoever was cut like that within the last half minute is closed whole. Below two
thirds of the maintenance margin the venue's own fund takes the positions over, with what is left of their margin. Debts
are the fund's. It never runs dry here, so nobody's profit is ever cut (no automatic deleveraging).
"""

from __future__ import annotations

from collections.abc import Sequence

from apps.exchanges.mock.engine.accounts import Account
from apps.exchanges.mock.engine.api import CancelReason, Tif
from apps.exchanges.mock.engine.cancels import Canceller
from apps.exchanges.mock.engine.events import Liquidated
from apps.exchanges.mock.engine.grid import money
from apps.exchanges.mock.engine.lifecycle import Lifecycle
from apps.exchanges.mock.engine.market import Market
from apps.exchanges.mock.engine.matching import Matcher
from apps.exchanges.mock.engine.orders import Order
from apps.exchanges.mock.engine.settlement import Settlement
from apps.exchanges.mock.engine.venue import INSURANCE_FUND, Venue

# A liquidation takes nearly any price: up to this many times the mark, or down to the last unit.
_WORST_BUY = 10
_WORST_SELL_PX = 1
_PARTIAL_ABOVE = 100_000 * 1_000_000
_PARTIAL_DIVISOR = 5
_COOLDOWN_MS = 30_000
_TAKEOVER_NUMERATOR, _TAKEOVER_DENOMINATOR = 2, 3


class Liquidator:
    """Ends positions that their margin does not carry any more."""

    __slots__ = ("_canceller", "_lifecycle", "_matcher", "_settlement", "_venue")

    def __init__(
        self, venue: Venue, lifecycle: Lifecycle, matcher: Matcher, settlement: Settlement, canceller: Canceller
    ) -> None:
        self._venue = venue
        self._lifecycle = lifecycle
        self._matcher = matcher
        self._settlement = settlement
        self._canceller = canceller

    def check(self, market: Market) -> None:
        """Liquidate whom the mark of `market` has broken."""
        margin = self._venue.margin
        for account in list(market.holders.values()):
            # Whoever was on the other side of a liquidation a moment ago may be out already.
            if account.house or not account.size_of(market.coin):
                continue
            if market.coin in account.isolated:
                equity = margin.isolated_equity(account, market)
                if equity < market.maintenance_margin(account.size_of(market.coin)):
                    self._liquidate(account, [market], equity, is_cross=False)
            elif self._broken(account):
                crossed = [m for m in map(self._venue.market, account.positions) if m.coin not in account.isolated]
                self._liquidate(account, crossed, margin.cross_value(account), is_cross=True)

    def _liquidate(self, account: Account, markets: Sequence[Market], value: int, *, is_cross: bool) -> None:
        """Cancel what these positions' margin stands for, then end them until the rest is carried again."""
        for market in markets if not is_cross else self._venue.perps():
            if is_cross is (market.coin not in account.isolated):
                self._canceller.cancel_all(account, CancelReason.LIQUIDATED, market.coin)
        needed = sum(market.maintenance_margin(account.size_of(market.coin)) for market in markets)
        takeover = value * _TAKEOVER_DENOMINATOR < needed * _TAKEOVER_NUMERATOR
        self._announce(account, markets, value, is_cross=is_cross, takeover=takeover)
        cooling = account.cut_ms is not None and self._venue.now_ms - account.cut_ms < _COOLDOWN_MS
        for market in markets:
            if takeover:
                self._hand_over(account, market)
            elif not is_cross or self._broken(account):
                self._close(account, market, whole=cooling)
        if is_cross:
            self._settle_rest(account, markets, takeover=takeover)

    def _broken(self, account: Account) -> bool:
        margin = self._venue.margin
        return margin.cross_value(account) < margin.maintenance(account)

    def _close(self, account: Account, market: Market, *, whole: bool) -> None:
        """Sell into the book at whatever it pays: all, or a fifth of a large position first."""
        held = account.size_of(market.coin)
        size = abs(held)
        if size * market.mark > _PARTIAL_ABOVE and not whole:
            size = max(1, size // _PARTIAL_DIVISOR)
            account.cut_ms = self._venue.now_ms
        order = self._order(account, market, size, is_buy=held < 0)
        order.px = market.mark * _WORST_BUY if order.is_buy else _WORST_SELL_PX
        account.admit(order)
        if not self._matcher.run(order):
            self._lifecycle.cancel(order, CancelReason.LIQUIDATED)

    def _hand_over(self, account: Account, market: Market) -> None:
        """Give the whole position to the fund at the mark, outside the book."""
        held = account.size_of(market.coin)
        fund = self._venue.accounts[INSURANCE_FUND]
        leaving = self._order(account, market, abs(held), is_buy=held < 0)
        taking = self._order(fund, market, abs(held), is_buy=held > 0)
        leaving.takeover = True
        for order in (leaving, taking):
            order.account.admit(order)
        self._settlement.exchange(leaving, taking, abs(held), market.mark)

    def _settle_rest(self, account: Account, markets: Sequence[Market], *, takeover: bool) -> None:
        """Let the fund have what is left of an account it took over, and carry what one owes that has nothing left."""
        if any(account.size_of(market.coin) for market in markets):
            return
        rest = self._venue.margin.cross_value(account)
        if takeover or rest < 0:
            self._venue.forfeit(account, rest)

    def _order(self, account: Account, market: Market, size: int, *, is_buy: bool) -> Order:
        return Order(
            oid=self._venue.next_oid(),
            account=account,
            market=market,
            is_buy=is_buy,
            px=market.mark,
            size=size,
            tif=Tif.IOC,
            reduce_only=not account.house,
            cloid=None,
            placed_ms=self._venue.now_ms,
            liquidation=not account.house,
        )

    def _announce(
        self, account: Account, markets: Sequence[Market], value: int, *, is_cross: bool, takeover: bool
    ) -> None:
        sizes = tuple((market.coin, market.grid.size(account.size_of(market.coin))) for market in markets)
        notional = sum(abs(account.size_of(market.coin)) * market.mark for market in markets)
        event = Liquidated(
            account.address, is_cross, takeover, money(value), money(notional), sizes, self._venue.now_ms
        )
        self._venue.outbox.add(event)
