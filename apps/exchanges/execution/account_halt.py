"""Carry out a halt on one account: cancel what lives, ask until nothing does, flatten if asked.

Every account goes its own way, so that one which cannot be asked keeps no other from being flattened. A look costs
the venue's rate budget (at Hyperliquid 20 of 1,200 a minute and address, at Binance 40 of 2,400: two accounts that
waited for an answer with a look every four seconds used up half of it), so those that change nothing come ever more
seldom.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from apps.exchanges.execution.exit_stage import overdue, seconds_to_next_stage
from apps.exchanges.execution.flatten import Flattening
from apps.exchanges.execution.gone import gone_settle
from apps.exchanges.execution.hands import Hands
from apps.exchanges.execution.nonces import nonces_take
from apps.exchanges.execution.sessions import Session
from apps.exchanges.execution.timing import DENIAL_MARGIN_SECONDS
from apps.exchanges.execution.veto_row import VetoRow
from apps.exchanges.execution.veto_scope import VetoScope
from apps.exchanges.models import AccountEvent, TradingMode
from apps.exchanges.orders.doubts import Seen
from apps.exchanges.orders.ending import BATCH, unsent_end
from apps.exchanges.orders.events import Alarm, alarm_once
from apps.exchanges.orders.reconcile import Reconciliation
from apps.exchanges.ports import CANNOT_BE_NAMED, LiveOrder
from moondev.domain.errors import RateLimited, TradingError
from moondev.domain.orders import CancelOrder, OrderReport, OrderStatus

logger = logging.getLogger(__name__)

SOURCE = "veto"
# The venue has to say so many times running that nothing lives.
EMPTY_LOOKS = 2
# Real seconds to the next look: after one that changed something, and at first after one that did not; each further
# look that is not clear doubles the pause.
LOOK_SECONDS = 0.05
IDLE_SECONDS = 0.5
LONGEST_SECONDS = 8.0
IN_FLIGHT = "an order of before the halt may still arrive: nobody knows yet what became of it"


class AccountHalt:
    """One veto on one account. Not tried yet, it is due before everything that has been."""

    def __init__(self, account_id: int, code: str, row: VetoRow, mode: TradingMode, hands: Hands) -> None:
        self._account_id, self._code, self._row, self._mode, self._hands = account_id, code, row, mode, hands
        self._scope = VetoScope.of(row.veto)
        self._looks: list[Callable[[], bool]] = [self._nothing_lives]
        self._flattening = Flattening(row.veto, self._scope, hands, account_id)
        if row.veto.flatten:
            self._looks.append(self._flattening.is_flat)
        self._steps = len(self._looks)
        self._clear_looks, self._pause, self._in_flight = 0, LOOK_SECONDS, False
        self._uncancellable: dict[str, str] = {}
        # What a look has cancelled and nobody has written down; None when there was no such look.
        self._unwritten: list[OrderReport] | None = None
        self.due = float("-inf")
        self.problem = ""

    @property
    def done(self) -> bool:
        """Return whether nothing is left to do."""
        return not self._looks

    @property
    def flattening(self) -> bool:
        """Return whether nothing lives any more and positions are closed."""
        return 0 < len(self._looks) < self._steps

    @property
    def remark(self) -> str:
        """Return what a person has to know: why it is not done, and what no cancel can name."""
        said = [self.problem, self._flattening.remark]
        return "; ".join([*(f"{self._code}: {words}" for words in said if words), *self._uncancellable.values()])

    def look(self) -> float:
        """Take one look and do what it calls for; return for how many seconds the venue wants to be left alone.

        Nothing that goes wrong is raised: it is noted, and another look follows.
        """
        self._in_flight = False
        try:
            clear = self._looks[0]()
        except Exception as error:  # noqa: BLE001  whatever it was, it concerns this account and must stop no other
            quiet = self._failed(error)
            self._tell_if_overdue()
            return quiet
        self.problem = IN_FLIGHT if self._in_flight else ""
        if not clear:
            self._clear_looks = 0
            self._again()
            self._tell_if_overdue()
            return 0.0
        self._clear_looks += 1
        self.due = self._hands.timer() + LOOK_SECONDS
        if self._clear_looks == EMPTY_LOOKS:
            del self._looks[0]
            self._clear_looks, self._pause = 0, LOOK_SECONDS
        return 0.0

    def notice_landing(self) -> None:
        """Become due when what was in flight at the last look is so no more. Asks our own rows only."""
        if self._in_flight and not self._flying():
            self._in_flight, self.due = False, self._hands.timer()

    def _failed(self, error: Exception) -> float:
        expected = isinstance(error, TradingError)
        self.problem = str(error) if expected else f"{type(error).__name__}: {error}"
        logger.warning("veto %s: %s: %s", self._row.veto.pk, self._code, self.problem, exc_info=not expected)
        self._clear_looks, self._pause = 0, max(self._pause, IDLE_SECONDS)
        self._again()
        return error.retry_after_seconds if isinstance(error, RateLimited) else 0.0

    def _again(self) -> None:
        if self._unwritten is not None:
            # After the cancels of accounts that have not been tried, and before anybody is asked again.
            self.due = self._hands.timer()
            return
        wait = self._pause
        if self.flattening:
            soonest = LOOK_SECONDS if self._flattening.hastens else wait
            wait = min(soonest, seconds_to_next_stage(self._row.veto, self._hands))
        self.due = self._hands.timer() + wait
        self._pause = min(2 * self._pause, LONGEST_SECONDS)

    def _tell_if_overdue(self) -> None:
        """Raise the alarm, once an hour, when the account should be flat by now and is not, or nobody knows."""
        if overdue(self._row.veto, self._hands):
            what = self.remark or f"{self._code}: orders of the scope still live, so nothing is closed yet"
            text = f"halt {self._row.veto.pk} is past its {self._row.veto.deadline_seconds} s; {what}"
            alarm_once(self._account_id, Alarm(AccountEvent.Kind.NOT_FLAT, text), self._hands.clock.now())

    def _flying(self) -> bool:
        before = self._hands.clock.now() - self._hands.lasting(DENIAL_MARGIN_SECONDS)
        return self._scope.in_flight(self._account_id, before)

    def _nothing_lives(self) -> bool:
        """Cancel whatever lives of the scope; return whether there was nothing, and nothing on its way.

        What lives goes first, on every account, and is written down at the next look: other accounts wait for their
        cancels, rows for nobody. What has not left is held by the gate; it ends even when the venue cannot be asked.
        """
        if self._unwritten is not None:
            self._write_down()
            return False
        flying = self._flying()
        self._unwritten = []
        try:
            found = self._cancel_living(self._unwritten)
        except Exception:  # raised again: what was cancelled until then must stand in its rows, whatever went wrong
            self._write_down()
            raise
        if found:
            return False
        ended = self._write_down()
        if flying:
            self._in_flight, self._pause = True, max(self._pause, IDLE_SECONDS)
        return not flying and not ended

    def _write_down(self) -> int:
        """End what was cancelled, then every order of the scope that has not left; return how many those were."""
        gone, self._unwritten = self._unwritten or [], None
        try:
            if gone:
                gone_settle(self._hands.session(self._account_id), gone, self._hands.clock)
        finally:
            ended = self._end_unsent()
        return ended

    def _end_unsent(self) -> int:
        """End every order of the scope that has not left, in one statement per thousand; return how many."""
        opening = "" if self._mode is TradingMode.HALTED else " AND o.purpose = 'opening'"
        # A batch falls a little short when a sender has some of its rows in hand.
        total, ended = 0, BATCH
        while ended > BATCH // 2 and self._row.lease():
            ended = unsent_end(
                f"{self._scope.condition}{opening} AND o.account_id = %s",
                (*self._scope.parameters, self._account_id),
                status=OrderStatus.CANCELLED,
                reason=f"{self._mode.value}: {self._row.veto.reason}",
                source=SOURCE,
                now=self._hands.clock.now(),
            )
            total += ended
        return total

    def _cancel_living(self, gone: list[OrderReport]) -> int:
        """Cancel what lives of the scope, adding to `gone` what the venue ended; return how many orders that were.

        What no cancel can name is not counted: waiting for it would keep open positions waiting with it.
        """
        session = self._hands.session(self._account_id)
        seen = session.client.live_orders()
        living = self._scope.of_account(self._account_id, seen)
        if self._mode is TradingMode.REDUCING:
            living = [order for order in living if not order.reduce_only]
        size = session.client.max_batch
        found = sum(self._cancel(session, living[at : at + size], gone) for at in range(0, len(living), size))
        return found or self._settle_unseen(session, seen)

    def _settle_unseen(self, session: Session, seen: Sequence[LiveOrder]) -> int:
        """Ask about orders that our record says rest and the venue's list does not show; return how many live.

        They ended, by a cancel that was only acknowledged or on their own; or the list is one page, and other people's
        orders fill it.
        """
        unseen = self._scope.unseen(self._account_id, Seen.among(seen), reducing=self._mode is TradingMode.REDUCING)
        living = Reconciliation(session, self._hands.clock).ends_of(unseen)
        if living:
            nonce = nonces_take(session.signer_id, 1, self._hands.clock.now())[0]
            batch = living[: session.client.max_batch]
            reports = session.client.cancel([CancelOrder(*order, reason=SOURCE) for order in batch], nonce)
            gone_settle(session, [report for report in reports if report.status is not None], self._hands.clock)
        return len(living)

    def _cancel(self, session: Session, orders: Sequence[LiveOrder], gone: list[OrderReport]) -> int:
        """Cancel orders, adding to `gone` what the venue then ended; return how many of them a cancel can name."""
        nonce = nonces_take(session.signer_id, 1, self._hands.clock.now())[0]
        reports = session.client.cancel_resting(orders, nonce)
        now = self._hands.clock.now()
        gone += [report for report in reports if report.status is not None]
        if gone and self._row.veto.first_cancel_at is None:
            self._row.write(first_cancel_at=now)
        nameless = [order for order, report in zip(orders, reports, strict=True) if report.reason == CANNOT_BE_NAMED]
        self._tell_of(nameless, now)
        return len(orders) - len(nameless)

    def _tell_of(self, nameless: Sequence[LiveOrder], now: datetime) -> None:
        """Say that orders live on because no cancel can name them: a person has to end them at the venue."""
        for order in nameless:
            what = f"order {order.venue_order_id} in {order.symbol}"
            self._uncancellable[order.venue_order_id] = f"{self._code}: {what} cannot be cancelled"
        if nameless:
            text = "; ".join(self._uncancellable.values())
            alarm_once(self._account_id, Alarm(AccountEvent.Kind.UNCANCELLABLE_ORDER, text), now)
