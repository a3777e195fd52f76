"""The engine's front door. SIGNATURES ONLY for the moment; the bodies follow in the next commits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.exchanges.mock.engine.api import (
    AccountState,
    Ack,
    Agent,
    AssetContext,
    BookView,
    CancelAck,
    Candle,
    Done,
    Fill,
    FundingPayment,
    FundingRate,
    Grouping,
    InstrumentSpec,
    NewOrder,
    OrderSnapshot,
    Rejected,
    Trade,
)
from apps.exchanges.mock.engine.events import Listener
from moondev.domain.clock import Clock


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Rates and limits. Fees in basis points of the notional; limits are counts per account."""

    maker_fee_bps: Decimal = Decimal("1.5")
    taker_fee_bps: Decimal = Decimal("4.5")
    max_open_orders: int = 1_000
    kept_orders: int = 100_000
    kept_fills: int = 50_000


class Exchange:
    """One venue: books, accounts, orders. Not thread-safe; call it from one thread."""

    def __init__(
        self,
        specs: Sequence[InstrumentSpec],
        clock: Clock,
        marks: Mapping[str, Decimal],
        config: EngineConfig | None = None,
    ) -> None:
        """Open empty books for `specs`, each with the mark (and oracle) price of `marks`."""
        raise NotImplementedError

    # time and listeners
    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every event; the returned function ends that."""
        raise NotImplementedError

    def tick(self, now: datetime) -> None:
        """Advance what time drives: feed, funding, scheduled cancels, bars. Call every 10-50 ms."""
        raise NotImplementedError

    def attach(self, feed: object) -> None:
        """Let `feed` (engine.feed.synthetic / recorded) drive the market from `tick`."""
        raise NotImplementedError

    # accounts. Every address is accepted in any case; UnknownAccount when there is no account.
    def open_account(self, address: str, deposit: Decimal) -> None:
        """Open an account; for one that is open, add `deposit`."""
        raise NotImplementedError

    def addresses(self) -> tuple[str, ...]:
        """Return the addresses of all accounts (the market's own are not listed)."""
        raise NotImplementedError

    def approve_agent(self, master: str, agent: str, name: str | None, valid_until_ms: int) -> Done | Rejected:
        """Let `agent` sign for `master`; an agent of the same name is replaced."""
        raise NotImplementedError

    def agents(self, master: str) -> tuple[Agent, ...]:
        """Return the agents of `master` that are still valid."""
        raise NotImplementedError

    def master_of(self, address: str) -> str | None:
        """Return the account `address` may act for: itself, its master, or None."""
        raise NotImplementedError

    def update_leverage(self, address: str, coin: str, leverage: int, *, is_cross: bool) -> Done | Rejected:
        """Set the leverage of `coin`; only cross margin is supported."""
        raise NotImplementedError

    def leverage(self, address: str, coin: str) -> int:
        """Return the leverage set for `coin`."""
        raise NotImplementedError

    # orders
    def place(self, address: str, orders: Sequence[NewOrder], grouping: Grouping = Grouping.NA) -> list[Ack]:
        """Place `orders` one after the other; one answer each."""
        raise NotImplementedError

    def cancel(self, address: str, coin: str, oid: int) -> CancelAck:
        """Cancel by order id."""
        raise NotImplementedError

    def cancel_by_cloid(self, address: str, coin: str, cloid: str) -> CancelAck:
        """Cancel by client order id."""
        raise NotImplementedError

    def modify(self, address: str, order: int | str, new: NewOrder) -> Ack:
        """Replace the order with this oid (int) or cloid (str); the new one has a new oid.

        Rejected leaves the old order as it was.
        """
        raise NotImplementedError

    def schedule_cancel(self, address: str, time_ms: int | None) -> Done | Rejected:
        """Cancel everything at `time_ms` (>= 5 s ahead, <= 10 a UTC day); None unsets."""
        raise NotImplementedError

    # queries
    def specs(self) -> tuple[InstrumentSpec, ...]:
        """Return the instruments by asset id."""
        raise NotImplementedError

    def book(self, coin: str, depth: int | None = 20) -> BookView:
        """Return the top `depth` prices of each side; None means all."""
        raise NotImplementedError

    def order_by_oid(self, address: str, oid: int) -> OrderSnapshot | None:
        """Return the order, live or on record."""
        raise NotImplementedError

    def order_by_cloid(self, address: str, cloid: str) -> OrderSnapshot | None:
        """Return the newest order with this client order id, live or on record."""
        raise NotImplementedError

    def open_orders(self, address: str) -> list[OrderSnapshot]:
        """Return resting and waiting orders, oldest first."""
        raise NotImplementedError

    def order_history(self, address: str, limit: int = 2_000) -> list[OrderSnapshot]:
        """Return the newest `limit` orders that ended, newest first."""
        raise NotImplementedError

    def fills(self, address: str, start_ms: int | None = None, end_ms: int | None = None) -> list[Fill]:
        """Return fills with start_ms <= time <= end_ms, oldest first; None is no bound."""
        raise NotImplementedError

    def trades(self, coin: str, limit: int = 10) -> list[Trade]:
        """Return the newest public trades, newest first."""
        raise NotImplementedError

    def account_state(self, address: str) -> AccountState:
        """Return positions, margin and value at the marks."""
        raise NotImplementedError

    def candles(self, coin: str, interval: str, start_ms: int, end_ms: int) -> list[Candle]:
        """Return bars that open within [start_ms, end_ms], oldest first, the one in progress too.

        Raises InvalidValue for an interval that is not one of engine.bars.INTERVALS.
        """
        raise NotImplementedError

    def mids(self) -> dict[str, Decimal]:
        """Return the mid price of every coin (the mark where a side is empty)."""
        raise NotImplementedError

    def mark(self, coin: str) -> Decimal:
        """Return the mark price."""
        raise NotImplementedError

    def asset_context(self, coin: str) -> AssetContext:
        """Return mark, oracle, funding, volumes."""
        raise NotImplementedError

    def funding_history(self, coin: str, start_ms: int, end_ms: int | None) -> list[FundingRate]:
        """Return the hourly rates within the span, oldest first."""
        raise NotImplementedError

    def funding_payments(
        self, address: str, start_ms: int | None = None, end_ms: int | None = None
    ) -> list[FundingPayment]:
        """Return this account's funding within the span, oldest first."""
        raise NotImplementedError

    # scenario control (admin only; pause the feed first)
    def set_mark(self, coin: str, price: Decimal) -> None:
        """Move mark and oracle: triggers fire, accounts below maintenance are liquidated."""
        raise NotImplementedError

    def print_trade(self, coin: str, size: Decimal, price: Decimal, *, is_buy: bool) -> Decimal:
        """Let the market's own taker buy or sell up to `price`; return the size it got."""
        raise NotImplementedError

    def pause_feed(self) -> None:
        """Stop the market feed where it is."""
        raise NotImplementedError

    def resume_feed(self) -> None:
        """Let the market feed go on from now."""
        raise NotImplementedError
