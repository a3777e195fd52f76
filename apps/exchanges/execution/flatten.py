"""Close what a halted scope holds: orders that only reduce, at once or never, through the book, until it is flat.

They are rows like any other order, so their fills find their owners; they pass no gate, because a halt asked for them,
and the venue refuses whatever would grow a position.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import uuid5

from django.db import transaction

from apps.exchanges.bulk import fetch
from apps.exchanges.execution.hands import Hands
from apps.exchanges.execution.kept import Kept
from apps.exchanges.execution.nonces import nonces_take
from apps.exchanges.execution.outcomes import outcome_of, said
from apps.exchanges.execution.sessions import Session
from apps.exchanges.execution.timing import LEASE_SECONDS, VENUE_WINDOW_SECONDS, lasting
from apps.exchanges.execution.veto_scope import Held, VetoScope
from apps.exchanges.models import UNASSIGNED, InstrumentRow, ScopeKind, Veto
from apps.exchanges.orders.begin import exits_begin
from apps.exchanges.orders.claim import ClaimedOrder, halting_claim
from apps.exchanges.orders.events import Step, steps_append
from apps.exchanges.orders.new_rows import GIVEN_COLUMNS, PLAIN, rows_insert
from apps.exchanges.orders.reconcile import Reconciliation
from apps.exchanges.orders.services import reports_apply
from apps.exchanges.ports import PositionSnapshot
from moondev.domain.errors import Invariant, RateLimited
from moondev.domain.instruments import Rounding
from moondev.domain.orders import CLIENT_ORDER_NAMESPACE, OrderStatus, OrderType, Purpose, TimeInForce
from moondev.domain.values import ZERO, Bps, Quantity, Side

logger = logging.getLogger(__name__)

SOURCE = "veto"
# How far from the mark an exit may trade. Wide on purpose: the scope is to be flat, not well priced.
SLIPPAGE = Bps(Decimal(500))


@dataclass(frozen=True, slots=True)
class Exit:
    """One position, or part of one, to be closed for its owner; `part` numbers what the venue takes at once."""

    strategy: str
    instrument_id: int
    symbol: str
    side: Side
    quantity: Decimal
    mark: PositionSnapshot
    part: int = 0


class Flattening:
    """Closes the positions of one veto's scope on one account."""

    def __init__(self, veto: Veto, scope: VetoScope, hands: Hands, account_id: int) -> None:
        self._veto, self._scope, self._hands, self._account_id = veto, scope, hands, account_id
        self._kept = Kept(veto)

    def is_flat(self) -> bool:
        """Close what is open; return whether there was nothing to close.

        Raises Invariant when something is held in what we do not list: it is not flat, and we cannot name it.
        """
        session = self._hands.session(self._account_id)
        self._settle(session)
        return self._close_account(session, self._scope.positions(self._account_id))

    def unclosed(self) -> str:
        """Return of each position whose latest exit did not close it what became of that exit; "" when all did."""
        rows = fetch(
            "SELECT DISTINCT ON (o.strategy, o.instrument_id) i.symbol, o.side, o.quantity - o.filled_quantity,"
            " o.status, o.reason FROM exchanges_order o JOIN exchanges_instrument i ON i.id = o.instrument_id"
            " WHERE o.account_id = %s AND o.tick_id = %s ORDER BY o.strategy, o.instrument_id, o.id DESC",
            (self._account_id, self._tick),
        )
        return "; ".join(
            f"{symbol}: to {side} {left.normalize():f} is {status} ({reason or 'no reason given'})"
            for symbol, side, left, status, reason in rows
            if status != OrderStatus.FILLED
        )

    def _settle(self, session: Session) -> None:
        """Book what earlier exits have done, whether or not a stream is listening."""
        pass_over = Reconciliation(session, self._hands.clock)
        pass_over.doubts()
        pass_over.fills()

    def _close_account(self, session: Session, held: Sequence[Held]) -> bool:
        snapshot = session.client.account_snapshot()
        net = {position.symbol: position for position in snapshot.positions if position.quantity}
        if self._waiting(session.account.account_id):
            return False
        exits, unlisted = self._exits(net, held, session)
        self._send(session, exits)
        if unlisted:
            raise Invariant(f"cannot close what is not listed here: {', '.join(unlisted)}; refresh the instruments")
        return not exits

    def _waiting(self, account_id: int) -> bool:
        """Return whether an earlier exit of this veto may still trade."""
        rows = fetch(
            "SELECT 1 FROM exchanges_order WHERE account_id = %s AND tick_id = %s AND status IN ('sending', 'unknown',"
            " 'open', 'partially_filled') LIMIT 1",
            (account_id, self._tick),
        )
        return bool(rows)

    def _exits(
        self, net: dict[str, PositionSnapshot], held: Sequence[Held], session: Session
    ) -> tuple[list[Exit], list[str]]:
        """Return what to close, and symbols of positions that we have no instrument for.

        To be closed are owners whose side is the account's, up to its net, but for what the veto leaves them; then
        what nobody owns, unless it leaves a part to all.
        Owners on the other side need no trade: their positions and the others' cancel out at the venue.
        """
        left = {symbol: position.quantity.value for symbol, position in net.items()}
        exits = []
        for owner in held:
            open_ = left.get(owner.symbol, ZERO)
            if open_ * owner.quantity <= 0:
                continue
            size = min(abs(open_), abs(owner.quantity))
            left[owner.symbol] = open_ - size * Side.of(open_).sign
            size = max(size - self._kept.of(self._account_id, owner, size), ZERO)
            if size:
                exits.append(self._exit(owner.strategy, owner.instrument_id, net[owner.symbol], size))
        if self._scope.kind == ScopeKind.STRATEGY or self._veto.keep_share:
            return exits, []
        unowned = {s: q for s, q in left.items() if q and self._concerns(session.account.venue, s)}
        rows = InstrumentRow.objects.filter(venue_id=session.account.venue, symbol__in=list(unowned))
        exits += [self._exit(UNASSIGNED, row.pk, net[row.symbol], abs(unowned[row.symbol])) for row in rows]
        return exits, sorted(set(unowned) - {row.symbol for row in rows})

    def _concerns(self, venue: str, symbol: str) -> bool:
        return self._scope.kind != ScopeKind.INSTRUMENT or self._scope.key == f"{venue}:{symbol}"

    def _exit(self, strategy: str, instrument_id: int, position: PositionSnapshot, size: Decimal) -> Exit:
        side = position.quantity.side.opposite
        return Exit(strategy, instrument_id, position.symbol, side, size, position)

    def _send(self, session: Session, exits: Sequence[Exit]) -> None:
        parts = _parts(exits)
        for start in range(0, len(parts), session.client.max_batch):
            self._send_batch(session, parts[start : start + session.client.max_batch])

    def _send_batch(self, session: Session, exits: Sequence[Exit]) -> None:
        clock, worker = self._hands.clock, self._hands.worker
        now = clock.now()
        until, expires = now + lasting(clock, LEASE_SECONDS), now + lasting(clock, VENUE_WINDOW_SECONDS)
        with transaction.atomic():
            ids = self._record(session, exits, now)
            orders = halting_claim(ids, worker, until)
            begun = exits_begin(ids, worker, until=until, venue_expires_at=expires, now=now)
            nonce = nonces_take(session.signer_id, 1, now)[0]
        self._place(session, [order for order in orders if order.order_id in begun], nonce, expires)

    def _place(self, session: Session, orders: Sequence[ClaimedOrder], nonce: int, expires: datetime) -> None:
        """Send exits as one request and write what became of them. Raises RateLimited, for that says when to go on."""
        if not orders:
            return
        refused: RateLimited | None = None
        try:
            reports = session.client.place([order.approved for order in orders], nonce, expires)
        except Exception as error:  # noqa: BLE001  whatever it was, the exits may be at the venue: their state must say so
            refused = error if isinstance(error, RateLimited) else None
            status, reason = outcome_of(error)
            logger.warning("veto %s: exits %s: %s", self._veto.pk, status, reason)
            reports = said([order.client_order_id for order in orders], status, reason, self._hands.clock.now())
        reports_apply(account_id=session.account.account_id, reports=reports, now=self._hands.clock.now())
        if refused is not None:
            raise refused

    def _record(self, session: Session, exits: Sequence[Exit], now: datetime) -> list[int]:
        instruments = {row.pk: row for row in InstrumentRow.objects.filter(pk__in={e.instrument_id for e in exits})}
        rows = [self._row(session, exit_, instruments[exit_.instrument_id], now) for exit_ in exits]
        ids = sorted(rows_insert(rows).values())
        steps_append([Step(i, SOURCE, OrderStatus.CREATED, OrderStatus.APPROVED, "flatten") for i in ids], now)
        return ids

    def _row(self, session: Session, exit_: Exit, instrument: InstrumentRow, now: datetime) -> tuple[object, ...]:
        attempt = self._attempts(session.account.account_id, exit_)
        leg = f"{self._tick}/{session.account.code}/{exit_.strategy}/{exit_.symbol}/{attempt}"
        # Parts of one exit are written together, and so are the same attempt.
        leg += f".{exit_.part}" if exit_.part else ""
        away = SLIPPAGE if exit_.side is Side.BUY else Bps(-SLIPPAGE.value)
        price = instrument.to_domain().price_grid.rounded(
            exit_.mark.mark_price.moved(away).value, Rounding.aggressive(exit_.side)
        )
        values = {
            "account_id": session.account.account_id,
            "instrument_id": exit_.instrument_id,
            "strategy": exit_.strategy,
            "tick_id": self._tick,
            "client_order_id": uuid5(CLIENT_ORDER_NAMESPACE, leg),
            "side": exit_.side.value,
            "order_type": OrderType.MARKET.value,
            "time_in_force": TimeInForce.IOC.value,
            "purpose": Purpose.REDUCING.value,
            "quantity": exit_.quantity,
            "price": price.value,
            "trigger_price": None,
            "arrival_price": exit_.mark.mark_price.value,
            "status": OrderStatus.APPROVED.value,
            "reserved": 0,
            "reason": self._veto.reason,
            "valid_until": now + lasting(self._hands.clock, LEASE_SECONDS),
            "created_at": now,
            "updated_at": now,
            "closed_at": None,
            **PLAIN,
        }
        return tuple(values.get(column, "") for column in GIVEN_COLUMNS)

    def _attempts(self, account_id: int, exit_: Exit) -> int:
        """Return how many exits of this position the veto has written: a number that makes the next one's id."""
        rows = fetch(
            "SELECT COUNT(*) FROM exchanges_order WHERE account_id = %s AND tick_id = %s AND strategy = %s"
            " AND instrument_id = %s",
            (account_id, self._tick, exit_.strategy, exit_.instrument_id),
        )
        return int(rows[0][0])

    @property
    def _tick(self) -> str:
        return f"veto-{self._veto.pk}"


def _parts(exits: Sequence[Exit]) -> list[Exit]:
    """Return exits no larger than their venues take at the market; what is left over is closed by the next look."""
    rows = InstrumentRow.objects.filter(pk__in={exit_.instrument_id for exit_ in exits})
    rules = {row.pk: row.to_domain() for row in rows}
    return [
        replace(exit_, quantity=part.value, part=number)
        for exit_ in exits
        for number, part in enumerate(rules[exit_.instrument_id].market_parts(Quantity(exit_.quantity)))
    ]
