"""Clear one account at its venue: cancel whatever rests, close whatever is open, ask until nothing is left.

Needs the venue and a key, nothing of ours. What it did is booked later, by reconciliation.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import cast
from uuid import uuid4

from apps.exchanges.execution.batches import batches
from apps.exchanges.models import TradingMode, Veto
from apps.exchanges.ports import ExecutionClient, LiveOrder
from apps.exchanges.venue_types import PositionSnapshot
from apps.risk.direct.accounts_file import DirectAccount
from apps.risk.facts import RiskFacts
from apps.risk.limits import LimitBook
from apps.risk.review import ReviewMarket, review
from apps.risk.scope import StrategyScope
from apps.risk.vetoes import Closing
from moondev.domain.clock import Clock, milliseconds, monotonic
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import TradingError
from moondev.domain.instruments import Instrument, Rounding
from moondev.domain.orders import OrderReport, OrderStatus, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.portfolio import Holding
from moondev.domain.values import Quantity

logger = logging.getLogger(__name__)

# Asked and found empty so often in a row, an account counts as clear: an order may be on its way.
EMPTY_ANSWERS = 2
PAUSE_SECONDS = 0.5
# How much of the slippage the first stage may use up, and for which part of the deadline it lasts by urgency. Nothing
# rests: with no record to know it by, an exit in the book could outlive whoever is to take it back.
LIMIT_SHARE = Decimal("0.1")
LIMIT_LASTS: Mapping[Veto.Urgency, float] = MappingProxyType(
    {Veto.Urgency.PATIENT: 0.75, Veto.Urgency.BRISK: 0.5, Veto.Urgency.IMMEDIATE: 0.0}
)
ORDER_LIFE = timedelta(seconds=5)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Tools:
    """What stopping needs from outside: the time, a way to wait, and somebody to tell."""

    clock: Clock
    sleep: Callable[[float], None]
    say: Say


class DirectStop:
    """Clears one account. Nonces come from the clock: this signer is nobody else's."""

    def __init__(self, account: DirectAccount, client: ExecutionClient, tools: Tools) -> None:
        self._account, self._client, self._tools = account, client, tools
        self._last_nonce = 0
        self._began = monotonic()

    def run(self, *, closing: Closing | None, seconds: float) -> bool:
        """Work until the account is clear or `seconds` have passed; return whether it is clear.

        With `closing` positions are closed: through the book first if there is time for that, then as far as its
        slippage lets them go. Begun anew after a crash it asks the venue what is left, and goes on with that.
        """
        self._began = monotonic()
        deadline = self._began + seconds
        empty = 0
        while monotonic() < deadline:
            empty = empty + 1 if self._round(closing) else 0
            if empty >= EMPTY_ANSWERS:
                return True
            self._tools.sleep(PAUSE_SECONDS)
        return False

    def _round(self, closing: Closing | None) -> bool:
        """Do what is to be done now; return whether there was nothing. Orders that stay keep no position open."""
        nothing_rests = self._nothing_left(self._cancel_orders)
        nothing_held = closing is None or self._nothing_left(lambda: self._close_positions(self._slippage(closing)))
        return nothing_rests and nothing_held

    def _nothing_left(self, step: Callable[[], bool]) -> bool:
        """Take a step; return whether it found nothing to do. One that fails is told, and taken again next round."""
        try:
            return not step()
        except TradingError as error:
            self._tools.say(f"{self._account.code}: {error}")
        except Exception as error:
            # Nothing may end the stop before its time: not a bug, and not an answer nobody has thought of.
            logger.exception("account %s: a step of the direct stop failed", self._account.code)
            self._tools.say(f"{self._account.code}: {error!r}")
        return False

    def _cancel_orders(self) -> bool:
        """Cancel whatever lives; return whether there was any."""
        living = self._client.live_orders()
        for batch in batches(living, self._client.max_batch):
            self._tell(batch, self._client.cancel_resting(batch, self._nonce()))
        return bool(living)

    def _tell(self, orders: Sequence[LiveOrder], reports: Sequence[OrderReport]) -> None:
        """Say how many orders were cancelled, and name those that were not, or only may be."""
        cancelled = sum(report.status is OrderStatus.CANCELLED for report in reports)
        if cancelled:
            self._tools.say(f"{self._account.code}: cancelled {cancelled} orders")
        for order, report in zip(orders, reports, strict=True):
            if report.status is None:
                what = f"order {order.venue_order_id} in {order.symbol}"
                self._tools.say(f"{self._account.code}: {what} is not cancelled yet: {report.reason}")

    def _slippage(self, closing: Closing) -> Decimal:
        """Return how far beyond the mark an exit may trade at this moment, as a share."""
        cap = Decimal(closing.slippage_bps) / 10_000
        early = monotonic() - self._began < LIMIT_LASTS[closing.urgency] * closing.deadline_seconds
        return cap * LIMIT_SHARE if early else cap

    def _close_positions(self, slippage: Decimal) -> bool:
        """Send one closing order per open position; return whether there was any."""
        positions = [p for p in self._client.account_snapshot().positions if p.quantity]
        if not positions:
            return False
        now = self._tools.clock.now()
        instruments = {listing.instrument.symbol: listing.instrument for listing in self._client.instruments()}
        closable = [position for position in positions if position.symbol in instruments]
        for position in positions:
            if position.symbol not in instruments:
                what = f"{position.quantity.value:f} {position.symbol} is not closed"
                self._tools.say(f"{self._account.code}: {what}: the venue states no rules for it; close it by hand")
        approved = closing_orders(self._account, closable, instruments, now, slippage)
        for batch in batches(approved, self._client.max_batch):
            self._tell_unclosed(batch, self._client.place(batch, self._nonce(), now + ORDER_LIFE))
        if approved:
            self._tools.say(f"{self._account.code}: closing {len(closable)} positions")
        return True

    def _tell_unclosed(self, orders: Sequence[RiskApproved[PlaceOrder]], reports: Sequence[OrderReport]) -> None:
        """Name the exits that did not fill, how far they could go, and what the venue said."""
        for order, report in zip(orders, reports, strict=False):
            if report.status is not OrderStatus.FILLED:
                asked = order.request
                what = f"{asked.side.value} {asked.quantity} {asked.instrument} to {asked.price}"
                self._tools.say(f"{self._account.code}: not filled yet: {what} {report.reason}".rstrip())

    def _nonce(self) -> int:
        self._last_nonce = max(self._last_nonce + 1, milliseconds(self._tools.clock.now()))
        return self._last_nonce


