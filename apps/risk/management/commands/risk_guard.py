"""Watch drawdowns and stop who has lost too much: ``manage.py risk_guard``.

A process of its own that needs only SQL and the venues. It may be killed and started at any time, and
two at once do no harm.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser
from django.db import Error as SqlError
from django.db import close_old_connections, connection

from apps.exchanges.accounts.balances import equity_mark
from apps.exchanges.execution.sessions import VenueSessions
from apps.risk.direct.accounts_file import DirectAccount, read_rows, write_file
from apps.risk.drill_push import DrillPush
from apps.risk.guard import Guard
from apps.risk.plausibility import Plausibility, market_prices
from apps.risk.snapshots import Snapshots
from apps.risk.veto_push import VetoPush
from moondev.commands import PromptCommand
from moondev.domain.clock import monotonic, process_clock
from moondev.heartbeat.heart import beating

logger = logging.getLogger(__name__)

# How often, between two passes, the books are asked whether anything was filled.
GLANCE_SECONDS = 0.1


class Command(PromptCommand):
    """Runs the guard in the foreground until it is told to stop."""

    help = "Measure drawdown every second through the venues' own eyes; halt and flatten at the limit."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the interval and the single pass."""
        parser.add_argument("--interval", type=float, default=1.0, help="real seconds between passes (default 1)")
        parser.add_argument("--once", action="store_true", help="make one pass and end")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGINT or SIGTERM."""
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        clock = process_clock()
        snapshots = Snapshots(VenueSessions())
        guard = Guard(
            snapshots,
            lambda account, snapshot, now: equity_mark(account.pk, snapshot, now),
            clock,
            plausibility=Plausibility(market_prices(clock)),
        )
        drills = DrillPush(clock)
        watch = Watch(guard, VetoPush(clock), drills)
        self.stderr.write("risk guard is watching")
        try:
            if options["once"]:
                watch.step()
            else:
                with beating("risk_guard") as pulse:
                    watch.run(stop, options["interval"], pulse.turn)
        finally:
            snapshots.close()
            drills.close()


class Watch:
    """Makes one pass after the other, and outlives a database that is away."""

    def __init__(self, guard: Guard, push: VetoPush, drills: DrillPush) -> None:
        self._guard, self._push, self._drills = guard, push, drills
        self._known: list[DirectAccount] = []
        self._blind = False

    def run(self, stop: threading.Event, interval_seconds: float, passed: Callable[[], None]) -> None:
        """Pass every `interval_seconds` until `stop` is set; call `passed` after each pass that saw something."""
        while not stop.is_set():
            started = monotonic()
            if self.step():
                passed()
            while not stop.is_set() and (left := interval_seconds - (monotonic() - started)) > 0:
                stop.wait(min(left, GLANCE_SECONDS))
                if left > GLANCE_SECONDS:
                    self._glance()

    def _glance(self) -> None:
        """Look for fills between two passes; a database that is away is the next pass's to tell."""
        try:
            self._guard.glance()
        except SqlError:
            connection.close()

    def step(self) -> bool:
        """Make one pass; return False when the database was away: there is nothing to see, and that is said once."""
        try:
            close_old_connections()
            self._guard.watch()
            self._push.push()
            self._drills.push()
            self._remember_accounts()
        except SqlError as error:
            connection.close()
            if not self._blind:
                logger.warning("the guard is blind, the database does not answer: %s", error)
            self._blind = True
            return False
        if self._blind:
            logger.warning("the guard sees again")
        self._blind = False
        return True

    def _remember_accounts(self) -> None:
        """Keep the file from which this machine can be stopped when SQL cannot be asked."""
        accounts = read_rows()
        if accounts == self._known:
            return
        try:
            write_file(accounts)
        except OSError as error:
            logger.warning("accounts not written down for the direct stop: %s", error)
            return
        self._known = accounts
