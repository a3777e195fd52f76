"""Ask the venue what became of everything we are not sure of, and put the record right.

Runs at start, after every reconnect of the user stream, and on a schedule; running twice, or twice at once, changes
nothing that once did not. What the venue does not answer stays as it is: no answer never means "flat" or "gone".
"""

from __future__ import annotations

import logging

from django.db import InterfaceError, OperationalError

from apps.exchanges.accounts.differences import differing_note, position_differences
from apps.exchanges.accounts.equity import account_books
from apps.exchanges.accounts.funding import funding_apply
from apps.exchanges.accounts.watched import watched_accounts
from apps.exchanges.execution.sessions import Sessions, VenueSessions
from apps.exchanges.execution.timing import VENUE_WINDOW_SECONDS, lasting
from apps.exchanges.locks import only_one
from apps.exchanges.models import Account, AccountEvent, FundingPayment, Signer
from apps.exchanges.orders import doubts
from apps.exchanges.orders.events import Alarm, alarm_once, unreadable_alarm
from apps.exchanges.orders.questions import catch_up
from apps.exchanges.orders.reconcile_orders import OrdersPass
from apps.exchanges.orders.reconcile_pass import SETTLING_SECONDS, Reconciled, fill_reports
from apps.exchanges.orders.wake import wake_accounts
from moondev.domain.clock import Clock, process_clock

__all__ = [
    "Reconciled",
    "Reconciliation",
    "fill_reports",
    "reconcile_account",
    "reconcile_venue",
    "strangers_adopt",
]

logger = logging.getLogger(__name__)

# Real seconds: how long fills may be on their way, and how long an account goes without being looked at in full.
LOST_FILLS_SECONDS = 10.0
THOROUGH_EVERY_SECONDS = 60.0


class Reconciliation(OrdersPass):
    """One pass over one account."""

    def thorough(self) -> Reconciled:
        """Ask about everything: doubts, all fills since the last time, live orders, funding, positions."""
        self.doubts()
        self._ask(self._resting)
        self._ask(self._all_fills)
        self._ask(self._funding)
        self._ask(self._positions)
        self._step(self._unreadable)
        owed = Account.objects.filter(pk=self._account.account_id, unreconciled=True)
        if self.result.complete and owed.update(unreconciled=False):
            wake_accounts([self._account.account_id])
        return self.result

    def strangers(self) -> Reconciled:
        """Ask what rests, and adopt what we never placed."""
        self._ask(self._resting)
        return self.result

    def quick(self) -> Reconciled:
        """Ask about what is known to be in doubt.

        In full only when it is long ago, when the stream was down since, and, of fills, when positions differ: a day of
        them once for each difference that nothing explains, and no more often than in full while it stays.
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
            self._ask(self._compare)
            if self._unexplained():
                self._ask(self._positions)
        self._step(self._unreadable)
        return self.result

    def fills(self) -> None:
        """Ask for all fills since the last time, book what is new, and end orders that wait for fills in vain."""
        account_id = self._account.account_id
        asked = self._clock.now()
        self._book_fills(asked)
        waiting = doubts.waiting_for_fills(account_id, asked - lasting(self._clock, LOST_FILLS_SECONDS))
        catch_up(account_id, waiting, self._clock.now())

    def _all_fills(self) -> None:
        """Ask for all fills and remember when; in a quick look one difference would put off the full one for ever."""
        asked = self._clock.now()
        self.fills()
        Account.objects.filter(pk=self._account.account_id).update(fills_known_until=asked)

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
        seen = self.result.differences
        # Something may have filled after the question for fills and before this answer: asked again, it shows. Or it
        # was in no answer yet when its time was asked for, and the stream missed it too.
        for look_again in (self.fills, self._reach_back):
            if self.result.differences and self.result.complete:
                look_again()
                self._compare()
        if seen and self.result.differences == seen and self.result.complete and self._quiet():
            differing_note(self._account.account_id, self.result.differences)
            alarm = Alarm(AccountEvent.Kind.POSITION_DIFFERS, "; ".join(map(str, self.result.differences)))
            alarm_once(self._account.account_id, alarm, self._clock.now())

    def _unexplained(self) -> bool:
        """Return whether ledger and venue differ where nothing in flight explains it and no alarm was given yet."""
        differing = {difference.symbol for difference in self.result.differences}
        known = Account.objects.values_list("differing", flat=True).get(pk=self._account.account_id)
        return not differing.issubset(known) and self._quiet()

    def _quiet(self) -> bool:
        return doubts.nothing_moves(self._account.account_id, self._ago(LOST_FILLS_SECONDS))

    def _unreadable(self) -> None:
        """Tell of what the venue said in this pass and before that could not be read."""
        unreadable_alarm(self._account.account_id, self._client.take_unreadable(), self._clock.now())


def reconcile_account(account_id: int, sessions: Sessions | None = None, clock: Clock | None = None) -> Reconciled:
    """Ask the venue about everything of one account and put the record right. Never raises for a silent venue.

    `sessions` and `clock` None mean this process's own. Raises Configuration when there is no key to ask with.
    """
    session = (sessions or VenueSessions()).session(account_id, Signer.Purpose.ORDERS)
    return Reconciliation(session, clock or process_clock()).thorough()


def strangers_adopt(account_id: int, sessions: Sessions | None = None, clock: Clock | None = None) -> int:
    """Write down orders that rest at the venue and were not placed here; return how many. Silence raises nothing.

    Raises Configuration when there is no key to ask with.
    """
    session = (sessions or VenueSessions()).session(account_id, Signer.Purpose.ORDERS)
    return Reconciliation(session, clock or process_clock()).strangers().adopted


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