def closing_orders(
    account: DirectAccount,
    positions: Sequence[PositionSnapshot],
    instruments: Mapping[str, Instrument],
    now: datetime,
    slippage: Decimal,
) -> list[RiskApproved[PlaceOrder]]:
    """Return reviewed orders that close `positions`: immediate, reduce-only, up to `slippage` (a share) off the mark.

    They pass the same review as every order; it lets exits through without limits or equities.
    """
    orders = [
        order for position in positions for order in _closing_orders(position, instruments[position.symbol], slippage)
    ]
    holdings = {
        instruments[position.symbol].key: Holding(position.quantity.value, position.value.value)
        for position in positions
    }
    market = ReviewMarket(
        now=now,
        instruments={instrument.key: instrument for instrument in instruments.values()},
        mids={},
        ages={},
        holdings=holdings,
        account_net={key: holding.quantity for key, holding in holdings.items()},
        working=(),
    )
    # Places were asked, so places are what was approved.
    return cast(list[RiskApproved[PlaceOrder]], review(orders, market, _facts(account)).approved)


def _closing_orders(position: PositionSnapshot, instrument: Instrument, slippage: Decimal) -> list[PlaceOrder]:
    """Return what closes a position: one order, or as many as the venue wants it cut into."""
    return [
        _closing_order(position, instrument, part, slippage) for part in instrument.market_parts(position.quantity.size)
    ]


def _closing_order(
    position: PositionSnapshot, instrument: Instrument, quantity: Quantity, slippage: Decimal
) -> PlaceOrder:
    side = position.quantity.side.opposite
    worst = position.mark_price.value * (1 + slippage * side.sign)
    return PlaceOrder(
        client_order_id=uuid4(),
        instrument=instrument.key,
        side=side,
        # An immediate limit: what venues call market is not bounded by all of them.
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.IOC,
        quantity=quantity,
        price=instrument.price_grid.rounded(worst, Rounding.passive(side)),
        purpose=Purpose.REDUCING,
        signal_id="flatten",
        leg=f"flatten/{position.symbol}",
    )


def _facts(account: DirectAccount) -> RiskFacts:
    """Return facts that know nothing but that exits may leave."""
    scope = StrategyScope(
        strategy="flatten",
        account_id=0,
        account=account.code,
        portfolio="",
        venue=account.venue.code,
        currency=account.currency,
        capital=Decimal(0),
        leverage=Decimal(1),
    )
    open_for_exits = dict.fromkeys(scope.enclosing, TradingMode.REDUCING)
    return RiskFacts(scope, LimitBook({}), open_for_exits, None, None, None, None, None)
