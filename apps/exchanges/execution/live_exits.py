"""Exits of halts that may still trade, by our record: whoever closes next reckons with them, whose ever they are."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.exchanges.bulk import fetch
from apps.exchanges.execution.veto_scope import VetoScope
from moondev.domain.orders import TimeInForce
from moondev.domain.values import ZERO, Side

# Every exit's tick is its veto; the veto of an order that a strategy placed is none.
TICK_PREFIX = "veto-"


@dataclass(frozen=True, slots=True)
class LiveExit:
    """One exit that is, or may be, at the venue."""

    order_id: int
    client_order_id: UUID
    instrument: str
    instrument_id: int
    strategy: str
    side: Side
    status: str
    time_in_force: TimeInForce
    price: Decimal
    remaining: Decimal
    ending: str

    @property
    def key(self) -> tuple[str, int]:
        """Return whose position in what it closes."""
        return self.strategy, self.instrument_id

    @property
    def rests(self) -> bool:
        """Return whether it stands in the book until somebody takes it back; the others end by themselves."""
        in_book = self.status in {"open", "partially_filled"} and not self.ending
        return in_book and not self.time_in_force.immediate


def live_exits(account_id: int, scope: VetoScope) -> list[LiveExit]:
    """Return the exits of all vetoes for positions of `scope` on an account that may still trade."""
    rows = fetch(
        "SELECT o.id, o.client_order_id, i.venue_id || ':' || i.symbol, i.id, o.strategy, o.side, o.status,"  # noqa: S608  our own words
        " o.time_in_force, o.price, o.quantity - o.filled_quantity, o.venue_status FROM exchanges_order o"
        " JOIN exchanges_account a ON a.id = o.account_id JOIN exchanges_instrument i ON i.id = o.instrument_id"
        " WHERE o.status IN ('sending', 'unknown', 'open', 'partially_filled', 'cancelling') AND o.tick_id LIKE %s"
        f" AND o.account_id = %s AND {scope.condition} ORDER BY o.id",
        (f"{TICK_PREFIX}%", account_id, *scope.parameters),
    )
    return [_live_exit(*row) for row in rows]


def _live_exit(*row: Any) -> LiveExit:  # noqa: ANN401  columns
    order_id, client_order_id, instrument, instrument_id, strategy, side, status, lives, price, remaining, ending = row
    return LiveExit(
        order_id, client_order_id, instrument, instrument_id, strategy, Side(side), status, TimeInForce(lives), price,
        max(remaining, ZERO), ending,
    )  # fmt: skip
