"""Reading the engine: one account's orders, fills, positions and value."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from itertools import islice, takewhile

from apps.exchanges.mock.engine.accounts import Account, Position
from apps.exchanges.mock.engine.api import (
    AccountState,
    Fill,
    FundingPayment,
    OrderSnapshot,
    PositionState,
)
from apps.exchanges.mock.engine.grid import money
from apps.exchanges.mock.engine.margin import leverage_of
from apps.exchanges.mock.engine.market import Market
from apps.exchanges.mock.engine.venue import Venue

_RATIO = Decimal("0.0000000001")


class Statements:
    """Answers about accounts."""

    __slots__ = ("_venue",)

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def order(self, account: Account, key: int | str) -> OrderSnapshot | None:
        """Return the order with this oid (int) or client order id (str), None when unknown."""
        order = account.find(key)
        return None if order is None else order.snapshot()

    def open_orders(self, account: Account) -> list[OrderSnapshot]:
        """Return resting and waiting orders, oldest first."""
        return [order.snapshot() for order in account.live.values()]

    def order_history(self, account: Account, limit: int) -> list[OrderSnapshot]:
        """Return the newest orders that ended, newest first."""
        return [order.snapshot() for order in islice(reversed(account.finished.values()), limit)]

    def fills(self, account: Account, start_ms: int, end_ms: int | None) -> list[Fill]:
        """Return fills within the span, oldest first."""
        recent = takewhile(lambda fill: fill.time_ms >= start_ms, reversed(account.fills))
        return [fill for fill in recent if end_ms is None or fill.time_ms <= end_ms][::-1]

    def payments(self, account: Account, start_ms: int, end_ms: int | None) -> list[FundingPayment]:
        """Return funding payments within the span, oldest first."""
        recent = takewhile(lambda payment: payment.time_ms >= start_ms, reversed(account.payments))
        return [payment for payment in recent if end_ms is None or payment.time_ms <= end_ms][::-1]

    def account_state(self, account: Account) -> AccountState:
        """Return positions, margin and value at the marks."""
        margin = self._venue.margin
        value, isolated = margin.account_value(account), margin.isolated_value(account)
        used = margin.positions_margin(account)
        required = margin.required(account)
        markets = self._venue.markets
        notional = sum(abs(p.size) * markets[coin].mark for coin, p in account.positions.items())
        return AccountState(
            address=account.address,
            time_ms=self._venue.now_ms,
            deposit=money(account.deposit),
            cash=money(account.cash),
            account_value=money(value),
            cross_value=money(value - isolated),
            total_notional=money(notional),
            margin_used=money(used + isolated),
            cross_margin=money(used),
            order_margin=money(max(0, required - used)),
            maintenance_margin=money(margin.maintenance(account)),
            withdrawable=money(margin.withdrawable(account)),
            fees=money(account.fees_paid),
            funding=money(account.funding_paid),
            forfeited=money(account.forfeited),
            volume=money(account.volume),
            positions=tuple(self._position(account, markets[coin], p) for coin, p in account.positions.items()),
        )

    def _position(self, account: Account, market: Market, position: Position) -> PositionState:
        grid, leverage = market.grid, leverage_of(account, market)
        unrealised = position.size * market.mark - position.cost
        invested = Decimal(abs(position.cost)) / leverage
        isolated = market.coin in account.isolated
        used = market.initial_margin(position.size, leverage) if not isolated else position.margin + unrealised
        return PositionState(
            coin=market.coin,
            size=grid.size(position.size),
            entry_px=grid.average(abs(position.cost), abs(position.size)),
            mark_px=grid.price(market.mark),
            position_value=money(abs(position.size) * market.mark),
            unrealised_pnl=money(unrealised),
            return_on_equity=(unrealised / invested).quantize(_RATIO, ROUND_HALF_EVEN) if invested else Decimal(0),
            leverage=leverage,
            max_leverage=market.spec.max_leverage,
            is_cross=not isolated,
            margin_used=money(used),
            isolated_margin=money(position.margin) if isolated else None,
            liquidation_px=self._liquidation_px(account, market, position),
            cum_funding=money(position.funding),
        )

    def _liquidation_px(self, account: Account, market: Market, position: Position) -> Decimal | None:
        """Return the mark at which the margin behind the position falls below maintenance, other marks unchanged.

        Formula of https://hyperliquid.gitbook.io/hyperliquid-docs/trading/liquidations.
        """
        side = 1 if position.size > 0 else -1
        margin = self._venue.margin
        if market.coin in account.isolated:
            spare = margin.isolated_equity(account, market) - market.maintenance_margin(position.size)
        else:
            spare = margin.cross_value(account) - margin.maintenance(account)
        per_unit = Decimal(1) / (2 * market.spec.max_leverage)
        distance = Decimal(spare) / abs(position.size) / (1 - per_unit * side)
        px = market.mark - side * distance
        return market.grid.price(round(px)) if px >= 1 else None
