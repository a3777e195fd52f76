"""Margin: what an account is worth, what it has tied up and what it may still do.

Rules after https://hyperliquid.gitbook.io/hyperliquid-docs/trading/margining: initial margin is
notional at the mark over the chosen leverage, maintenance half of it at the highest leverage. The account's
value is shared by its cross positions; an isolated one has margin of its own, and only that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apps.exchanges.mock.engine.accounts import Account
from apps.exchanges.mock.engine.market import Market
from apps.exchanges.mock.engine.orders import Order

DEFAULT_LEVERAGE = 20


def leverage_of(account: Account, market: Market) -> int:
    """Return the leverage the account chose, else the default capped at the coin's maximum."""
    return account.leverage.get(market.coin) or min(DEFAULT_LEVERAGE, market.spec.max_leverage)


@dataclass(frozen=True, slots=True)
class MarginBook:
    """Margin arithmetic over all markets. Results are in money units."""

    markets: Mapping[str, Market]

    def account_value(self, account: Account) -> int:
        """Return cash plus positions at the mark."""
        held = (p.size * self.markets[coin].mark for coin, p in account.positions.items())
        return account.cash + sum(held)

    def isolated_equity(self, account: Account, market: Market) -> int:
        """Return what an isolated position has: its margin and its unrealised profit."""
        position = account.positions[market.coin]
        return position.margin + position.size * market.mark - position.cost

    def isolated_value(self, account: Account) -> int:
        """Return what all isolated positions have together."""
        if not account.isolated:
            return 0
        return sum(self.isolated_equity(account, self.markets[coin]) for coin in account.isolated_positions())

    def cross_value(self, account: Account) -> int:
        """Return the account's value without its isolated positions."""
        return self.account_value(account) - self.isolated_value(account)

    def positions_margin(self, account: Account) -> int:
        """Return the initial margin of the cross positions."""
        held = ((self.markets[coin], size) for coin, size in account.cross_sizes())
        return sum(market.initial_margin(size, leverage_of(account, market)) for market, size in held)

    def maintenance(self, account: Account) -> int:
        """Return the maintenance margin of the cross positions."""
        return sum(self.markets[coin].maintenance_margin(size) for coin, size in account.cross_sizes())

    def required(self, account: Account) -> int:
        """Return what the worst mix of positions and resting orders needs of the shared value."""
        coins = account.positions.keys() | account.exposures.keys()
        return sum(self._required_for(account, self.markets[coin]) for coin in coins)

    def withdrawable(self, account: Account) -> int:
        """Return what no position and no order needs."""
        return max(0, self.cross_value(account) - self.required(account))

    def allows(self, order: Order) -> bool:
        """Return whether the account can carry `order` on top of what it has."""
        account, market = order.account, order.market
        exposure = account.exposure(market.coin)
        before = self._required_for(account, market)
        exposure.change(order, order.remaining)
        after = self._required_for(account, market)
        exposure.change(order, -order.remaining)
        if after <= before:
            return True
        return self.required(account) - before + after <= self.cross_value(account)

    def survives_fill(self, order: Order, size: int) -> bool:
        """Return whether a fill of `size` leaves the positions margined; closing always does."""
        account, market = order.account, order.market
        held = account.size_of(market.coin)
        signed = size if order.is_buy else -size
        if abs(held + signed) <= abs(held):
            return True
        leverage = leverage_of(account, market)
        extra = market.initial_margin(held + signed, leverage) - market.initial_margin(held, leverage)
        return self.positions_margin(account) + extra <= self.cross_value(account)

    def _required_for(self, account: Account, market: Market) -> int:
        held = account.size_of(market.coin)
        exposure = account.exposures.get(market.coin)
        worst = abs(held) if exposure is None else max(abs(held + exposure.buys), abs(held - exposure.sells))
        leverage = leverage_of(account, market)
        needed = market.initial_margin(worst, leverage)
        if market.coin not in account.isolated:
            return needed
        # What is held has its margin already; what may still be opened takes it from the shared value.
        return max(0, needed - market.initial_margin(held, leverage))
