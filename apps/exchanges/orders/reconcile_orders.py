"""Ask the venue about orders: those in doubt, those that rest there, and those that should and do not."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from uuid import UUID

from apps.exchanges.execution.nonces import nonces_take
from apps.exchanges.execution.outcomes import said
from apps.exchanges.execution.timing import DENIAL_MARGIN_SECONDS, VENUE_WINDOW_SECONDS, lasting
from apps.exchanges.models import CommandKind, CommandStatus
from apps.exchanges.orders import doubts
from apps.exchanges.orders.adopt import orders_adopt, sort_resting, unsized_alarm, zombie_alarms
from apps.exchanges.orders.commands import CommandOutcome, Renamed, commands_settle, renames_settle
from apps.exchanges.orders.doubts import Doubt, DoubtfulCommand
from apps.exchanges.orders.ending import ended_release
from apps.exchanges.orders.events import alarms_append
from apps.exchanges.orders.progress import ends_unheard
from apps.exchanges.orders.questions import command_resolve, may_yet_arrive, resting_reports
from apps.exchanges.orders.reconcile_pass import SETTLING_SECONDS, Pass
from apps.exchanges.ports import ReportSource, RestingOrder
from moondev.domain.errors import TradingError
from moondev.domain.orders import OrderReport, OrderStatus

logger = logging.getLogger(__name__)

NEVER_HEARD = "the venue never heard of it"
FORGOTTEN = "the venue knows it no longer"
# Single questions per step of a pass; the rest waits for the next one, so that a bad minute does not eat the rate
# budget. Where more orders are in doubt, the venue's list answers for those that rest first: it costs as much as dozens
# of questions.
QUESTIONS = 20
DOUBTS_AT_ONCE = 1_000
_LIVE = frozenset({OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED})
# Real seconds that an acknowledged cancel may take until its order rests no more.
CANCEL_SECONDS = 3.0


class OrdersPass(Pass):
    """The part of a pass that is about orders."""

    def doubts(self) -> None:
        """Resolve what was being sent when its sender fell silent, as far as the venue tells."""
        self._step(self._lapsed)
        self._ask(self._unknown)
        self._ask(self._commands)
        self._step(self._ended)

    def ends_of(self, orders: Sequence[tuple[UUID, str]]) -> list[tuple[UUID, str]]:
        """Ask how orders (client id, instrument) ended, a few at a time; return those that the venue says live.

        One that it does not know stays as it is, and so do those whose fills it does not tell. Raises TradingError.
        """
        ended: list[OrderReport] = []
        living = []
        for client_order_id, instrument in orders[:QUESTIONS]:
            report = self._client.order_status(client_order_id, instrument)
            if report is not None and report.status in _LIVE:
                living.append((client_order_id, instrument))
            elif report is not None:
                ended.append(report)
        try:
            # Fills first, also for one of which the venue says how much has filled: it is not over before they are in.
            self.end(ended)
        except TradingError as error:
            logger.warning("account %s: %d ends are left for later: %s", self._account.code, len(ended), error)
        return living

    def _lapsed(self) -> None:
        """What was being sent when its sender fell silent is unknown from now on."""
        now = self._clock.now()
        orders = doubts.lapsed_orders(self._account.account_id, now)
        self._apply(said(orders, OrderStatus.UNKNOWN, doubts.UNHEARD, now, ReportSource.RECONCILE))
        commands = doubts.lapsed_commands(self._account.account_id, now)
        unknown = [CommandOutcome(*ids, CommandStatus.UNKNOWN, doubts.UNHEARD) for ids in commands]
        commands_settle(self._account.account_id, unknown, now)
        self.result.lapsed = len(orders) + len(commands)

    def _ended(self) -> None:
        ended_release(self._account.account_id)

    def _unknown(self) -> None:
        """Settle every order whose answer we did not hear: by the venue's list where it rests, else by asking."""
        account_id = self._account.account_id
        left = doubts.unknown_orders(account_id, DOUBTS_AT_ONCE)
        if len(left) > QUESTIONS:
            resting = resting_reports(self._client.live_orders(), self._clock.now())
            found = [resting[doubt.client_order_id] for doubt in left if doubt.client_order_id in resting]
            self._apply(found)
            self.result.resolved += len(found)
            left = [doubt for doubt in left if doubt.client_order_id not in resting]
        ended: list[OrderReport] = []
        for doubt in left[:QUESTIONS]:
            report = self._client.order_status(doubt.client_order_id, doubt.instrument)
            now = self._clock.now()
            if report is not None and ends_unheard(report):
                ended.append(report)
                continue
            if report is not None:
                self._apply([report])
            elif self._denied_for_good(doubt):
                ids = [doubt.client_order_id]
                self._apply(said(ids, OrderStatus.EXPIRED, NEVER_HEARD, now, ReportSource.RECONCILE))
            else:
                continue
            self.result.resolved += 1
        self.end(ended)

    def _denied_for_good(self, doubt: Doubt) -> bool:
        return doubts.denial_is_final(doubt, lasting(self._clock, DENIAL_MARGIN_SECONDS), self._clock.now())

    def _commands(self) -> None:
        """Ask for every cancel and amend whose answer we did not hear."""
        ended: list[tuple[DoubtfulCommand, OrderReport]] = []
        amended: set[UUID] = set()
        for command in doubts.unknown_commands(self._account.account_id, QUESTIONS):
            report = self._client.order_status(command.client_order_id, command.instrument)
            if may_yet_arrive(command, report, self._window(command, report), self._clock.now()):
                continue
            if report is not None and ends_unheard(report):
                ended.append((command, report))
                continue
            command_resolve(self._account.account_id, command, report, self._clock.now())
            self.result.resolved += 1
            if command.kind is CommandKind.AMEND:
                amended.add(command.client_order_id)
        if ended:
            self._book_fills(self._clock.now())
        for command, report in ended:
            command_resolve(self._account.account_id, command, report, self._clock.now())
            self.result.resolved += 1
        self._follow_amended(amended)

    def _window(self, command: DoubtfulCommand, report: OrderReport | None) -> timedelta:
        """Return how long after sending the venue's word does not settle a command of which it shows no trace.

        A cancel that was only acknowledged is carried out a moment later, and the history shows its order later still.
        """
        able = self._session.capabilities
        if command.kind is CommandKind.AMEND:
            return lasting(self._clock, VENUE_WINDOW_SECONDS + DENIAL_MARGIN_SECONDS)
        if able.cancel_is_final:
            return timedelta(0)
        return lasting(self._clock, able.fills_lag_seconds if report is None else CANCEL_SECONDS)

    def _resting(self) -> None:
        """Compare live orders: adopt strangers, end zombies, ask for orders of ours that the venue does not show."""
        settled = self._ago(SETTLING_SECONDS)
        living = self._client.live_orders()
        resting = [order for order in living if isinstance(order, RestingOrder)]
        found = sort_resting(self._account, resting, settled)
        self.result.adopted = orders_adopt(self._account, found.strangers, self._clock.now())
        unsized_alarm(self._account.account_id, found.unsized, self._clock.now())
        self._end_zombies(found.zombies)
        self._follow_changed(found.known, settled)
        seen = doubts.Seen.among(living)
        doubts.denials_forget(self._account.account_id, seen)
        ended: list[OrderReport] = []
        for doubt in doubts.resting_unseen(self._account.account_id, seen, settled, QUESTIONS):
            report = self._client.order_status(doubt.client_order_id, doubt.instrument)
            if report is not None and report.venue_order_id:
                renamed = Renamed(doubt.client_order_id, report.venue_order_id)
                renames_settle(self._account.account_id, [renamed], self._clock.now())
            if report is not None and ends_unheard(report):
                ended.append(report)
            elif report is not None:
                self._apply([report])
                self.result.resolved += 1
            elif self._denied_for_good(doubt):
                # Venues forget what ended long ago without a fill; its fills, if there were any, are asked for first.
                now = self._clock.now()
                ended += said([doubt.client_order_id], OrderStatus.CANCELLED, FORGOTTEN, now, ReportSource.RECONCILE)
        self.end(ended)

    def _follow_changed(self, known: Sequence[RestingOrder], before: datetime) -> None:
        """Take over id, size and price of orders of ours that rest in another form than our record says."""
        named = {o.client_order_id: Renamed.as_shown(o.client_order_id, o) for o in known if o.client_order_id}
        ours = doubts.resting_records(self._account.account_id, list(named), before)
        changed = [
            rename
            for client_id, rename in named.items()
            if rename.remaining
            and client_id in ours
            and ours[client_id].differs(rename.venue_order_id, rename.remaining, rename.price)
        ]
        renames_settle(self._account.account_id, changed, self._clock.now())

    def _follow_amended(self, client_ids: AbstractSet[UUID]) -> None:
        """Look at orders whose amend was not heard: a venue that amends in place shows by size and price alone."""
        if not client_ids:
            return
        known = [order for order in self._client.open_orders() if order.client_order_id in client_ids]
        self._follow_changed(known, self._clock.now() + timedelta.resolution)

    def _end_zombies(self, zombies: Sequence[RestingOrder]) -> None:
        if not zombies:
            return
        now = self._clock.now()
        alarms_append(self._account.account_id, zombie_alarms(zombies), now)
        self.result.zombies = len(zombies)
        for start in range(0, len(zombies), self._client.max_batch):
            nonce = nonces_take(self._session.signer_id, 1, now)[0]
            self._client.cancel_resting(zombies[start : start + self._client.max_batch], nonce)
