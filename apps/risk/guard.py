"""The guard: looks at every account through the venue's own eyes and stops who has lost too much.

It needs SQL and the venues, nothing else. Marks and vetoes are rows, so a guard that died is replaced by
the next one, and two at once do no harm. What it cannot see is unknown, never zero: it stops nobody for
silence, and the review opens nothing on it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import Error as SqlError
from django.db import connection

from apps.exchanges.models import Account, AccountEvent, ScopeKind, TradingMode
from apps.exchanges.orders.events import Alarm, alarm_once
from apps.exchanges.venue_types import AccountSnapshot
from apps.risk import vetoes
from apps.risk.breakers.keeper import breakers_look
from apps.risk.breakers.sources import OwnLooks, Sources
from apps.risk.evidence import Evidence, accounts_of
from apps.risk.guard_limits import DrawdownBreach, find_breaches, read_rules
from apps.risk.limits import read_limits
from apps.risk.models import RiskEvent
from apps.risk.plausibility import Plausibility
from apps.risk.portfolio.books_news import BooksNews
from apps.risk.portfolio.drawdown import Mark, marks_update
from apps.risk.portfolio.keeper import TruthKeeper
from apps.risk.portfolio.portfolio_equity import observe_portfolios
from apps.risk.portfolio.rates_keeper import RatesKeeper
from apps.risk.portfolio.strategy_equity import observe_strategies, read_watched
from apps.risk.scope import ScopeId
from apps.risk.snapshots import Snapshots
from apps.risk.stopped import is_halted, is_stopped
from apps.risk.unexplained import Gap, explains, read_gaps
from moondev.domain.clock import Clock

logger = logging.getLogger(__name__)

ACTOR = "risk_guard"
# One wrong answer of a venue must not flatten a portfolio, so a breach counts when it is seen twice.
CONFIRMATIONS = 2
# While books and venue hold different positions a fill is on its way; so many passes long the books are believed.
DOUBTFUL_PASSES = 5

RecordMark = Callable[[Account, AccountSnapshot, datetime], object]


class Guard:
    """Watches drawdowns and breakers; each pass is complete in itself."""

    def __init__(
        self,
        snapshots: Snapshots,
        record_mark: RecordMark,
        clock: Clock,
        own: OwnLooks | None = None,
        plausibility: Plausibility | None = None,
        rates: RatesKeeper | None = None,
    ) -> None:
        """Judge what venues say by `plausibility`; None knows no prices of our own."""
        self._snapshots = snapshots
        self._own = OwnLooks() if own is None else own
        self._record_mark = record_mark
        self._clock = clock
        self._truth, self._rates = TruthKeeper(), rates or RatesKeeper()
        self._books = BooksNews()
        self._accounts: list[Account] = []
        self._plausibility = plausibility or Plausibility()
        self._evidence = Evidence()
        self._seen: Counter[ScopeId] = Counter()
        self._doubted: Counter[ScopeId] = Counter()

    def watch(self) -> list[DrawdownBreach]:
        """Take marks of everything and stop whoever has reached a limit; return whom it stopped."""
        accounts = list(Account.objects.filter(enabled=True).select_related("venue", "portfolio").order_by("pk"))
        self._accounts = accounts
        answered = self._snapshots.take(accounts)
        now = self._clock.now()
        heard = self._plausibility.sift(accounts, answered, now)
        for account in accounts:
            if account.pk in heard:
                self._record(account, heard[account.pk], now)
        marks = marks_of(accounts, heard, now)
        breaches = self._confirmed(find_breaches(read_rules(), marks, read_limits()), accounts, heard)
        stopped = [b for b in breaches if self._answer(b, marks[b.scope].peak, accounts, heard, now)]
        self._own.load.look()
        self._own.silence.look(accounts, answered)
        breakers_look(Sources(accounts, heard, marks, self._own, self._clock).read, ACTOR, now)
        self._apart(lambda: self._rates.keep(now))
        self._apart(lambda: self._truth.keep(accounts, heard, marks, now))
        return stopped

    def glance(self) -> bool:
        """Between two passes: write the truth anew when books have changed since; return whether they had.

        Only the accounts they changed on are asked, within what their venue may be asked at all.
        """
        changed = self._books.look()
        if not changed or not self._accounts:
            return False
        answered = self._snapshots.take(self._accounts, changed)
        now = self._clock.now()
        heard = self._plausibility.sift(self._accounts, answered, now)
        self._apart(lambda: self._truth.write(self._accounts, heard, now))
        return True

    @staticmethod
    def _apart(chore: Callable[[], object]) -> None:
        """Do what people read: trouble with it, unless the database is away, must not keep the guard from its watch."""
        try:
            chore()
        except Exception as error:
            if isinstance(error, SqlError) and not connection.is_usable():
                raise
            logger.exception("the portfolio truth is not written")

    def _record(self, account: Account, snapshot: AccountSnapshot, now: datetime) -> None:
        try:
            self._record_mark(account, snapshot, now)
        except SqlError:
            raise
        except Exception:
            # Trouble with one account must not end the watch over the others; its mark goes stale instead.
            logger.exception("account %s not marked", account.code)

    def _confirmed(
        self, breaches: Iterable[DrawdownBreach], accounts: Sequence[Account], heard: Mapping[int, AccountSnapshot]
    ) -> list[DrawdownBreach]:
        """Return the breaches seen in so many answers in a row of every account they are measured from."""
        found = {breach.scope: breach for breach in breaches}
        for scope in set(self._seen) - set(found):
            self._evidence.forget(scope)
        asked = accounts_of(found, accounts, read_watched()) if found else {}
        self._seen = Counter(
            {scope: self._seen[scope] + self._evidence.is_new(scope, asked[scope], heard) for scope in found}
        )
        return [breach for scope, breach in found.items() if self._seen[scope] >= CONFIRMATIONS]

    def _answer(
        self,
        breach: DrawdownBreach,
        peak: Decimal,
        accounts: Iterable[Account],
        heard: Mapping[int, AccountSnapshot],
        now: datetime,
    ) -> bool:
        """Stop a scope at its limit unless it is stopped; return whether it was stopped now.

        Money that is missing without a trade halts a portfolio and raises an alarm, and nothing is sold for it.
        """
        if is_stopped(breach.scope):
            return False
        gaps = self._gaps(breach, peak, accounts, heard)
        if not gaps:
            return self._stop(breach, str(breach), flatten=True)
        for gap in gaps:
            message = f"{gap}; book it with manage.py account transfer"
            alarm_once(gap.account.pk, Alarm(AccountEvent.Kind.EQUITY_DIFFERS, message), now)
        if is_halted(breach.scope):
            return False
        codes = ", ".join(gap.account.code for gap in gaps)
        return self._stop(breach, f"{breach}, by money missing from {codes} that no trade took", flatten=False)

    def _gaps(
        self, breach: DrawdownBreach, peak: Decimal, accounts: Iterable[Account], heard: Mapping[int, AccountSnapshot]
    ) -> list[Gap]:
        """Return the gaps that explain a portfolio's breach; none when it is a loss, as a strategy's always is."""
        kind, key = breach.scope
        gaps = []
        if kind == ScopeKind.PORTFOLIO:
            members = (account for account in accounts if account.portfolio_id == key)
            gaps = read_gaps(members, heard, self._clock.now())
        if not gaps or not explains(gaps, breach, peak):
            gaps = []
        doubtful = not all(gap.agrees for gap in gaps)
        self._doubted[breach.scope] = self._doubted[breach.scope] + 1 if doubtful else 0
        return gaps if self._doubted[breach.scope] <= DOUBTFUL_PASSES else []

    def _stop(self, breach: DrawdownBreach, reason: str, *, flatten: bool) -> bool:
        now = self._clock.now()
        logger.error("%s:%s is stopped%s: %s", *breach.scope, " and flattened" if flatten else "", reason)
        RiskEvent.objects.create(
            kind=RiskEvent.Kind.BREACH,
            scope_kind=breach.scope[0],
            scope_key=breach.scope[1],
            actor=ACTOR,
            message=reason[:300],
            at=now,
        )
        vetoes.engage(
            scope=breach.scope,
            mode=TradingMode.HALTED,
            flatten=flatten,
            reason=reason,
            actor=ACTOR,
            now=now,
        )
        return True


def marks_of(accounts: Iterable[Account], heard: Mapping[int, AccountSnapshot], now: datetime) -> dict[ScopeId, Mark]:
    """Return the marks of all that can be seen now, written down."""
    prices = {pk: mark_prices(snapshot) for pk, snapshot in heard.items()}
    portfolios = {account.portfolio_id for account in accounts}
    # A strategy whose account did not answer has no news; its old mark goes stale by itself.
    watched = [item for item in read_watched() if item.account.pk in heard]
    return marks_update(observe_portfolios(portfolios, now, heard) + observe_strategies(watched, prices, now), now)


def mark_prices(snapshot: AccountSnapshot) -> dict[str, Decimal]:
    """Return the venue's mark price of every position it reports, by its symbol."""
    return {position.symbol: position.mark_price.value for position in snapshot.positions}
