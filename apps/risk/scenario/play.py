"""Play a day: the market moves, strategies go on buying, the guard looks, halts are carried out, all on one clock.

Everything that decides or acts is the platform's own; only time, the market and the machine's load are made. What runs
side by side in a live system takes turns here, so halts are somewhat slower than they would be.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter, deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from apps.exchanges.accounts.balances import equity_mark
from apps.exchanges.execution import halt
from apps.exchanges.execution.gate import GateScope, gate_modes
from apps.exchanges.models import TradingMode, Veto
from apps.exchanges.orders.reconcile import reconcile_account
from apps.risk.breakers.load import HostLoad, Look
from apps.risk.breakers.silence import Silence
from apps.risk.breakers.sources import OwnLooks
from apps.risk.guard import Guard
from apps.risk.scenario.books import ScenarioSessions, Stage, address_at, grant, write_books
from apps.risk.scenario.buyer import Buyer
from apps.risk.scenario.day import Day, seconds
from apps.risk.scenario.holdings import Holdings
from apps.risk.scenario.market import ScenarioVenue
from apps.risk.scenario.outcome import Growth, Outcome, Worth, happened, what_is_left
from apps.risk.snapshots import Snapshots
from moondev.domain.clock import FixedClock
from moondev.domain.values import ZERO

logger = logging.getLogger(__name__)

BEGINS = datetime(2025, 10, 10, 20, 50, tzinfo=UTC)
# How long one venue's halts are worked on before others have their turn, and time passes so while any is open.
TURN_SECONDS = 2.0
BUY_EVERY_SECONDS = 20
RECONCILE_EVERY_SECONDS = 30
# Real seconds: venues answer at once here, and a busy machine must not make one look silent.
ANSWER_SECONDS = 60.0
_CALM = (0.2, 0.3)


class _TurnOver(Exception):
    """Others have their turn; what is left of a halt is taken up again."""


def play(venues: Sequence[str], seed: int, holdings: Holdings) -> Outcome:
    """Play the day of `seed` with `holdings`, in this process's database, which must be empty; return what came of it.

    Raises InvalidValue for holdings that their money does not carry, Configuration when the database has accounts.
    """
    return Play(Day.drawn(venues, seed), seed, holdings).run()


class Play:
    """One day being played."""

    def __init__(self, day: Day, seed: int, holdings: Holdings) -> None:
        """Write the books and open the markets."""
        self._day, self._seed = day, seed
        self._clock, self._elapsed, self._due = FixedClock(BEGINS), 0.0, deque(seconds()[1:])
        self._venues = {code: ScenarioVenue(code, day, self._clock, seed) for code in day.venues}
        self._stages = write_books(self._venues, holdings, self._clock)
        self._sessions = ScenarioSessions({stage.scope.account_id: stage.client for stage in self._stages})
        self._idle = _idle(day, seed, holdings)
        own = OwnLooks(HostLoad(lambda: Look(self._elapsed, *_CALM)), Silence(lambda: self._elapsed))
        self._snapshots = Snapshots(self._sessions, lambda: self._elapsed, ANSWER_SECONDS)
        self._guard = Guard(
            self._snapshots, lambda account, seen, now: equity_mark(account.pk, seen, now), self._clock, own
        )
        self._buyers = [Buyer(stage, self._clock, self._sessions) for stage in self._stages]
        self._stopped: dict[tuple[str, str], Decimal] = {}
        self._growths: list[Growth] = []
        self._worth = [Worth(0, _worth_of(self._venues), _worth_of(self._idle))]
        self._forced: list[str] = []

    def run(self) -> Outcome:
        """Play to the end; return what came of it."""
        try:
            while self._due:
                venues = sorted(set(Veto.objects.filter(done_at__isnull=True).values_list("venue_id", flat=True)))
                for venue in venues:
                    self._carry_out(venue)
                self._pass_time(1.0 if venues else self._due[0] - self._elapsed if self._due else 0.0)
        finally:
            self._snapshots.close()
        self._reconcile()
        return self._outcome()

    def _reconcile(self) -> None:
        for stage in self._stages:
            reconcile_account(stage.scope.account_id, self._sessions, self._clock)

    def _carry_out(self, venue: str) -> None:
        """Work on a venue's halts as its veto worker does, for one turn."""
        ends = self._elapsed + TURN_SECONDS

        def sleep(seconds: float) -> None:
            self._pass_time(seconds)
            if self._elapsed >= ends:
                raise _TurnOver

        with contextlib.suppress(_TurnOver):
            halt.carry_out(venue, sessions=self._sessions, clock=self._clock, sleep=sleep, timer=lambda: self._elapsed)

    def _pass_time(self, seconds: float) -> None:
        """Let time pass; whatever is due at each step of the day happens in it."""
        target = self._elapsed + seconds
        while self._due and self._due[0] <= target:
            second = self._due.popleft()
            self._advance(second)
            self._happen(second)
        self._advance(max(target, self._elapsed))

    def _advance(self, second: float) -> None:
        self._clock.advance(BEGINS + timedelta(seconds=1 + second) - self._clock.now())
        self._elapsed = second

    def _happen(self, second: int) -> None:
        """Move the markets, then let everybody look in turn."""
        for market in (*self._venues.values(), *self._idle.values()):
            market.step(second)
        if second == self._day.deleveraged_at:
            self._deleverage()
        if second % RECONCILE_EVERY_SECONDS == 0:
            self._reconcile()
        if second % BUY_EVERY_SECONDS == 0:
            for buyer in self._buyers:
                buyer.act()
        self._note_sizes(second)
        self._guard.watch()
        self._worth.append(Worth(second, _worth_of(self._venues), _worth_of(self._idle)))

    def _deleverage(self) -> None:
        """Let the weakest venue cut winners, ours and those of who does nothing."""
        weakest = self._day.weakest
        self._forced = self._venues[weakest].deleverage(address_at(weakest))
        self._idle[weakest].deleverage(address_at(weakest))

    def _note_sizes(self, second: int) -> None:
        """Note whatever has grown since it was stopped. The venue's word counts, not ours."""
        now: dict[tuple[str, str], Decimal] = {}
        for stage in self._stages:
            sizes = {p.coin: abs(p.size) for p in stage.venue.exchange.account_state(stage.address).positions}
            for coin, size in sizes.items():
                before = self._stopped.get((stage.venue.code, coin))
                if before is not None and size > before:
                    self._growths.append(Growth(second, stage.venue.code, coin, before, size))
            scopes = {coin: _gate_scope(stage, coin) for coin in stage.venue.exchange.mids()}
            modes = gate_modes(scopes.values(), self._clock.now())
            now |= {
                (stage.venue.code, coin): sizes.get(coin, ZERO)
                for coin, scope in scopes.items()
                if modes[scope] is not TradingMode.ACTIVE
            }
        self._stopped = now

    def _outcome(self) -> Outcome:
        refused: Counter[str] = sum((buyer.refused for buyer in self._buyers), Counter())
        return Outcome(
            seed=self._seed,
            venues=self._day.venues,
            weakest=self._day.weakest,
            worth=tuple(self._worth),
            happened=tuple(happened(BEGINS)),
            forced=tuple(self._forced),
            refused=dict(sorted(refused.items())),
            openings=tuple(opening for buyer in self._buyers for opening in buyer.openings),
            growths=tuple(self._growths),
            left=tuple(what_is_left(self._stages, self._clock.now())),
        )


def _idle(day: Day, seed: int, holdings: Holdings) -> dict[str, ScenarioVenue]:
    """Return the same markets with the same holdings for who does nothing all day."""
    clock = FixedClock(BEGINS)
    venues = {code: ScenarioVenue(code, day, clock, seed) for code in day.venues}
    for venue in venues.values():
        grant(venue, holdings)
    return venues


def _worth_of(venues: dict[str, ScenarioVenue]) -> Decimal:
    return sum((v.exchange.account_state(address_at(code)).account_value for code, v in venues.items()), ZERO)


def _gate_scope(stage: Stage, coin: str) -> GateScope:
    scope = stage.scope
    return GateScope(scope.portfolio, scope.venue, scope.account, scope.strategy, f"{scope.venue}:{coin}")
