"""Close what a halted scope holds, at the price its veto allows at this moment, until it is flat.

Each look settles what earlier exits did, asks the venue what is open, and sends orders that only reduce. Exits that
rest are confirmed gone, with their fills, before anything else is sent for the same position, so the exits of all
vetoes together never exceed it. Everything a look needs is in rows and the time: whoever takes over after a crash
takes the same look.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from apps.exchanges.execution.exit_orders import ExitOrders, Offer
from apps.exchanges.execution.exit_prices import terms, trusted_mark
from apps.exchanges.execution.exit_stage import Stage, stage_now
from apps.exchanges.execution.exits import Exit, ToBeClosed
from apps.exchanges.execution.hands import Hands
from apps.exchanges.execution.live_exits import LiveExit, live_exits
from apps.exchanges.execution.sessions import Session
from apps.exchanges.execution.veto_scope import VetoScope
from apps.exchanges.models import Veto
from apps.exchanges.orders.reconcile import Reconciliation
from apps.exchanges.ports import PositionSnapshot
from moondev.domain.errors import Invariant
from moondev.domain.orders import OrderReport, OrderStatus, TimeInForce


class Flattening:
    """Closes the positions of one veto's scope on one account.

    `remark` says what is not flat yet, and why; `hastens` whether the last look made room for an exit that follows.
    """

    def __init__(self, veto: Veto, scope: VetoScope, hands: Hands, account_id: int) -> None:
        self._veto, self._scope, self._hands, self._account_id = veto, scope, hands, account_id
        self._to_be_closed = ToBeClosed(veto, scope, account_id)
        self.remark, self.hastens = "", False
        # Whether exits may have filled of which we have not asked for the fills.
        self._unbooked = False

    def is_flat(self) -> bool:
        """Close what is open; return whether there was nothing to close and nothing of ours that still trades.

        Raises Invariant when something is held in what we do not list: it is not flat, and we cannot name it.
        """
        session = self._hands.session(self._account_id)
        live = live_exits(self._account_id, self._scope)
        # All fills of an account cost the venue's budget ten times what its positions do.
        if not live and not self._unbooked and not _net(session):
            self.remark, self.hastens = "", False
            return True
        self._settle(session)
        net = _net(session)
        live = live_exits(self._account_id, self._scope)
        self._unbooked = bool(live)
        if any(not exit_.rests for exit_ in live):
            return False
        return self._close(session, net, live)

    def _settle(self, session: Session) -> None:
        """Book what earlier exits have done, whether or not a stream is listening."""
        pass_over = Reconciliation(session, self._hands.clock)
        pass_over.doubts()
        pass_over.fills()
        unsettled = [one for one in live_exits(self._account_id, self._scope) if one.status == "cancelling"]
        pass_over.ends_of([(one.client_order_id, one.instrument) for one in unsettled])

    def _close(self, session: Session, net: dict[str, PositionSnapshot], resting: Sequence[LiveExit]) -> bool:
        orders = ExitOrders(self._veto, self._hands, session)
        found = self._to_be_closed.now(net, self._scope.positions(self._account_id))
        stage = self._stage(session)
        offers = [offer for exit_ in found.exits for offer in self._offers(orders, exit_, stage)]
        stale, missing = _sorted(offers, resting)
        self.hastens = bool(stale)
        if stale:
            orders.take_back(stale)
        else:
            self._unbooked = self._unbooked or bool(missing)
            reports = orders.send(missing)
            self._note(orders, missing, reports, stage)
        if found.unlisted:
            raise Invariant(
                f"cannot close what is not listed here: {', '.join(found.unlisted)}; refresh the instruments"
            )
        if found.too_small and not found.exits:
            self.remark = "; ".join(f"{exit_} stays: less than the venue trades" for exit_ in found.too_small)
        return not found.exits and not resting

    def _stage(self, session: Session) -> Stage:
        """Return the stage. Where another halt is at work nothing rests: it would cancel that, and we place it anew."""
        stage = stage_now(self._veto, session.capabilities, self._hands)
        if stage is not Stage.POST_ONLY:
            return stage
        others = Veto.objects.filter(venue_id=self._scope.venue, done_at__isnull=True).exclude(pk=self._veto.pk)
        contested = any(self._account_id in VetoScope.of(other).accounts() for other in others)
        return Stage.LIMIT if contested else stage

    def _offers(self, orders: ExitOrders, exit_: Exit, stage: Stage) -> list[Offer]:
        attempt = orders.attempts(exit_)
        books = self._hands.books
        mark = trusted_mark(exit_, attempt, books)
        on = terms(stage, exit_.instrument, exit_.side, mark, self._veto.slippage_bps, attempt, books)
        parts = exit_.parts() if on.time_in_force.immediate else [exit_]
        return [Offer(part, on, attempt) for part in parts]

    def _note(
        self, orders: ExitOrders, offers: Sequence[Offer], reports: dict[UUID, OrderReport], stage: Stage
    ) -> None:
        """Say of every exit that did not fill what it was, how far it could go, and what the venue said."""
        open_ = []
        for offer in offers:
            report = reports.get(orders.client_order_id(offer))
            if report is not None and report.status is OrderStatus.FILLED:
                continue
            words = f": {report.reason}" if report is not None and report.reason else ""
            open_.append(f"{offer.exit}, {stage} to {offer.terms.price} with the mark at {offer.exit.mark}{words}")
        self.remark = f"not flat: {'; '.join(open_)}" if open_ else ""


def _net(session: Session) -> dict[str, PositionSnapshot]:
    positions = session.client.account_snapshot().positions
    return {position.symbol: position for position in positions if position.quantity}


def _sorted(offers: Sequence[Offer], resting: Sequence[LiveExit]) -> tuple[list[LiveExit], list[Offer]]:
    """Return the resting exits that must go, and the offers that nothing resting stands for.

    One that rests stays when it is what would be offered now: at the touch, and no more than the position.
    """
    wanted = {offer.exit.key: offer for offer in offers if offer.terms.time_in_force is TimeInForce.POST_ONLY}
    stale = []
    standing = set()
    for one in resting:
        offer = wanted.get(one.key)
        if offer is None or one.key in standing or not _stands_for(one, offer):
            stale.append(one)
        else:
            standing.add(one.key)
    return stale, [offer for offer in offers if offer.exit.key not in standing]


def _stands_for(one: LiveExit, offer: Offer) -> bool:
    same = one.side is offer.exit.side and one.price == offer.terms.price.value
    return same and one.remaining <= offer.exit.quantity
