"""What Hyperliquid's stream tells of an account's positions and cash, handed on when it differs from the last time.

The venue repeats the whole state about once a second, whether or not anything happened.
https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from apps.exchanges.ports import AccountSnapshot, BalanceBatch, BalanceNews, PositionBatch, PositionNews, UserEvent
from apps.exchanges.venues.hyperliquid import parse
from apps.exchanges.venues.hyperliquid.config import QUOTE_CURRENCY
from apps.exchanges.venues.hyperliquid.messages import AccountStateMessage


class AccountNews:
    """Remembers what one account's stream told last."""

    def __init__(self) -> None:
        """Start with nothing told."""
        self._sizes: dict[str, Decimal] | None = None
        self._cash: Decimal | None = None

    def events(self, message: AccountStateMessage, received: datetime) -> tuple[UserEvent, ...]:
        """Return what is new in a state: every position when one changed, the cash when it did. Raises ParseError."""
        snapshot = parse.account_snapshot(message.clearinghouseState, received)
        return (*self._positions(snapshot), *self._balance(snapshot))

    def _positions(self, snapshot: AccountSnapshot) -> tuple[UserEvent, ...]:
        sizes = {position.symbol: position.quantity.value for position in snapshot.positions}
        if sizes == self._sizes:
            return ()
        self._sizes = sizes
        when = snapshot.time_exchange, snapshot.time_received
        return (PositionBatch(tuple(PositionNews(p.symbol, p.quantity, *when) for p in snapshot.positions), True),)

    def _balance(self, snapshot: AccountSnapshot) -> tuple[UserEvent, ...]:
        cash = snapshot.cash.value
        if cash == self._cash:
            return ()
        self._cash = cash
        return (BalanceBatch((BalanceNews(QUOTE_CURRENCY, cash, snapshot.time_exchange, snapshot.time_received),)),)
