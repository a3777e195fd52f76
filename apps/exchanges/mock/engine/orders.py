"""An order inside the engine: whole units, mutable, shared by book, account and brackets."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from apps.exchanges.mock.engine.api import (
    CancelReason,
    OrderSnapshot,
    OrderStatus,
    RejectCode,
    SelfTrade,
    Tif,
    TpSl,
    Trigger,
)

if TYPE_CHECKING:
    from apps.exchanges.mock.engine.accounts import Account
    from apps.exchanges.mock.engine.brackets import Bracket
    from apps.exchanges.mock.engine.market import Market


class Place(Enum):
    """Where an order is kept."""

    NOWHERE = auto()
    BOOK = auto()
    TRIGGERS = auto()
    BEHIND_PARENT = auto()


@dataclass(slots=True, eq=False)
class Order:
    """One order. `size` less `remaining` is filled, `notional` what that was worth, in money units.

    `trigger_px` is zero without a trigger.
    """

    oid: int
    account: Account
    market: Market
    is_buy: bool
    px: int
    size: int
    tif: Tif
    reduce_only: bool
    cloid: str | None
    placed_ms: int
    trigger: Trigger | None = None
    trigger_px: int = 0
    position_tpsl: bool = False
    liquidation: bool = False
    takeover: bool = False
    bracket: Bracket | None = None
    self_trade: SelfTrade = SelfTrade.CANCEL_MAKER
    expires_ms: int | None = None
    builder_ppm: int = 0
    remaining: int = field(init=False)
    notional: int = 0
    place: Place = Place.NOWHERE
    status: OrderStatus = OrderStatus.OPEN
    status_ms: int = field(init=False)
    reason: CancelReason | RejectCode | None = None

    def __post_init__(self) -> None:
        self.remaining = self.size
        self.status_ms = self.placed_ms

    @property
    def filled(self) -> int:
        """Return how much was filled, in size units."""
        return self.size - self.remaining

    @property
    def waiting(self) -> bool:
        """Return whether the order is held back by a trigger or a parent."""
        return self.place in (Place.TRIGGERS, Place.BEHIND_PARENT)

    @property
    def triggers_upward(self) -> bool:
        """Return whether the trigger fires when the mark rises to it (else when it falls)."""
        return self.trigger is not None and self.is_buy is (self.trigger.tpsl is TpSl.SL)

    def triggered_by(self, mark: int) -> bool:
        """Return whether a mark price of `mark` fires the trigger."""
        return mark >= self.trigger_px if self.triggers_upward else mark <= self.trigger_px

    def crosses(self, px: int) -> bool:
        """Return whether this order may trade at `px`."""
        return self.px >= px if self.is_buy else self.px <= px

    def shrink(self, remaining: int) -> None:
        """Cut the order so that `remaining` is left of it."""
        self.size -= self.remaining - remaining
        self.remaining = remaining

    def snapshot(self) -> OrderSnapshot:
        """Return the order as it is now."""
        grid = self.market.grid
        children = self.bracket.children_of(self) if self.bracket else ()
        return OrderSnapshot(
            oid=self.oid,
            cloid=self.cloid,
            coin=self.market.coin,
            is_buy=self.is_buy,
            price=grid.price(self.px),
            size=grid.size(self.size),
            remaining=grid.size(self.remaining),
            tif=self.tif,
            reduce_only=self.reduce_only,
            trigger=self.trigger,
            position_tpsl=self.position_tpsl,
            waiting=self.waiting,
            children=children,
            placed_ms=self.placed_ms,
            status=self.status,
            status_ms=self.status_ms,
            reason=self.reason,
        )
