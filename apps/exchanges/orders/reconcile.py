"""Ask the venue what became of everything we are not sure of, and put the record right.

Runs at start, after every reconnect of the user stream, and on a schedule; running twice, or twice at once, changes
nothing that once did not. What the venue does not answer stays as it is: no answer never means "flat" or "gone".
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import InterfaceError, OperationalError

from apps.exchanges.accounts.differences import Difference, differing_note, position_differences
from apps.exchanges.accounts.equity import account_books
from apps.exchanges.accounts.funding import funding_apply
from apps.exchanges.accounts.watched import watched_accounts
from apps.exchanges.execution.nonces import nonces_take
from apps.exchanges.execution.outcomes import said
from apps.exchanges.execution.sessions import Session, Sessions, VenueSessions
from apps.exchanges.execution.timing import DENIAL_MARGIN_SECONDS, VENUE_WINDOW_SECONDS, lasting
from apps.exchanges.locks import only_one
from apps.exchanges.models import Account, AccountEvent, CommandKind, CommandStatus, FundingPayment, Signer
from apps.exchanges.orders import doubts
from apps.exchanges.orders.adopt import orders_adopt, sort_resting, unsized_alarm, zombie_alarms
from apps.exchanges.orders.commands import CommandOutcome, Renamed, commands_settle, renames_settle
from apps.exchanges.orders.doubts import Doubt
from apps.exchanges.orders.ending import ended_release
from apps.exchanges.orders.events import Alarm, alarm_once, alarms_append, unreadable_alarm
from apps.exchanges.orders.progress import ends_unheard
from apps.exchanges.orders.questions import catch_up, command_resolve, may_yet_arrive, resting_reports
from apps.exchanges.orders.services import reports_apply
from apps.exchanges.orders.wake import wake_accounts
from apps.exchanges.ports import ReportSource, RestingOrder
from moondev.domain.clock import Clock, process_clock
from moondev.domain.errors import Connectivity, TradingError
from moondev.domain.fills import FillReport
from moondev.domain.orders import OrderReport, OrderStatus

logger = logging.getLogger(__name__)

NEVER_HEARD = "the venue never heard of it"
FORGOTTEN = "the venue knows it no longer"
# Single questions per step of a pass; the rest waits for the next one, so that a bad minute does not eat the rate
# budget. Where more orders are in doubt, the venue's list answers for those that rest first: it costs as much as dozens
# of questions.
QUESTIONS = 20
DOUBTS_AT_ONCE = 1_000
# Questions without an answer after which a pass gives up.
SILENCES = 3
FILLS_PER_BATCH = 200
# Real seconds: how far a question for fills reaches back over the last one, how long a row stays unquestioned after
# it changed, and how long an account goes without being looked at in full.
OVERLAP_SECONDS = 5.0
SETTLING_SECONDS = 2.0
LOST_FILLS_SECONDS = 10.0
THOROUGH_EVERY_SECONDS = 60.0


@dataclass
class Reconciled:
    """What one pass over an account has come to. `errors` are questions the venue did not answer.

    `equity_difference` is the ledger's equity less the venue's; None when it cannot be told, as while positions differ.
    """

    lapsed: int = 0
    resolved: int = 0
    fills: int = 0
    funding: int = 0
    adopted: int = 0
    zombies: int = 0
    differences: tuple[Difference, ...] = ()
    equity_difference: Decimal | None = None
    errors: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Return whether every question was answered."""
        return not self.errors


