"""What the rest of the platform may ask of a venue, and what a venue tells it.

Every venue implements these protocols; nobody above this floor knows which one it talks to.

Instruments are named in two ways. *Requests* carry the key (``hyperliquid:BTC``), as the planner
does; *answers* carry the venue's own symbol (``BTC``), as the venue does.

Errors every method may raise (`moondev.domain.errors`):

- `Connectivity`: we asked and heard nothing usable; the outcome of a write is unknown.
- `NotSent`: the request provably never left this process; nothing happened at the venue.
- `RateLimited`: the venue refused to look at the request; nothing happened.
- `VenueRejected`: the venue refused the *whole* request; nothing happened.
- `ParseError`: the answer is not one we understand; for a write this is an unknown outcome too.
- `InvalidValue`, `Configuration`: refused before anything was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol
from uuid import UUID

import msgspec

from apps.exchanges.venue_types import (
    CANNOT_BE_NAMED,
    AccountSnapshot,
    Amendment,
    Credentials,
    Environment,
    FundingPayment,
    Listing,
    LiveOrder,
    MarginMode,
    ParseError,
    PositionSnapshot,
    ReportSource,
    RestingOrder,
    UnreadOrder,
    VenueConfig,
)
from moondev.domain.decisions import RiskApproved
from moondev.domain.fills import FillReport
from moondev.domain.market_data import BarSeries, Book, BookLevel, TradeTick
from moondev.domain.orders import CancelOrder, OrderReport, PlaceOrder
from moondev.domain.values import Price, SignedQuantity

# One door: whoever speaks to venues imports from here.
__all__ = [
    "CANNOT_BE_NAMED",
    "AccountSnapshot",
    "Amendment",
    "BalanceBatch",
    "BalanceNews",
    "BestQuoteUpdate",
    "BookUpdate",
    "CandleUpdate",
    "Connected",
    "Credentials",
    "Disconnected",
    "Environment",
    "ExecutionClient",
    "FillBatch",
    "FundingBatch",
    "FundingPayment",
    "Listing",
    "LiveOrder",
    "MarginMode",
    "MarkUpdate",
    "MarketDataClient",
    "MarketEvent",
    "MarketHandler",
    "MarketSubscription",
    "OrderBatch",
    "ParseError",
    "PositionBatch",
    "PositionNews",
    "PositionSnapshot",
    "Refused",
    "ReportSource",
    "RestingOrder",
    "Stream",
    "TradeBatch",
    "UnreadOrder",
    "Unreadable",
    "UserEvent",
    "UserHandler",
    "VenueConfig",
]


class ExecutionClient(Protocol):
    """One account at one venue, as one signer. Long-lived; one per account and process.

    Writes take an explicit `nonce` (from the signer's row) and are one signed request each.
    Nothing is ever sent twice by the client itself. At most `max_batch` requests per call.
    """

    @property
    def max_batch(self) -> int:
        """Return how many orders fit one signed request."""
        ...

    @property
    def signer_address(self) -> str:
        """Return the venue's name of the key that signs, derived from the key itself."""
        ...

    def place(self, orders: Sequence[RiskApproved[PlaceOrder]], nonce: int, expires_at: datetime) -> list[OrderReport]:
        """Send new orders as one signed request; return one report per order, in order.

        Resting or waiting for a trigger is OPEN; filled is FILLED with `filled_quantity` (the fills
        themselves come from the user stream or `fills`); filled in part is PARTIALLY_FILLED, or
        CANCELLED when the order was immediate-or-cancel; refused is REJECTED with the venue's words.
        The venue drops the whole request after `expires_at`.
        """
        ...

    def amend(self, amendments: Sequence[Amendment], nonce: int, expires_at: datetime) -> list[OrderReport]:
        """Change resting orders as one signed request; return one report per amendment.

        The venue order id of the report is the new one where the venue replaces the order; from
        then on `filled_quantity` counts the replacement alone. A venue that changes in place keeps its
        id and is told the whole size: `filled_when_planned` and `remaining` together. A refused
        amendment has status None and a reason: ask `order_status` what is left.
        """
        ...

    def cancel(self, orders: Sequence[CancelOrder], nonce: int) -> list[OrderReport]:
        """Cancel by client order id as one signed request; return one report per order.

        Done is CANCELLED. "Never placed, already cancelled or filled" has status None and a
        reason: which of the three it was, only `order_status` can say. An order that no request can
        name keeps no other from being cancelled: it is left out, with the reason CANNOT_BE_NAMED.
        """
        ...

    def cancel_resting(self, orders: Sequence[LiveOrder], nonce: int) -> list[OrderReport]:
        """Cancel by venue order id, for orders that are not ours or carry no client order id.

        Reports are as `cancel` gives them.
        """
        ...

    def order_status(self, client_order_id: UUID, instrument: str = "") -> OrderReport | None:
        """Return what the venue knows of an order; None when it never heard of it.

        `instrument` is the key of what it is for: some venues find an order only together with its symbol.
        """
        ...

    def open_orders(self) -> list[RestingOrder]:
        """Return every order the venue holds live for the account, whoever placed it, as far as readable."""
        ...

    def live_orders(self) -> list[LiveOrder]:
        """Return what `open_orders` does and, by name only, the orders that could not be read.

        Whoever ends orders asks this: one odd row must not let it live, nor the others.
        """
        ...

    def take_unreadable(self) -> list[str]:
        """Return, once, which rows of answers could not be read and were left out since the last call."""
        ...

    def fills(self, since: datetime) -> list[FillReport]:
        """Return every fill of the account at or after `since`, oldest first, all pages."""
        ...

    def funding(self, since: datetime) -> list[FundingPayment]:
        """Return every funding payment at or after `since`, oldest first, all pages."""
        ...

    def account_snapshot(self) -> AccountSnapshot:
        """Return equity, margin and positions as the venue sees them now."""
        ...

    def instruments(self) -> list[Listing]:
        """Return what the venue lists now, with its rules, freshly read."""
        ...

    def set_leverage(self, instrument: str, leverage: int, margin_mode: MarginMode, nonce: int) -> None:
        """Set the account's leverage for one instrument (key)."""
        ...

    def schedule_cancel(self, at: datetime | None, nonce: int) -> None:
        """Arm the venue's own cancel-everything for `at`; None disarms it."""
        ...

    def close(self) -> None:
        """Give back the connections."""
        ...


class MarketDataClient(Protocol):
    """Public reads of one venue: history for start-up and after a gap."""

    def instruments(self) -> list[Listing]:
        """Return what the venue lists now, with its rules."""
        ...

    def candles(self, symbol: str, interval: timedelta, start: datetime, end: datetime) -> BarSeries:
        """Return bars opened in [start, end], oldest first; the newest may still be forming."""
        ...

    def book(self, symbol: str) -> Book:
        """Return the order book now."""
        ...

    def marks(self) -> Mapping[str, Price]:
        """Return the mark price of every symbol that has one."""
        ...

    def close(self) -> None:
        """Give back the connections."""
        ...


class BookUpdate(msgspec.Struct, frozen=True):
    """A fresh order book (never a difference)."""

    symbol: str
    book: Book


class BestQuoteUpdate(msgspec.Struct, frozen=True):
    """Best bid and best ask; None where that side is empty."""

    symbol: str
    bid: BookLevel | None
    ask: BookLevel | None
    time_exchange: datetime
    time_received: datetime


class TradeBatch(msgspec.Struct, frozen=True):
    """Public trades that arrived together, oldest first."""

    symbol: str
    trades: tuple[TradeTick, ...]


class CandleUpdate(msgspec.Struct, frozen=True):
    """The state of one bar. `closed` is the venue's own flag; False where it has none."""

    symbol: str
    interval: timedelta
    opened_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    closed: bool
    time_received: datetime


class MarkUpdate(msgspec.Struct, frozen=True):
    """Mark and oracle price in quote currency, and the current hourly funding rate."""

    symbol: str
    mark_price: float
    oracle_price: float
    funding_rate: float
    time_received: datetime


@dataclass(frozen=True, slots=True)
class OrderBatch:
    """What the venue said about orders of the account, in its order."""

    reports: tuple[OrderReport, ...]


@dataclass(frozen=True, slots=True)
class FillBatch:
    """Fills of the account. `snapshot`: history repeated on subscribing; recording is idempotent."""

    fills: tuple[FillReport, ...]
    snapshot: bool


@dataclass(frozen=True, slots=True)
class FundingBatch:
    """Funding payments of the account. `snapshot`: history repeated on subscribing."""

    payments: tuple[FundingPayment, ...]
    snapshot: bool


@dataclass(frozen=True, slots=True)
class PositionNews:
    """The whole of one position now, as the venue's stream tells it; zero when it is closed."""

    symbol: str
    quantity: SignedQuantity
    time_exchange: datetime | None
    time_received: datetime


@dataclass(frozen=True, slots=True)
class PositionBatch:
    """Positions that changed, or (`snapshot`) every position the account has.

    A hint, never a booking: positions follow from fills alone, and a difference makes us ask for the fills.
    """

    positions: tuple[PositionNews, ...]
    snapshot: bool


@dataclass(frozen=True, slots=True)
class BalanceNews:
    """What the account holds of one currency now, open positions not counted, as the venue's stream tells it."""

    currency: str
    wallet: Decimal
    time_exchange: datetime | None
    time_received: datetime


@dataclass(frozen=True, slots=True)
class BalanceBatch:
    """Balances that changed. A hint as well: it says that the account's worth is to be looked at."""

    balances: tuple[BalanceNews, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Rows of a message that could not be read and were left out; the others came as usual."""

    reasons: tuple[str, ...]
    time_received: datetime


@dataclass(frozen=True, slots=True)
class Connected:
    """The stream is up and subscribed (for the first time or again).

    `silent_since` is when the last message before the silence was heard, by our clock: ask the venue
    for everything since then, and a little earlier, because its clock is another. None on the first
    connection: ask for everything still unknown.
    """

    silent_since: datetime | None
    time_received: datetime


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The stream is down; it reconnects by itself. `reason` is for people."""

    reason: str
    time_received: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """The venue will not tell what was asked for; the stream is down and asks again by itself."""

    reason: str
    time_received: datetime


MarketEvent = BookUpdate | BestQuoteUpdate | TradeBatch | CandleUpdate | MarkUpdate | Connected | Disconnected
UserEvent = (
    OrderBatch
    | FillBatch
    | FundingBatch
    | PositionBatch
    | BalanceBatch
    | Unreadable
    | Refused
    | Connected
    | Disconnected
)


@dataclass(frozen=True, slots=True)
class MarketSubscription:
    """Which public data of one symbol to stream. Empty `candles` means none."""

    symbol: str
    candles: tuple[timedelta, ...] = ()
    book: bool = True
    best_quote: bool = False
    trades: bool = True
    mark: bool = True


class Stream(Protocol):
    """A websocket that stays up: reconnects, resubscribes and notices silence by itself."""

    @property
    def connected(self) -> bool:
        """Return whether the stream is up and subscribed."""
        ...

    @property
    def age_seconds(self) -> float:
        """Return real seconds since the last message of any kind; infinite before the first."""
        ...

    @property
    def unreadable(self) -> int:
        """Return how many messages could not be read since the start; each was logged."""
        ...

    async def run(self) -> None:
        """Stream until cancelled or stopped, handing every event to the handler given at birth.

        The handler is called on the event loop and must not block; an error it raises ends `run`.
        """
        ...

    def stop(self) -> None:
        """Ask `run` to close the connection and return."""
        ...


MarketHandler = Callable[[MarketEvent], None]
UserHandler = Callable[[UserEvent], None]
