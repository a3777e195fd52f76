"""What a check looks at, what it answers, and what a check is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from apps.risk.facts import RiskFacts
from apps.risk.loads import NOTHING, Load
from apps.risk.models import LimitKind
from apps.risk.scope import ScopeId
from moondev.domain.decisions import RefusalCode
from moondev.domain.instruments import Instrument
from moondev.domain.orders import AmendOrder, PlaceOrder, Purpose, WorkingOrder
from moondev.domain.values import ZERO, Price, Quantity, Side


@dataclass(frozen=True, slots=True)
class Resting:
    """An order of ours that may trade with the next one: `price` is its limit."""

    client_order_id: UUID
    instrument: str
    side: Side
    price: Price


@dataclass(slots=True)
class Tally:
    """Running sums over what the strategy holds, has working, and got approved in this batch.

    `by_asset` and `gross` are exposure in the quote currency; `reducing` the live exits per
    (instrument, side); `resting` everything that could be traded against; `loads` what limited scopes carry
    with what this batch has added.
    """

    by_asset: dict[str, Decimal] = field(default_factory=dict)
    gross: Decimal = ZERO
    reducing: dict[tuple[str, Side], Decimal] = field(default_factory=dict)
    resting: dict[UUID, Resting] = field(default_factory=dict)
    loads: dict[ScopeId, Load] = field(default_factory=dict)

    def expose(self, asset: str, amount: Decimal) -> None:
        """Count `amount` of exposure in `asset`."""
        self.by_asset[asset] = self.by_asset.get(asset, ZERO) + amount
        self.gross += amount

    def reduce(self, instrument: str, side: Side, quantity: Quantity) -> None:
        """Count a live exit."""
        key = (instrument, side)
        self.reducing[key] = self.reducing.get(key, ZERO) + quantity.value


@dataclass(frozen=True, slots=True)
class Candidate:
    """One order or amendment under review, as it would stand in the market.

    `quantity` is what may still fill; `held` the strategy's own signed position and `account_net` that
    of the whole account; `mid` and `age` None mean that there is no market data. `amended` is the order
    an AmendOrder changes. `around` are the scopes whose limits bind it.
    """

    request: PlaceOrder | AmendOrder
    instrument: Instrument
    side: Side
    quantity: Quantity
    price: Price
    trigger_price: Price | None
    purpose: Purpose
    held: Decimal
    account_net: Decimal
    mid: Decimal | None
    age: timedelta | None
    facts: RiskFacts
    tally: Tally
    amended: WorkingOrder | None = None
    around: tuple[ScopeId, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Spell the scopes once: nearly every check asks for them."""
        object.__setattr__(self, "around", self.facts.scope.around(self.instrument))

    @property
    def reduces(self) -> bool:
        """Return whether it may only shrink a position."""
        return self.purpose.reduces

    @property
    def notional(self) -> Decimal:
        """Return quantity x price in the quote currency."""
        return self.quantity.value * self.price.value

    @property
    def added_exposure(self) -> Decimal:
        """Return by how much it raises what the strategy may come to hold, in the quote currency."""
        if self.reduces:
            return ZERO
        if self.amended is None:
            return self.notional
        before = self.amended.remaining.value * self.amended.price.value
        return max(self.notional - before, ZERO)

    def limit(self, kind: LimitKind) -> Decimal | None:
        """Return the limit of `kind` that binds it; None when there is none."""
        return self.facts.limits.tightest(kind, self.around)

    @property
    def added_margin(self) -> Decimal:
        """Return the least that the venue ties up for it: its exposure at the most leverage the venue gives."""
        return self.added_exposure / max(self.instrument.max_leverage, 1)

    def load_after(self, scope: ScopeId) -> Load:
        """Return what a scope would carry with it, and with what was approved before it."""
        carried = self.tally.loads.get(scope) or (self.facts.loads or {}).get(scope, NOTHING)
        placed = 0 if self.amended is not None else 1
        return carried.with_order(self.side, self.added_exposure, self.added_margin, placed=placed)


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that does not hold: its code, its limit and the value that broke it."""

    code: RefusalCode
    limit: Decimal | str
    value: Decimal | str


def limit_missing(kind: LimitKind) -> Breach:
    """Return the breach of a rule that no active limit gives a number to."""
    return Breach(RefusalCode.LIMIT_MISSING, "an active limit", kind.value)


@dataclass(frozen=True, slots=True)
class Check:
    """One rule. `find` returns the breach, or None when the rule holds.

    `codes` says in words when each code is given; the table in the documentation is made from it.
    `binds_reducing` False: exits are never asked.
    """

    name: str
    codes: Mapping[RefusalCode, str]
    find: Callable[[Candidate], Breach | None]
    binds_reducing: bool