class Reconciliation:
    """One pass over one account."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session, self._clock = session, clock
        self._account = session.account
        self._client = session.client
        self.result = Reconciled()
        self._silences = 0

    def thorough(self) -> Reconciled:
        """Ask about everything: doubts, all fills since the last time, live orders, funding, positions."""
        self.doubts()
        self._ask(self._resting)
        self._ask(self.fills)
        self._ask(self._funding)
        self._ask(self._positions)
        self._step(self._unreadable)
        owed = Account.objects.filter(pk=self._account.account_id, unreconciled=True)
        if self.result.complete and owed.update(unreconciled=False):
            wake_accounts([self._account.account_id])
        return self.result

    def quick(self) -> Reconciled:
        """Ask about what is known to be in doubt.

        In full only when it is long ago, when the stream was down since, and, of fills, when positions differ.
        """
        asked, owed = Account.objects.values_list("fills_known_until", "unreconciled").get(pk=self._account.account_id)
        if owed or asked is None or asked < self._ago(THOROUGH_EVERY_SECONDS):
            return self.thorough()
        self.doubts()
        missing = doubts.missing_fills_since(self._account.account_id)
        if missing is not None and missing < self._ago(SETTLING_SECONDS):
            self._ask(self.fills)
        self._ask(self._compare)
        if self.result.differences:
            self._ask(self.fills)
            self._ask(self._positions)
        self._step(self._unreadable)
        return self.result

    def _ask(self, step: Callable[[], None]) -> None:
        """Take a step that asks the venue, unless it has been silent too often: each question may last long."""
        if self._silences < SILENCES:
            self._step(step)
        else:
            self.result.errors.append(f"{step.__name__.strip('_')}: not asked, the venue is silent")

    def _step(self, step: Callable[[], None]) -> None:
        """Take one step; a question without an answer, or a mistake of ours, costs this step only."""
        name = step.__name__.strip("_")
        try:
            step()
        except (OperationalError, InterfaceError):
            raise
        except TradingError as error:
            logger.warning("account %s: %s: %s", self._account.code, name, error)
            self.result.errors.append(f"{name}: {error}")
            self._silences += isinstance(error, Connectivity)
        except Exception as error:  # whatever one answer does to one step, the others must still be asked
            logger.exception("account %s: %s", self._account.code, name)
            self.result.errors.append(f"{name}: {error!r}")

    def doubts(self) -> None:
        """Resolve what was being sent when its sender fell silent, as far as the venue tells."""
        self._step(self._lapsed)
        self._ask(self._unknown)
        self._ask(self._commands)
        self._step(self._ended)

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
        ended: list[tuple[doubts.DoubtfulCommand, OrderReport]] = []
        amended: set[UUID] = set()
        window = lasting(self._clock, VENUE_WINDOW_SECONDS + DENIAL_MARGIN_SECONDS)
        for command in doubts.unknown_commands(self._account.account_id, QUESTIONS):
            report = self._client.order_status(command.client_order_id, command.instrument)
            if may_yet_arrive(command, report, window, self._clock.now()):
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

    def end(self, ended: Sequence[OrderReport]) -> None:
        """Apply ends that say nothing of fills, after asking for the fills. Raises TradingError, and nothing ends."""
        if ended:
            self._book_fills(self._clock.now())
            self._apply(ended)
            self.result.resolved += len(ended)

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
        seen = frozenset(order.venue_order_id for order in living)
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

    def fills(self) -> None:
        """Ask for all fills since the last time, book what is new, and end orders that wait for fills in vain."""
        account_id = self._account.account_id
        asked = self._clock.now()
        self._book_fills(asked)
        waiting = doubts.waiting_for_fills(account_id, asked - lasting(self._clock, LOST_FILLS_SECONDS))
        catch_up(account_id, waiting, self._clock.now())
        Account.objects.filter(pk=account_id).update(fills_known_until=asked)

    def _book_fills(self, asked: datetime) -> None:
        fills = self._client.fills(self._fills_since(asked))
        for start in range(0, len(fills), FILLS_PER_BATCH):
            batch = fills[start : start + FILLS_PER_BATCH]
            self.result.fills += self._apply(fill_reports(batch, ReportSource.RECONCILE))

    def _fills_since(self, now: datetime) -> datetime:
        """Return from when on fills may be missing: the last question, or the sending of an order that lacks some."""
        known = [_asked_at(self._account.account_id), doubts.missing_fills_since(self._account.account_id)]
        since = min((moment for moment in known if moment is not None), default=None)
        if since is None or known[0] is None:
            since = self._account.opened_at or since or now - timedelta(days=1)
        return since - lasting(self._clock, OVERLAP_SECONDS)

    def _funding(self) -> None:
        last = FundingPayment.objects.filter(account_id=self._account.account_id).order_by("-paid_at").first()
        since = last.paid_at if last else self._account.opened_at or self._ago(VENUE_WINDOW_SECONDS)
        payments = self._client.funding(since)
        account_id = self._account.account_id
        self.result.funding = funding_apply(account_id=account_id, payments=payments, now=self._clock.now()).payments

    def _compare(self) -> None:
        """Compare positions and worth, and remember where ledger and venue differ."""
        snapshot = self._client.account_snapshot()
        books = account_books(self._account.account_id)
        self.result.differences = position_differences(books, snapshot)
        ours = books.equity(snapshot) if not self.result.differences else None
        self.result.equity_difference = None if ours is None else ours - snapshot.equity.value
        if not self.result.differences:
            differing_note(self._account.account_id, ())

    def _positions(self) -> None:
        """Compare positions once all fills are in; a difference that nothing in flight explains is an alarm.

        Until it is gone nothing is opened there: whoever plans on a position that is not there doubles it.
        """
        self._compare()
        quiet = doubts.nothing_moves(self._account.account_id, self._ago(LOST_FILLS_SECONDS))
        if self.result.differences and self.result.complete and quiet:
            differing_note(self._account.account_id, self.result.differences)
            alarm = Alarm(AccountEvent.Kind.POSITION_DIFFERS, "; ".join(map(str, self.result.differences)))
            alarm_once(self._account.account_id, alarm, self._clock.now())

    def _unreadable(self) -> None:
        """Tell of what the venue said in this pass and before that could not be read."""
        unreadable_alarm(self._account.account_id, self._client.take_unreadable(), self._clock.now())

    def _apply(self, reports: Sequence[OrderReport]) -> int:
        return reports_apply(account_id=self._account.account_id, reports=reports, now=self._clock.now()).fills

    def _ago(self, real_seconds: float) -> datetime:
        return self._clock.now() - lasting(self._clock, real_seconds)


def fill_reports(fills: Iterable[FillReport], source: str) -> list[OrderReport]:
    """Return fills as reports that carry nothing else."""
    return [
        OrderReport(
            source=source,
            client_order_id=fill.client_order_id,
            venue_order_id=fill.venue_order_id,
            status=None,
            time_exchange=fill.time_exchange,
            time_received=fill.time_received,
            fills=(fill,),
        )
        for fill in fills
    ]


def reconcile_account(account_id: int, sessions: Sessions | None = None, clock: Clock | None = None) -> Reconciled:
    """Ask the venue about everything of one account and put the record right. Never raises for a silent venue.

    `sessions` and `clock` None mean this process's own. Raises Configuration when there is no key to ask with.
    """
    session = (sessions or VenueSessions()).session(account_id, Signer.Purpose.ORDERS)
    return Reconciliation(session, clock or process_clock()).thorough()


def reconcile_venue(venue: str, sessions: Sessions | None = None, clock: Clock | None = None) -> dict[int, Reconciled]:
    """Look over every account of a venue that is enabled or not empty: quickly, and in full once a minute.

    Does nothing while another process is at it: a venue that hangs is not asked by more and more of us.
    """
    with only_one(f"reconcile/{venue}") as ours:
        return _reconcile_accounts(venue, sessions or VenueSessions(), clock or process_clock()) if ours else {}


def _reconcile_accounts(venue: str, sessions: Sessions, clock: Clock) -> dict[int, Reconciled]:
    results = {}
    for account_id in watched_accounts().filter(venue_id=venue).order_by("pk").values_list("pk", flat=True):
        try:
            session = sessions.session(account_id, Signer.Purpose.ORDERS)
            results[account_id] = Reconciliation(session, clock).quick()
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # one account's trouble, whatever it is, must not keep the others from being asked
            logger.exception("account %s cannot be reconciled", account_id)
    return results


def _asked_at(account_id: int) -> datetime | None:
    return Account.objects.filter(pk=account_id).values_list("fills_known_until", flat=True).get()
