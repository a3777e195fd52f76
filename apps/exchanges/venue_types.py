"""What is said to a venue about whom and what, and what a venue says about an account: plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from moondev.domain.clock import milliseconds, require_aware
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import Connectivity, InvalidValue
from moondev.domain.instruments import Instrument
from moondev.domain.orders import AmendOrder, OrderType, TimeInForce
from moondev.domain.values import Money, Price, Quantity, Side, SignedQuantity

EVIDENCE_CHARACTERS = 500
# The reason of a cancel that was not sent because no request can name the order; the next one could not either.
CANNOT_BE_NAMED = "not sent: in no list of the venue, so no request can name it"


class ParseError(Connectivity):
    """The venue said something we do not understand, so we know nothing. Keeps the evidence."""

    def __init__(self, what: str, why: str, evidence: object) -> None:
        """Name `what` was read, `why` it failed, and the start of the text that did not parse."""
        self.what, self.why = what, why
        self.evidence = str(evidence)[:EVIDENCE_CHARACTERS]
        super().__init__(f"cannot read {what}: {why}; got {self.evidence}")


class Environment(StrEnum):
    """Which world a venue belongs to. There is no default."""

    PAPER = "paper"
    TESTNET = "testnet"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class VenueConfig:
    """How to reach one venue. `protocol` names the adapter, `code` the row (unique, lower case)."""

    code: str
    protocol: str
    environment: Environment
    rest_url: str
    websocket_url: str

    def __post_init__(self) -> None:
        """Refuse empty fields and an environment that is not one of the three."""
        for name in ("code", "protocol", "rest_url", "websocket_url"):
            if not getattr(self, name):
                raise InvalidValue(name, getattr(self, name), "a text that is not empty")
        allowed = ", ".join(Environment)
        if self.environment not in tuple(Environment):
            raise InvalidValue("environment", self.environment, f"one of {allowed}")
        object.__setattr__(self, "environment", Environment(self.environment))


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who trades: the account whose money moves, and the key of the wallet that signs for it.

    `signer_key` never appears in a repr, a log line or an error.
    """

    account_address: str
    signer_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Listing:
    """An instrument together with the venue's number for it (Hyperliquid: the asset index)."""

    instrument: Instrument
    venue_asset_id: int


@dataclass(frozen=True, slots=True)
class Amendment:
    """An approved amend with what the venue wants repeated about the order it changes."""

    approved: RiskApproved[AmendOrder]
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    reduce_only: bool
    trigger_price: Price | None = None


@dataclass(frozen=True, slots=True)
class RestingOrder:
    """An order the venue says is live. `client_order_id` None: it was not placed by us."""

    symbol: str
    venue_order_id: str
    client_order_id: UUID | None
    side: Side
    price: Price
    quantity: Quantity
    remaining: Quantity
    reduce_only: bool
    trigger_price: Price | None
    time_exchange: datetime


@dataclass(frozen=True, slots=True)
class UnreadOrder:
    """A live order of which the venue said something we cannot read: enough to cancel it, no price, no size.

    A name that could not be read either is empty, and no cancel can name the order then. `reduce_only` is False when
    the venue did not readably say so.
    """

    symbol: str
    venue_order_id: str
    client_order_id: UUID | None
    reduce_only: bool


LiveOrder = RestingOrder | UnreadOrder


@dataclass(frozen=True, slots=True)
class PositionSnapshot:
    """One position as the venue sees it.

    `value` is the signed notional at the venue's mark, exactly as quoted; `mark_price` is derived
    from it. `entry_price` None: the venue did not say.
    """

    symbol: str
    quantity: SignedQuantity
    entry_price: Price | None
    mark_price: Price
    value: Money
    unrealised: Money
    leverage: int


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """An account as the venue sees it; `equity` is its account value, positions at the mark.

    `cash` is equity less the signed value of all positions. `time_exchange` None: not said.
    """

    equity: Money
    withdrawable: Money
    margin_used: Money
    positions: tuple[PositionSnapshot, ...]
    time_exchange: datetime | None
    time_received: datetime

    @property
    def cash(self) -> Money:
        """Return equity less the value of every position."""
        total = self.equity
        for position in self.positions:
            total = total - position.value
        return total


@dataclass(frozen=True, slots=True)
class FundingPayment:
    """Funding paid or received on a position. `amount` is positive when received."""

    symbol: str
    amount: Money
    rate: Decimal
    position: SignedQuantity
    time_exchange: datetime
    time_received: datetime

    def __post_init__(self) -> None:
        """Refuse naive times."""
        require_aware("time_exchange", self.time_exchange)
        require_aware("time_received", self.time_received)

    @property
    def payment_id(self) -> str:
        """Return a name unique within the account: one payment per symbol and moment."""
        return f"{self.symbol}:{milliseconds(self.time_exchange)}"


class MarginMode(StrEnum):
    """Whether positions share the account's collateral."""

    CROSS = "cross"
    ISOLATED = "isolated"


class ReportSource(StrEnum):
    """Which way an order report reached us (`OrderReport.source`)."""

    SEND = "send"
    STREAM = "stream"
    RECONCILE = "reconcile"
