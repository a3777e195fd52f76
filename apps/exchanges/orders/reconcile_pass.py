"""What every pass over an account needs: questions that cost only themselves, and fills booked before ends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import InterfaceError, OperationalError

from apps.exchanges.accounts.differences import Difference
from apps.exchanges.execution.sessions import Session
from apps.exchanges.execution.timing import lasting
from apps.exchanges.models import Account
from apps.exchanges.orders import doubts
from apps.exchanges.orders.services import reports_apply
from apps.exchanges.ports import ReportSource
from moondev.domain.clock import Clock
from moondev.domain.errors import Connectivity, RateLimited, TradingError
from moondev.domain.fills import FillReport
from moondev.domain.orders import OrderReport
from moondev.logs import log_context

logger = logging.getLogger(__name__)

# Questions without an answer after which a pass gives up.
SILENCES = 3
FILLS_PER_BATCH = 200
# How long a row stays unquestioned after it changed; real seconds.
SETTLING_SECONDS = 2.0
# How far back fills are asked for once more before a difference of positions is believed: past every lag of a venue.
REACH_BACK = timedelta(days=1)


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


class Pass:
    """One pass over one account: what it asks, and what it has come to."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session, self._clock = session, clock
        self._account = session.account
        self._client = session.client
        self.result = Reconciled()
        self._silences, self._spent = 0, False

    def end(self, ended: Sequence[OrderReport]) -> None:
        """Apply ends that say nothing of fills, after asking for the fills. Raises TradingError, and nothing ends."""
        if ended:
            self._book_fills(self._clock.now())
            self._apply(ended)
            self.result.resolved += len(ended)

    def _ask(self, step: Callable[[], None]) -> None:
        """Take a step that asks the venue, unless that is in vain.

        It has been silent too often, and each question may last long; or its limits are spent, and every answer would
        put off the moment at which a whole pass has room.
        """
        name = step.__name__.strip("_")
        if self._spent:
            self.result.errors.append(f"{name}: not asked, the venue's limits are spent")
        elif self._silences >= SILENCES:
            self.result.errors.append(f"{name}: not asked, the venue is silent")
        else:
            self._step(step)

    def _step(self, step: Callable[[], None]) -> None:
        """Take one step; a question without an answer, or a mistake of ours, costs this step only."""
        with log_context(account=str(self._account.account_id), venue=self._account.venue):
            self._take(step, step.__name__.strip("_"))

    def _take(self, step: Callable[[], None], name: str) -> None:
        try:
            step()
        except (OperationalError, InterfaceError):
            raise
        except TradingError as error:
            logger.warning("account %s: %s: %s", self._account.code, name, error)
            self.result.errors.append(f"{name}: {error}")
            self._silences += isinstance(error, Connectivity)
            self._spent = self._spent or isinstance(error, RateLimited)
        except Exception as error:  # whatever one answer does to one step, the others must still be asked
            logger.exception("account %s: %s", self._account.code, name)
            self.result.errors.append(f"{name}: {error!r}")

    def _reach_back(self) -> None:
        """Book fills of the last day that the venue showed too late: they are older than every later question."""
        now = self._clock.now()
        self._book(self._client.fills(min(self._fills_since(now), now - REACH_BACK)))

    def _book_fills(self, asked: datetime) -> None:
        self._book(self._client.fills(self._fills_since(asked)))

    def _book(self, fills: Sequence[FillReport]) -> None:
        for start in range(0, len(fills), FILLS_PER_BATCH):
            batch = fills[start : start + FILLS_PER_BATCH]
            self.result.fills += self._apply(fill_reports(batch, ReportSource.RECONCILE))

    def _fills_since(self, now: datetime) -> datetime:
        """Return from when on fills may be missing: the last question, or the sending of an order that lacks some."""
        known = [_asked_at(self._account.account_id), doubts.missing_fills_since(self._account.account_id)]
        since = min((moment for moment in known if moment is not None), default=None)
        if since is None or known[0] is None:
            since = self._account.opened_at or since or now - timedelta(days=1)
        return since - lasting(self._clock, self._session.capabilities.fills_lag_seconds)

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


def _asked_at(account_id: int) -> datetime | None:
    return Account.objects.filter(pk=account_id).values_list("fills_known_until", flat=True).get()
