"""Carry out halts: end what has not left, cancel what lives, ask until nothing does, flatten if asked.

The halt itself is the committed trading state; from then on the gate lets nothing of the scope out. This cleans up,
as its own signer and in its own process, so it waits for nobody. Every step can be taken again, so a worker that dies
is followed by another where the row says.

All open vetoes of a venue are carried out side by side, one look at one account at a time: what cannot be finished
delays nothing else, and a new veto has its first cancel after the request that is under way.

A HALTED scope loses every live order, its stops too; a REDUCING one keeps the orders that reduce.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.db import Error as SqlError
from django.db import connection

from apps.exchanges.execution.account_halt import IDLE_SECONDS, AccountHalt
from apps.exchanges.execution.books import Books, VenueBooks
from apps.exchanges.execution.hands import Hands
from apps.exchanges.execution.sender import worker_name
from apps.exchanges.execution.sessions import Sessions, VenueSessions
from apps.exchanges.execution.veto_row import VetoRow, free_rows
from apps.exchanges.execution.veto_scope import VetoScope
from apps.exchanges.models import Signer, TradingMode, TradingState, Veto
from moondev.domain.clock import Clock, monotonic, process_clock
from moondev.logs import log_context

logger = logging.getLogger(__name__)

# Real seconds: how long one pass works before it gives its message back, and how often it looks at our own rows
# while it waits; and the shortest sleep, so that every one moves the time.
PASS_SECONDS = 30.0
POLL_SECONDS = 0.2
SHORTEST_SECONDS = 0.001


def carry_out(
    venue: str,
    *,
    purpose: str = Signer.Purpose.VETOES,
    sessions: Sessions | None = None,
    clock: Clock | None = None,
    sleep: Callable[[float], None] = time.sleep,
    timer: Callable[[], float] = monotonic,
    books: Books | None = None,
) -> list[Veto]:
    """Carry out every open veto of a venue that nobody works on; return those that are done now.

    What one pass cannot finish stays open and is taken up by the next. `sessions`, `clock` and `books` None mean this
    process's own. What goes wrong is noted in the row, never raised, unless the database is away.
    """
    clock, books = clock or process_clock(), books or VenueBooks()
    hands = Hands(sessions or VenueSessions(), purpose, clock, worker_name(), sleep, timer, books)
    return Pass(venue, hands).run()


class Pass:
    """One pass over the open vetoes of a venue; those engaged while it runs are taken up as well."""

    def __init__(self, venue: str, hands: Hands) -> None:
        self._venue, self._hands = venue, hands
        self._ends = hands.timer() + PASS_SECONDS
        self._halts: dict[int, Halt] = {}
        # Until then the venue wants to be left alone; it counts requests by address, so this holds for every account.
        self._quiet_until = float("-inf")
        self._done: list[Veto] = []

    def run(self) -> list[Veto]:
        """Work until everything is done or the time is up; return the vetoes that are done."""
        try:
            self._take_up()
            while self._halts and self._hands.timer() < self._ends:
                self._wait_or_work()
                self._take_up()
        finally:
            for halt in self._halts.values():
                halt.row.give_back()
            self._hands.books.close()
        return self._done

    def _take_up(self) -> None:
        """Take the vetoes that nobody works on, and let go of those that another has taken."""
        for pk in [pk for pk, halt in self._halts.items() if not halt.row.lease()]:
            del self._halts[pk]
        for row in free_rows(self._venue, self._hands, self._halts):
            if row.lease():
                self._halts[row.veto.pk] = Halt(row, self._hands)

    def _wait_or_work(self) -> None:
        # The newest first among those that are due alike: it is what somebody is waiting for.
        halt = min(self._halts.values(), key=lambda halt: (halt.due, -halt.row.veto.pk))
        now = self._hands.timer()
        wait = min(max(halt.due, self._quiet_until), self._ends) - now
        if wait <= 0:
            self._work_on(halt)
            return
        self._hands.sleep(max(min(wait, POLL_SECONDS), SHORTEST_SECONDS))
        for waiting in self._halts.values():
            waiting.notice_landings()

    def _work_on(self, halt: Halt) -> None:
        with log_context(veto=str(halt.row.veto.pk), venue=self._venue):
            self._turn(halt)

    def _turn(self, halt: Halt) -> None:
        try:
            quiet = halt.take_turn()
        except Exception as error:
            if isinstance(error, SqlError) and not connection.is_usable():
                raise
            logger.exception("veto %s", halt.row.veto.pk)
            halt.put_off(error)
            return
        self._quiet_until = max(self._quiet_until, self._hands.timer() + quiet)
        if halt.done:
            self._done.append(halt.row.veto)
            halt.row.give_back()
            del self._halts[halt.row.veto.pk]


class Halt:
    """One veto being carried out, an account at a time."""

    def __init__(self, row: VetoRow, hands: Hands) -> None:
        self.row, self._hands = row, hands
        self._mode: TradingMode | None = None
        self._accounts: dict[int, AccountHalt] = {}
        self._not_before = float("-inf")
        self.done = False

    @property
    def due(self) -> float:
        """Return when, by the timer of the hands, the next step is due; one that was never tried comes first."""
        return max(self._not_before, min((account.due for account in self._open()), default=self._not_before))

    def take_turn(self) -> float:
        """Take the step that is due; return for how many seconds the venue wants to be left alone."""
        if self._mode is None:
            self._mode = self._begin()
        if self._mode is TradingMode.ACTIVE:
            self._end("released before it was done")
            return 0.0
        quiet = self._look()
        if not self._open():
            self._add_accounts(self._mode)
        if not self._open():
            self._end(self._remarks())
        return quiet

    def notice_landings(self) -> None:
        """Look anew at accounts on which nothing is in flight any more."""
        for account in self._open():
            account.notice_landing()

    def put_off(self, error: Exception) -> None:
        """Note what went wrong with the veto itself, and try again a little later."""
        self._not_before = self._hands.timer() + IDLE_SECONDS
        self.row.tell(f"{type(error).__name__}: {error}")

    def _begin(self) -> TradingMode:
        mode = _mode(self.row.veto)
        if mode is not TradingMode.ACTIVE:
            self.row.write(stage=Veto.Stage.CANCELLING)
            self._add_accounts(mode)
        return mode

    def _add_accounts(self, mode: TradingMode) -> None:
        """Take in the accounts of the scope; more may come to hold something of it while we work."""
        for account_id, code in VetoScope.of(self.row.veto).accounts().items():
            if account_id not in self._accounts:
                self._accounts[account_id] = AccountHalt(account_id, code, self.row, mode, self._hands)

    def _look(self) -> float:
        if not self._open():
            return 0.0
        account = min(self._open(), key=lambda account: account.due)
        quiet = account.look()
        if account.flattening:
            self.row.write(stage=Veto.Stage.FLATTENING)
        if account.remark or self.row.veto.detail:
            self.row.tell(self._remarks())
        return quiet

    def _open(self) -> list[AccountHalt]:
        return [account for account in self._accounts.values() if not account.done]

    def _remarks(self) -> str:
        return "; ".join(account.remark for account in self._accounts.values() if account.remark)

    def _end(self, detail: str) -> None:
        self.row.tell(detail)
        self.row.write(stage=Veto.Stage.DONE, done_at=self._hands.clock.now())
        self.done = True
        logger.warning("veto %s done: %s", self.row.veto.pk, self.row.veto)


def _mode(veto: Veto) -> TradingMode:
    """Return what the scope's row says now. A missing row is taken for a halt: somebody asked for one."""
    said = TradingState.objects.filter(scope_kind=veto.scope_kind, scope_key=veto.scope_key).first()
    return TradingMode.HALTED if said is None else TradingMode(said.mode)
